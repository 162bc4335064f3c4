"""The oracle itself, on examples small enough to work out by hand: records and measures."""

from __future__ import annotations

import pytest

from . import World, percentile

Record = dict[str, object]
MS = 1_000
SECOND = 1_000_000


def session(session_id: str, second: float = 0, **rest: object) -> Record:
    return {"type": "session", "session_id": session_id, "start_time_us": int(second * SECOND), **rest}


def turn(session_id: str, key: str, second: float, **rest: object) -> Record:
    times = {"start_time_us": int(second * SECOND)}
    return {"type": "interaction", "session_id": session_id, "interaction_id": key, **times, **rest}


def span(session_id: str, processor: str, second: float, ms: float, **rest: object) -> Record:
    times = {"start_time_us": int(second * SECOND), "duration_ms": ms}
    return {"type": "span", "session_id": session_id, "processor": processor, **times, **rest}


def event(session_id: str, name: str, second: float, **rest: object) -> Record:
    return {"type": "event", "session_id": session_id, "metric_name": name, "time_us": int(second * SECOND), **rest}


def outcome(session_id: str, second: float, resolution: str | None, **rest: object) -> Record:
    at = {"time_us": int(second * SECOND), "resolution": resolution}
    return {"type": "outcome", "session_id": session_id, **at, **rest}


def ask(world: World, name: str, **rest: object) -> dict[object, object]:
    """The measure over the first 100 seconds of 1970, keyed by the one value of the group or by `()`."""
    answer = world.measure(name, **{"start": 0, "end": 100 * SECOND, **rest})  # type: ignore[arg-type]
    return {group[0] if len(group) == 1 else group: figure for group, figure in answer.items()}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([10, 20, 30, 40], 50, 25),  # rank 3 * 0.5 = 1.5: halfway from 20 to 30
        ([40, 10, 30, 20], 95, 38.5),  # rank 2.85: 30 + 0.85 * 10
        ([7], 99, 7),
        ([1, 2], 75, 1.75),
        (list(range(21)), 55, 11),  # rank 20 * 0.55 = 11 exactly, which floats make 11.000000000000002
        ([], 50, None),
    ],
)
def test_a_percentile_is_linear_between_neighbours(values: list[float], percent: int, expected: float | None) -> None:
    assert percentile(values, percent) == (None if expected is None else pytest.approx(expected, rel=1e-15))


def test_a_later_load_wins_field_by_field_and_silence_keeps_what_is_known() -> None:
    first = [session("s", character_id="old", channel="web", attributes={"a": 1, "b": 1}), turn("s", "i", 1)]
    second = [session("s", character_id="new", attributes={"b": 2}), turn("s", "i", 1, latency_ms=90, status="ok")]
    world = World.load(first, second)
    assert ask(world, "p50", by=["character_id"]) == {"new": (90, 1)}
    assert ask(world, "p50", by=["channel"]) == {"web": (90, 1)}
    assert world == World.load([*first, *second])
    assert World.load(second, first).data.sessions[0].dims["character_id"] == "old"


def test_records_without_an_id_count_their_occurrences_inside_a_file_only() -> None:
    two = [event("s", "beep", 1), event("s", "beep", 1)]
    three = [*two, event("s", "beep", 1)]
    assert ask(World.load(two), "count", metric_name="beep") == {(): (2, 2)}
    assert ask(World.load(two, two), "count", metric_name="beep") == {(): (2, 2)}
    assert ask(World.load(two, three), "count", metric_name="beep") == {(): (3, 3)}


def test_one_id_on_two_platforms_is_two_things_but_one_end_user() -> None:
    both = [session("s", end_user_id="u", platform=platform) for platform in ("vapi", "convai")]
    world = World.load(both)
    assert ask(world, "sessions") == {(): (2, 2)}
    assert ask(world, "sessions", by=["platform"]) == {"vapi": (1, 1), "convai": (1, 1)}
    assert ask(world, "end_users") == {(): (1, 1)}


