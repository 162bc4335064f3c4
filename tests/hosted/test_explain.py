"""What made a hosted account's session slow: the warehouse's turn and rows, within the budget, saying what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from talkscope.errors import NotFound, NotSupported
from talkscope.models.answers import ExplainAnswer
from tests.hosted.accounts import Hosted
from tests.hosted.conftest import NOW
from tests.oracle import World

Make = Callable[..., Hosted]
AT = "2026-03-28T10:{:02d}:00Z"


def explain(ask: Callable[..., Any], **words: Any) -> ExplainAnswer:
    answer = ask("explain", **words)
    assert isinstance(answer, ExplainAnswer)
    return answer


def alike(got: ExplainAnswer, truth: ExplainAnswer) -> None:
    """The same turn, the same shares, the same turns without spans; what is usual is the service's own."""
    assert (got.interaction is None) == (truth.interaction is None)
    if got.interaction and truth.interaction:
        assert got.interaction.interaction_id == truth.interaction.interaction_id
        assert got.interaction.latency_ms == truth.interaction.latency_ms
        assert got.interaction.total_ms == truth.interaction.total_ms
    assert [row[:8] for row in got.rows] == [row[:8] for row in truth.rows]
    assert got.slower_without_spans == truth.slower_without_spans
    assert (got.columns, got.meta.units) == (truth.columns, truth.meta.units)


def test_a_sessions_slowest_turn_is_the_warehouses(account: Hosted, world: World):
    explained = 0
    odd = [each for each in world.data.sessions if not each.session_id.startswith("s-")]
    # Each session that was made to be awkward, and some of those that chance made.
    for each in [*odd, *(each for each in world.data.sessions if each not in odd)][: len(odd) + 20]:
        if each.key == "same":  # its turn has the same id on three platforms, and v1 ids have no platform
            continue
        name = f"{each.platform}:{each.key}"
        got, truth = explain(account.ask, session_id=name), explain(account.truth, session_id=name)
        alike(got, truth)
        assert got.meta.n == truth.meta.n
        assert got.session is not None
        assert got.session.session_id == each.session_id
        assert got.meta.requests == len(account.watched.seen)
        explained += got.interaction is not None
    assert explained > 30


@pytest.mark.parametrize("time", [NOW, "2026-03-28T15:00:00+00:00", "2026-04-05T16:00:00+00:00"])
@pytest.mark.parametrize("words", [{}, {"range": "last_6h"}, {"range": "last_7d"}, {"filters": ["app_key=app-1"]}])
def test_the_slowest_session_of_a_window_is_the_warehouses(account: Hosted, time: str, words: dict[str, Any]):
    account.at(time)
    got, truth = explain(account.ask, **words), explain(account.truth, **words)
    alike(got, truth)
    assert got.meta.window == truth.meta.window
    assert "those with the highest p95" in str(got.meta.covers)
    if got.session and truth.session:
        assert got.session.session_id == truth.session.session_id


def test_what_is_usual_is_the_services_median_of_the_component(account: Hosted):
    answer = explain(account.ask, range="last_7d")
    medians = account.truth("breakdown", measures=["p50"], group_by=["processor"], range="last_7d", limit=100)
    usual = {row["processor"]: row["p50"] for row in medians.records()}
    shown = {row["processor"]: row["typical_ms"] for row in answer.records() if row["typical_ms"] is not None}
    assert shown
    assert shown == {name: usual[name] for name in shown}
    assert "median of the same component in last_7d" in str(answer.meta.basis)


def test_a_window_bounds_the_turns_of_a_session(account: Hosted):
    words = {"session_id": "traces", "start_time": "2026-03-28T14:00:00Z", "end_time": "2026-03-28T14:05:00Z"}
    alike(explain(account.ask, **words), explain(account.truth, **words))


