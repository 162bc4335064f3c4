"""`talkscope fetch`: one call of a platform, named or by its path, answered as the platform answers it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.pulling import (
    PlatformWord,
    account_of,
    account_options,
    beside,
    call_lines,
    lasting,
    note,
    paging_options,
    pairs,
    project_of,
    pulled,
    reached,
    say,
    what_of,
)
from talkscope.cli.show import as_json, on_terminal, placed
from talkscope.cli.words import json_text
from talkscope.errors import InvalidArgument, Json
from talkscope.models.files import replacing

if TYPE_CHECKING:
    from talkscope.flow import AnyCall
    from talkscope.jobs.pull import Journal, Listing
    from talkscope.jobs.pull.files import Sheet
    from talkscope.settings import PlatformSettings, Settings


_POSITIONS = 2


class _Fetch(click.Command):
    """Takes several NAME=VALUE after one --params, as the vendor's script does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with an option before each parameter."""
        return super().parse_args(ctx, spread(args))


def spread(args: Sequence[str]) -> list[str]:
    """`--params a=1 b=2` as `--param a=1 --param b=2`; a word among them that is no NAME=VALUE is refused as one."""
    told: list[str] = []
    several, before = False, 0
    for arg in args:
        if arg == "--params":
            several = True
            continue
        option = arg.startswith("-")
        # Whoever has named platform and call already gives parameters only.
        several = several and not option and (before >= _POSITIONS or ("=" in arg and not arg.startswith("/")))
        before += not option and not several
        told += ["--param", arg] if several else [arg]
    return told


def command(name: str) -> click.Command:
    """The command `fetch`."""
    file = click.Path(path_type=Path, dir_okay=False)
    return _Fetch(
        name,
        callback=_fetch,
        params=[
            click.Argument(["platform"], type=PlatformWord(), metavar="PLATFORM"),
            click.Argument(["what"], metavar="[CALL|PATH]", required=False),
            click.Option(
                ["--param", "-p"],
                multiple=True,
                metavar="NAME=VALUE",
                help="A parameter; repeat it, or give several after --params. Lists have commas.",
            ),
            click.Option(
                ["--method", "-X"], type=click.Choice(["GET", "POST"], case_sensitive=False), help="Of a path."
            ),
            click.Option(["--body"], metavar="JSON", help="The body of a POST: JSON, @FILE, or - for stdin."),
            click.Option(["--all", "everything"], is_flag=True, help="All pages, as one document with one list."),
            click.Option(["--rows"], metavar="NAME", help="With --all: the list, where the answer holds several."),
            *paging_options(),
            *account_options(),
            click.Option(["--pretty"], is_flag=True, help="Indented JSON, as on a terminal."),
            click.Option(["--output", "-o"], type=file, metavar="FILE", help="Write to a file."),
        ],
        help="Fetch one call of a platform: studio-chat, agent-studio, general-bots, mavenoid or convai.\n\n"
        "The answer is the platform's own JSON, personal data included. A call has a name, such as"
        " conversation-analytics; without one the calls are listed, with their parameters. A path begins with / and its"
        " parameters are passed on as they are, {project} stands for the configured project. What may change something"
        " needs TALKSCOPE_ALLOW_SIDE_EFFECTS=1.\n\n"
        "\b\nExamples:\n"
        "  talkscope fetch mavenoid assistant-conversations --param days=1 --param group_by=flow_name,status\n"
        "  talkscope fetch agent-studio error-logs --all -o errors.json\n"
        "  talkscope fetch studio-chat /projects/{project}/conversations --params sentiment=negative limit=100",
        short_help=COMMANDS[name].says,
    )