def test_what_is_only_implied_is_derived_and_gives_way() -> None:
    # The span starts at 5 s and lasts 2 s; the event is at 9 s: the interaction is [5, 9), the session starts at 5.
    facts = [event("s", "note", 9, interaction_id="i"), span("s", "llm", 5, 2_000, interaction_id="i")]
    implied = World.load(facts).data
    assert [(one.start, one.end, one.derived) for one in implied.interactions] == [(5 * SECOND, 9 * SECOND, True)]
    assert [(one.start, one.end, one.derived) for one in implied.sessions] == [(5 * SECOND, 9 * SECOND, True)]
    real = World.load(facts, [session("s", 1), turn("s", "i", 4, interaction_type="voice")]).data
    assert [(one.start, one.end, one.derived) for one in real.interactions] == [(4 * SECOND, None, False)]
    # The session's last fact: the event at 9 s is later than the span's end at 7 s and the turn's start at 4 s.
    assert [(one.start, one.end, one.derived) for one in real.sessions] == [(1 * SECOND, 9 * SECOND, False)]
    assert {one.dims["interaction_type"] for one in [*real.spans, *real.events]} == {"voice"}


def test_an_outcome_shows_a_session_but_does_not_make_it_longer() -> None:
    world = World.load([session("s", 1), event("s", "note", 2), outcome("s", 50, "open")])
    assert world.data.sessions[0].end == 2 * SECOND
    assert ask(world, "sessions", start=40 * SECOND, end=60 * SECOND) == {(): (1, 1)}


def failing() -> World:
    """Five turns: ok, error, timeout, cancelled, ok with two error events; and two error events of no turn."""
    statuses = ["ok", "error", "timeout", "cancelled", "ok"]
    turns = [turn("s", f"i{number}", number, status=status) for number, status in enumerate(statuses)]
    marks = [
        event("s", "error.llm", 70, interaction_id="i4"),
        event("s", "link", 4, interaction_id="i4", status="error"),
    ]
    alone = [event("s", "error.llm", 5), event("s", "link", 6, status="timeout"), event("s", "errors", 7)]
    spans = [span("s", "llm", 8, 10, status="error", interaction_id="i0"), span("s", "tts", 8, 10, status="cancelled")]
    return World.load([*turns, *marks, *alone, *spans])


def test_errors_are_failed_turns_and_error_events_without_a_turn() -> None:
    # Failed: i1, i2 and i4 (once), and the two lone events; of 5 turns and 2 lone events.
    assert ask(failing(), "errors") == {(): (5, 7)}
    assert ask(failing(), "error_rate") == {(): (5 / 7, 7)}
    assert ask(failing(), "errors", end=4 * SECOND) == {(): (2, 4)}
    # By the row's own status: i4 is ok and failed; the lone events say null and timeout.
    assert ask(failing(), "errors", by=["status"]) == {
        "ok": (1, 2),
        "error": (1, 1),
        "timeout": (2, 2),
        "cancelled": (0, 1),
        None: (1, 1),
    }


def test_errors_by_a_span_dimension_are_failed_spans() -> None:
    assert ask(failing(), "errors", by=["processor"]) == {"llm": (1, 1), "tts": (0, 1)}
    assert ask(failing(), "error_rate", where=[("processor", "!=", "asr")]) == {(): (0.5, 2)}
    assert ask(failing(), "interactions", by=["processor"]) == {"llm": (1, 1), "tts": (0, 0)}
    assert ask(failing(), "sessions", by=["processor"]) == {"llm": (1, 1), "tts": (1, 1)}


