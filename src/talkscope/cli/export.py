"""`talkscope export`: everything that a call of a platform lists, as a file: JSON, NDJSON, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.cli.pulling import (
    PLATFORMS,
    account_of,
    account_options,
    beside,
    call_names,
    lasting,
    note,
    paging_options,
    pairs,
    project_of,
    pulled,
    say,
    what_of,
)
from talkscope.cli.show import placed
from talkscope.errors import Json, unknown
from talkscope.models.text import so_many

if TYPE_CHECKING:
    from talkscope.jobs.pull import Journal, Listing, Pulled
    from talkscope.jobs.pull.files import Form, Sheet
    from talkscope.settings import PlatformSettings

_EXAMPLES = {
    "studio-chat": "talkscope export studio-chat --start 2026-05-01 --end 2026-06-01 --messages -o may.json",
    "agent-studio": "talkscope export agent-studio error-logs --param period=7d -o errors.csv",
    "general-bots": "talkscope export general-bots daily-usage --param days=30 -o usage.parquet",
    "mavenoid": "talkscope export mavenoid live-support-sessions --param days=30 -o sessions.ndjson",
    "convai": "talkscope export convai sessions --param range=last_30d -o sessions.csv",
}
_PAGE = 100
_ORDERS = ("last_message_at", "first_message_at", "message_count")
# The words of the conversations' call, by option.
_FILTERS: Mapping[str, str] = {"handoff": "has_handoff", "winback": "has_winback", "batch_size": "limit"} | {
    name: name
    for name in (
        "playbook_id", "playbook_base_id", "inbox_id", "tags", "search", "sentiment", "resources", "sentiment_shift",
        "deflection_quality", "handoff_reason", "recontact_risk", "skill_name", "min_messages", "max_messages",
        "sort_by", "sort_order",
    )
}  # fmt: skip


class _Exports(click.Group):
    """One command for each platform, in kebab or snake case."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The platforms."""
        return list(PLATFORMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The platform's command."""
        name = cmd_name.replace("_", "-")
        if name not in PLATFORMS:
            raise unknown("platform", cmd_name[:60], PLATFORMS)
        return _platform(name)


def command(name: str) -> click.Command:
    """The command `export`."""
    return _Exports(
        name,
        no_args_is_help=True,
        help="Export everything that a call of a platform lists, as JSON, NDJSON, CSV or Parquet.\n\n"
        "The file holds the data as the platform has it, personal data included, and its owner alone may read it. An"
        " interrupted export goes on where it stopped when the same command is run again.",
        short_help=COMMANDS[name].says,
    )


def _platform(name: str) -> click.Command:
    """The command of one platform."""
    studio = name == "studio-chat"

    def callback(**given: object) -> None:
        _export(name.replace("-", "_"), given)

    says = (
        "Export conversations of Studio Chat, with --messages each with what was said; or what another CALL lists.\n\n"
        "--start and --end are about the last message; a date is its first instant in UTC (T00:00:00Z), and the end is"
        " left out."
        if studio
        else f"Export everything that a call of {name} lists.\n\nCalls: {call_names(name.replace('-', '_'))}."
    )
    return click.Command(
        name,
        callback=callback,
        params=[
            click.Argument(
                ["call"],
                metavar="[CALL]" if studio else "CALL",
                required=not studio,
                **({"default": "conversations"} if studio else {}),
            ),
            *(_conversation_options() if studio else []),
            click.Option(
                ["--param", "-p"], multiple=True, metavar="NAME=VALUE", help="A parameter of CALL; repeat it."
            ),
            click.Option(["--rows"], metavar="NAME", help="The list, where the answer holds several."),
            click.Option(
                ["--format"],
                type=click.Choice(["json", "csv", "ndjson", "parquet"]),
                help="Without it, by how the file's name ends.",
            ),
            click.Option(["--pretty"], is_flag=True, help="Indented JSON."),
            click.Option(["--raw"], is_flag=True, help="CSV cells as they are: a spreadsheet may run formulas."),
            *paging_options(),
            *account_options(),
            click.Option(
                ["--output", "-o"],
                type=click.Path(path_type=Path, dir_okay=False),
                required=True,
                metavar="FILE",
                help="The file; it is replaced when all is there.",
            ),
        ],
        help=f"{says}\n\n\b\nExample:\n  {_EXAMPLES[name]}",
        short_help="Conversations, or what a call lists" if studio else "What a call lists",
    )


def _conversation_options() -> list[click.Parameter]:
    def text(name: str, says: str, metavar: str = "ID") -> click.Option:
        return click.Option([name], metavar=metavar, help=says)

    def yes(name: str, says: str) -> click.Option:
        return click.Option([name], type=click.Choice(["true", "false"]), is_flag=False, flag_value="true", help=says)

    return [
        text("--start", "Last message at or after this; 2026-05-01 is 2026-05-01T00:00:00Z.", "TIME"),
        text("--end", "Last message before this.", "TIME"),
        text("--playbook-id", "Only this version of an assistant."),
        text("--playbook-base-id", "Only this assistant, all its versions."),
        text("--inbox-id", "Only this inbox."),
        text("--tags", "With all of these tags.", "TAG,TAG"),
        yes("--handoff", "Handed to a person, or not."),
        yes("--winback", "With a win-back message, or without."),
        text("--search", "Only ids that hold this.", "TEXT"),
        text("--sentiment", "negative, neutral, positive; several mean either.", "LABELS"),
        text("--resources", "irrelevant, partial, relevant.", "LABELS"),
        text("--sentiment-shift", "improved, stable, degraded.", "LABELS"),
        text("--deflection-quality", "resolved, partial, actioned, no_response.", "LABELS"),
        text("--handoff-reason", "policy, user_request, frustration, bot_limitation.", "LABELS"),
        text("--recontact-risk", "low, medium, high.", "LABELS"),
        text("--skill-name", "That loaded this skill.", "NAME"),
        click.Option(["--min-messages"], type=click.IntRange(0), help="Of at least so many messages."),
        click.Option(["--max-messages"], type=click.IntRange(0), help="Of at most so many messages."),
        click.Option(["--sort-by"], type=click.Choice(_ORDERS), help="What they are ordered by."),
        click.Option(["--sort-order"], type=click.Choice(["desc", "asc"]), help="Which way."),
        click.Option(["--messages"], is_flag=True, help="With messages and citations, 50 conversations a request."),
        click.Option(
            ["--batch-size"], type=click.IntRange(1, 100), help="Conversations a page.  [default: 100]"
        ),
    ]  # fmt: skip


def _export(platform: str, given: dict[str, object]) -> None:
    from talkscope.jobs.pull import Journal, files

    around = surroundings(click.get_current_context())
    settings = around.settings()
    output = given["output"]
    assert isinstance(output, Path)
    if str(output) == "-":
        raise click.UsageError("An export goes into a file; `talkscope fetch PLATFORM CALL --all` writes to stdout.")
    placed(output)
    named = given["format"]
    form = files.form_of(output, named if isinstance(named, str) else None)
    source = given["source"]
    account = account_of(settings, platform, source if isinstance(source, str) else None)
    plan = _plan(account, given)
    what = {**what_of(account), **plan.what}
    now = around.now()
    begun = now.isoformat(timespec="seconds")
    with Journal(beside(output), what, begun=begun, restart=bool(given["restart"])) as journal, lasting(journal):
        brought = pulled(around, settings, account, plan, journal, at_once=_whole(given["concurrency"]))
        sheet = _sheet(plan, journal, brought, form, now)
        size = files.write(
            sheet, form, output, scratch=journal.folder, raw=bool(given["raw"]), pretty=bool(given["pretty"])
        )
        journal.discard()
    told = f"{brought.items:,} exported to {output} ({so_many(size, 'byte')}): {so_many(brought.asked, 'request')}."
    say([told, *(f"Note: {each}" for each in brought.notes)])
    note(around, account, plan.call)


def _plan(account: PlatformSettings, given: Mapping[str, object]) -> Listing:
    """What is pulled. Raises InvalidArgument and click.UsageError for words that make no call."""
    from talkscope.jobs.pull import Listing, asking
    from talkscope.jobs.pull.conversations import Conversations

    told = pairs(_texts(given["param"]))
    name, rows = str(given["call"]), given["rows"]
    filters = {word: given[option] for option, word in _FILTERS.items() if given.get(option) is not None}
    if account.platform != "studio_chat" or name.lower() != "conversations":
        odd = [*filters, *(option for option in ("start", "end", "messages") if given.get(option))]
        if odd:
            raise click.UsageError("Those filters are those of conversations: give this call its words with --param.")
        call = asking.named(account.platform, name, told, project_id=project_of(account))
        if not call.read_only:
            raise click.UsageError("This call may change something and lists nothing: see `talkscope fetch`.")
        return Listing(call, rows=str(rows) if rows is not None else None)
    lacking = [f"--{option}" for option in ("start", "end") if given[option] is None]
    if lacking:
        raise click.UsageError(f"Missing option {' and '.join(lacking)}: an export of conversations says its window.")
    if rows is not None:
        raise click.UsageError("--rows is for a CALL whose answer holds several lists.")
    asked = {"limit": _PAGE, **filters, "start_date": given["start"], "end_date": given["end"]}
    call = asking.named("studio_chat", name, _spelled(asked, told), project_id=project_of(account))
    project = dict(told).get("project_id", project_of(account))
    return Conversations(call, project, messages=bool(given["messages"]))


def _sheet(plan: Listing, journal: Journal, brought: Pulled, form: Form, now: datetime) -> Sheet:
    """What is written: the seed script's envelope and columns for conversations, and the like for all else."""
    from talkscope.jobs.pull.conversations import COLUMNS, KINDS, WITH_MESSAGES, Conversations
    from talkscope.jobs.pull.files import Sheet

    head: dict[str, Json] = {
        "exported_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "total_matched": brought.items if brought.expected is None else brought.expected,
        "total_exported": brought.items,
    }
    if brought.missing:
        head["messages_missing"] = list(brought.missing)
    columns: tuple[str, ...] = ()
    conversations = isinstance(plan, Conversations)
    if conversations and (form == "csv" or not brought.items):
        columns = WITH_MESSAGES if plan.what["messages"] else COLUMNS
    return Sheet(
        lambda: plan.items(journal.answer), head=head, name=plan.name or "rows", columns=columns,
        kinds=KINDS if conversations else {},
    )  # fmt: skip


def _spelled(asked: Mapping[str, object], told: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The words as texts; what was given with --param stands in the place of what was only assumed."""
    given = [name for name, _ in told]
    assumed = {"limit"} & set(given)
    return [*((name, str(value)) for name, value in asked.items() if name not in assumed), *told]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, tuple) else ()


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
