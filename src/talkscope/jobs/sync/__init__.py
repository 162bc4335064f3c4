"""Bringing what a platform holds into a warehouse, where it outlives the platform's own memory.

A sync is a pull (see `talkscope.jobs.pull`) whose sink is the warehouse: everything of one window is fetched, each part
once however often the sync is interrupted, and loaded in one commit. The next one begins where this one ended, a little
earlier, since platforms change what they have said; loading a record again changes nothing.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import anyio.to_thread

from talkscope.client import AsyncClient
from talkscope.errors import BadAnswer, InvalidArgument, InvalidRange, Json, NotSupported
from talkscope.jobs import ingest as loading
from talkscope.jobs.pull import AT_ONCE, Journal, Progress, Pulled, pull
from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Found, Gathering, Refused
from talkscope.jobs.sync.refusals import Refusals
from talkscope.jobs.sync.state import Round, State, cannot_write, refused_by_journal
from talkscope.models.records import RecordType
from talkscope.platforms.recording import Record, key
from talkscope.warehouse.load import Counts, unmixed
from talkscope.warehouse.manifest import Manifest

_CLOCKS_DIFFER = timedelta(hours=1)

Tell: TypeAlias = Callable[[Progress], object]


class _Platform(Protocol):
    """A module of this package, of which there is one for each platform."""

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
    """The account that is synced: its name, its platform, its address, and what calls of it need.

    `generated` says that what it tells is made up, as a sample token's data are: they never mix with measured ones.
    """

    name: str
    platform: str
    url: str
    also: Mapping[str, str] = field(default_factory=dict)
    generated: bool = False


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

    A window that an earlier run left unfinished comes first, and is a result of its own; with `restart` what was
    fetched of it is dropped, and it begins where that did. Raises the errors of `talkscope.errors`; what was fetched by
    then is kept for the next run.
    """
    syncing = _Syncing(source, client, warehouse, now, traces, at_once, tell, engine or Engine())
    if since is not None and since >= now():
        raise InvalidRange("The sync would begin in the future.", hint="Give an earlier --since.")
    unmixed(Manifest(warehouse).state(), generated=source.generated)
    left, done = syncing.state.open, []
    if left is not None and not restart:
        done += await syncing.round(left)
        if since is not None and since >= left.start:
            # The same words again: what they ask for has just come, but for what is since then.
            since = max(since, left.end - syncing.platform.OVERLAP)
    window = syncing.window(since or (left.start if left is not None and restart else None))
    if window is not None:
        done += await syncing.round(window, restart=restart)
    return done