def _fetch(
    platform: str,
    what: str | None,
    param: tuple[str, ...],
    method: str | None,
    body: str | None,
    everything: bool,
    rows: str | None,
    concurrency: int,
    restart: bool,
    source: str | None,
    pretty: bool,
    output: Path | None,
) -> None:
    from talkscope.flow import Download
    from talkscope.jobs.pull import Listing, asking

    around = surroundings(click.get_current_context())
    settings = around.settings()
    if what is None:
        click.echo("\n".join([*call_lines(platform), "", "A parameter with * is needed."]))
        return
    if output is not None:
        placed(output)
    account = account_of(settings, platform, source)
    call = _call(account, what, pairs(param), method, None if body is None else json_text(body, "--body"))
    asking.permit(call, allowed=settings.allow_side_effects)
    pretty = pretty or (output is None and on_terminal())
    if isinstance(call, Download):
        if output is None or everything:
            raise click.UsageError("The answer is a document: name a file with -o, and leave --all out.")
        _give(anyio.run(_bytes, around, settings, account, call), output)
    elif everything:
        if not call.read_only:
            raise click.UsageError("--all follows pages, and this call may change something.")
        _all(around, settings, account, Listing(call, rows=rows), at_once=concurrency, restart=restart,
             pretty=pretty, output=output)  # fmt: skip
    else:
        _one(around, settings, account, call, pretty=pretty, output=output)


def _one(
    around: Surroundings,
    settings: Settings,
    account: PlatformSettings,
    call: AnyCall,
    *,
    pretty: bool,
    output: Path | None,
) -> None:
    """Ask once, and write what came."""
    from talkscope.jobs.pull import asking

    async def ask() -> Json:
        async with reached(around, settings, account) as client:
            answer: Json = await client.send(asking.as_said(call))
            return answer

    value = anyio.run(ask)
    note(around, account, call, asking.typed(call, value))
    _give(as_json(value, pretty=pretty).encode(), output)


def _all(
    around: Surroundings,
    settings: Settings,
    account: PlatformSettings,
    plan: Listing,
    *,
    at_once: int,
    restart: bool,
    pretty: bool,
    output: Path | None,
) -> None:
    """Follow the pages; on stdout there is nothing to go on from, so an interrupted run begins anew."""
    from talkscope.jobs.pull import Journal, files

    with tempfile.TemporaryDirectory(prefix="talkscope-") as temporary:
        folder = Path(temporary) / "all.part" if output is None else beside(output)
        what = {**what_of(account), **plan.what}
        begun = around.now().isoformat(timespec="seconds")
        with (
            Journal(folder, what, begun=begun, restart=restart) as journal,
            nullcontext() if output is None else lasting(journal),
        ):
            brought = pulled(around, settings, account, plan, journal, at_once=at_once)
            sheet = _joined(plan, journal, brought.items)
            say([f"Note: {each}" for each in brought.notes])
            note(around, account, plan.call)
            if output is not None:
                files.write(sheet, "json", output, scratch=folder, pretty=pretty)
            else:
                for piece in files.document(sheet, pretty=pretty):
                    click.echo(piece, nl=False)
            journal.discard()


def _joined(plan: Listing, journal: Journal, count: int) -> Sheet:
    """All pages as if they were one."""
    from talkscope.jobs.pull.files import Sheet

    head = dict(plan.opening) if isinstance(plan.opening, dict) else {}
    only: dict[str, Json] = {"limit": count, "page_size": count, "total_pages": 1, "nextCursor": None}
    head.update({name: value for name, value in only.items() if name in head})
    return Sheet(lambda: plan.items(journal.answer), head=head, name=plan.name)


async def _bytes(around: Surroundings, settings: Settings, account: PlatformSettings, call: AnyCall) -> bytes:
    async with reached(around, settings, account) as client:
        found: bytes = await client.send(call)
        return found


def _call(
    account: PlatformSettings, what: str, params: Sequence[tuple[str, str]], method: str | None, body: Json
) -> AnyCall:
    """The call that the words mean. Raises InvalidArgument or UnknownName."""
    from talkscope.jobs.pull import asking

    if what.startswith("/"):
        verb = None if method is None else method.upper()
        return asking.raw(
            account.platform, what, params, method=verb, body=body, url=account.url, project_id=project_of(account)
        )
    call = asking.named(account.platform, what, params, body=body, project_id=project_of(account))
    if method is not None and method.upper() != call.method:
        raise InvalidArgument(f"This call is a {call.method}.", hint="Leave --method out.")
    return call


def _give(data: bytes, output: Path | None) -> None:
    """Write to stdout, or to a file that its owner alone may read."""
    if output is None:
        # As bytes, since a pipe's own encoding may know fewer characters.
        click.echo(data, nl=False)
        return
    with replacing(output) as out:
        out.write(data)
