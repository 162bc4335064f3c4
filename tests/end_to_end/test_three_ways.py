"""The same questions of the same warehouse: in process, through `talkscope serve`, and as a hosted account answers.

The service's clock and ours stand at the same moment, so that every window is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from talkscope.contract import QUESTIONS
from talkscope.errors import NotSupported
from talkscope.models.answers import Answer, ConcurrencyAnswer, ExplainAnswer
from talkscope.models.semantics import USER_TO_BOT
from talkscope.settings import AccountSettings, Settings, SourceSettings
from talkscope.wiring import App, connect
from tests.api.service.serving import process
from tests.end_to_end.asking import same

NOW = datetime.fromisoformat("2026-03-29T00:00:00+00:00")
WEEK = {"range": "last_7d"}
ELSEWHERE = ("live_support", "resources")
"""Questions about records that the scenario has none of."""


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with three sources that are one warehouse."""
    server = str(Path(__file__).parent / "fixed_server.py")
    with process([server, str(folder), NOW.isoformat()], tmp_path_factory.mktemp("served")) as served:
        key = SecretStr("a_key_that_nobody_asks_for")
        sources = (
            SourceSettings("here", folder),
            AccountSettings("served", "talkscope", served.url, key),
            AccountSettings("hosted", "convai", f"{served.url}/v1/analytics", key),
        )
        with closing(App(Settings(sources=sources, requests=200), clock=lambda: NOW)) as made:
            yield made


@pytest.mark.parametrize("source", ["here", "served", "hosted"])
def test_a_client_of_what_is_configured_answers_for_each_kind_of_source(app: App, source: str):
    with connect(source, settings=app.settings, clock=lambda: NOW) as client:
        meta = client.ask("summary", **WEEK).meta
    assert (meta.source, meta.n) == (source, app.client(source).ask("summary", **WEEK).meta.n)


def words_of(app: App) -> dict[str, dict[str, Any]]:
    """Words for every question, with a session and a turn that there are."""
    found = app.client("here").ask("explain", **WEEK)
    assert isinstance(found, ExplainAnswer)
    assert found.session is not None
    assert found.interaction is not None
    return {
        "summary": WEEK,
        "timeseries": {"measures": ["count", "p50", "p95"], "metric_name": USER_TO_BOT, "granularity": "hour", **WEEK},
        "breakdown": {"measures": ["p95", "count", "errors"], "group_by": ["processor"], "limit": 500, **WEEK},
        "latency": WEEK,
        "sessions": {"sort": "slowest", "limit": 100, **WEEK},
        "session": {"session_id": f"{found.session.platform}:{found.session.session_id}", "limit": 500},
        "interaction": {"interaction_id": f"{found.interaction.platform}:{found.interaction.interaction_id}"},
        "explain": WEEK,
        "concurrency": {"granularity": "hour", **WEEK},
        "regressions": {"measure": "p95", "current_range": "last_24h", "baseline_range": "last_7d"},
        "catalog": {"kind": "metric"},
        "outcomes": {"measures": ["all"], "group_by": ["character_id"], **WEEK},
        "live_support": WEEK,
        "resources": WEEK,
        "errors": {"limit": 100, **WEEK},
        "query": {
            "query": {
                "measures": ["SessionMetrics.count", "SessionMetrics.p95Value"],
                "dimensions": ["SessionMetrics.characterId"],
                "timeDimensions": [{"dimension": "SessionMetrics.eventTime", "dateRange": "last 7 days"}],
            }
        },
    }


def asked(app: App, source: str, question: str) -> Answer:
    return app.client(source).ask(question, **words_of(app)[question])


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_served_warehouse_answers_as_one_in_process(app: App, question: str) -> None:
    here, served = asked(app, "here", question), asked(app, "served", question)
    assert here.meta.source == "here"
    assert served.meta.source == "served"
    assert here.rows or question in ELSEWHERE
    assert served.model_copy(update={"meta": served.meta.model_copy(update={"source": "here"})}) == here