def test_a_metric_name_asks_the_metric_stream() -> None:
    names = failing().metric_names(0, 100 * SECOND)
    assert names == {
        "error.interaction": 3,
        "error.llm": 3,  # the event of i4, the lone one, and the failed span
        "link": 2,
        "errors": 1,
        "llm.processing": 1,
        "tts.processing": 1,
    }
    assert ask(failing(), "errors", metric_name_prefix="error.") == {(): (6, 6)}
    assert ask(failing(), "errors", metric_name_prefix="error_") == {(): (0, 0)}
    said = World.load([turn("s", "i", 1, latency_ms=100), event("s", "voice.user_to_bot_latency", 1, value=300)])
    assert ask(said, "avg", metric_name="voice.user_to_bot_latency") == {(): (200, 2)}
    assert ask(said, "avg") == {(): (100, 1)}


def test_latency_is_of_turns_or_of_leaf_spans() -> None:
    world = World.load(
        [
            turn("s", "i", 1, latency_ms=500),
            turn("s", "j", 2),
            span("s", "llm", 1, 400, span_id="a", ttfb_ms=80),
            span("s", "tool", 1, 100, span_id="b", parent_id="a"),
            span("s", "tool", 1, 300, span_id="c", parent_id="elsewhere"),
            span("t", "llm", 1, 60, parent_id="c"),  # another session's span names "c": it stays a leaf
        ]
    )
    assert ask(world, "max") == {(): (500, 1)}
    assert ask(world, "avg", by=["processor"]) == {"tool": (200, 2), "llm": (60, 1)}
    assert ask(world, "count", by=["processor"]) == {"tool": (2, 2), "llm": (2, 2)}
    assert ask(world, "avg", metric_name="llm.ttfb") == {(): (80, 1)}
    assert ask(world, "avg", by=["interaction_id"]) == {"i": (500, 1), "j": (None, 0)}


def test_usage_sums_what_is_known_and_is_null_when_nothing_is() -> None:
    spans = [span("s", "llm", 1, 1, input_tokens=0, cost_usd=0.1), span("s", "llm", 2, 1, cost_usd=0.2)]
    world = World.load([*spans, span("s", "tts", 3, 1)])
    assert ask(world, "input_tokens") == {(): (0, 1)}
    assert ask(world, "characters") == {(): (None, 0)}
    assert ask(world, "cost_usd", by=["processor"]) == {"llm": (pytest.approx(0.3), 2), "tts": (None, 0)}


def test_participants_each_count_a_session_that_the_total_counts_once() -> None:
    world = World.load(
        [
            session("both", participants=["a", "b"]),
            session("own", character_id="c", participants=["b"]),
            session("nobody"),
            turn("both", "i", 1, latency_ms=100),
            turn("own", "j", 1, latency_ms=300),
        ]
    )
    assert ask(world, "sessions") == {(): (3, 3)}
    assert ask(world, "sessions", by=["character_id"]) == {"a": (1, 1), "b": (2, 2), "c": (1, 1), None: (1, 1)}
    assert ask(world, "avg", by=["character_id"]) == {"a": (100, 1), "b": (200, 2), "c": (300, 1)}
    assert ask(world, "sessions", where=[("character_id", "=", "a"), ("character_id", "=", "c")]) == {(): (2, 2)}
    assert ask(world, "sessions", where=[("character_id", "!=", "a"), ("character_id", "!=", "c")]) == {(): (1, 1)}


def test_not_equal_keeps_what_is_unknown_and_text_is_matched_as_it_is() -> None:
    world = World.load([session("1", language="100%"), session("2", language="100x"), session("3")])
    assert ask(world, "sessions", where=[("language", "!=", "100%")]) == {(): (2, 2)}
    assert ask(world, "sessions", where=[("language", "=", "100%")]) == {(): (1, 1)}
    with pytest.raises(ValueError, match="langauge"):
        ask(world, "sessions", where=[("langauge", "=", "de")])


