"""How is it going? The service's headline figures; of the window before only what its buckets still reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from talkscope.flow import Call
from talkscope.hosted.account import Account
from talkscope.hosted.reading import SIZES, counted, covered, drifted, measured, points, rows, shown
from talkscope.hosted.series import Key, Part, Reading, rate
from talkscope.hosted.words import filters_of, only_ids, range_of
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import SummaryAsked
from talkscope.models.semantics import USER_TO_BOT, measure
from talkscope.models.v1 import BreakdownResponse, SummaryResponse, TimeseriesResponse, V1Response
from talkscope.models.window import Window, before
from talkscope.platforms import convai

_HEADLINES = ("sessions", "interactions", "end_users", "errors", "error_rate", "avg", "p50", "p95", "p99")
_UNITED = ("error_rate", "avg", "p50", "p95", "p99")
_FILTERS = ("character_id", "app_key", "experience_id")
# Whose buckets hold the window before: the range, and its finest grain that one answer carries.
_REACH: Mapping[str, tuple[str, str]] = {
    "last_15m": ("last_1h", "minute"),
    "last_1h": ("last_6h", "minute"),
    "last_6h": ("last_24h", "minute"),
    "last_24h": ("last_7d", "minute"),
    "last_7d": ("last_30d", "hour"),
}
_COUNTS = {"interactions": Part("unique_turns", "sum"), "errors": Part("error_count", "sum")}


@dataclass(frozen=True, slots=True)
class _Before:
    """A count of the window before: at least `least`, at most `most`, most probably `value`."""

    least: float
    most: float
    value: float

    @property
    def within(self) -> float:
        """How far off the value may be."""
        return max(self.most - self.value, self.value - self.least)


async def answer(asked: SummaryAsked, account: Account) -> Answer:
    """One row a headline measure: its value, the value of the window before, the relative change, and its n.

    Raises NotSupported for filters that the service's summary does not take, and the errors of `talkscope.errors`.
    """
    words = {"range": range_of(asked)}
    words |= filters_of(asked.filters, _FILTERS, "get_breakdown and get_timeseries take it as a filter.")
    reach = _REACH.get(words["range"])
    told, mean, longer = await _asked(words, reach, account)
    window = covered(told.meta, words["range"], account.now, asked.timezone)
    previous = before(window)
    then: dict[str, _Before] = {}
    if reach is not None:
        for name, each in longer.items():
            seen = covered(each.meta, reach[0], account.now)
            then[name] = _before(points(_COUNTS[name], each, seen, reach[1], grouped=False), previous, SIZES[reach[1]])
    values, n = _now(told, mean)
    lines: list[list[Cell]] = []
    for name in _HEADLINES:
        earlier = _earlier(then, name)
        lines.append([name, values[name], earlier, _change(values[name], earlier), n[name]])
    empty = not any(values[name] for name in ("sessions", "interactions", "errors"))
    nothing_before = not any(each.most for each in then.values())
    turns, timed = n["interactions"], n["p95"]
    return Answer(
        columns=["measure", "value", "previous", "change", "n"],
        rows=[] if empty and nothing_before else lines,
        meta=account.meta(
            told.meta,
            n=counted(told.sessions),
            window=shown(window),
            previous=shown(previous),
            zone=asked.timezone,
            basis="user-to-bot latency of interactions, as the service measures it",
            units={each.name: each.unit for each in map(measure, _HEADLINES) if each.name in _UNITED},
            covers="the window",
            notes=[
                *_notes(then, reach),
                *_unknown(turns, timed),
                *drifted([window, covered(mean.meta, words["range"], account.now)]),
                *only_ids(words, empty=empty),
            ],
        ),
    )


async def _asked(
    words: Mapping[str, str], reach: tuple[str, str] | None, account: Account
) -> tuple[SummaryResponse, BreakdownResponse, dict[str, TimeseriesResponse]]:
    """The service's summary, the mean latency, and the buckets that hold the window before."""
    # By its own name a metric is one group: the whole of it.
    calls: list[Call[SummaryResponse] | Call[BreakdownResponse] | Call[TimeseriesResponse]] = [
        convai.summary(**words),
        convai.breakdown(measure="avg_value", group_by="metric_name", metric_name=USER_TO_BOT, limit=500, **words),
    ]
    if reach is not None:
        longer = {**words, "range": reach[0]}
        calls += [convai.timeseries(measure=part.measure, granularity=reach[1], **longer) for part in _COUNTS.values()]
    answers = await account.together(cast("list[Call[V1Response]]", calls), "The summary")
    told, mean, *series = answers
    assert isinstance(told, SummaryResponse)
    assert isinstance(mean, BreakdownResponse)
    found = {
        name: each for name, each in zip(_COUNTS, series, strict=bool(series)) if isinstance(each, TimeseriesResponse)
    }
    return told, mean, found