class Service:
    """A service of one session whose turns have the given latencies; only `traced` ones have spans."""

    def __init__(self, latencies: list[float], traced: set[str], *, metrics: bool = False) -> None:
        self.latencies, self.traced, self.metrics = latencies, traced, metrics

    def __call__(self, path: str, params: Mapping[str, str]) -> Any:
        if path == "/sessions":
            return {"sessions": [{"sessionId": "s", "p95EndToEndMs": 1}], "meta": {}}
        if path == "/breakdown":
            assert params["measure"] == "p50_value"
            return {"measure": "p50_value", "groupBy": "processor", "rows": [{"group": "llm", "value": 50}]}
        if path == "/sessions/s":
            return {"sessionId": "s", "startTime": AT.format(0), "events": self.events()}
        key = path.removeprefix("/interactions/")
        if key in self.traced:
            spans = [{"startTime": AT.format(0), "durationMs": 100, "processor": "llm"}]
            return {"interactionId": key, "sessionId": "s", "startTime": AT.format(0), "spans": spans}
        return httpx.Response(404, json={"error": {"code": "not_found", "message": "No such interaction."}})

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, latency in enumerate(self.latencies):
            own = {"eventTime": AT.format(number % 60), "interactionId": f"t{number}"}
            found.append({**own, "metricName": "voice.user_to_bot_latency", "value": latency})
            if self.metrics and f"t{number}" in self.traced:
                found.append({**own, "metricName": "llm.processing", "processor": "llm", "value": 100})
        return found


def test_the_turn_is_compared_with_what_is_usual(faked: Make):
    answer = explain(faked(Service([200, 300], {"t0", "t1"})).ask, session_id="s")
    assert answer.verdict == (
        "Most of the time is unattributed: no span covers 200 ms (67 %) of the turn's 300 ms; of the rest, llm took"
        " 100 ms (33 %); it lasted 100 ms, 2 times the usual 50 ms."
    )
    assert answer.meta.requests == 3


def test_slower_turns_without_spans_are_named_and_not_looked_up_without_end(faked: Make):
    latencies = [float(1_000 - number) for number in range(40)]
    known = explain(faked(Service(latencies, {"t39"}, metrics=True)).ask, session_id="s")
    assert known.interaction is not None
    assert known.interaction.interaction_id == "t39"
    assert known.slower_without_spans == [f"t{number}" for number in range(20)]
    assert any("39 slower turns have no spans; the slowest 20" in note for note in known.meta.notes)
    assert any(note.startswith("34 turns were not asked for") for note in known.meta.notes)
    assert known.meta.requests == 1 + 5 + 1 + 1
    unknown = explain(faked(Service(latencies, {"t39"})).ask, session_id="s")
    assert unknown.interaction is None
    assert (
        unknown.verdict
        == "None of the 40 timed turns of session s that were looked at has spans that could explain it."
    )


def test_the_budget_ends_the_search_and_is_said(faked: Make):
    account = faked(Service([3, 2, 1], {"t2"}), budget=4)
    answer = explain(account.ask, range="last_7d")
    assert answer.interaction is None
    assert len(account.watched.seen) <= 4
    assert any("request budget of 4 was reached" in note for note in answer.meta.notes)


def test_without_a_timed_turn_the_verdict_says_so(faked: Make):
    answer = explain(faked(Service([], set())).ask, range="last_24h")
    assert (answer.rows, answer.interaction, answer.meta.n) == ([], None, 0)
    assert answer.verdict.startswith("There is no turn with a known latency from ")


def test_what_the_service_cannot_be_asked_is_refused(account: Hosted):
    for words in (
        {"filters": ["channel=voice"]},
        {"start_time": "2026-03-01"},
        {"session_id": "traces", "filters": ["app_key=app-1"]},
    ):
        with pytest.raises(NotSupported) as refused:
            account.ask("explain", **words)
        assert refused.value.hint
        assert account.watched.seen == []
    with pytest.raises(NotFound):
        account.ask("explain", session_id="no such session")