@dataclass(slots=True)
class _Syncing:
    """One run of one source."""

    source: Source
    client: AsyncClient
    warehouse: Path
    now: Callable[[], datetime]
    traces: bool
    at_once: int
    tell: Tell
    engine: Engine
    state: State = field(init=False)
    platform: _Platform = field(init=False)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = state_of(self.warehouse, self.source)
        self.platform = cast("_Platform", importlib.import_module(f"talkscope.jobs.sync.{self.source.platform}"))

    def window(self, since: datetime | None) -> Round | None:
        """The window that is to be synced; None when everything up to now just has been."""
        now, through = self.now(), self.state.through
        if since is None and through is not None and timedelta(0) <= now - through < timedelta(seconds=1):
            return None
        start = self._had(since or self._usually(now, through), now)
        if self.state.another:
            self.notes.append("Another account had this source's name: this sync begins as a first one does.")
        return Round(start, now, traces=self.traces)

    def _had(self, start: datetime, now: datetime) -> datetime:
        """The start, or how far back the platform reaches."""
        reach = self.platform.REACH
        if reach is None or start >= now - reach:
            return start
        self.notes.append(f"The platform reaches back {reach.days} days: what is older cannot be had any more.")
        return now - reach

    def _usually(self, now: datetime, through: datetime | None) -> datetime:
        """Where a sync begins that is not told."""
        platform = self.platform
        if through is None:
            return now - platform.USUAL
        if through - now <= _CLOCKS_DIFFER:
            return min(through, now) - platform.OVERLAP
        at = through.isoformat(timespec="seconds")
        self.notes.append(f"The last sync ended on {at}, which is yet to come: this one begins as a first one does.")
        return now - platform.USUAL

    async def round(self, window: Round, *, restart: bool = False) -> list[Synced]:
        """Fetch and load one window; nothing where another process has just done that."""
        asked = Asked(window.start, window.end, window.end, self.source.also, window.traces, self.now())
        plan = self.platform.plan(asked)
        with _written(), self._journal(window, asked, restart) as journal:
            self.state.read()
            if window.resumed and self.state.open is None:
                journal.discard()
                return []
            if window.resumed:
                self._had(window.start, self.now())
            else:
                self.state.begin(window)
            pulled = await pull(plan, self.client, journal, at_once=self.at_once, tell=self.tell)
            refused = Refusals()
            report = await anyio.to_thread.run_sync(partial(self._load, plan, journal, asked, refused))
            if refused.count == pulled.asked + pulled.kept:
                journal.discard()
                self.state.drop()
                if refused.unread:
                    raise BadAnswer("Nothing that the platform answers can be read.", hint=refused.why)
                raise NotSupported(
                    "The platform lets this account have nothing that a sync asks for.", hint=refused.why
                )
            notes, self.notes = [*self.notes, *self._between(window)], []
            # In this order: a journal that is left over is dropped by the next run, and asks for nothing twice.
            self.state.finish(reaching=self._reaching(window), through=self._through(window, refused))
            journal.discard()
        return [
            Synced(
                self.source.name, self.source.platform, window.start, window.end, window.resumed, pulled, report.types,
                report.reasons, (*notes, *pulled.notes, *refused.notes), self.platform.GAPS,
            )
        ]  # fmt: skip

    def _journal(self, window: Round, asked: Asked, restart: bool) -> Journal:
        """The journal of the window. What is asked may depend on when; the window's plan does not."""
        what: dict[str, Json] = {
            "platform": self.source.platform, "url": self.source.url,
            "plan": dict(self.platform.plan(replace(asked, asking=None)).what),
            "window": [window.start.isoformat(), window.end.isoformat()],
        }  # fmt: skip
        self.state.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun, anew = window.end.isoformat(), restart or not window.resumed
        try:
            return Journal(self.state.journal, what, begun=begun, restart=anew)
        except InvalidArgument as error:
            raise refused_by_journal(error) from None

    def _reaching(self, window: Round) -> bool:
        """Whether everything before the window that can be had has been synced too."""
        through, reach = self.state.through, self.platform.REACH
        known = through is None or window.start <= through
        return known or (reach is not None and window.start <= window.end - reach)

    def _through(self, window: Round, refused: Refusals) -> datetime:
        """Where the next sync counts from: what could not be read is asked for again, from where this window begins."""
        return min(window.end, window.start + self.platform.OVERLAP) if refused.unread else window.end

    def _between(self, window: Round) -> list[str]:
        if self._reaching(window) or self.state.through is None:
            return []
        first, last = (each.isoformat(timespec="seconds") for each in (self.state.through, window.start))
        return [f"What lies between {first} and {last} is not synced: the next sync without --since begins there."]

    def _load(self, plan: Gathering, journal: Journal, asked: Asked, refused: Refusals) -> loading.Report:
        def found() -> Iterator[Found]:
            for each in plan.found(journal.answer):
                if isinstance(each, Refused):
                    refused.add(each)
                else:
                    yield each

        return loading.ingest(
            self._own(self.platform.recorded(found(), asked)),
            warehouse=self.warehouse,
            generated=self.source.generated,
            memory_limit=self.engine.memory_limit,
            threads=self.engine.threads,
            latency_basis=self.platform.LATENCY_BASIS,
        )

    def _own(self, records: Iterator[Record]) -> Iterator[Record]:
        """The records; aggregates say which account they are of where several of its platform may be told apart."""
        name = self.source.name
        for each in records:
            if each["type"] != "snapshot" or name == self.source.platform:
                yield each
                continue
            about = each.get("dimensions")
            dimensions = {**(about if isinstance(about, dict) else {}), "account": name}
            yield {**each, "snapshot_id": key(each["snapshot_id"], name), "dimensions": dimensions}


def state_of(warehouse: Path, source: Source) -> State:
    """How far the account is synced into the warehouse. Raises WarehouseError."""
    told = json.dumps([source.platform, source.url.rstrip("/"), dict(source.also)], sort_keys=True)
    return State(warehouse, source.name, hashlib.sha256(told.encode()).hexdigest())


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(error) from None
