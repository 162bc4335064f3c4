"""A session's timeline shows what ran when, in the zone that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from talkscope.charts import timeline
from talkscope.charts.drawing import shown
from talkscope.models.answers import Cell, SessionAnswer, SessionFacts
from talkscope.models.window import iso, parse_moment, zone_of
from tests.charts.drawn import (
    HOSTILE,
    checked,
    keeps_names_out_of_code,
    meta,
    rows,
    same_as_before,
    subtitle,
    title,
    told,
)
from tests.tools.fakes import Fake, call

COLUMNS = "time offset_ms kind name duration_ms status value provider model interaction_id".split()
START = "2026-06-01T15:03:15.780511Z"
BEGINS = parse_moment("start", START, zone_of("UTC"))


def fact(kind: str, name: str | None, offset: float, length: float | None = None, **more: Cell) -> list[Cell]:
    cells: dict[str, Cell] = {
        "time": iso(BEGINS + round(offset * 1_000), "UTC"), "offset_ms": offset, "kind": kind, "name": name,
        "duration_ms": length, **more,
    }  # fmt: skip
    return [cells.get(column) for column in COLUMNS]


def answer(found: Sequence[list[Cell]], *, total: int | None = None, **facts: Any) -> SessionAnswer:
    session = {
        "session_id": "s-1", "platform": "own", "start_time": START, "end_time": "2026-06-01T15:04:31.015513Z",
        "duration_sec": 75.235002, "character_name": "Ada the Guide", "channel": "voice", "interactions": 2,
        "errors": 1, "p95_ms": 1_131.1, **facts,
    }  # fmt: skip
    notes = [*facts.pop("notes", []), "27 rows in all; 3 are shown."]
    session.pop("notes", None)
    return SessionAnswer(
        columns=list(COLUMNS), rows=list(found), session=SessionFacts(**session),
        meta=meta(len(found) if total is None else total, window=False, notes=notes),
    )  # fmt: skip


def plain() -> list[list[Cell]]:
    return [
        fact("event", "session.connect", 209.177),
        fact(
            "interaction", "voice_turn", 4_007.765, 10_286.599, status="timeout", value=8_486.599, interaction_id="i-0"
        ),
        fact("span", "vad", 4_013.023, 73.838, status="ok", interaction_id="i-0"),
        fact(
            "span", "llm", 4_369.297, 8_000.0, status="timeout", provider="openai", model="gpt-4o", interaction_id="i-0"
        ),
        fact("event", "error.provider", 12_369.297, status="timeout", interaction_id="i-0"),
        fact("interaction", "voice_turn", 20_597.125, 20_619.141, status="ok", value=1_131.141, interaction_id="i-1"),
        fact(
            "span", "llm", 20_924.499, 1_174.967, status="ok", provider="openai", model="gpt-4o", interaction_id="i-1"
        ),
        fact("event", "session.disconnect", 75_235.002),
        fact("outcome", "resolved", 112_105.324, value=3.0),
    ]


def lanes(drawing: Any) -> list[str]:
    return [row["name"] for row in rows(drawing, part="lane")]


def test_each_kind_of_fact_has_a_lane_and_stands_where_it_happened():
    drawing = timeline.draw(answer(plain()))
    assert lanes(drawing) == ["turns", "vad", "llm", "errors", "events", "outcome"]
    bars = {(row["what"], row["offset"]): (row["length"], row["state"]) for row in rows(drawing, part="bar")}
    assert bars["voice_turn", 4_008] == (10_287, "timeout")
    assert bars["llm · openai/gpt-4o", 20_924] == (1_175, "ok")
    points = [(row["what"], row["lane"], row["state"]) for row in rows(drawing, part="point")]
    assert ("error.provider", 3, "timeout") in points
    assert ("resolved", 5, "no status") in points
    assert title(drawing) == "Session s-1 · 75.2 s · 2 interactions · 1 error"
    svg = checked(drawing)
    assert "error.provider" in svg
    assert "resolved" in svg
    same_as_before("timeline", drawing)


def test_a_short_session_keeps_its_fractions_of_milliseconds():
    drawing = timeline.draw(answer([fact("span", "llm", 1.25, 0.125, status="ok")], duration_sec=0.5))
    (bar,) = rows(drawing, part="bar")
    assert (bar["offset"], bar["length"]) == (1.25, 0.125)


def test_the_axis_is_in_the_asked_zone():
    drawing = timeline.draw(answer(plain(), start_time="2026-06-01T11:03:15.780511-04:00"), zone="America/New_York")
    svg = checked(drawing)
    assert "11:03:30" in svg
    assert "15:03:30" not in svg
    assert "started 2026-06-01 11:03:15 (America/New_York)" in subtitle(drawing)
    spec: Any = drawing.spec
    base = float(spec["transform"][1]["calculate"].partition("+")[0])
    assert base * 1_000 == pytest.approx(BEGINS, abs=1)


def test_failures_are_told_in_order_with_the_slowest_turn():
    summary = timeline.draw(answer(plain())).summary
    assert "All 9 facts are drawn." in summary
    assert "error.provider at 12.4 s: timeout." in summary
    assert summary.index("voice_turn at 4.01 s") < summary.index("error.provider")
    assert "Slowest turn: i-0, 8,487 ms." in summary


def test_a_longer_session_says_how_much_of_it_is_drawn_and_ends_there():
    drawing = timeline.draw(answer(plain()[:4], total=640))
    assert "first 4 of 640 facts" in subtitle(drawing)
    assert "rows in all" not in subtitle(drawing)
    assert "The first 4 of 640 facts are drawn." in drawing.summary
    assert [row["offset"] for row in rows(drawing, part="edge")] == [0]
    checked(drawing)


def test_a_session_without_an_end_is_drawn_to_its_last_fact():
    notes = ["The session has no recorded end: end_time is the time of its last fact."]
    drawing = timeline.draw(answer(plain(), end_time=None, duration_sec=None, notes=notes))
    assert notes[0] in subtitle(drawing)
    assert "duration unknown" in drawing.summary
    checked(drawing)


def test_a_session_without_facts_says_so():
    drawing = timeline.draw(answer([], duration_sec=0.0, interactions=0, errors=0))
    assert not shown(drawing)
    assert "No data: no facts were recorded for this session" in checked(drawing)


def test_many_components_share_a_lane_behind_the_busiest():
    found = [fact("span", f"step-{index}", index * 10.0, 1.0 + index, status="ok") for index in range(40)]
    drawing = timeline.draw(answer(found))
    assert len(lanes(drawing)) == 13
    assert lanes(drawing)[-1] == "other components"
    assert "step-39" in lanes(drawing)
    assert len(rows(drawing, part="bar")) == 40
    checked(drawing)


def test_names_of_errors_close_together_are_left_out_rather_than_overlapping():
    found = [fact("event", "error.same", 1_000.0 * index) for index in range(70)]
    drawing = timeline.draw(answer(found))
    assert len(rows(drawing, part="point")) == 70
    assert len(rows(drawing, part="word")) <= 1
    assert {row["state"] for row in rows(drawing, part="point")} == {"error"}


def test_hostile_names_are_data_and_nothing_else():
    found = [
        fact(kind, name, 100.0 * index, 5.0 if kind == "span" else None, status=name, provider=name, model=name)
        for index, name in enumerate(HOSTILE)
        for kind in ("span", "event", "outcome")
    ]
    drawing = timeline.draw(answer(found, session_id=HOSTILE[-1], character_name=HOSTILE[5], channel=HOSTILE[7]))
    keeps_names_out_of_code(drawing)
    checked(drawing)


def paged(total: int, name: str) -> Fake:
    """Answers pages of a session of so many facts, each page as long as it was asked for."""

    def answering(_: str, words: Mapping[str, Any]) -> SessionAnswer:
        first = int(words.get("cursor") or 0)
        last = min(total, first + words["limit"])
        found = [
            fact("span", f"{name}{index % 9}", 1_234.567 * index, 56.789, status="ok", provider=name)
            for index in range(first, last)
        ]
        page = answer(found, total=total)
        cursor = str(last) if last < total else None
        return page.model_copy(update={"meta": page.meta.model_copy(update={"next_cursor": cursor})})

    return Fake(answering=answering)


def test_the_tool_follows_pages_as_far_as_the_picture_holds():
    asker = paged(700, "llm")
    shaped = call("chart_session", asker, session_id="s-1", timezone="Asia/Kolkata", format="image")
    assert [words.get("cursor") for _, _, words in asker.asked] == [None, "500"]
    assert all(words["timezone"] == "Asia/Kolkata" for _, _, words in asker.asked)
    assert "of 700 facts" in str(shaped.structured["spec"]["title"])


@pytest.mark.parametrize("total", [500, 5_000])
def test_five_hundred_rows_with_long_names_fit_the_budget(total: int):
    shaped = call("chart_session", paged(total, "n" * 190), session_id="s-1")
    assert len(shaped.text.encode()) <= 16_000
    if total == 5_000:
        assert "of 5,000 facts" in told(shaped.structured["spec"])
