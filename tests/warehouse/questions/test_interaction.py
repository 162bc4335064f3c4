from __future__ import annotations

from collections.abc import Callable

import pytest

from talkscope.errors import AmbiguousName, NotFound
from talkscope.models.answers import TurnAnswer
from tests.oracle import World
from tests.warehouse.questions.loaded import Loaded, Record, numbers

Make = Callable[[list[Record]], Loaded]


def test_every_trace_is_the_oracles(loaded: Loaded, world: World) -> None:
    turns = world.data.interactions
    odd = [one for one in turns if not one.session_id.startswith("s-")]
    for one in [*odd, *turns[::5]]:
        expected = world.trace(one.key, one.platform)
        answer = loaded.ask("interaction", interaction_id=f"{one.platform}:{one.key}")
        assert isinstance(answer, TurnAnswer)
        spans = [row for row in answer.rows if row[0] == "span"]
        assert [[row[1], row[2], row[3], row[9]] for row in spans] == [
            [span.offset / 1_000, span.duration / 1_000, span.self_us / 1_000, span.depth] for span in expected.spans
        ], one.key
        gaps = [(row[1], row[2]) for row in answer.rows if row[0] == "gap"]
        assert gaps == [(first / 1_000, (last - first) / 1_000) for first, last in expected.gaps]
        assert answer.interaction.total_ms == expected.length / 1_000
        assert answer.interaction.unattributed_ms == sum(last - first for first, last in expected.gaps) / 1_000
        assert answer.interaction.derived == one.derived
        offsets = numbers(answer, "offset_ms")
        assert offsets == sorted(offsets)


def test_an_unknown_id_is_not_found_and_the_hint_says_where_ids_are(loaded: Loaded) -> None:
    with pytest.raises(NotFound, match="get_session"):
        loaded.ask("interaction", interaction_id="no such turn")
    with pytest.raises(NotFound):
        loaded.ask("interaction", interaction_id="convai:no such turn")


def test_an_id_of_several_platforms_needs_the_platform_before_it(loaded: Loaded) -> None:
    with pytest.raises(AmbiguousName, match="mavenoid:same turn") as caught:
        loaded.ask("interaction", interaction_id="same turn")
    assert caught.value.details["candidates"] == ["convai:same turn", "mavenoid:same turn", "own:same turn"]
    for number, platform in enumerate(("own", "convai", "mavenoid")):
        answer = loaded.ask("interaction", interaction_id=f"{platform}:same turn")
        assert isinstance(answer, TurnAnswer)
        assert (answer.interaction.platform, answer.interaction.latency_ms) == (platform, 200 + number)
        assert [row[2] for row in answer.rows if row[0] == "span"] == [100 + number]


def test_an_id_with_a_colon_of_its_own_is_found_as_it_is(warehouse: Make) -> None:
    at = "2026-05-04T10:00:00Z"
    records: list[Record] = [
        {"type": "interaction", "session_id": "s", "interaction_id": key, "start_time": at, "latency_ms": latency}
        for key, latency in (("own:1", 5), ("1", 7))
    ]
    answer = warehouse(records).ask("interaction", interaction_id="own:1")
    assert isinstance(answer, TurnAnswer)
    assert answer.interaction.latency_ms == 5


def test_times_are_written_in_the_asked_zone(loaded: Loaded) -> None:
    answer = loaded.ask("interaction", interaction_id="deep", timezone="Asia/Kolkata")
    assert isinstance(answer, TurnAnswer)
    assert answer.interaction.start_time == "2026-03-28T19:30:00+05:30"


def test_what_reaches_outside_the_turn_and_what_was_never_recorded_is_said(loaded: Loaded) -> None:
    assert "2 of 5 spans reach outside the turn" in " ".join(
        loaded.ask("interaction", interaction_id="deep").meta.notes
    )
    assert "implied" in " ".join(loaded.ask("interaction", interaction_id="implied").meta.notes)
    assert "No spans" in " ".join(loaded.ask("interaction", interaction_id="no spans, fast").meta.notes)
    assert loaded.ask("interaction", interaction_id="convai:same turn").meta.notes == []
