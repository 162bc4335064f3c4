"""The slowest turn of a session, or of the window's slowest session, and what made it slow."""

from __future__ import annotations

from dataclasses import dataclass, field

from talkscope.errors import BadRequest, NotFound, NotSupported
from talkscope.hosted.account import Account
from talkscope.hosted.detail import Fact, Timeline, depth_basis, timeline, trace
from talkscope.hosted.listing import FILTERS, INSTEAD, page
from talkscope.hosted.reading import covered, measured, rows, shown
from talkscope.hosted.series import Part
from talkscope.hosted.words import RANGES, filters_of, only_ids, range_of
from talkscope.insights import slowness, traces
from talkscope.insights.traces import Trace
from talkscope.models.answers import ExplainAnswer
from talkscope.models.questions import ExplainAsked
from talkscope.models.text import clean
from talkscope.models.v1 import ResponseMeta
from talkscope.models.window import Window, resolve, zone_of
from talkscope.platforms import convai

_SESSIONS = 5
"""How many of the slowest sessions are looked at before it is said that none of them can be explained."""
_TRIES = 5
"""How many turns of a session are asked for in case they have spans that none of its metrics tells of."""
_NAMED = 20
_WEEK = "last_7d"


@dataclass(slots=True)
class _Search:
    """What was looked at so far, and the turn that was found.

    `timed` counts turns with a latency, `passed` are those without spans, session by session; `spared` of them were
    not asked for.
    """

    account: Account
    told: ResponseMeta = field(default_factory=ResponseMeta)
    covers: str = "the whole session"
    timed: int = 0
    passed: list[Fact] = field(default_factory=list)
    spared: int = 0
    stopped: bool = False
    session: Timeline | None = None
    trace: Trace | None = None
    depths: str = ""

    async def within(self, session: Timeline, window: Window | None) -> None:
        """Look for the session's slowest turn of the window that has spans; ties go to the earlier, then smaller id."""
        turns = [fact for fact in session.latencies if window is None or window.start <= fact.at < window.end]
        turns.sort(key=lambda fact: (-(fact.value or 0.0), fact.at, fact.interaction_id or ""))
        self.timed += len(turns)
        told_of, tries, before = session.traced, 0, len(self.passed)
        for fact in turns:
            tries += fact.interaction_id not in told_of
            if fact.interaction_id not in told_of and tries > _TRIES:
                self.spared += 1
            elif self.account.left < 2:  # the last request is for what is usual
                self.stopped = True
                return
            elif await self._found(fact):
                own = self.passed[before:]
                self.passed = [each for each in own if (each.value or 0.0) > (fact.value or 0.0)]
                self.session = session
                return
            self.passed.append(fact)

    async def _found(self, fact: Fact) -> bool:
        """Whether the turn has spans; then it is the one."""
        try:
            told = await self.account.send(convai.get_interaction(fact.interaction_id or ""))
        except NotFound:
            return False
        if not told.spans:
            return False
        self.trace, self.depths = trace(told, fact.value), depth_basis(told)
        return True

    def untraced(self) -> list[str]:
        """The turns without spans, slowest first."""
        slowest_first = sorted(self.passed, key=lambda fact: -(fact.value or 0.0))
        return [fact.interaction_id or "" for fact in slowest_first]

    def notes(self) -> list[str]:
        """What to know of the search."""
        said = []
        if len(self.passed) > _NAMED:
            said.append(f"{len(self.passed):,} slower turns have no spans; the slowest {_NAMED} are named.")
        if self.spared:
            said.append(
                f"{self.spared:,} turns were not asked for, because none of their session's metrics is of a component"
                " in them: they count as without spans."
            )
        if self.stopped:
            said.append(f"The request budget of {self.account.budget} was reached: there may be turns with spans yet.")
        return said


