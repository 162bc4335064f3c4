from __future__ import annotations

from collections import Counter

import pytest

from talkscope.errors import AmbiguousName, InvalidArgument, NotFound
from talkscope.models.answers import Cell, SessionAnswer
from talkscope.models.window import iso
from tests.oracle import CASES, Fact, World
from tests.warehouse.questions.loaded import Loaded, numbers

NAMES = {"interaction": "interaction_type", "span": "processor", "outcome": "resolution"}


def row_of(fact: Fact) -> tuple[Cell, ...]:
    name = fact.metric_name if fact.kind == "event" else fact.dims[NAMES[fact.kind]]
    value = fact.amounts.get("ttfb_ms") if fact.kind == "span" else fact.value
    return iso(fact.start), fact.kind, name, value if value is None else round(value, 3)


def test_a_timeline_holds_every_fact_of_the_session_once(loaded: Loaded, world: World) -> None:
    data = world.data
    facts = [*data.interactions, *data.spans, *data.events, *data.outcomes]
    for session in data.sessions:
        answer = loaded.ask("session", session_id=f"{session.platform}:{session.session_id}", limit=500)
        expected = Counter(row_of(fact) for fact in facts if fact.session == session.session)
        shown = Counter((row[0], row[2], row[3], None if row[2] == "outcome" else row[6]) for row in answer.rows)
        assert shown == expected, session.session_id
        assert answer.meta.n == sum(expected.values())
        offsets = numbers(answer, "offset_ms")
        assert offsets == sorted(offsets)


def test_a_sessions_head_has_the_oracles_figures(loaded: Loaded, world: World) -> None:
    year = CASES[0]
    for row in world.sessions(year.start, year.end):
        answer = loaded.ask("session", session_id=f"{row.platform}:{row.session_id}", limit=1)
        assert isinstance(answer, SessionAnswer)
        head = answer.session
        assert (head.platform, head.session_id, head.derived) == (row.platform, row.session_id, row.derived)
        assert (head.interactions, head.errors) == (row.interactions, row.errors)
        assert head.p95_ms == (None if row.p95 is None else pytest.approx(row.p95, abs=0.0006))
        assert (head.start_time, head.end_time) == (iso(row.start), iso(row.end))
        assert head.duration_sec == row.duration / 1_000_000


def test_pages_are_the_whole_timeline_in_pieces(loaded: Loaded) -> None:
    whole = loaded.ask("session", session_id="traces", limit=500)
    assert whole.meta.next_cursor is None
    rows, cursor, pages = [], None, 0
    while True:
        page = loaded.ask("session", session_id="traces", limit=7, cursor=cursor)
        assert page.meta.n == len(whole.rows)
        rows += page.rows
        cursor, pages = page.meta.next_cursor, pages + 1
        if cursor is None:
            break
        assert len(page.rows) == 7
        assert f"{len(whole.rows)} rows in all" in page.meta.notes[0]
    assert rows == whole.rows
    assert pages == -(-len(rows) // 7)


def test_outer_spans_stand_before_inner_ones_that_start_with_them(loaded: Loaded) -> None:
    answer = loaded.ask("session", session_id="traces", limit=500)
    at_start = [(row[2], row[3]) for row in answer.rows if row[1] == 0]
    assert at_start == [("interaction", None), ("span", "turn")]


@pytest.mark.parametrize(
    "cursor",
    [
        "!",
        "AAAA",
        "WyJvd24iLCJvdGhlciIsMSwyLCJrIl0",
        "bnVsbA",
        "WyJvd24iLCJ0cmFjZXMiLDkyMjMzNzIwMzY4NTQ3NzU4MDcsMSwiayJd",
    ],
)
def test_a_cursor_that_is_not_this_sessions_is_refused(loaded: Loaded, cursor: str) -> None:
    with pytest.raises(InvalidArgument, match="cursor"):
        loaded.ask("session", session_id="traces", cursor=cursor)


def test_an_unknown_session_is_not_found_and_one_of_several_platforms_is_ambiguous(loaded: Loaded) -> None:
    with pytest.raises(NotFound, match="list_sessions"):
        loaded.ask("session", session_id="no such session")
    with pytest.raises(AmbiguousName, match="convai:same"):
        loaded.ask("session", session_id="same")


def test_the_answer_says_what_value_means_for_each_kind(loaded: Loaded) -> None:
    answer = loaded.ask("session", session_id="traces")
    assert "latency_ms of interactions" in str(answer.meta.basis)
    assert "time to first byte" in answer.meta.units["value"]