def _now(told: SummaryResponse, mean: BreakdownResponse) -> tuple[dict[str, float | int | None], dict[str, int | None]]:
    """The figures of the window and the n of each."""
    sessions, turns = counted(told.sessions), counted(told.interactions)
    users, errors = counted(told.unique_end_users), counted(told.error_count)
    means = rows(Part("avg_value", "mean"), mean)
    whole = next(iter(means.values())) if len(means) == 1 else None
    n = 0 if not means else whole.n if whole else None
    values: dict[str, float | int | None] = {
        "sessions": sessions,
        "interactions": turns,
        "end_users": users,
        "errors": errors,
        "error_rate": rate(errors, turns),
        "avg": round(whole.value, 3) if whole and whole.value is not None else None,
    }
    numbers: dict[str, int | None] = {"sessions": sessions, "interactions": turns, "end_users": users}
    numbers |= {"errors": turns, "error_rate": turns, "avg": n}
    for name, each in (
        ("p50", told.p50_end_to_end_ms),
        ("p95", told.p95_end_to_end_ms),
        ("p99", told.p99_end_to_end_ms),
    ):
        value = measured(each)
        # A percentile of nothing is 0.0 on the wire; of a value that there is, how many there were is not said.
        values[name] = None if value is None or (not n and value == 0) else round(value, 3)
        numbers[name] = None if value and not n else n
    return values, numbers


def _before(found: Mapping[Key, Reading], previous: Window, size: int) -> _Before:
    """What the buckets say of the window before: those that its ends cut count as far as they lie in it."""
    least = most = value = 0.0
    for (start, *_), reading in found.items():
        amount = reading.value or 0.0
        at = int(str(start))
        inside = min(at + size, previous.end) - max(at, previous.start)
        if inside <= 0:
            continue
        most += amount
        least += amount if inside == size else 0.0
        value += amount * inside / size
    return _Before(least, most, round(value))


def _earlier(then: Mapping[str, _Before], name: str) -> float | int | None:
    if name == "error_rate" and then:
        return rate(then["errors"].value, then["interactions"].value)
    return int(then[name].value) if name in then else None


def _change(now: float | None, then: float | None) -> float | None:
    """The change as a fraction of the value before; None where either is unknown or the value before is 0."""
    return round((now - then) / then, 6) if now is not None and then else None


def _notes(then: Mapping[str, _Before], reach: tuple[str, str] | None) -> list[str]:
    said = "error_rate is errors / interactions: errors outside interactions are in errors, and not in n."
    if reach is None:
        return [said, "previous is null: the hosted API keeps nothing before its last 30 days within reach."]
    parts = []
    for name, each in then.items():
        within = int(each.within)
        parts.append(f"{name} {f'within {within} of {int(each.value)}' if within else 'exactly'}")
    how = (
        f"previous is added up from the service's {reach[1]}s: {', '.join(parts)}; sessions, end_users and latencies of"
        " the window before are null, because theirs do not add up."
    )
    return [said, how]


def _unknown(turns: int | None, timed: int | None) -> list[str]:
    if turns is None or timed is None or turns <= timed:
        return []
    return [f"{turns - timed} of {turns} interactions have no latency that the service knows."]
