"""The group of all commands: finds a command when it is used, and says in one line what went wrong."""

from __future__ import annotations

import difflib
import importlib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkscope.cli import COMMANDS, HIDDEN, PLATFORMS
from talkscope.errors import APIError, InvalidArgument, TalkscopeError, sentences
from talkscope.models.text import clean

if TYPE_CHECKING:
    from pydantic import SecretStr

    from talkscope.settings import AnySource, Settings
    from talkscope.wiring import App

INTERRUPTED = 130
NOBODY_READS = 141


def _settings() -> Settings:
    from talkscope import settings

    return settings.read()


def _app(settings: Settings) -> App:
    from talkscope.wiring import App

    return App(settings)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What commands reach outside themselves; a test gives its own."""

    settings: Callable[[], Settings] = _settings
    app: Callable[[Settings], App] = _app
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def settings_for(self, warehouse: Path | None, *, key: SecretStr | None = None, url: str | None = None) -> Settings:
        """The settings; with a folder, those under which only the warehouse in it is asked.

        With a key or an address, only the Convai account that they name is asked. Raises InvalidArgument for both.
        """
        found = self.settings()
        if warehouse is None and key is None and url is None:
            return found
        from talkscope import settings
        from talkscope.settings.sources import folder

        only: AnySource
        if warehouse is None:
            only = settings.convai(found, key=key, url=url)
        elif key is None and url is None:
            only = settings.SourceSettings("warehouse", folder("--warehouse", str(warehouse)))
        else:
            raise InvalidArgument(
                "--warehouse asks a folder, --api-key and --base-url ask an account: give one of them."
            )
        return replace(found, sources=(only,), default_source=only.name)


def surroundings(context: click.Context) -> Surroundings:
    """The surroundings that the command line was started in."""
    found = context.find_object(Surroundings)
    return found if found is not None else Surroundings()


class _Unread(Exception):
    """Nobody reads the output any more."""


class Commands(click.Group):
    """Commands that are listed by COMMANDS and imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, its module imported."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"talkscope.cli.{COMMANDS[cmd_name].module}")
        found: click.Command = module.command(cmd_name)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What may stand before the command, as in `talkscope --pretty summary`, counts as if it stood after it."""
        before: list[str] = []
        while args and args[0].partition("=")[0] in _ANYWHERE:
            with_value = _ANYWHERE[args[0].partition("=")[0]] and "=" not in args[0]
            before, args = [*before, *args[: 1 + with_value]], args[1 + with_value :]
        return super().parse_args(ctx, [*args[:1], *before, *args[1:]])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; `get_summary` and `list-sessions` find theirs."""
        word = args[0]
        of, _, question = word.replace("-", "_").partition("_")
        if word not in COMMANDS and question and of in COMMANDS and COMMANDS[of].section == PLATFORMS:
            args = [of, question.replace("_", "-"), *args[1:]]
        elif word not in COMMANDS and not word.startswith("-"):
            name = _TOOLS.get(word.replace("-", "_"), word)
            if name not in COMMANDS:
                raise click.UsageError(f"There is no command {clean(word, 60)!r}.{_suggestion(name)}", ctx)
            args = [name, *args[1:]]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click would take a closed pipe for a failure and end the process."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _Unread from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands under their headings, without importing one."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            if entry.section != HIDDEN:
                sections.setdefault(entry.section, []).append((name, entry.says))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


# Options of questions that the Convai command line takes before the command too, and whether a value follows.
_ANYWHERE = {"--pretty": False, "--api-key": True, "--api-key-file": True, "--base-url": True}
_TOOLS = {f"get_{name}": name for name in COMMANDS} | {
    "get_latency_breakdown": "latency",
    "list_sessions": "sessions",
    "explain_slow_session": "explain",
    "detect_regressions": "regressions",
    "list_metrics": "catalog",
    "get_live_support": "support",
    "live_support": "support",
    "get_resource_usage": "resources",
    "list_errors": "errors",
}


def _suggestion(word: str) -> str:
    shown = [name for name, entry in COMMANDS.items() if entry.section != HIDDEN]
    close = difflib.get_close_matches(word.replace("-", "_"), [*shown, *_TOOLS], n=1, cutoff=0.5)
    return f" Did you mean {_TOOLS.get(close[0], close[0])!r}?" if close else f" There are: {', '.join(shown)}."


def installed(package: str) -> str:
    """The installed version of a package, or `unknown` when it runs from its sources."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _print_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:  # noqa: ARG001
    if wanted and not ctx.resilient_parsing:
        click.echo(f"talkscope {installed('talkscope')} (Python {platform.python_version()})")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="`talkscope COMMAND --help` tells the options of a command. Settings are environment variables and a file: "
    "`talkscope doctor` shows them.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def group(context: click.Context) -> None:
    """Typed, exact, compact answers about conversational AI, from telemetry that you hold.

    A question's answer is a table on a terminal and JSON in a pipe.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str] | None = None, *, around: Surroundings | None = None) -> int:
    """Run the command line and return the exit code; whatever fails is told in one line on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = group.main(args=words, prog_name="talkscope", standalone_mode=False, obj=around or Surroundings())
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, _Unread):
        return _unread()
    except click.UsageError as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
        else:
            _complain(_usage(error))
        return 2
    except click.ClickException as error:
        _complain(f"error: {error.format_message()}")
        return 1
    except click.Abort as error:
        stopped = not isinstance(error.__cause__ or error.__context__, EOFError)
        _complain("Interrupted." if stopped else "error: stopped: Nothing more came from stdin.")
        return INTERRUPTED if stopped else 1
    except TalkscopeError as error:
        _complain(told(error))
        return 1
    except OSError as error:
        about = f" {error.filename}" if error.filename else ""
        _complain(f"error: os_error: {error.strerror or type(error).__name__}{about}")
        return 1
    return result if isinstance(result, int) else 0


def told(error: TalkscopeError) -> str:
    """The one line that an error is on the command line: its code, the service's status, what happened, what to do."""
    status = f" (HTTP {error.status})" if isinstance(error, APIError) and error.answered else ""
    return clean(f"error: {error.code}{status}: {error}", 4_000)


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "talkscope"
    return f"error: usage: {sentences(error.format_message().strip(), f'`{path} --help` tells more.')}"


def _complain(line: str) -> None:
    with suppress(OSError):
        click.echo(clean(line, 4_000), err=True)


def _unread() -> int:
    """End quietly: what is left in the buffer would raise once more when the interpreter closes stdout."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return NOBODY_READS
