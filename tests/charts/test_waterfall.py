"""A waterfall shows spans where they truly lie, and where a turn's time goes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from talkscope.charts import waterfall
from talkscope.charts.drawing import shown
from talkscope.insights import traces
from talkscope.models.answers import TurnAnswer
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
from tests.tools.fakes import Fake, Manner, call

START = 1_780_326_199_788_276
STATES = ("ok", "error", "timeout", "cancelled", None)


def span(
    name: str, start: float, length: float, *, depth: int = 0, status: str | None = "ok", **more: Any
) -> traces.Span:
    given: dict[str, Any] = {"provider": None, "model": None, "error_code": None, "ttfb_ms": None, **more}
    begins = START + round(start * 1_000)
    return traces.Span(
        key=f"{name}@{start}", span_id=name, start=begins, end=begins + round(length * 1_000), depth=depth,
        processor=name, status=status, **given,
    )  # fmt: skip


def answer(*spans: traces.Span, latency: float | None = 1_000.0, **facts: Any) -> TurnAnswer:
    """What get_interaction answers for a turn with these spans."""
    texts: dict[str, str | None] = {"status": "ok", "character_name": "Ada the Guide", **facts.pop("texts", {})}
    ordered = sorted(spans, key=lambda each: (each.start, each.depth, each.key))
    name = facts.pop("interaction_id", "i-1")
    trace = traces.traced(traces.Turn(name, "s-1", "own", START, None, latency, texts, **facts), ordered)
    return TurnAnswer(
        columns=list(traces.COLUMNS),
        rows=traces.rows(trace),
        meta=meta(len(spans), window=False, units=traces.UNITS, notes=traces.notes(trace)),
        interaction=traces.turn_facts(trace, "UTC"),
    )


def plain() -> TurnAnswer:
    return answer(
        span("asr", 10, 190, provider="deepgram", model="nova-3", ttfb_ms=80.0),
        span("agent", 200, 900, status=None),
        span("llm", 250, 500, depth=1, provider="openai", model="gpt-4o", status="timeout", error_code="late"),
        span("tts", 800, 700, depth=1),
        span("log", 900, 0, depth=1),
    )


def test_spans_stand_at_their_true_offsets_in_order_of_start():
    drawing = waterfall.draw(plain())
    spans = sorted(rows(drawing, part="span"), key=lambda each: each["row"])
    assert [(each["name"], each["offset"], each["length"], each["depth"]) for each in spans] == [
        ("asr · deepgram/nova-3", 10, 190, 0),
        ("agent", 200, 900, 0),
        ("llm · openai/gpt-4o", 250, 500, 1),
        ("tts", 800, 700, 1),
        ("log", 900, 0, 1),
    ]
    assert title(drawing) == "Interaction i-1 · ok · 1,000 ms"
    assert "session s-1 · started 2026-06-01 15:03:19.788 (UTC) · 5 spans · Ada the Guide" in subtitle(drawing)
    assert "latency 1,000 ms" in checked(drawing)
    same_as_before("waterfall", drawing)


def test_the_solid_parts_are_where_the_turns_time_goes():
    drawing = waterfall.draw(plain())
    names = {each["row"]: each["name"] for each in rows(drawing, part="span")}
    found = sorted((each["offset"], names[each["row"]], each["length"]) for each in rows(drawing, part="self"))
    assert found == [
        (10, "asr · deepgram/nova-3", 190),
        (200, "agent", 50),
        (250, "llm · openai/gpt-4o", 500),
        (750, "agent", 50),
        (800, "tts", 200),
    ]
    gaps = rows(drawing, part="gap")
    assert [(each["offset"], each["length"]) for each in gaps] == [(0, 10)]
    assert sum(length for _, _, length in found) + 10 == 1_000


def test_the_solid_parts_are_as_long_as_the_answer_says_for_spans_of_any_shape():
    made = random.Random(7)
    for _ in range(10):
        spans = [
            span(
                f"p{index}",
                made.randrange(-50, 1_200),
                made.choice([0, 40, made.randrange(1, 600)]),
                depth=made.randrange(4),
            )
            for index in range(made.randrange(1, 30))
        ]
        given = answer(*spans)
        drawing = waterfall.draw(given)
        own: dict[int, float] = {}
        for each in rows(drawing, part="self"):
            own[each["row"]] = own.get(each["row"], 0) + each["length"]
        for each in rows(drawing, part="span"):
            assert own.get(each["row"], 0) == pytest.approx(each["self"], abs=1e-6)
        covered = sum(own.values()) + sum(each["length"] for each in rows(drawing, part="gap"))
        assert covered == pytest.approx(given.interaction.total_ms, abs=1e-6)


def test_how_a_span_ended_is_told_in_words_and_colour():
    drawing = waterfall.draw(plain())
    svg = checked(drawing)
    assert "500 ms · timeout · late" in svg
    assert "#f59e0b" in svg
    assert "#3b82f6" in svg
    assert "Failed: llm · openai/gpt-4o (500 ms · timeout · late)." in drawing.summary
    assert {each["state"] for each in rows(drawing, part="span")} == {"ok", "timeout", "no status"}


def test_time_without_a_span_has_a_row_that_says_how_much_it_is():
    drawing = waterfall.draw(answer(span("llm", 100, 200), span("tts", 700, 300)))
    (rest,) = rows(drawing, part="rest")
    assert rest["text"] == "500 ms in 2 gaps"
    assert "(no span)" in checked(drawing)
    assert "No span: 500 ms in 2 gaps." in drawing.summary


def test_spans_after_the_latency_and_before_the_start_are_drawn_where_they_are():
    drawing = waterfall.draw(answer(span("warm-up", -200, 100), span("tts", 900, 2_000)))
    spec: Any = drawing.spec
    scales = [layer["encoding"]["x"]["scale"] for layer in spec["layer"] if "scale" in layer["encoding"].get("x", {})]
    assert scales[0]["domain"][0] == -200
    assert scales[0]["domain"][1] > 2_900
    (end,) = rows(drawing, part="turn")
    assert end["offset"] == 1_000
    checked(drawing)


def test_a_turn_of_unknown_latency_is_measured_by_its_spans():
    drawing = waterfall.draw(answer(span("llm", 0, 300), latency=None, texts={"status": None}))
    assert title(drawing) == "Interaction i-1 · status unknown · latency unknown"
    svg = checked(drawing)
    assert "end 300 ms" in svg


@pytest.mark.parametrize("latency", [1_000.0, None])
def test_an_interaction_without_spans_says_what_is_missing(latency: float | None):
    drawing = waterfall.draw(answer(latency=latency, derived=latency is None))
    assert not shown(drawing)
    svg = checked(drawing)
    assert "No data: no spans were recorded for this interaction" in svg
    assert "Only the interaction itself is known." in subtitle(drawing)


@pytest.mark.parametrize("count", [1, 60, 500])
def test_the_spans_with_the_most_time_stay_when_there_are_many(count: int):
    spans = [span(f"p{index}", index * 2, 1 + index % 7, status=STATES[index % 5]) for index in range(count)]
    drawing = waterfall.draw(answer(*spans, latency=count * 2.0))
    drawn = rows(drawing, part="span")
    assert len(drawn) == min(count, waterfall.MOST_SPANS)
    if count == 500:
        assert "80 of 500 spans" in subtitle(drawing)
        assert min(each["self"] for each in drawn) >= 2
    checked(drawing)


def test_hostile_names_are_data_and_nothing_else():
    spans = [
        span(name, index * 10, 9, provider=name, model=name, error_code=name, status="error")
        for index, name in enumerate(HOSTILE)
    ]
    texts: dict[str, Any] = {"status": HOSTILE[0], "character_name": HOSTILE[7]}
    drawing = waterfall.draw(answer(*spans, texts=texts, interaction_id=HOSTILE[-1]))
    keeps_names_out_of_code(drawing)
    checked(drawing)
    assert len(title(drawing)) < 120


def test_the_tool_asks_in_the_zone_and_tells_it():
    asker = Fake(answering=lambda name, words: plain())
    shaped = call("chart_interaction", asker, interaction_id="i-1", timezone="Europe/Paris")
    assert asker.asked == [(None, "interaction", {"interaction_id": "i-1", "timezone": "Europe/Paris"})]
    assert "Europe/Paris" in told(shaped.structured["spec"])


def test_five_hundred_spans_with_long_names_fit_the_budget():
    spans = [
        span("p" * 80, index * 3, 4, depth=index % 3, provider="q" * 80, model="m" * 80, ttfb_ms=1.5)
        for index in range(500)
    ]
    shaped = call("chart_interaction", Fake(answering=lambda name, words: answer(*spans)), interaction_id="i-1")
    assert len(shaped.text.encode()) <= 16_000
    assert " of 500 spans" in told(shaped.structured["spec"])


def test_an_image_comes_with_words():
    shaped = call(
        "chart_interaction", Fake(answering=lambda *_: plain()), Manner(), interaction_id="i-1", format="image"
    )
    assert shaped.image is not None
    assert shaped.text.startswith("Interaction i-1 of session s-1")
