"""What Studio Chat answers live, its records answer from a warehouse: the same figures in the same window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from talkscope.models.answers import Cell
from talkscope.platforms.studio_chat import models, records
from tests.vendors.engine import Asked
from tests.vendors.studio_chat import MAIN, Habits, Studio, conversations, figures, outcomes
from tests.vendors.studio_chat.selection import SIGNALS
from tests.vendors.studio_chat.world import NOW, make
from tests.warehouse.questions.loaded import Loaded

WINDOWS = [("2026-04-15T00:00:00Z", "2026-04-28T12:00:00Z"), ("2026-03-01T00:00:00Z", "2026-05-06T00:00:00Z")]
METRICS = ("sales", "bookings", "upgrades")
EVERYTHING = (datetime(2026, 1, 1, tzinfo=UTC), NOW)


def asked(**query: Any) -> Asked:
    """A request of the main project, as the server hands it to whoever answers it."""
    path = {"project_id": MAIN, "slug": query.pop("slug", "")}
    limits = {"ratings_limit": 10_000, "ratings_offset": 0, "events_limit": 10_000, "events_offset": 0}
    told = {**limits, **query}
    return cast("Asked", SimpleNamespace(path=path, query=told, get=told.get))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(make(conversations=90), Habits())


@pytest.fixture(scope="module")
def warehouse(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    loaded = Loaded(tmp_path_factory.mktemp("studio"), [orjson.loads(orjson.dumps(list(synced(studio))))])
    yield loaded
    loaded.close()


def synced(studio: Studio) -> Iterator[object]:
    """The records of everything that the account tells."""
    project = studio.world.project(MAIN)
    assert project is not None
    since, until = EVERYTHING
    dates = {"start_date": since.isoformat(), "end_date": until.isoformat()}
    bases = {each.id: each.base_id for each in project.playbooks}
    last = {each.id: each.last_at for each in project.conversations}
    for each in project.conversations:
        row = models.Conversation.model_validate(conversations._row(studio, project, each))
        yield from records.conversation(row, bases=bases)
    rated = models.CsatAnalytics.model_validate(outcomes.csat(studio, asked(**dates)))
    yield from records.ratings(rated, since, until, last_message_at=last)
    for slug in METRICS:
        made = models.ConversionAnalytics.model_validate(
            outcomes.conversion_analytics(studio, asked(slug=slug, **dates))
        )
        yield from records.conversions(made, since, until, slug=slug)


def told(warehouse: Loaded, window: tuple[str, str], **words: Any) -> dict[tuple[Cell, ...], tuple[Any, Any, Any]]:
    """Value in per cent, count and n, by group, measure and label."""
    answer = warehouse.ask("outcomes", start_time=window[0], end_time=window[1], now=NOW, **words)
    return {
        tuple(row[:-3]): (row[-3] if row[-3] is None else float(str(row[-3])) * 100, row[-2], row[-1])
        for row in answer.rows
    }


def near(value: float) -> Any:
    return pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("window", WINDOWS)
def test_deflection_and_signals_are_the_vendors(warehouse: Loaded, studio: Studio, window: tuple[str, str]):
    dates = {"start_date": window[0], "end_date": window[1]}
    live: Any = figures.conversation_analytics(studio, asked(**dates))
    signals: Any = figures.metrics_aggregate(studio, asked(**dates))
    found = told(warehouse, window, measures="all")
    total, kept = live["total_conversations"], live["conversations_without_handoff"]
    assert found["deflection_rate", None] == (near(live["deflection_rate"]), kept, total)
    assert found["coverage", None] == (
        near(signals["coverage_percentage"]), signals["total_scored_conversations"], signals["total_conversations"]
    )  # fmt: skip
    assert found["winback_rate", "sent"][1:] == (live["winback_sent_count"], total)
    assert found["winback_rate", "answered"] == (None, 0, 0)
    for name in SIGNALS:
        said = {label: count for (measure, label), (_, count, _) in found.items() if measure == name}
        assert said == signals[f"{name}_distribution"]
        assert {n for (measure, _), (_, _, n) in found.items() if measure == name} == {sum(said.values())}
    by_tag = told(warehouse, window, measures="deflection_rate", group_by="tag")
    for each in live["by_tag"]:
        assert by_tag[each["tag"], "deflection_rate", None][::2] == (
            near(each["deflection_rate"]), each["total_conversations"]
        )  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("chosen", ["everything", "an assistant", "a tag"])
def test_satisfaction_and_conversions_are_the_vendors(
    warehouse: Loaded, studio: Studio, window: tuple[str, str], chosen: str
):
    query: dict[str, Any] = {"start_date": window[0], "end_date": window[1]}
    words: dict[str, Any] = {"measures": "all"}
    project = studio.world.project(MAIN)
    assert project is not None
    if chosen == "an assistant":
        query["playbook_base_id"] = project.playbooks[0].base_id
        words["filters"] = [f"assistant={project.playbooks[0].base_id}"]
    elif chosen == "a tag":
        query["tags"] = [next(each.tags[0] for each in project.conversations if each.tags)]
        words["filters"] = [f"tag={query['tags'][0]}"]
    live: Any = outcomes.csat(studio, asked(**query))
    found = told(warehouse, window, **words)
    rated = live["total_rated"]
    assert found["csat", "scale 5"] == (near(live["csat_score_pct"]), live["positive_count"], rated)
    assert found["dsat", "scale 5"] == (near(live["dsat_score_pct"]), live["negative_count"], rated)
    assert found["response_rate", None] == (near(live["response_rate_pct"]), rated, live["eligible_deflected"])
    stars = {label: count for (measure, label), (_, count, _) in found.items() if measure == "rating"}
    assert stars == {f"{star} of 5": count for star, count in live["rating_distribution"].items()}
    for slug in METRICS:
        made: Any = outcomes.conversion_analytics(studio, asked(slug=slug, **query))
        of = (made["converting_conversations"], made["eligible_conversations"])
        # What the vendor writes as 0 % is no rate of a metric of which nothing came, and nothing was to be expected.
        every: Any = outcomes.conversion_analytics(studio, asked(slug=slug, start_date=window[0], end_date=window[1]))
        about = models.ConversionDefinition.model_validate(every["definition"])
        silent = not every["total_events"] and about.is_silent(NOW)
        assert found["conversions", slug] == (None if silent else near(made["conversion_rate_pct"]), *of)
        if made["converting_conversations"]:
            value, total, n = found["conversion_value", slug]
            assert (value / 100, total) == (near(made["avg_value_per_conversation"]), near(made["total_value"]))
            assert n == made["converting_conversations"]
