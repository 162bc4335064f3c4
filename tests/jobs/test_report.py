"""A report's questions and its sections, where sources refuse, know nothing, or take no times."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

import talkscope
from talkscope.contract import Question
from talkscope.errors import NotSupported, PlanInsufficient, TalkscopeError
from talkscope.jobs.report import Report, markdown, report
from talkscope.models.answers import Answer
from talkscope.settings import Settings, SourceSettings
from tests.recipes.telemetry import records

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
Refuse = Callable[[Question[Any], dict[str, object]], TalkscopeError | None]
ANSWERS: dict[tuple[Path, str, str], Answer] = {}
"""What the warehouses of this file have answered: by warehouse, question and words."""


class Source:
    """The warehouse, asked through a client that refuses what it is told to, and notes what it is asked."""

    def __init__(self, folder: Path, refuse: Refuse = lambda _question, _words: None) -> None:
        self.folder = folder
        self.app = talkscope.App(Settings(sources=(SourceSettings("calls", folder),)), clock=lambda: NOW)
        self.refuse = refuse
        self.asked: list[tuple[str, dict[str, object]]] = []

    async def ask(self, question: Question[Any], /, **words: object) -> Any:
        refusal = self.refuse(question, words)
        if refusal is not None:
            raise refusal
        self.asked.append((question.name, words))
        # The warehouse and the time stay as they are, and every report asks most of the same.
        known = (self.folder, question.name, json.dumps(words, sort_keys=True))
        if known not in ANSWERS:
            ANSWERS[known] = await self.app.async_client().ask(question, **words)
        return ANSWERS[known].model_copy(deep=True)


def made(source: Source, **words: object) -> Report:
    """The report about these words, range last_7d without any."""

    async def main() -> Report:
        async with source.app:
            return await report(source, words or {"range": "last_7d"}, now=NOW, mask=str)

    run: Callable[[Callable[[], Awaitable[Report]]], Report] = anyio.run
    return run(main)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report")
    (place / "t.ndjson").write_text("\n".join(json.dumps(each) for each in records(NOW)), encoding="utf-8")
    assert talkscope.ingest(place / "t.ndjson", warehouse=place / "warehouse").ok
    return place / "warehouse"


def section(text: str, title: str) -> str:
    """One section of the report's Markdown."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def titles(text: str) -> list[str]:
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_all_questions_are_asked_about_one_and_the_same_window(folder: Path) -> None:
    source = Source(folder)
    made(source)
    assert source.asked[0] == ("summary", {"range": "last_7d"})
    later = [words for name, words in source.asked[1:] if name != "interaction"]
    assert len(later) > 15
    window = {"start_time": "2026-04-27T12:00:00Z", "end_time": "2026-05-04T12:00:00Z", "timezone": "UTC"}
    assert all(window.items() <= words.items() for words in later)


def test_a_source_that_takes_no_times_is_asked_by_range_and_compares_with_a_longer_one(folder: Path) -> None:
    def hosted(_question: Question[Any], words: dict[str, object]) -> TalkscopeError | None:
        return NotSupported("No times here.", code="unsupported_window") if "start_time" in words else None

    source = Source(folder, hosted)
    text = markdown(made(source))
    assert "No times here" not in text
    compared = [words for name, words in source.asked if name == "regressions"]
    assert compared
    assert all((each["current_range"], each["baseline_range"]) == ("last_7d", "last_30d") for each in compared)
    assert "| Sessions | 4 |" in text


def test_what_a_source_refuses_is_told_in_its_section_and_the_rest_stands(folder: Path) -> None:
    def poor(question: Question[Any], _words: dict[str, object]) -> TalkscopeError | None:
        if question.name == "regressions":
            return PlanInsufficient("The plan scale does not include regressions.")
        return NotSupported("Nobody knows where the time goes.") if question.name == "latency" else None

    text = markdown(made(Source(folder, poor)))
    assert "The plan scale does not include regressions." in section(text, "What got worse")
    assert "Where the time of turns goes: not answered here. Nobody knows" in section(text, "Latency")
    assert "P95" in section(text, "Latency")
    assert "| llm | 1 | 14.29 % |" in section(text, "Reliability")
    assert titles(text) == titles(markdown(made(Source(folder))))


@pytest.mark.parametrize("refused", ["sessions", "explain", "interaction", "breakdown", "timeseries", "concurrency"])
def test_no_refusal_but_that_of_the_headline_figures_ends_the_report(folder: Path, refused: str) -> None:
    source = Source(folder, lambda question, _: NotSupported("Not here.") if question.name == refused else None)
    assert "Not here." in markdown(made(source))


def test_without_headline_figures_there_is_no_report(folder: Path) -> None:
    source = Source(folder, lambda *_: PlanInsufficient("No plan."))
    with pytest.raises(PlanInsufficient, match="No plan."):
        made(source)


def test_an_empty_window_says_so_in_every_section_and_invents_nothing(folder: Path) -> None:
    text = markdown(made(Source(folder), start_time="2026-01-05", end_time="2026-01-12"))
    for title in ("In short", "Latency", "Usage", "Reliability", "Slowest sessions", "Outcomes"):
        assert "o data in this window" in section(text, title), title
    assert "took" not in section(text, "Slowest sessions")


def test_a_long_window_has_no_chart_by_hour_and_a_short_one_neither(folder: Path) -> None:
    for words in ({"start_time": "2026-01-01", "end_time": "2026-05-04"}, {"range": "last_24h"}):
        source = Source(folder)
        made(source, **words)
        assert not [words for name, words in source.asked if name == "timeseries" and "granularity" in words]


def test_the_slowest_sessions_are_each_explained(folder: Path) -> None:
    source = Source(folder)
    text = section(markdown(made(source)), "Slowest sessions")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == ["bob", "older", "old", "ada"]
    assert "took 2,400 ms" in rows[0]
    assert ("interaction", {"interaction_id": "bob-0", "timezone": "UTC"}) in source.asked


@pytest.fixture(scope="module")
def slowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks of a turn every hour, each a session; in the second week turns take twice as long."""
    place = tmp_path_factory.mktemp("slowed")
    lines: list[dict[str, object]] = []
    for hour in range(14 * 24):
        at = datetime.fromtimestamp(NOW.timestamp() - hour * 3_600 - 60, UTC).isoformat()
        latency = (800.0 if hour < 7 * 24 else 400.0) + hour % (7 * 24) / 10
        lines.append({"type": "session", "session_id": f"s{hour}", "start_time": at})
        lines.append(
            {"type": "interaction", "interaction_id": f"i{hour}", "session_id": f"s{hour}", "start_time": at,
             "latency_ms": latency, "status": "ok"}
        )  # fmt: skip
    (place / "t.ndjson").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert talkscope.ingest(place / "t.ndjson", warehouse=place / "warehouse").ok
    return place / "warehouse"


def test_what_got_worse_beyond_chance_is_said_first(slowed: Path) -> None:
    text = markdown(made(Source(slowed)))
    first = next(line for line in section(text, "In short").splitlines() if line and line[0] not in "|-")
    # The 95th percentile of 168 values a tenth of a millisecond apart is 15.865 ms above the lowest.
    assert first == "P95 went from 416 ms to 816 ms (+96.2 %)."
    assert "| P95 | 416 ms | 816 ms | +96.2 % | 168 | 168 |" in section(text, "What got worse")
    assert "▲" not in text
