"""`talkscope sync`: brings what a platform holds into a warehouse, and goes on from there the next time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.pulling import (
    PLATFORMS,
    PlatformWord,
    account_of,
    account_options,
    bar,
    paging_options,
    reached,
    say,
    worth,
)
from talkscope.cli.show import as_json, counted, on_terminal
from talkscope.errors import InvalidArgument, InvalidRange, NotSupported, TalkscopeError
from talkscope.models.records import micros
from talkscope.models.text import clean, so_many
from talkscope.models.values import EPOCH
from talkscope.models.window import iso, parse_moment, zone_of

if TYPE_CHECKING:
    from talkscope.jobs.sync import Synced
    from talkscope.settings import PlatformSettings, Settings

_COUNTS = {"loaded": "new", "changed": "changed", "present": "known before"}
_BACK = re.compile(r"(\d{1,4})([dh])")
REFUSED = 3


def command(name: str) -> click.Command:
    """The command `sync`."""
    return click.Command(
        name,
        callback=_sync,
        params=[
            click.Argument(["platform"], type=PlatformWord(), metavar="PLATFORM"),
            click.Option(
                ["--since"],
                metavar="TIME",
                help="Where to begin: ISO 8601, or 30d, 12h. Without it, where the last sync ended.",
            ),
            click.Option(
                ["--into"],
                metavar="WAREHOUSE",
                help="A warehouse's folder, or the name of a configured one; it is made where there is none.",
            ),
            click.Option(
                ["--no-traces"],
                is_flag=True,
                help="Convai: leave out the traces of interactions, which cost a request each.",
            ),
            *paging_options(),
            *account_options(),
            click.Option(["--json", "as_plain"], is_flag=True, help="The report as JSON on one line."),
            click.Option(["--pretty", "as_pretty"], is_flag=True, help="The report as JSON, indented."),
        ],
        help="Bring what a platform holds into a warehouse: sessions, turns, outcomes, ratings, conversions, calls of"
        " resources, live support and availability, whatever it tells. Run it as often as you like: it goes on from"
        " where the last run ended, and what is there already changes nothing. An interrupted run goes on where it"
        " stopped.\n\nEnds with 3 when records were refused; the rest is loaded.\n\n"
        f"PLATFORM is one of {', '.join(PLATFORMS)}.\n\n"
        "\b\nExample:\n  talkscope sync studio-chat --since 2026-05-01 --into support",
        short_help=COMMANDS[name].says,
    )


def _sync(
    platform: str,
    since: str | None,
    into: str | None,
    no_traces: bool,
    concurrency: int,
    restart: bool,
    source: str | None,
    as_plain: bool,
    as_pretty: bool,
) -> None:
    context = click.get_current_context()
    if as_plain and as_pretty:
        raise click.UsageError("--json and --pretty exclude each other.", context)
    around = surroundings(context)
    settings = around.settings()
    account = account_of(settings, platform, source)
    if platform == "studio_chat" and not account.also.get("project_id"):
        raise NotSupported(f"The source {account.name} has no project.", hint="Set STUDIO_PROJECT_ID.")
    folder = _folder(settings, into)
    begin = None if since is None else _moment(since, around.now())
    rounds = _run(around, settings, account, folder, begin, traces=not no_traces, restart=restart, at_once=concurrency)
    worth(around, account)
    if on_terminal() and not (as_plain or as_pretty):
        click.echo(_told(account, folder, rounds))
    else:
        told = {"source": account.name, "platform": platform, "warehouse": str(folder), "rounds": _plain(rounds)}
        click.echo(as_json(told, pretty=as_pretty).encode(), nl=False)
    context.exit(REFUSED if any(each.refused for each in rounds) else 0)


def _run(
    around: Surroundings,
    settings: Settings,
    account: PlatformSettings,
    folder: Path,
    since: datetime | None,
    *,
    traces: bool,
    restart: bool,
    at_once: int,
) -> list[Synced]:
    from talkscope.jobs import sync as job

    place = job.Source(account.name, account.platform, account.url, account.also, generated=_sample(account))
    engine = job.Engine(settings.memory_limit, settings.threads)

    async def go() -> list[Synced]:
        with bar("Syncing") as tell:
            async with reached(around, settings, account) as client:
                return await job.sync(
                    place, client, folder, now=around.now, since=since, traces=traces, restart=restart,
                    at_once=at_once, tell=tell, engine=engine,
                )  # fmt: skip

    state = job.state_of(folder, place)
    left = state.open
    if left is not None and not restart:
        say([f"Going on with what began on {left.end.isoformat(timespec='seconds')}."])
    try:
        return anyio.run(go)
    except (KeyboardInterrupt, TalkscopeError, OSError) as error:
        busy = isinstance(error, TalkscopeError) and error.code in ("busy", "another_pull")
        if state.journal.exists() and not busy:
            say([f"What has been fetched is kept in {state.journal}. The same command goes on from there."])
        raise


def _sample(account: PlatformSettings) -> bool:
    """Whether the key is a vendor's documented sample, which is answered with dummy data."""
    if account.platform != "mavenoid" or account.key is None:
        return False
    from talkscope.platforms.mavenoid import is_sample

    return is_sample(account.key)


