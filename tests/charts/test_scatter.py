"""A scatter of sessions: duration by interactions, coloured by how slow they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from talkscope.charts import scatter
from talkscope.charts.drawing import shown
from talkscope.models.answers import Answer, Cell
from tests.charts.drawn import (
    HOSTILE,
    checked,
    keeps_names_out_of_code,
    meta,
    rows,
    same_as_before,
    subtitle,
    told,
)
from tests.tools.fakes import Fake, Manner, call

COLUMNS = (
    "session_id platform start_time end_time duration_sec interactions errors p95_ms character_id character_name"
    " app_key experience_id channel end_user_id"
).split()


def session(
    name: str, seconds: float | None, turns: int, p95: float | None, *, errors: int = 0, **more: Cell
) -> list[Cell]:
    cells: dict[str, Cell] = {
        "session_id": name, "platform": "own", "start_time": "2026-06-01T15:03:15.780511Z", "duration_sec": seconds,
        "interactions": turns, "errors": errors, "p95_ms": p95, "character_id": "c-1", **more,
    }  # fmt: skip
    return [cells.get(column) for column in COLUMNS]


def answer(*found: list[Cell], n: int | None = None, notes: tuple[str, ...] = ()) -> Answer:
    return Answer(columns=list(COLUMNS), rows=list(found), meta=meta(len(found) if n is None else n, notes=notes))


def plain() -> Answer:
    return answer(
        session("s-1", 75.235, 4, 7_768.686, errors=2, character_name="Ada"),
        session("s-2", 153.8, 9, 6_064.9, errors=1, character_name="Ada"),
        session("s-3", 874.742, 11, 3_036.568, character_name="Quill", start_time="2026-06-03T17:53:54.064908Z"),
        session("s-4", 57.5, 3, None),
        n=448,
        notes=("4 of 448 sessions, slowest first: the next page is next_cursor as cursor.",),
    )


def encoding(drawing: Any) -> Any:
    return drawing.spec["layer"][-1]["encoding"]


def test_each_session_is_a_point_with_what_the_answer_says_of_it():
    drawing = scatter.draw(plain())
    found = {row["id"]: (row["seconds"], row["turns"], row["errors"], row["p95"], row["who"]) for row in rows(drawing)}
    assert found == {
        "s-1": (75.235, 4, 2, 7_768.686, "Ada"),
        "s-2": (153.8, 9, 1, 6_064.9, "Ada"),
        "s-3": (874.742, 11, 0, 3_036.568, "Quill"),
        "s-4": (57.5, 3, 0, None, "c-1"),
    }
    svg = checked(drawing)
    assert "Duration (min)" in svg
    assert "Interactions" in svg
    assert "P95 (ms)" in svg
    assert "with errors" in svg
    assert "4 of 448 sessions, slowest first" in subtitle(drawing)
    assert "next_cursor" not in subtitle(drawing)
    assert "grey: no interaction with a known latency (1)" in subtitle(drawing)
    assert "slowest: s-1, 7,769 ms" in subtitle(drawing)
    same_as_before("scatter", drawing)


@pytest.mark.parametrize(
    ("longest", "axis"), [(90.0, "Duration (s)"), (900.0, "Duration (min)"), (20_000.0, "Duration (h)")]
)
def test_durations_are_in_units_that_fit(longest: float, axis: str):
    svg = checked(scatter.draw(answer(session("a", longest, 3, 1.0), session("b", longest / 50, 2, 2.0))))
    assert axis in svg


def test_a_wide_spread_is_drawn_on_a_logarithmic_scale_that_says_so():
    drawing = scatter.draw(
        answer(session("a", 0.0, 0, 10.0), session("b", 2.0, 1, 20.0), session("c", 9_000.0, 900, 5.0))
    )
    svg = checked(drawing)
    assert "Duration (log scale)" in svg
    assert "Interactions (log scale)" in svg
    assert ">1 h<" in svg
    assert "(log scale)" not in checked(scatter.draw(plain()))


def test_sessions_of_unknown_duration_are_counted_and_not_drawn():
    drawing = scatter.draw(answer(session("a", None, 3, 1.0), session("b", 20.0, 3, 1.0)))
    assert [row["id"] for row in rows(drawing)] == ["b"]
    assert "1 of them without a known duration: not drawn" in subtitle(drawing)


def test_sessions_of_no_known_latency_alone_can_be_drawn():
    drawing = scatter.draw(answer(session("a", 10.0, 3, None)))
    checked(drawing)
    assert "fill" not in encoding(drawing)
    assert shown(drawing)


def test_no_sessions_are_no_data():
    drawing = scatter.draw(answer())
    assert not shown(drawing)
    assert "No data in this window" in checked(drawing)


def test_slow_sessions_stand_in_front():
    assert encoding(scatter.draw(plain()))["order"]["field"] == "p95"


def test_hostile_names_are_data_and_nothing_else():
    found = [
        session(name, 10.0 + index, index, 5.0, character_name=name, character_id=name)
        for index, name in enumerate(HOSTILE)
    ]
    drawing = scatter.draw(answer(*found))
    keeps_names_out_of_code(drawing)
    checked(drawing)


def test_the_tool_asks_for_a_hundred_of_the_slowest():
    asker = Fake(answering=lambda *_: plain())
    call("chart_sessions", asker, range="last_7d", filters="channel=voice")
    assert asker.asked[0][1:] == (
        "sessions", {"range": "last_7d", "filters": ["channel=voice"], "sort": "slowest", "limit": 100}
    )  # fmt: skip


def test_a_hundred_sessions_with_long_names_fit_the_budget():
    def answering(_: str, words: Mapping[str, Any]) -> Answer:
        found = [
            session(f"{index}-" + "i" * 60, 12.345 + index, index, 1_234.567, character_name=f"{index}" * 70)
            for index in range(words["limit"])
        ]
        return answer(*found, n=5_000)

    asker = Fake(answering=answering)
    shaped = call("chart_sessions", asker, Manner(answer_tokens=3_000))
    assert len(shaped.text.encode()) <= 12_000
    drawn = asker.asked[-1][2]["limit"]
    assert drawn < 100
    assert f"{drawn} of 5,000 sessions" in told(shaped.structured["spec"])
