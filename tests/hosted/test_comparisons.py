"""What got worse on a hosted account, as its service says; where time goes is refused, with what comes nearest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from talkscope.errors import BadAnswer, InvalidRange, NotSupported, PlanInsufficient, UnknownName
from tests.hosted.accounts import Hosted, by_label, same

LATER = "2026-03-30T12:00:00+00:00"


@pytest.mark.parametrize("by", ["overall", "app_key", "character_id", "provider", "model"])
@pytest.mark.parametrize("metric", [None, "tts.processing"])
def test_the_figures_are_the_warehouses_and_chance_is_not_tested(account: Hosted, by: str, metric: str | None):
    words = {"group_by": by, "limit": 100, "current_range": "last_24h", "baseline_range": "last_7d"}
    words |= {"metric_name": metric} if metric else {}
    answer, truth = account.at(LATER).ask("regressions", **words), account.truth("regressions", **words)
    key = "group" if by == "overall" else by
    assert answer.columns[: len(truth.columns)] == truth.columns
    figures = ["baseline", "current", "change", "n_current"]
    got, known = by_label(answer, [key], figures), by_label(truth, [key], figures)
    assert got.keys() == known.keys()
    for label, each in got.items():
        assert all(same(a, b) for a, b in zip(each, known[label], strict=True)), (label, each, known[label])
    over = by_label(answer, [key], ["change", "over_threshold", "significant", "p_value", "q_value", "n_baseline"])
    for change, said, *unknown in over.values():
        assert said == ("yes" if change is not None and change > 0.15 else "no")
        assert unknown == [None] * 4
    assert any("does not test for chance" in note for note in answer.meta.notes)


def test_the_worst_come_first(account: Hosted):
    answer = account.at(LATER).ask("regressions", group_by="model", metric_name="llm.ttfb", limit=3)
    said = [(row[-1], row[3]) for row in answer.rows]
    assert said == sorted(said, key=lambda each: (each[0] != "yes", -float(each[1] or 0)))
    assert len(answer.rows) <= 3


def test_a_metric_in_the_measures_place_is_that_metric(account: Hosted):
    one = account.at(LATER).ask("regressions", measure="tts.processing")
    assert one.rows == account.ask("regressions", metric_name="tts.processing").rows
    assert "measure=tts.processing" in str(account.watched.seen[0].url)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"group_by": "processor", "measure": "p95Value"}, "get_breakdown"),
        ({"measure": "error_rate"}, "warehouse"),
        ({"measure": "avg"}, "p95"),
        ({"filters": ["app_key=app-1"]}, "get_breakdown"),
        ({"start_time": "2026-03-28T00:00:00Z"}, "current_range"),
        ({"baseline_start_time": "2026-03-01"}, "baseline_range"),
        ({"current_range": "today"}, "last_24h"),
    ],
    ids=str,
)
def test_what_the_service_does_not_compare_is_refused(account: Hosted, words: dict[str, Any], hint: str):
    with pytest.raises(NotSupported) as refused:
        account.ask("regressions", **words)
    assert hint in refused.value.hint
    assert not account.watched.seen


def test_a_baseline_that_is_not_longer_and_a_measure_that_is_none_are_refused(account: Hosted):
    with pytest.raises(InvalidRange):
        account.ask("regressions", current_range="last_7d", baseline_range="last_7d")
    with pytest.raises(UnknownName):
        account.ask("regressions", measure="slowness")
    assert not account.watched.seen


def fake(rows: list[dict[str, Any]]) -> Callable[[str, object], dict[str, Any]]:
    return lambda path, params: {"rows": rows, "meta": {}, "triggered": True}


def row(group: str, baseline: float, current: float, change: float, n: int = 5, *, over: bool = True) -> dict[str, Any]:
    return {
        "group": group, "baselineValue": baseline, "currentValue": current, "relativeChange": change,
        "significant": over, "sampleCount": n,
    }  # fmt: skip


def test_zeros_of_nothing_are_null(faked: Callable[..., Hosted]):
    rows = [
        row("x", 0.0, 300.0, 0.0, over=False),
        row("y", 10, 0, -1, 0, over=False),
        row("z", 10, 9, -0.1, over=False),
    ]
    answer = faked(fake([*rows, rows[0]])).ask("regressions", group_by="model")
    assert [each[:4] for each in answer.rows] == [
        ["z", 10.0, 9.0, -0.1],
        ["x", None, 300.0, None],
        ["y", 10.0, None, None],
    ]


def test_a_group_that_is_there_twice_is_a_bad_answer(faked: Callable[..., Hosted]):
    account = faked(fake([row("x", 1, 2, 1), row("x", 1, 3, 2)]))
    for by in ("overall", "model"):
        with pytest.raises(BadAnswer, match="twice"):
            account.ask("regressions", group_by=by)


@pytest.mark.parametrize(
    "ill", [row("x", -1, 5, 0), row("x", 1, 5, 1e200), row("x", 1, 1e99, 4), row("x", 1, 5, 4, -3)], ids=str
)
def test_comparisons_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], ill: dict[str, Any]):
    with pytest.raises(BadAnswer):
        faked(fake([ill])).ask("regressions")


def test_a_plan_that_does_not_include_it_is_the_services_own_error(faked: Callable[..., Hosted]):
    body = {"error": {"code": "plan_insufficient", "message": "No.", "details": {"required_plan": "business"}}}
    account = faked(lambda path, params: httpx.Response(403, json=body))
    with pytest.raises(PlanInsufficient) as refused:
        account.ask("regressions")
    assert refused.value.required_plan == "business"


@pytest.mark.parametrize("by", ["processor", "provider", "model", "character_id"])
@pytest.mark.parametrize("percentile", [None, "p95"])
def test_where_time_goes_is_refused_with_what_comes_nearest(account: Hosted, by: str, percentile: str | None):
    with pytest.raises(NotSupported) as refused:
        account.ask("latency", by=by, **({"percentile": percentile} if percentile else {}))
    for word in ("get_breakdown", f'group_by=["{by}"]', "explain_slow_session", "warehouse"):
        assert word in refused.value.hint
    assert not account.watched.seen
    assert account.ask("breakdown", measures=["p95", "count"], group_by=[by]).rows