def test_a_session_counts_by_its_latest_outcome_in_the_window() -> None:
    world = World.load(
        [
            outcome("a", 1, "open"),
            outcome("a", 2, "handoff"),
            outcome("a", 200, "resolved"),
            outcome("b", 3, "resolved"),
            outcome("c", 4, "open"),
            outcome("d", 5, None),
        ]
    )
    assert ask(world, "outcomes") == {(): (4, 4)}
    assert ask(world, "handoffs") == {(): (1, 4)}
    assert ask(world, "handoff_rate") == {(): (0.5, 2)}  # one handoff of a and b
    assert ask(world, "deflection_rate", end=300 * SECOND) == {(): (1, 2)}
    assert ask(world, "outcomes", by=["resolution"], end=2 * SECOND) == {"open": (1, 1)}


def test_what_an_outcome_says_of_a_handoff_is_believed_before_its_resolution() -> None:
    world = World.load(
        [
            outcome("a", 1, "resolved", handoff=True, tags=["x", "y"]),
            outcome("b", 2, "open", handoff=False, tags=["y"]),
            outcome("c", 3, "odd"),
            outcome("d", 4, "handoff"),
        ]
    )
    assert ask(world, "handoffs") == {(): (2, 4)}
    assert ask(world, "deflection_rate") == {(): (pytest.approx(1 / 3), 3)}
    assert ask(world, "outcomes", by=["tag"]) == {"x": (1, 1), "y": (2, 2), None: (2, 2)}
    assert ask(world, "outcomes", where=[("tag", "!=", "y")]) == {(): (2, 2)}


def test_two_groups_and_a_bucket_make_one_key() -> None:
    world = World.load([turn("s", "i", 59, status="ok", latency_ms=5), turn("s", "j", 60, status="ok", latency_ms=7)])
    answer = world.measure("max", start=0, end=100 * SECOND, by=["status", "platform"], bucket=("minute", "UTC"))
    assert answer == {(0, "ok", "own"): (5, 1), (60 * SECOND, "ok", "own"): (7, 1)}


def test_nothing_is_zero_or_null_never_absent() -> None:
    world = World.load()
    assert ask(world, "sessions") == {(): (0, 0)}
    assert ask(world, "p95") == {(): (None, 0)}
    assert ask(world, "error_rate") == {(): (None, 0)}
    assert ask(world, "count", by=["status"]) == {}
    assert world.extent() is None


def test_a_regression_cuts_the_current_window_out_of_the_baseline() -> None:
    # Baseline [0, 100) without [50, 100): 100 and 200; current: 300 twice.
    seconds = {10: 100, 20: 200, 60: 300, 99: 300}
    world = World.load([turn(f"s{at}", f"i{at}", at, latency_ms=ms) for at, ms in seconds.items()])
    found = world.regression("avg", current=(50 * SECOND, 100 * SECOND), baseline=(0, 100 * SECOND))[()]
    assert (found.baseline, found.current, found.change) == ((150, 2), (300, 2), 1.0)
    assert found.baseline_values == {("own", "s10"): [100], ("own", "s20"): [200]}
    failed = World.load([turn("s", "i", 1, status="error"), turn("s", "j", 2), turn("s", "k", 60)])
    found = failed.regression("error_rate", current=(50 * SECOND, 100 * SECOND), baseline=(0, 100 * SECOND))[()]
    assert (found.baseline, found.current, found.change) == ((0.5, 2), (0, 1), -1.0)
    assert found.baseline_values == {("own", "s"): [0, 1]}


def test_a_fact_that_names_no_platform_is_of_its_sessions() -> None:
    # The span comes first and says nothing; the session names one platform, so both are there and nothing is derived.
    facts = [span("s", "llm", 5, 2_000), session("s", platform="vapi")]
    for batches in ([facts], [facts[:1], facts[1:]], [facts[::-1]]):
        world = World.load(*batches)
        assert [(one.platform, one.derived) for one in world.data.sessions] == [("vapi", False)]
        assert [one.platform for one in world.data.spans] == ["vapi"]
