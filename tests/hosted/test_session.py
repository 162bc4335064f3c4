"""A hosted session's timeline and an interaction's trace: the warehouse's, as far as the service says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, NotFound
from talkscope.models.answers import Cell, SessionAnswer, TurnAnswer
from tests.hosted.accounts import Hosted
from tests.oracle import World

Make = Callable[..., Hosted]
UNSAID = {"platform", "derived", "channel", "language", "character_name", "end_user_id", "status"}
AT = "2026-03-28T10:00:{:09.6f}Z"


def session(account: Hosted, session_id: str, **words: Any) -> SessionAnswer:
    answer = account.ask("session", session_id=session_id, **words)
    assert isinstance(answer, SessionAnswer)
    return answer


def turn(account: Hosted, interaction_id: str) -> TurnAnswer:
    answer = account.ask("interaction", interaction_id=interaction_id)
    assert isinstance(answer, TurnAnswer)
    return answer


def said(rows: list[list[Cell]]) -> list[list[Cell]]:
    """A warehouse's rows without what the hosted API does not say: the name and length of interactions."""
    return [[*row[:3], None, None, *row[5:]] if row[2] == "interaction" else row for row in rows]


def test_a_session_is_the_warehouses(account: Hosted, world: World):
    odd = [each for each in world.data.sessions if not each.session_id.startswith("s-")]
    assert len(odd) > 20
    # Each session that was made to be awkward, and some of those that chance made.
    for each in [*odd, *(each for each in world.data.sessions if each not in odd)][: len(odd) + 10]:
        name = f"{each.platform}:{each.key}"
        words = {"session_id": name, "limit": 500, "timezone": "Asia/Kolkata"}
        got, truth = account.ask("session", **words), account.truth("session", **words)
        assert isinstance(got, SessionAnswer)
        assert isinstance(truth, SessionAnswer)
        assert got.rows == said(truth.rows), name
        assert (got.columns, got.meta.n, got.meta.units) == (truth.columns, truth.meta.n, truth.meta.units)
        facts = got.session.model_dump(exclude=UNSAID)
        assert facts == truth.session.model_dump(exclude=UNSAID), name
        assert got.session.platform == "convai"


def test_pages_of_a_session_hold_every_row_once(account: Hosted, world: World):
    for name in ("own:failing", "own:traces"):
        whole = session(account, name, limit=500)
        rows: list[list[Cell]] = []
        cursor = None
        while True:
            page = session(account, name, limit=3, cursor=cursor)
            rows += page.rows
            cursor = page.meta.next_cursor
            if cursor is None:
                break
        assert rows == whole.rows
        assert len(rows) > 9


def detail(*events: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"sessionId": "s", "events": list(events), **more}


def event(second: float, name: str, **more: Any) -> dict[str, Any]:
    return {"eventTime": AT.format(second), "metricName": name, **more}


def test_a_cursor_of_another_session_is_refused_before_any_request(faked: Make):
    account = faked(lambda *_: detail(event(1, "a"), event(2, "b")))
    cursor = session(account, "s", limit=1).meta.next_cursor
    assert cursor
    for given, session_id in ((cursor, "other"), ("é", "s"), ("x", "s")):
        with pytest.raises(InvalidArgument):
            session(account, session_id, cursor=given)
        assert account.watched.seen == []


def test_what_comes_in_early_meanwhile_does_not_shift_the_next_page(faked: Make):
    events = [event(5, "a"), event(5, "b"), event(6, "c")]
    account = faked(lambda *_: detail(*events))
    cursor = session(account, "s", limit=2).meta.next_cursor
    events.insert(0, event(1, "late"))
    assert [row[3] for row in session(account, "s", limit=2, cursor=cursor).rows] == ["c"]


def test_metrics_of_one_fact_become_one_row(faked: Make):
    work = {"processor": "llm", "interactionId": "i", "attributes": {"provider": "p", "model": "m"}}
    events = [
        event(3, "llm.ttfb", value=120.5, **work),
        event(2, "llm.ttfb", value=9, **work),
        event(2, "llm.processing", value=40, **work),
        event(1, "voice.user_to_bot_latency", value=900, interactionId="i", status="ok"),
        event(1.5, "voice.user_to_bot_latency", value=901, interactionId="i"),
        event(2.5, "error.llm", interactionId="j"),
        event(2.6, "error.session"),
    ]
    answer = session(faked(lambda *_: detail(*events)), "s")
    assert [(row[2], row[3], row[4], row[6]) for row in answer.rows] == [
        ("interaction", None, None, 900),
        ("event", "voice.user_to_bot_latency", None, 901),
        ("event", "llm.ttfb", None, 9),
        ("span", "llm", 40, None),
        ("event", "error.llm", None, None),
        ("event", "error.session", None, None),
        ("event", "llm.ttfb", None, 120.5),
    ]
    facts = answer.session
    assert (facts.interactions, facts.errors, facts.p95_ms, facts.duration_sec) == (2, 2, 900, 2)


def test_a_time_to_first_byte_after_its_work_is_the_works(faked: Make):
    kinds = {"processor": "llm"}
    events = [event(1, "llm.processing", value=40, **kinds), event(1, "llm.ttfb", value=12, **kinds)]
    (row,) = session(faked(lambda *_: detail(*events)), "s").rows
    assert row[2:7] == ["span", "llm", 40, None, 12]