async def answer(asked: ExplainAsked, account: Account) -> ExplainAnswer:
    """The components of the slowest turn that has spans, largest share first, what no span covers last.

    Raises NotFound for a session_id, and NotSupported for other filters and windows. Without such a turn the
    interaction is None; the verdict says so.
    """
    zone_of(asked.timezone)
    search = _Search(account)
    window: Window | None
    if asked.session_id is None:
        window = await _slowest_session(asked, search)
    else:
        window = await _one_session(asked, asked.session_id, search)
    if search.trace is None:
        return _nothing(asked, search, window)
    # A session's own turns are compared with the week; a window's with the window.
    token = asked.range or ("last_24h" if asked.session_id is None else _WEEK)
    token = token if token in RANGES else _WEEK
    parts = slowness.parts(search.trace, await _usual(account, token))
    return ExplainAnswer(
        columns=list(slowness.COLUMNS),
        rows=slowness.rows(search.trace, parts),
        meta=account.meta(
            search.told,
            n=search.timed,
            window=None if window is None else shown(window),
            zone=asked.timezone,
            basis="n is the timed turns it is the slowest of; self_ms is time on the turn's critical path;"
            f" typical_ms is the service's median of the same component in {token}, whatever its provider and"
            f" model{search.depths}",
            units=slowness.UNITS,
            covers=search.covers,
            notes=search.notes(),
        ),
        session=search.session.session(asked.timezone) if search.session else None,
        interaction=traces.turn_facts(search.trace, asked.timezone),
        verdict=slowness.verdict(search.trace, parts),
        slower_without_spans=search.untraced()[:_NAMED],
    )


async def _one_session(asked: ExplainAsked, session_id: str, search: _Search) -> Window | None:
    if asked.filters:
        raise NotSupported(
            "The hosted API cannot filter the turns of one session.",
            hint="Leave the filters out: session_id names the session.",
            code="unsupported_filter",
        )
    window = None
    if any(word is not None for word in (asked.range, asked.start_time, asked.end_time)):
        window = resolve(
            now=search.account.now,
            range=asked.range,
            start_time=asked.start_time,
            end_time=asked.end_time,
            timezone=asked.timezone,
        )
    session = timeline(await search.account.send(convai.get_session(session_id)))
    search.told, search.session = session.told.meta, session
    await search.within(session, window)
    return window


async def _slowest_session(asked: ExplainAsked, search: _Search) -> Window:
    words = {"range": range_of(asked), **filters_of(asked.filters, FILTERS, INSTEAD)}
    told = await page(search.account, {**words, "sort": "slowest"}, limit=_SESSIONS, cursor=None)
    search.told = told.meta
    window = covered(told.meta, words["range"], search.account.now, asked.timezone)
    # The service's 0.0 is a session without a latency.
    slow = sorted(told.sessions, key=lambda each: -(measured(each.p95_end_to_end_ms) or 0.0))
    looked = unreadable = 0
    for each in slow:
        if not each.p95_end_to_end_ms or search.account.left < 3:
            search.stopped |= bool(each.p95_end_to_end_ms)
            break
        try:
            detail = await search.account.send(convai.get_session(each.session_id))
        except (NotFound, BadRequest):
            unreadable += 1
            continue
        looked += 1
        await search.within(timeline(detail), window)
        if search.trace is not None:
            break
    ended = "" if told.next_cursor else f" {len(slow):,}"
    search.covers = f"{looked} of the window's{ended} sessions: those with the highest p95, as the service lists them"
    if unreadable:
        search.covers += f"; {unreadable} more could not be read"
    if not slow:
        search.covers += "".join(f"; {note}" for note in only_ids(words, empty=True))
    return window


async def _usual(account: Account, token: str) -> slowness.Usual:
    """The service's medians by component. None are known when no request is left."""
    if account.left < 1:
        return slowness.Usual({})
    told = await account.send(
        convai.breakdown(
            measure="p50_value", group_by="processor", segment="end_to_end_turn_latency", range=token, limit=500
        )
    )
    return slowness.Usual(
        {
            str(name): found.value
            for (name,), found in rows(Part("p50_value", "never"), told).items()
            if name is not None and found.value is not None and (found.n is None or found.n >= slowness.LEAST)
        }
    )


def _nothing(asked: ExplainAsked, search: _Search, window: Window | None) -> ExplainAnswer:
    """The answer when no timed turn has spans: it says whether there are timed turns at all."""
    session = search.session
    where = " " if session is None else f" of session {clean(session.told.session_id, 80)} "
    where += "at all" if window is None else f"from {window}"
    if search.timed:
        seen = " that were looked at" if session is None or search.stopped or search.spared else ""
        verdict = (
            f"None of the {search.timed:,} timed turns{where.removesuffix(' at all')}{seen} has spans that could"
            " explain it."
        )
    else:
        verdict = f"There is no turn with a known latency{where}, so there is nothing to explain."
    return ExplainAnswer(
        columns=list(slowness.COLUMNS),
        rows=[],
        meta=search.account.meta(
            search.told,
            n=search.timed,
            window=None if window is None else shown(window),
            zone=asked.timezone,
            units=slowness.UNITS,
            covers=search.covers,
            notes=search.notes(),
        ),
        session=None if session is None else session.session(asked.timezone),
        verdict=verdict,
        slower_without_spans=search.untraced()[:_NAMED],
    )
