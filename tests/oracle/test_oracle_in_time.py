"""The oracle itself, on examples small enough to work out by hand: clocks, concurrency, attribution and lists."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from talkscope.models.records import check

from . import CASES, NO_VALUE, UNATTRIBUTED, Case, World, at, buckets, scenario
from .reading import read
from .test_oracle import MS, SECOND, Record, event, session, span, turn

HOUR = 3_600 * SECOND
WORLD = World.load(*scenario(7))


def test_a_zone_has_days_of_23_and_25_hours() -> None:
    spring = buckets(at("2026-03-28T23:00Z"), at("2026-03-30T22:00Z"), "day", "Europe/Berlin")
    assert [(each.end - each.start) // HOUR for each in spring] == [23, 24]
    autumn = buckets(at("2026-10-25T10:00Z"), at("2026-10-25T11:00Z"), "day", "Europe/Berlin")
    assert [(each.start, each.end, each.partial) for each in autumn] == [
        (at("2026-10-24T22:00Z"), at("2026-10-25T23:00Z"), True)
    ]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    # 2026-03-29 is a Sunday; the week began on Monday 23 at 00:00+01:00 and ends on Monday 30 at 00:00+02:00.
    moment = at("2026-03-29T12:00Z")
    week, month = (buckets(moment, moment + 1, grain, "Europe/Berlin")[0] for grain in ("week", "month"))
    assert (week.start, week.end) == (at("2026-03-23T00:00+01:00"), at("2026-03-30T00:00+02:00"))
    assert (month.start, month.end) == (at("2026-03-01T00:00+01:00"), at("2026-04-01T00:00+02:00"))


def test_repeated_hours_are_two_and_skipped_hours_none() -> None:
    autumn = buckets(at("2026-10-25T01:00+02:00"), at("2026-10-25T04:00+01:00"), "hour", "Europe/Berlin")
    assert [each.end - each.start for each in autumn] == [HOUR] * 4  # 01, 02 summer, 02 winter, 03
    spring = buckets(at("2026-03-29T01:00+01:00"), at("2026-03-29T04:00+02:00"), "hour", "Europe/Berlin")
    assert [each.start for each in spring] == [at("2026-03-29T01:00+01:00"), at("2026-03-29T03:00+02:00")]


def test_half_hour_changes_cut_hours_at_the_change() -> None:
    # On 2026-04-05 the clock goes from 02:00+11 back to 01:30+10:30, at 15:00 UTC; on 2026-10-04 from 02:00+10:30
    # to 02:30+11, at 15:30 UTC.
    back = buckets(at("2026-04-04T14:00Z"), at("2026-04-04T16:30Z"), "hour", "Australia/Lord_Howe")
    assert [each.start for each in back] == [at(f"2026-04-04T{time}Z") for time in ("14:00", "15:00", "15:30")]
    forth = buckets(at("2026-10-03T14:30Z"), at("2026-10-03T17:00Z"), "hour", "Australia/Lord_Howe")
    assert [each.start for each in forth] == [at(f"2026-10-03T{time}Z") for time in ("14:30", "15:30", "16:00")]
    assert not any(each.partial for each in [*back, *forth])


def test_a_day_begins_at_its_first_instant_where_midnight_is_skipped() -> None:
    # Brazil's summer began at midnight: 2018-11-04 00:00-03 became 01:00-02, at 03:00 UTC.
    day = buckets(at("2018-11-04T12:00Z"), at("2018-11-04T13:00Z"), "day", "America/Sao_Paulo")[0]
    assert (day.start, day.end) == (at("2018-11-04T03:00Z"), at("2018-11-05T02:00Z"))


def test_concurrency_lets_one_session_end_before_the_next_starts() -> None:
    # Levels on [0, 10): 1 on [0, 2), 2 on [2, 4), 1 on [4, 8), 0 on [8, 10); "none" has no length.
    world = World.load(
        [
            session("long", -5, end_time_us=4 * SECOND),
            session("second", 2, end_time_us=4 * SECOND),
            session("third", 4, end_time_us=8 * SECOND, channel="web"),
            session("none", 3, end_time_us=3 * SECOND),
        ]
    )
    levels = {2: 2 * SECOND, 1: 6 * SECOND, 0: 2 * SECOND}
    assert world.concurrency(0, 10 * SECOND) == (2, 2 * SECOND, levels)
    assert world.concurrency(0, 10 * SECOND, [("channel", "=", "web")])[:2] == (1, 4 * SECOND)
    edges = [0, 2 * SECOND, 5 * SECOND, 9 * SECOND, 10 * SECOND]
    assert list(world.concurrency_buckets(0, 10 * SECOND, edges).values()) == [1, 2, 1, 0]
    assert world.concurrency_buckets(0, 10 * SECOND, ("minute", "UTC")) == {0: 2}


def nested() -> World:
    """A turn of 1,000 ms from 10 s on, its spans in ms: outer 100-900, model 200-600 in it, tool 300-400 in that,
    voice 500-1,200 in outer, a parallel check 500-700 in outer too, provider unknown; another turn without spans."""
    on: Record = {"interaction_id": "i"}
    return World.load(
        [
            turn("s", "i", 10, latency_ms=1_000),
            turn("s", "fast", 20, latency_ms=100),
            span("s", "outer", 10.1, 800, span_id="o", **on),
            span("s", "model", 10.2, 400, span_id="m", parent_id="o", provider="x", **on),
            span("s", "tool", 10.3, 100, span_id="t", parent_id="m", provider="x", **on),
            span("s", "voice", 10.5, 700, span_id="v", parent_id="o", provider="y", **on),
            span("s", "check", 10.5, 200, span_id="c", parent_id="o", **on),
        ]
    )


def test_each_instant_goes_to_the_deepest_span_that_started_last() -> None:
    # 0-100 nobody, 100-200 outer, 200-300 model, 300-400 tool, 400-500 model, 500-700 check ("c" < "v" at a full tie),
    # 700-1,000 voice (deeper than outer).
    found = nested().attribution(0, 100 * SECOND, "processor")
    expected = {None: 200, "outer": 100, "model": 200, "tool": 100, "check": 200, "voice": 300}
    assert found.shares == {name: ms * MS for name, ms in expected.items()}
    assert (found.total, found.turns) == (1_100 * MS, 2)
    slow = nested().attribution(0, 100 * SECOND, "provider", percentile=95)
    # The threshold is 100 + 0.95 * 900 = 955 ms, so only the slow turn remains.
    assert slow.shares == {UNATTRIBUTED: 100 * MS, NO_VALUE: 300 * MS, "x": 300 * MS, "y": 300 * MS}
    assert (slow.total, slow.turns) == (1_000 * MS, 1)


def test_a_turn_exactly_at_the_percentile_counts() -> None:
    # The median of 100, 200 and 300 is 200; the turn of 200 ms is one of the slower half.
    world = World.load([turn("s", f"i{ms}", 1, latency_ms=ms) for ms in (100, 200, 300)])
    found = world.attribution(0, 100 * SECOND, "processor", percentile=50)
    assert (found.total, found.turns) == (500 * MS, 2)


def test_a_trace_has_offsets_depths_own_times_and_gaps() -> None:
    found = nested().trace("i")
    rows = [(row.key, row.offset // MS, row.depth, row.self_us // MS, row.leaf) for row in found.spans]
    assert rows == [
        ("o", 100, 0, 100, False),
        ("m", 200, 1, 200, False),
        ("t", 300, 2, 100, True),
        ("c", 500, 1, 200, True),
        ("v", 500, 1, 300, True),
    ]
    assert (found.length, found.gaps) == (1_000 * MS, [(0, 100 * MS)])
    assert [key for _, _, key in found.path] == [None, "o", "m", "t", "m", "c", "v"]


def test_loops_of_parents_end() -> None:
    loop = [span("s", "a", 1, 1, span_id="a", parent_id="b"), span("s", "b", 1, 1, span_id="b", parent_id="a")]
    alone = [span("s", "c", 1, 1, span_id="c", parent_id="c"), span("s", "d", 1, 1, parent_id="a")]
    facts = {one.dims["processor"]: (one.depth, one.leaf) for one in World.load([*loop, *alone]).data.spans}
    assert facts == {"a": (1, False), "b": (1, False), "c": (0, True), "d": (2, True)}


def test_sessions_are_listed_with_the_window_s_figures_in_each_order() -> None:
    # Window [10, 100): "a" began before it, with latencies 100 and 300 inside (p95 290) and one outside;
    # "b" has a lone error event and no latency; "c" lies outside.
    world = World.load(
        [
            session("a", 1, end_time_us=90 * SECOND),
            turn("a", "a1", 5, latency_ms=9_000, status="error"),
            *(turn("a", f"a{at}", at, latency_ms=ms) for at, ms in ((20, 100), (30, 300))),
            session("b", 15),
            event("b", "error.link", 18),
            session("c", 2, end_time_us=99 * SECOND),
        ]
    )
    rows = {
        sort: world.sessions(10 * SECOND, 100 * SECOND, sort) for sort in ("recent", "longest", "slowest", "errors")
    }
    orders = {sort: "".join(row.session_id for row in listed) for sort, listed in rows.items()}
    assert orders == {"recent": "ba", "longest": "ab", "slowest": "ab", "errors": "ba"}
    a, b = rows["longest"]
    assert (a.interactions, a.errors, a.p95, a.duration) == (2, 0, 290.0, 89 * SECOND)
    assert (b.interactions, b.errors, b.p95, b.duration) == (0, 1, None, 3 * SECOND)


def test_an_unknown_percentile_comes_after_a_zero_and_ties_go_by_id() -> None:
    world = World.load([session("a"), turn("c", "i", 1, latency_ms=0), turn("b", "j", 1, latency_ms=0)])
    assert [row.session_id for row in world.sessions(0, 10 * SECOND, "slowest")] == ["b", "c", "a"]


def test_the_slowest_turn_is_the_slowest_with_spans_and_slower_ones_are_named() -> None:
    turns = [turn("s", f"i{ms}", ms / 100, latency_ms=ms) for ms in (100, 900, 500, 700)]
    world = World.load(turns, [span("s", "llm", 5, 1, interaction_id=key) for key in ("i100", "i500")])
    found = world.slowest_turn("s")
    assert found.turn is not None
    assert (found.turn.key, [one.key for one in found.untraced]) == ("i500", ["i900", "i700"])
    assert world.slowest_turn("s", 6 * SECOND, 8 * SECOND).turn is None


def test_the_scenario_is_the_same_each_time_and_as_large_as_it_says() -> None:
    assert scenario(7) == scenario(7)
    assert scenario(7) != scenario(8)
    data = WORLD.data
    sizes = [len(data.sessions), len(data.interactions), len(data.spans)]
    assert all(abs(size / about - 1) < 0.15 for size, about in zip(sizes, [100, 430, 1_500], strict=True)), sizes
    assert World.load(*scenario(7), scenario(7)[-1]) == WORLD


def test_the_product_s_reader_reads_every_record_of_the_scenario_alike() -> None:
    for record in itertools.chain.from_iterable(scenario(7)):
        kind, row = read(record)
        told = [
            {name: each.get(name) for name in row if name not in ("attributes", "platform")}
            for each in (check(record)[1], row)
        ]
        assert (kind, told[0]) == (check(record)[0], told[1])


def test_no_answer_about_the_scenario_depends_on_how_contents_are_hashed() -> None:
    # Two spans of one turn with equal depth and start, or two outcomes of one session at one time, need an id to
    # be told apart; a record without one has only a hash.
    ties = Counter((one.turn, one.depth, one.start) for one in WORLD.data.spans if one.turn and one.key[0] == "~")
    assert max(ties.values()) == 1
    assert max(Counter((one.session, one.start) for one in WORLD.data.outcomes).values()) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_figures_of_a_window_fit_together(case: Case) -> None:
    start, end = case.start, case.end
    total = WORLD.measure("count", start=start, end=end)[()][0]
    daily = WORLD.measure("count", start=start, end=end, bucket=("day", case.zone))
    assert sum(value or 0 for value, _ in daily.values()) == total
    edges = buckets(start, end, "day", case.zone)
    assert all(one.end == other.start for one, other in itertools.pairwise(edges))
    assert edges[0].start <= start < end <= edges[-1].end
    peak, first, levels = WORLD.concurrency(start, end)
    assert sum(levels.values()) == end - start
    assert max(WORLD.concurrency_buckets(start, end, ("day", case.zone)).values()) == peak == max(levels)
    assert start <= first < end
    found = WORLD.attribution(start, end, "model", percentile=50)
    assert sum(found.shares.values()) == found.total
    listed = WORLD.sessions(start, end)
    assert len(listed) == WORLD.measure("sessions", start=start, end=end)[()][0]
    assert sum(row.interactions for row in listed) == total
    assert sum(row.errors for row in listed) == WORLD.measure("errors", start=start, end=end)[()][0]