def test_a_hundred_thousand_events_are_paged(faked: Make):
    events = [
        event(second % 60, f"m{second % 7}", value=second, interactionId=str(second)) for second in range(100_000)
    ]
    answer = session(faked(lambda *_: detail(*events)), "s", limit=500)
    assert (answer.meta.n, len(answer.rows), answer.session.interactions) == (100_000, 500, 100_000)


def test_a_session_at_no_time_is_a_bad_answer_and_one_of_nulls_is_not(faked: Make):
    with pytest.raises(BadAnswer):
        session(faked(lambda *_: detail()), "s")
    answer = session(faked(lambda *_: detail(startTime=AT.format(1), endTime=AT.format(0))), "s")
    assert (answer.rows, answer.session.duration_sec, answer.session.interactions) == ([], 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"eventTime": "0001-01-01T00:00:00Z"},
        {"eventTime": "9999-12-31T23:59:59.999999-12:00"},
        {"metricName": "voice.user_to_bot_latency", "interactionId": "i", "value": -1},
        {"metricName": "llm.processing", "processor": "llm", "value": 1e29},
        {"metricName": "llm.processing", "processor": "llm", "value": 1e300},
    ],
)
def test_times_and_lengths_that_cannot_be_are_a_bad_answer(faked: Make, wrong: dict[str, Any]):
    with pytest.raises(BadAnswer):
        session(faked(lambda *_: detail({**event(1, "a"), **wrong})), "s", timezone="Pacific/Kiritimati")


def test_every_trace_is_the_warehouses(account: Hosted, world: World):
    turns = world.data.interactions
    odd = [each for each in turns if not each.session_id.startswith("s-")]
    seen = 0
    for each in [*odd, *turns[::9]]:
        if each.key == "latency 0":  # on the wire a length of 0.0 is one that is not known
            continue
        name = f"{each.platform}:{each.key}"
        got, truth = turn(account, name), account.truth("interaction", interaction_id=name)
        assert isinstance(truth, TurnAnswer)
        assert [row[:-1] for row in got.rows] == [row[:-1] for row in truth.rows], name
        assert (got.columns, got.meta.n, got.meta.units) == (truth.columns, truth.meta.n, truth.meta.units)
        unsaid = {"platform", "derived", "latency_ms", "character_name"}
        assert got.interaction.model_dump(exclude=unsaid) == truth.interaction.model_dump(exclude=unsaid), name
        seen += 1
    assert seen > 100


def trace(*spans: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"interactionId": "i", "sessionId": "s", "startTime": AT.format(0), "spans": list(spans), **more}


def span(start: float, ms: float, processor: str | None, **more: Any) -> dict[str, Any]:
    return {"startTime": AT.format(start), "durationMs": ms, "processor": processor, **more}


def test_without_depths_a_span_lies_in_those_that_hold_it_whole(faked: Make):
    spans = [span(0, 1_000, "agent"), span(0, 600, "llm"), span(0.5, 600, "tts"), span(0, 600, "twin")]
    answer = turn(faked(lambda *_: trace(*spans, totalDurationMs=1_200)), "i")
    assert [(row[4], row[9], row[3]) for row in answer.rows] == [
        ("agent", 0, 0),
        ("llm", 1, 600),
        ("twin", 1, 0),
        ("tts", 0, 500),
        (None, None, None),
    ]
    assert "hold a span whole" in str(answer.meta.basis)
    assert answer.interaction.unattributed_ms == 100


def test_a_trace_of_nulls_is_answered(faked: Make):
    answer = turn(faked(lambda *_: {"interactionId": "i", "spans": [{"startTime": AT.format(1)}]}), "i")
    assert [row[:6] for row in answer.rows] == [["span", 0, 0, 0, "unknown", None]]
    with pytest.raises(BadAnswer):
        turn(faked(lambda *_: {"interactionId": "i", "spans": []}), "i")
    empty = turn(faked(lambda *_: trace()), "i")
    assert empty.rows == []
    assert any("No spans" in note for note in empty.meta.notes)


def test_a_span_that_ends_before_it_starts_has_the_length_that_is_given(faked: Make):
    answer = turn(faked(lambda *_: trace(span(5, 70, "llm", endTime=AT.format(1)), totalDurationMs=9_000)), "i")
    assert [row[:3] for row in answer.rows if row[0] == "span"] == [["span", 5_000, 70]]
    with pytest.raises(BadAnswer):
        turn(faked(lambda *_: trace(span(5, -70, "llm"))), "i")


def test_many_spans_are_placed_in_time_that_grows_with_their_number(faked: Make):
    spans = [span(number % 50, 30 * number % 977, "llm") for number in range(20_000)]
    answer = turn(faked(lambda *_: trace(*spans, totalDurationMs=1e29)), "i")
    assert answer.meta.n == 20_000


def test_an_unknown_session_or_interaction_is_not_found(account: Hosted):
    for question, word in (("session", "session_id"), ("interaction", "interaction_id")):
        with pytest.raises(NotFound):
            account.ask(question, **{word: "no/such ?#"})