def _folder(settings: Settings, into: str | None) -> Path:
    """The warehouse that is written: a configured one by name, else a folder; the user's own without any."""
    from talkscope.settings import SourceSettings, own_warehouse
    from talkscope.settings.sources import folder

    named = {each.name: each.path for each in settings.sources if isinstance(each, SourceSettings)}
    if into is not None:
        if not into.strip():
            raise InvalidArgument("--into names no warehouse.", hint="Name a folder, or leave --into out.")
        return named.get(into) or folder("--into", into)
    return settings.warehouse().path if named else own_warehouse()


def _moment(text: str, now: datetime) -> datetime:
    back = _BACK.fullmatch(text.strip())
    if back:
        return now - (timedelta(days=int(back[1])) if back[2] == "d" else timedelta(hours=int(back[1])))
    try:
        moment = parse_moment("--since", text.strip(), zone_of("UTC"))
    except InvalidRange as error:
        raise InvalidRange(
            error.message, hint="Write a time such as 2026-05-04, or a stretch such as 30d or 12h."
        ) from None
    return (EPOCH + timedelta(microseconds=moment)).astimezone(UTC)


def _plain(rounds: Sequence[Synced]) -> list[dict[str, object]]:
    return [
        {
            "start": iso(micros(each.start)),
            "end": iso(micros(each.end)),
            "resumed": each.resumed,
            "requests": each.pulled.asked,
            "kept": each.pulled.kept,
            "records": {kind: asdict(counts) for kind, counts in each.types.items()},
            "refused": dict(each.refused),
            "notes": list(each.notes),
            "gaps": list(each.gaps),
        }
        for each in rounds
    ]


def _told(account: PlatformSettings, folder: Path, rounds: Sequence[Synced]) -> str:
    if not rounds:
        return f"{account.name} is synced already into {folder}."
    told = []
    for each in rounds:
        begun = " (begun by an earlier run)" if each.resumed else ""
        told.append(f"{account.name}, {iso(micros(each.start))} to {iso(micros(each.end))}{begun}, into {folder}")
        types = {kind: asdict(of) for kind, of in each.types.items()}
        told.append(counted(types, _COUNTS) if types else "Nothing there is.")
        kept = f", {each.pulled.kept:,} kept" if each.pulled.kept else ""
        told.append(f"{so_many(each.pulled.asked, 'request')}{kept}")
        told += [f"Refused: {so_many(count, 'record')}: {clean(reason)}" for reason, count in each.refused.items()]
        told += [f"Note: {clean(note, 600)}" for note in each.notes]
    told += [f"Not told by the platform: {clean(gap, 600)}" for gap in rounds[-1].gaps]
    return "\n".join(part.rstrip("\n") for part in told)
