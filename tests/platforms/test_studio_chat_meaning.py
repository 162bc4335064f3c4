"""What stands beside figures of Studio Chat, and what its refusals mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from talkscope.errors import (
    APIError,
    DeadlineExceeded,
    TalkscopeError,
)
from talkscope.platforms import studio_chat
from tests.platforms.studio_chat import WINDOW, Service, answer, call

Notes = tuple[str, ...]


def said(
    name: str, payload: object, words: dict[str, Any] | None = None, now: datetime | None = None
) -> tuple[str, ...]:
    asked = call(name, **(words or {}))
    return studio_chat.notes(asked, Service(payload).send(asked), now=now)


def test_what_is_not_configured_is_said_to_be() -> None:
    for name, words in [
        ("csat_analytics", "Satisfaction is not configured"),
        ("conversion_analytics", "No conversion"),
    ]:
        notes = said(name, {"is_configured": False}, WINDOW)
        assert len(notes) == 1
        assert notes[0].startswith(words)
        assert "not 0 %" in notes[0]


def test_a_window_that_the_service_chose_is_said_to_move() -> None:
    for name, schema in [("csat_analytics", "CsatAnalytics"), ("conversion_analytics", "ConversionAnalytics")]:
        full = answer(schema, is_configured=True)
        assert any("last seven days" in note for note in said(name, full))
        assert any("last seven days" in note for note in said(name, full, {"start_date": "2026-04-01"}))
        assert said(name, full, WINDOW) == ()
    assert said("conversion_metric", answer("ConversionMetric")) == ()


def test_a_stale_ingest_is_told_of_every_metric_that_is_enabled() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    old = answer("ConversionMetric", slug="sales", last_event_at="2026-04-01T10:00:00.999+02:00", enabled=True)
    metrics = [old, old | {"slug": "never", "last_event_at": None}, old | {"slug": "off", "enabled": False}]
    notes = said("conversion_metrics", metrics, now=now)
    assert [note.split(" came ")[0] for note in notes] == ["The last event of sales", "The last event of never"]
    assert notes[0].endswith(" came 2026-04-01T08:00:00.999Z: its ingest is likely broken.")
    assert said("conversion_metrics", [old | {"last_event_at": "2026-04-30T12:00:00Z"}], now=now) == ()
    assert said("conversion_metrics", metrics) == ()
    analytics = answer("ConversionAnalytics", is_configured=True, definition=old)
    assert len(said("conversion_analytics", analytics, WINDOW, now)) == 1


@pytest.mark.parametrize(
    ("name", "schema", "words", "note"),
    [
        ("conversation_analytics", "ConversationAnalytics", {}, "gave up"),
        ("account_analytics", "AccountAnalytics", {}, "gave up"),
        ("metrics_aggregate", "MetricsAggregate", {}, "sum of its own distribution"),
        ("kb_citations", "KnowledgeBaseCitations", {}, "No document names"),
        ("conversations", "ConversationPage", {"search": "refund"}, "not for text"),
        ("csat_analytics", "CsatAnalytics", {"max_rating": 2, **WINDOW}, "narrows the table"),
    ],
)
def test_what_figures_do_not_say_themselves_stands_beside_them(
    name: str, schema: str, words: dict[str, Any], note: str
) -> None:
    notes = said(name, answer(schema, is_configured=True), words)
    assert len(notes) == 1
    assert note in notes[0]


@pytest.mark.parametrize(
    ("name", "status", "hint"),
    [
        ("conversations", 401, "sbs_"),
        ("conversations", 400, "wrong order"),
        ("conversation", 404, "messaging platform"),
        ("generate_trending_topics", 409, "trending_topics_status"),
        ("analyze_conversation", 400, "two messages"),
    ],
)
def test_a_refusal_says_what_it_means_here(name: str, status: int, hint: str) -> None:
    asked = call(name)
    with pytest.raises(TalkscopeError) as caught:
        Service((status, "no")).send(asked)
    told = studio_chat.explained(caught.value, asked)
    assert hint in told.hint
    assert (type(told), told.status, told.code) == (type(caught.value), status, caught.value.code)


def test_a_refusal_that_means_nothing_else_here_stays_as_it_is() -> None:
    error = DeadlineExceeded("There was no whole answer.")
    assert studio_chat.explained(error, call("projects")) is error
    conflict = APIError("Odd.", status=409)
    assert studio_chat.explained(conflict, call("projects")) is conflict
