"""Bringing what a platform holds into a warehouse, where it outlives the platform's own memory.

A sync is a pull (see `talkscope.jobs.pull`) whose sink is the warehouse: everything of one window is fetched, each part
once however often the sync is interrupted, and loaded in one commit. The next one begins where this one ended, a little
earlier, since platforms change what they have said; loading a record again changes nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import anyio.to_thread

from talkscope.client import AsyncClient
from talkscope.errors import InvalidRange, Json
from talkscope.jobs import ingest as loading
from talkscope.jobs.pull import Journal, Progress, Pulled, pull
from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Found, Gathering, Refused
from talkscope.jobs.sync.state import Round, State
from talkscope.models.records import RecordType
from talkscope.platforms.recording import Record
from talkscope.warehouse.load import Counts

PLATFORMS = ("studio_chat", "agent_studio", "general_bots", "mavenoid", "convai")
"""What can be synced; each has a module here."""
AT_ONCE = 8

Tell: TypeAlias = Callable[[Progress], object]


class _Platform(Protocol):
    """A module of this package."""

    GAPS: tuple[str, ...]
    LATENCY_BASIS: str
    REACH: timedelta | None
    USUAL: timedelta
    OVERLAP: timedelta

    def plan(self, asked: Asked) -> Gathering:
        """What is asked for."""

    def recorded(self, found: Iterator[Found], asked: Asked) -> Iterator[Record]:
        """The records of what was found."""


@dataclass(frozen=True, slots=True)
class Source:
    """The account that is synced: its name, its platform, its address, and what calls of it need."""

    name: str
    platform: str
    url: str
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one window.

    Attributes:
        start: Where it begins; `end` where it ends.
        resumed: Whether an earlier run had begun it.
        pulled: Requests, and what they brought.
        types: Records by type: new, changed, known already.
        refused: Records that could not be taken, by reason.
        notes: What is not as one would expect.
        gaps: What the platform does not tell.
    """

    source: str
    platform: str
    start: datetime
    end: datetime
    resumed: bool
    pulled: Pulled
    types: Mapping[RecordType, Counts]
    refused: Mapping[str, int]
    notes: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """How the warehouse is written: its engine's memory and threads."""

    memory_limit: str = ""
    threads: int = 0


async def sync(
    source: Source,
    client: AsyncClient,
    warehouse: Path,
    *,
    now: Callable[[], datetime],
    since: datetime | None = None,
    traces: bool = True,
    restart: bool = False,
    at_once: int = AT_ONCE,
    tell: Tell = lambda _: None,
    engine: Engine | None = None,
) -> list[Synced]:
    """Sync from `since`, else from where the last sync ended, else as far back as is usual, until now.

    A window that an earlier run left unfinished comes first, and is a result of its own; `restart` drops it. Raises the
    errors of `talkscope.errors`; what was fetched by then is kept for the next run.
    """
    syncing = _Syncing(source, client, warehouse, now, traces, at_once, tell, engine or Engine())
    done = []
    left = None if restart else syncing.state.open
    if left is not None:
        done.append(await syncing.round(left))
    window = syncing.window(since)
    if window is not None:
        done.append(await syncing.round(window, restart=restart))
    return done


class _Syncing:
    """One run of one source."""

    def __init__(
        self,
        source: Source,
        client: AsyncClient,
        warehouse: Path,
        now: Callable[[], datetime],
        traces: bool,
        at_once: int,
        tell: Tell,
        engine: Engine,
    ) -> None:
        self.source, self.client, self.warehouse, self.now = source, client, warehouse, now
        self.traces, self.at_once, self.tell, self.engine = traces, at_once, tell, engine
        self.state = State(warehouse, source.name)
        self.platform = cast("_Platform", importlib.import_module(f"talkscope.jobs.sync.{source.platform}"))
        self.notes: list[str] = []

    def window(self, since: datetime | None) -> Round | None:
        """The window that is to be synced; None when everything up to now just has been."""
        now, platform = self.now(), self.platform
        through = self.state.through
        if since is None and through is not None and now - through < timedelta(seconds=1):
            return None
        start = since or (through - platform.OVERLAP if through else now - platform.USUAL)
        earliest = None if platform.REACH is None else now - platform.REACH
        if earliest is not None and start < earliest:
            days = platform.REACH.days if platform.REACH else 0
            self.notes.append(f"The platform reaches back {days} days: what is older cannot be had any more.")
            start = earliest
        if start >= now:
            raise InvalidRange("The sync would begin in the future.", hint="Give an earlier --since.")
        return Round(start, now)

    async def round(self, window: Round, *, restart: bool = False) -> Synced:
        """Fetch and load one window."""
        if not window.resumed:
            self.state.begin(window)
        asked = Asked(window.start, window.end, window.end, self.source.also, self.traces)
        plan = self.platform.plan(asked)
        what: dict[str, Json] = {
            "platform": self.source.platform, "url": self.source.url, "plan": dict(plan.what),
            "window": [window.start.isoformat(), window.end.isoformat()],
        }  # fmt: skip
        begun = window.end.isoformat()
        with Journal(self.state.journal, what, begun=begun, restart=restart or not window.resumed) as journal:
            pulled = await pull(plan, self.client, journal, at_once=self.at_once, tell=self.tell)
            refused: dict[str, str] = {}
            report = await anyio.to_thread.run_sync(partial(self._load, plan, journal, asked, refused))
            journal.discard()
        self.state.finish(window)
        notes, self.notes = self.notes, []
        missing = [f"{kind.replace('_', ' ')}: {reason}" for kind, reason in refused.items()]
        return Synced(
            self.source.name,
            self.source.platform,
            window.start,
            window.end,
            window.resumed,
            pulled,
            report.types,
            report.reasons,
            (*notes, *pulled.notes, *missing),
            self.platform.GAPS,
        )

    def _load(self, plan: Gathering, journal: Journal, asked: Asked, refused: dict[str, str]) -> loading.Report:
        def found() -> Iterator[Found]:
            for each in plan.found(journal.answer):
                if isinstance(each, Refused):
                    refused.setdefault(each.kind, each.reason)
                else:
                    yield each

        return loading.ingest(
            self.platform.recorded(found(), asked),
            warehouse=self.warehouse,
            memory_limit=self.engine.memory_limit,
            threads=self.engine.threads,
            latency_basis=self.platform.LATENCY_BASIS,
        )