def cells(answer: Answer, keys: list[str], values: list[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {tuple(row[name] for name in keys): tuple(row[name] for name in values) for row in answer.records()}


@pytest.mark.parametrize(
    ("question", "keys", "values"),
    [
        ("summary", ["measure"], ["value"]),
        ("timeseries", ["bucket"], ["count", "p50", "p95"]),
        ("breakdown", ["processor"], ["p95", "count", "errors"]),
        ("sessions", ["session_id"], ["start_time", "interactions", "errors", "p95_ms", "character_id"]),
        ("session", ["time", "kind", "name"], ["interaction_id", "status", "value"]),
        ("interaction", ["kind", "offset_ms", "processor"], ["duration_ms", "provider", "model", "status"]),
        ("regressions", ["group"], ["baseline", "current", "change"]),
        ("catalog", ["name"], ["unit"]),
        ("query", ["character_id"], ["count", "p95"]),
    ],
)
def test_a_hosted_account_answers_with_the_same_figures(
    app: App, question: str, keys: list[str], values: list[str]
) -> None:
    here, hosted = (cells(asked(app, source, question), keys, values) for source in ("here", "hosted"))
    assert here.keys() == hosted.keys()
    if question == "summary":
        # The contract's mean is that of the metric, which the scenario records as an event too.
        words = {"measures": ["avg"], "group_by": ["metric_name"], "metric_name": USER_TO_BOT, **WEEK}
        here[("avg",)] = (app.client("here").ask("breakdown", **words).records()[0]["avg"],)
    for key, expected in here.items():
        for name, known, got in zip(values, expected, hosted[key], strict=True):
            if (key, name) == (("error_rate",), "value"):
                # Errors outside interactions are in the rate's n here; the contract has no such n, and a note says so.
                assert got / (1 + got) <= known <= got
            elif isinstance(known, int | float) or known is None:
                assert same(got or None, known or None), (key, name)
            else:
                assert got == known, (key, name)


@pytest.mark.parametrize("question", [*ELSEWHERE, "errors", "outcomes"])
def test_a_hosted_account_refuses_what_only_other_platforms_tell(app: App, question: str) -> None:
    with pytest.raises(NotSupported) as refused:
        asked(app, "hosted", question)
    assert "warehouse" in refused.value.hint


def test_a_hosted_account_explains_the_same_turn(app: App) -> None:
    here, hosted = asked(app, "here", "explain"), asked(app, "hosted", "explain")
    assert isinstance(here, ExplainAnswer)
    assert isinstance(hosted, ExplainAnswer)
    assert here.interaction is not None
    assert hosted.interaction is not None
    assert hosted.interaction.interaction_id == here.interaction.interaction_id
    values = ["self_ms", "share", "duration_ms"]
    assert cells(hosted, ["processor", "offset_ms"], values) == cells(here, ["processor", "offset_ms"], values)


def test_a_hosted_account_counts_the_same_sessions_at_once_to_a_millisecond(app: App) -> None:
    here, hosted = asked(app, "here", "concurrency"), asked(app, "hosted", "concurrency")
    assert isinstance(here, ConcurrencyAnswer)
    assert isinstance(hosted, ConcurrencyAnswer)
    assert hosted.peak == here.peak
    assert sum(hosted.time_at_level.values()) == pytest.approx(7 * 86_400)
    # An end that is only a duration in whole milliseconds may fall into the bucket before.
    means = [(row["mean"], other["mean"]) for row, other in zip(here.records(), hosted.records(), strict=True)]
    assert all(abs(float(str(mean)) - float(str(other))) < 1e-4 for mean, other in means)
    assert hosted.meta.covers is not None
    assert hosted.meta.covers.startswith("all ")


def test_a_hosted_account_says_what_shares_out_time_where_it_cannot(app: App) -> None:
    with pytest.raises(NotSupported, match="get_breakdown"):
        asked(app, "hosted", "latency")


def test_a_budget_that_is_too_small_refuses_before_it_asks(app: App) -> None:
    words = {"measures": ["p95"], "group_by": ["processor", "character_id"], "limit": 500, **WEEK}
    assert app.client("hosted").ask("breakdown", **words).meta.requests
    small = App(Settings(sources=app.settings.sources, requests=3), clock=lambda: NOW)
    with closing(small), pytest.raises(NotSupported) as refused:
        small.client("hosted").ask("breakdown", **words)
    assert refused.value.code == "request_budget"
    assert "TALKSCOPE_REQUEST_BUDGET" in refused.value.hint
