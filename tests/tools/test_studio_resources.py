"""Studio Chat's tools about resources: API tools, toolkits, skills, knowledge bases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from talkscope.errors import (
    AmbiguousName,
    InvalidArgument,
    InvalidRange,
    Json,
    NotFound,
    ServerError,
    TalkscopeError,
    UnknownName,
)
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching, reaching
from tests.tools.vendor_questions import APRIL
from tests.vendors import studio_chat
from tests.vendors.studio_chat.asking import PROJECT, in_april
from tests.vendors.studio_chat.records import ResourceCall

REVEALED = Manner(answer_tokens=10_000, reveal_personal_data=True)
TOOL = PROJECT.tools[0]
API = [call for call in PROJECT.api_calls if in_april(call.at)]
KITS = [call for call in PROJECT.toolkit_calls if in_april(call.at)]
SKILLS = [load for load in PROJECT.skill_loads if in_april(load.at)]
CITED = [cited for each in PROJECT.conversations for cited in each.citations if in_april(cited.at)]
KINDS = ("api_tools", "toolkits", "skills")
INTERCOM = next(base for base in PROJECT.bases if base.kind == "INTERCOM")


def _totals(studio: Reaching, kind: str, **words: Any) -> dict[str, tuple[Any, Any]]:
    rows = studio.rows("studio_resources", kind=kind, **words)
    return {row["measure"]: (row["value"], row["n"]) for row in rows}


def _counted(calls: Sequence[ResourceCall]) -> dict[str, tuple[Any, Any]]:
    worked = sum(call.ok for call in calls)
    return {
        "calls": (len(calls), None),
        "succeeded": (worked, None),
        "failed": (len(calls) - worked, None),
        "success_rate": (pytest.approx(worked / len(calls), abs=1e-6), len(calls)),
    }


@pytest.mark.parametrize(("kind", "calls"), [("api_tools", API), ("toolkits", KITS), ("skills", SKILLS)], ids=KINDS)
def test_totals_are_those_of_the_calls(studio: Reaching, kind: str, calls: list[ResourceCall]) -> None:
    told = _totals(studio, kind, **APRIL)
    assert {name: told[name] for name in _counted(calls)} == _counted(calls)
    sent = dict(studio.calls[0].params)
    assert (sent["start_date"], sent["end_date"]) == ("2026-04-01", "2026-05-01")


def test_one_tool_is_found_by_its_name_and_says_how_it_is_called(studio: Reaching) -> None:
    mine = [call for call in API if call.owner == TOOL.id]
    told = _totals(studio, "api_tools", name="Order_Status", **APRIL)
    assert told["calls"][0] == len(mine) < len(API)
    assert told["method"][0] == "GET"
    mean = fmean(call.duration_ms for call in mine if call.duration_ms is not None)
    assert told["avg_duration_ms"] == (pytest.approx(mean, abs=0.001), None)


def test_a_mean_that_nobody_knows_stays_null(studio: Reaching) -> None:
    told = _totals(studio, "toolkits", start_time="2025-01-01", end_time="2025-01-02")
    assert told["avg_duration_ms"] == (None, None)
    assert told["success_rate"] == (None, 0)


def test_toolkits_are_told_by_action_and_by_the_values_of_a_parameter(studio: Reaching) -> None:
    rows = studio.rows("studio_resources", kind="toolkits", show="actions", **APRIL)
    assert {row["action"]: row["calls"] for row in rows} == Counter(call.name for call in KITS)
    tickets = [call for call in KITS if call.owner == "INTERCOM_TICKETS"]
    words: dict[str, Any] = {"name": "INTERCOM_TICKETS", "filters": ["param=ticket_type_id:67"], **APRIL}
    values = studio.rows("studio_resources", kind="toolkits", show="params", **words)
    spread = Counter(call.given["ticket_type_id"] for call in tickets)
    assert {row["value"]: row["calls"] for row in values} == spread
    assert {row["n"] for row in values} == {len(tickets)}
    told = _totals(studio, "toolkits", **words)
    assert told["calls"][0] == spread[67]
    sent = _totals(studio, "toolkits", filters="action=SLACK_SEND_MESSAGE", **APRIL)
    assert sent["calls"][0] == sum(call.name == "SLACK_SEND_MESSAGE" for call in KITS)


def test_values_of_a_parameter_that_are_more_than_a_word_are_hidden_unless_revealed(
    studio: Reaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("high", 67, None, True, "Ada wants her money")
    said: list[Json] = [{"value": each, "count": 1} for each in given]
    usage: dict[str, Json] = {"total_calls": 5, "successful_calls": 5, "failed_calls": 0, "by_param": said}
    studio.instead(monkeypatch, "/toolkits", usage)
    words: dict[str, Any] = {"kind": "toolkits", "show": "params", "filters": "param=message:x", **APRIL}
    shown = [row["value"] for row in studio.rows("studio_resources", **words)]
    assert shown == ["high", 67, None, "yes", "[hidden: 19 characters]"]
    revealed = studio.tool("studio_resources", REVEALED, **words)
    assert "Ada wants her money" in revealed.text


def test_recent_calls_are_searched_and_what_went_in_is_hidden(studio: Reaching) -> None:
    words: dict[str, Any] = {"kind": "toolkits", "show": "recent", "filters": "search=error", "limit": 5, **APRIL}
    shaped = studio.tool("studio_resources", **words)
    rows = [dict(zip(shaped.structured["columns"], row, strict=True)) for row in shaped.structured["rows"]]
    failed = [call for call in KITS if call.error and "error" in call.error]
    newest = sorted(failed, key=lambda call: (call.at, call.id), reverse=True)
    assert [row["call_id"] for row in rows] == [call.id for call in newest[:5]]
    assert {row["ok"] for row in rows} == {"no"}
    assert "#support" not in shaped.text
    assert "call back" not in shaped.text
    assert {"error", "input"} <= set(shaped.structured["untrusted"])
    shown = studio.tool("studio_resources", REVEALED, **{**words, "filters": [], "limit": 50})
    assert "#support" in shown.text
    assert any("offset=50" in note for note in shown.structured["meta"]["notes"])


def test_days_add_up(studio: Reaching) -> None:
    rows = studio.rows("studio_resources", kind="skills", show="days", name="refund-process", **APRIL)
    mine = [load for load in SKILLS if load.owner == "refund-process"]
    assert {row["start"]: row["calls"] for row in rows} == Counter(load.at.date().isoformat() for load in mine)
    assert sum(row["succeeded"] for row in rows) == sum(load.ok for load in mine)


def test_a_window_within_days_is_widened_and_that_is_said(studio: Reaching) -> None:
    shaped = studio.tool("studio_resources", kind="api_tools", range="last_24h")
    meta = shaped.structured["meta"]
    assert (meta["window"]["start"], meta["window"]["end"]) == ("2026-05-04T00:00:00Z", "2026-05-06T00:00:00Z")
    assert any("whole days of UTC" in note for note in meta["notes"])
    whole = datetime(2026, 5, 4, tzinfo=UTC)
    assert meta["n"] == sum(whole <= call.at < whole + timedelta(days=2) for call in PROJECT.api_calls)
    exact = studio.tool("studio_resources", kind="api_tools", **APRIL)
    assert "notes" not in exact.structured["meta"]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("api_tools", [(call.owner, call.at) for call in PROJECT.api_calls]),
        ("toolkits", [(call.owner, call.at) for call in PROJECT.toolkit_calls]),
        ("skills", [(load.owner, load.at) for load in PROJECT.skill_loads]),
        ("knowledge_bases", [(cited.kb_id, cited.at) for each in PROJECT.conversations for cited in each.citations]),
    ],
    ids=lambda value: value if isinstance(value, str) else "calls",
)
@pytest.mark.parametrize("days", [14, 30, 90])
def test_sparklines_are_the_trailing_days_and_coarser_where_there_are_many(
    studio: Reaching, kind: str, made: list[tuple[str, datetime]], days: int
) -> None:
    shaped = studio.tool("studio_resources", kind=kind, show="sparklines", days=None if days == 14 else days)
    rows = [dict(zip(shaped.structured["columns"], row, strict=True)) for row in shaped.structured["rows"]]
    first = datetime(2026, 5, 5, tzinfo=UTC) - timedelta(days=days - 1)
    counts = Counter(owner for owner, at in made if at >= first)
    assert {row["id"]: row["total"] for row in rows} == counts
    summed: Counter[str] = Counter()
    for row in rows:
        summed[row["id"]] += row["count"]
    assert summed == counts
    coarse = len(counts) * days > 150
    assert shaped.structured["meta"]["granularity"] == ("week" if coarse else "day")
    assert any("added up to weeks" in note for note in shaped.structured["meta"].get("notes", [])) == coarse
    assert len(rows) == len(counts) * (-(-days // 7) if coarse else days)
    assert [row["total"] for row in rows] == sorted((row["total"] for row in rows), reverse=True)


def test_days_that_a_sparkline_leaves_out_are_days_without_a_call(
    studio: Reaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = {"2026-04-28": 2, "2026-05-04": 3, "2026-05-05": 5}
    series: list[Json] = [{"date": day, "count": count} for day, count in counted.items()]
    told: Json = {
        "billing": {"total": 10, "series": series},
        "orders": {"total": 4, "series": [{"date": "2026-05-02", "count": 4}]},
    }
    studio.instead(monkeypatch, "/toolkit-calls/sparklines", told)
    daily = studio.rows("studio_resources", kind="toolkits", show="sparklines")
    assert [(row["id"], row["start"], row["count"]) for row in daily if row["count"]] == [
        ("billing", "2026-04-28", 2),
        ("billing", "2026-05-04", 3),
        ("billing", "2026-05-05", 5),
        ("orders", "2026-05-02", 4),
    ]
    assert len(daily) == 2 * 8
    weekly = studio.rows("studio_resources", kind="toolkits", show="sparklines", days=90)
    assert [(row["id"], row["start"], row["count"]) for row in weekly] == [
        ("billing", "2026-04-28", 2),
        ("billing", "2026-04-29", 8),
        ("orders", "2026-04-28", 0),
        ("orders", "2026-04-29", 4),
    ]


def test_sparklines_are_named_and_take_a_range_that_ends_today(studio: Reaching) -> None:
    rows = studio.rows("studio_resources", kind="api_tools", show="sparklines", name="order_status", range="last_7d")
    assert {row["name"] for row in rows} == {"order_status"}
    assert len(rows) == 8
    with pytest.raises(InvalidRange, match="90 days"):
        studio.tool("studio_resources", kind="api_tools", show="sparklines", range="last_month")


def test_citations_go_by_base_item_and_source(studio: Reaching) -> None:
    assert _totals(studio, "knowledge_bases", **APRIL)["citations"][0] == len(CITED)
    mine = [cited for cited in CITED if cited.kb_id == INTERCOM.id]
    assert _totals(studio, "knowledge_bases", name="Intercom articles", **APRIL)["citations"][0] == len(mine)
    item = mine[0].item_id
    told = _totals(studio, "knowledge_bases", name="intercom", filters=[f"item={item}"], **APRIL)
    assert told["citations"][0] == sum(cited.item_id == item for cited in mine)
    rows = studio.rows("studio_resources", kind="knowledge_bases", show="sources", **APRIL)
    assert {row["source"]: row["citations"] for row in rows} == Counter(cited.source for cited in CITED)
    assert {row["n"] for row in rows} == {len(CITED)}
    told = _totals(studio, "knowledge_bases", filters="source=faq", **APRIL)
    assert told["citations"][0] == sum(cited.source == "faq" for cited in CITED)
    days = studio.rows("studio_resources", kind="knowledge_bases", show="days", **APRIL)
    assert sum(row["citations"] for row in days) == len(CITED)


def test_passages_that_were_cited_are_hidden_and_their_ids_are_not(studio: Reaching) -> None:
    words: dict[str, Any] = {"kind": "knowledge_bases", "show": "recent", "filters": "search=refund", **APRIL}
    shaped = studio.tool("studio_resources", **words)
    assert shaped.structured["rows"]
    assert "From Refund windows" not in shaped.text
    assert any("hidden" in note for note in shaped.structured["meta"]["notes"])
    assert "From Refund windows" in studio.tool("studio_resources", REVEALED, **words).text


def test_the_most_cited_articles_have_titles(studio: Reaching) -> None:
    rows = studio.rows("studio_kb_items", knowledge_base="intercom", limit=3, **APRIL)
    counts = Counter(cited.item_id for cited in CITED if cited.kb_id == INTERCOM.id)
    best = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:3]
    assert [(row["item_id"], row["citations"]) for row in rows] == best
    assert [row["title"] for row in rows] == [dict(INTERCOM.items)[item] for item, _ in best]
    assert not any("/items/" in path for path in studio.paths)
    assert dict(studio.calls[1].params)["start_date"] == "2026-04-01"


def test_titles_that_a_base_does_not_list_are_looked_up(studio: Reaching) -> None:
    text = next(base for base in PROJECT.bases if base.kind == "TEXT")
    rows = studio.rows("studio_kb_items", knowledge_base=text.id, limit=2, **APRIL)
    assert rows
    assert [row["title"] for row in rows] == [dict(text.items)[row["item_id"]] for row in rows]
    assert {row["type"] for row in rows} == {"text"}


def test_an_item_that_is_gone_has_no_title_and_any_other_refusal_is_the_answers_error(
    studio: Reaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = next(base for base in PROJECT.bases if base.kind == "TEXT")
    words: dict[str, Any] = {"knowledge_base": text.id, "limit": 3, **APRIL}
    first, *others = (row["item_id"] for row in studio.rows("studio_kb_items", **words))
    with monkeypatch.context() as patch:
        studio.instead(patch, f"/items/{first}", NotFound("It is gone."))
        shaped = studio.tool("studio_kb_items", **words)
        titles = {row[0]: row[1] for row in shaped.structured["rows"]}
        assert titles == {first: None, **{each: dict(text.items)[each] for each in others}}
        assert any("no longer" in note for note in shaped.structured["meta"]["notes"])
    studio.instead(monkeypatch, f"/items/{first}", ServerError("It is over capacity."))
    with pytest.raises(ServerError, match="over capacity"):
        studio.tool("studio_kb_items", **words)


def test_a_skill_that_nobody_uses_is_told_with_those_that_are_used(studio: Reaching) -> None:
    shaped = studio.tool("studio_resources", kind="skills", name="refund-proces", **APRIL)
    assert shaped.structured["meta"]["n"] == 0
    assert any("Did you mean 'refund-process'?" in note for note in shaped.structured["meta"]["notes"])


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({"kind": "api_tool"}, InvalidArgument, "api_tools"),
        ({"kind": "skills", "show": "actions"}, InvalidArgument, "toolkits"),
        ({"kind": "skills", "filters": "action=X"}, UnknownName, "search"),
        ({"kind": "toolkits", "filters": "acton=X"}, UnknownName, "'action'"),
        ({"kind": "toolkits", "show": "params"}, InvalidArgument, "param=key:value"),
        ({"kind": "toolkits", "filters": "param=nothing"}, InvalidArgument, "key:value"),
        ({"kind": "toolkits", "filters": "search=error"}, InvalidArgument, "show=recent"),
        ({"kind": "api_tools", "name": "order_statu"}, UnknownName, "order_status"),
        ({"kind": "knowledge_bases", "name": "Intercom"}, None, ""),
        ({"kind": "api_tools", "days": 30}, InvalidArgument, "sparklines"),
        ({"kind": "api_tools", "show": "sparklines", "days": 91}, InvalidArgument, "90"),
    ],
    ids=str,
)
def test_words_that_are_off_are_refused_with_what_to_write(
    studio: Reaching, words: dict[str, Any], error: type[TalkscopeError] | None, said: str
) -> None:
    if error is None:
        assert studio.tool("studio_resources", **words).structured["rows"]
        return
    with pytest.raises(error) as caught:
        studio.tool("studio_resources", **words)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_a_kind_that_two_knowledge_bases_have_is_ambiguous() -> None:
    bases = tuple(replace(base, kind="FAQ") if base.kind == "TEXT" else base for base in PROJECT.bases)
    world = replace(studio_chat.world(), projects=(replace(PROJECT, bases=bases, conversations=()),))
    with (
        reaching(
            studio_chat.server(of=world), "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW,
            also={"project_id": studio_chat.MAIN},
        ) as reached,
        pytest.raises(AmbiguousName),
    ):  # fmt: skip
        reached.tool("studio_kb_items", knowledge_base="faq")
