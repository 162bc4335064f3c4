"""Studio Chat's tools about conversations: which, one or some of them, and scoring one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from talkscope.client import Recent
from talkscope.errors import InvalidArgument, NotFound, NotSupported, ServerError, TalkscopeError, UnknownName
from talkscope.flow import Call
from talkscope.settings import PlatformSettings
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching
from tests.tools.vendor_questions import APRIL
from tests.vendors import studio_chat
from tests.vendors.studio_chat.asking import EVERY, of_april
from tests.vendors.studio_chat.records import Conversation, Signals

FOUND = sorted(of_april(), key=lambda each: (each.last_at, each.id), reverse=True)
REVEALED = Manner(answer_tokens=10_000, reveal_personal_data=True)
ALLOWED = Manner(answer_tokens=10_000, allow_side_effects=True)


def _has(test: Callable[[Signals], bool]) -> Callable[[Conversation], bool]:
    return lambda each: each.scored and each.signals is not None and test(each.signals)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ([], lambda each: True),
        (["handoff=true"], lambda each: each.handoff),
        ("handoff=no", lambda each: not each.handoff),
        (["sentiment=negative,neutral"], _has(lambda told: told.sentiment in {"negative", "neutral"})),
        (["resources=irrelevant"], _has(lambda told: told.resources == "irrelevant")),
        (["sentiment_shift=degraded"], _has(lambda told: told.shift == "degraded")),
        (["deflection_quality=actioned"], _has(lambda told: told.deflection_quality == "actioned")),
        (["handoff_reason=frustration"], _has(lambda told: told.handoff_reason == "frustration")),
        (["recontact_risk=high"], _has(lambda told: told.recontact_risk == "high")),
        (["max_messages=3"], lambda each: len(each.messages) <= 3),
        (["min_messages=10", "resources=irrelevant,partial"],
         _has(lambda told: told.resources in {"irrelevant", "partial"})),
        (["tags=billing,refund"], lambda each: {"billing", "refund"} <= set(each.tags)),
        (["skill=refund-process", "sentiment=negative"], _has(lambda told: told.sentiment == "negative")),
        (["winback=true"], lambda each: each.winback_at is not None),
        (["inbox=WhatsApp"], lambda each: each.inbox.name == "WhatsApp"),
        (["id=2151"], lambda each: "2151" in each.id),
        (["has_handoff=true", "tags=billing"], lambda each: each.handoff and "billing" in each.tags),
    ],
    ids=lambda value: "passes" if callable(value) else str(value),
)  # fmt: skip
def test_each_filter_keeps_what_it_says(studio: Reaching, filters: Any, passes: Callable[[Conversation], bool]) -> None:
    kept = [each.id for each in FOUND if passes(each)]
    if "min_messages=10" in filters:
        kept = [each.id for each in FOUND if passes(each) and len(each.messages) >= 10]
    if "skill=refund-process" in filters:
        kept = [each.id for each in FOUND if passes(each) and "refund-process" in each.skills]
    shaped = studio.tool("studio_conversations", filters=filters, limit=20, **APRIL)
    assert shaped.structured["meta"]["n"] == len(kept)
    assert [row[0] for row in shaped.structured["rows"]] == kept[:20]


def test_a_row_has_the_conversations_signals(studio: Reaching) -> None:
    rows = {row["conversation_id"]: row for row in studio.rows("studio_conversations", limit=30, **APRIL)}
    for each in FOUND[:20]:
        row = rows[each.id]
        told = each.signals if each.scored else None
        assert (row["messages"], row["handoff"]) == (len(each.messages), "yes" if each.handoff else "no")
        assert row["sentiment"] == (told.sentiment if told else None)
        assert row["handoff_reason"] == (told.handoff_reason if told else None)
        assert row["tags"] == (", ".join(each.tags) or None)
        mean = round(sum(each.latencies) / len(each.latencies)) if each.latencies else None
        assert row["latency_ms"] == mean


def test_conversations_are_sorted_and_paged(studio: Reaching) -> None:
    first = studio.tool("studio_conversations", sort="longest", limit=7, **APRIL)
    assert any("Numbers 1 to 7 of" in note and "offset=7" in note for note in first.structured["meta"]["notes"])
    rest = studio.rows("studio_conversations", sort="longest", limit=7, offset=7, **APRIL)
    ordered = sorted(FOUND, key=lambda each: (len(each.messages), each.id), reverse=True)
    ids = [*(row[0] for row in first.structured["rows"]), *(row["conversation_id"] for row in rest)]
    assert ids == [each.id for each in ordered[:14]]


def test_rows_that_do_not_fit_are_said(studio: Reaching) -> None:
    shaped = studio.tool("studio_conversations", Manner(answer_tokens=1_000), limit=100, **APRIL)
    kept = len(shaped.structured["rows"])
    assert 0 < kept < 100
    assert any(f"{kept} of 100 rows fit" in note for note in shaped.structured["meta"]["notes"])


def test_summaries_come_by_their_own_route_where_it_knows_the_filter(studio: Reaching) -> None:
    words: dict[str, Any] = {"show": "summaries", "filters": ["sentiment=negative"], **APRIL}
    slim = studio.rows("studio_conversations", **words)
    assert studio.paths[-1].endswith("/summaries")
    words["filters"] = ["sentiment=negative", "min_messages=1"]
    assert studio.rows("studio_conversations", **words) == slim
    assert studio.paths[-1].endswith("/conversations")
    assert all(str(row["summary"]).startswith("The customer wrote about") for row in slim)


def test_reasons_stand_beside_their_labels(studio: Reaching) -> None:
    shaped = studio.tool("studio_conversations", show="reasons", filters="handoff_reason=policy", **APRIL)
    rows = [dict(zip(shaped.structured["columns"], row, strict=True)) for row in shaped.structured["rows"]]
    assert {row["handoff_reason_why"] for row in rows} == {"The cause was policy in the last messages."}
    assert {"handoff_reason_why", "sentiment_why"} <= set(shaped.structured["untrusted"])


def test_what_customers_wrote_is_hidden_unless_it_is_revealed(studio: Reaching) -> None:
    words: dict[str, Any] = {"show": "texts", "limit": 5, **APRIL}
    hidden = studio.tool("studio_conversations", **words)
    assert "[hidden: " in hidden.text
    said = [message.content for each in FOUND[:5] for message in each.messages]
    assert not any(text in hidden.text for text in said)
    assert {"first_user_message", "last_assistant_message"} <= set(hidden.structured["untrusted"])
    shown = studio.rows("studio_conversations", REVEALED, **words)
    first = next(message.content for message in FOUND[0].messages if message.role == "user")
    assert shown[0]["first_user_message"] == first


def test_labels_are_counted_under_any_filter(studio: Reaching) -> None:
    vips = [each for each in FOUND if "vip" in each.tags]
    rows = studio.rows("studio_conversations", show="counts", filters=["tags=vip"], **APRIL)
    told = {(row["dimension"], row["label"]): (row["conversations"], row["n"]) for row in rows}
    scored = [each.signals for each in vips if each.scored and each.signals]
    moods = Counter(each.sentiment for each in scored)
    assert told["sentiment", "negative"] == (moods["negative"], len(scored))
    assert told["tag", "vip"] == (len(vips), len(vips))
    skills = Counter(skill for each in vips for skill in each.skills)
    assert {label: count for (name, label), (count, _) in told.items() if name == "skill"} == skills
    assert told["handoff", "yes"] == (sum(each.handoff for each in vips), len(vips))


def test_counts_read_every_page(studio: Reaching) -> None:
    shaped = studio.tool("studio_conversations", show="counts", start_time="2026-01-01")
    assert shaped.structured["meta"]["n"] == len(EVERY)
    assert shaped.structured["meta"]["requests"] == -(-len(EVERY) // 100)


def test_a_page_that_cannot_be_had_is_the_answers_error(studio: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    reach = studio.reach

    async def failing(account: PlatformSettings, call: Call[Any]) -> Recent[Any]:
        if "offset" in dict(call.params):
            raise ServerError("It is over capacity.", status=503)
        return await reach(account, call)

    monkeypatch.setattr(studio, "reach", failing)
    with pytest.raises(ServerError, match="over capacity"):
        studio.tool("studio_conversations", show="counts", start_time="2026-01-01")


def test_search_is_said_to_look_for_ids_only(studio: Reaching) -> None:
    notes = studio.tool("studio_conversations", filters="id=wa:", **APRIL).structured["meta"]["notes"]
    assert any("not for text" in note for note in notes)


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({"filters": "sentimant=negative"}, UnknownName, "'sentiment'"),
        ({"filters": "sentiment=negativ"}, UnknownName, "'negative'"),
        ({"filters": "sentiment!=negative"}, InvalidArgument, "name=value"),
        ({"filters": ["tags=a", "tags=b"]}, InvalidArgument, "tags=a,b"),
        ({"filters": ["min_messages=5", "max_messages=2"]}, InvalidArgument, "Swap"),
        ({"filters": "inbox=Whatsup"}, UnknownName, "WhatsApp"),
        ({"limit": 101}, InvalidArgument, "limit"),
        ({"filter": "handoff=true"}, UnknownName, "'filters'"),
    ],
    ids=str,
)
def test_filters_that_are_off_are_refused(
    studio: Reaching, words: dict[str, Any], error: type[TalkscopeError], said: str
) -> None:
    with pytest.raises(error) as caught:
        studio.tool("studio_conversations", **words)
    assert said in f"{caught.value.message} {caught.value.hint}"


def _talked() -> Conversation:
    return next(each for each in FOUND if each.citations and each.api_calls and each.handoff and each.scored)


def test_a_conversation_is_told_message_by_message_with_its_tools(studio: Reaching) -> None:
    each = _talked()
    rows = studio.rows("studio_conversation", REVEALED, ids=each.id)
    said = [row for row in rows if row["kind"] != "tool"]
    assert [row["name"] for row in said] == [message.role for message in each.messages]
    assert [row["latency_ms"] for row in said] == [message.latency_ms for message in each.messages]
    tools = [row for row in rows if row["kind"] == "tool"]
    assert [row["name"] for row in tools] == [call.name for message in each.messages for call in message.tool_calls]
    assert [row["text"] for row in tools] == [
        call.arguments for message in each.messages for call in message.tool_calls
    ]
    assert any("handoff" in str(row["note"]) for row in said)


def test_messages_and_arguments_are_hidden_and_named_untrusted(studio: Reaching) -> None:
    each = _talked()
    shaped = studio.tool("studio_conversation", ids=[each.id])
    assert not any(message.content in shaped.text for message in each.messages)
    assert not any(call.arguments in shaped.text for message in each.messages for call in message.tool_calls
                   if call.arguments != "{}")  # fmt: skip
    assert "Tier 2" not in shaped.text
    assert {"text", "result", "note"} <= set(shaped.structured["untrusted"])
    assert "kind" not in shaped.structured["untrusted"]


def test_citations_and_facts_of_a_conversation(studio: Reaching) -> None:
    each = _talked()
    cited = studio.rows("studio_conversation", ids=each.id, show="citations")
    assert [row["citation_id"] for row in cited] == [citation.id for citation in each.citations]
    assert cited[0]["passage"] == each.citations[0].content
    facts = {row["fact"]: row["value"] for row in studio.rows("studio_conversation", ids=each.id, show="facts")}
    assert (facts["messages"], facts["citations"]) == (len(each.messages), len(each.citations))
    assert facts["summary"] == (each.signals.summary if each.signals else None)
    assert str(facts["context"]).startswith("[hidden")
    revealed = studio.rows("studio_conversation", REVEALED, ids=each.id, show="facts")
    assert str(each.context["email"]) in str(revealed[-1]["value"])


def test_several_conversations_are_one_request_and_unknown_ids_are_named(studio: Reaching) -> None:
    ids = [each.id for each in FOUND[:3]]
    shaped = studio.tool("studio_conversation", ids=[ids[0], "no-such-id", *ids[1:]], show="facts", limit=1_000)
    assert studio.paths == [f"/projects/{studio_chat.MAIN}/conversations/batch"]
    assert list(dict.fromkeys(row[0] for row in shaped.structured["rows"])) == ids
    assert any("no-such-id" in note for note in shaped.structured["meta"]["notes"])
    assert shaped.structured["meta"]["n"] == 3
    with pytest.raises(NotFound):
        studio.tool("studio_conversation", ids="no-such-id")
    with pytest.raises(InvalidArgument, match="50"):
        studio.tool("studio_conversation", ids=[f"id-{number}" for number in range(51)])


def test_the_rows_of_a_long_conversation_are_paged(studio: Reaching) -> None:
    each = max(FOUND, key=lambda one: len(one.messages))
    whole = studio.rows("studio_conversation", ids=each.id)
    part = studio.tool("studio_conversation", ids=each.id, limit=4, offset=2)
    assert [row[3] for row in part.structured["rows"]] == [row["name"] for row in whole[2:6]]
    assert any("offset=6" in note for note in part.structured["meta"]["notes"])


def test_scores_are_labels_with_reasons_and_nulls_where_there_are_none(studio: Reaching) -> None:
    each = _talked()
    assert each.signals
    rows = {row["signal"]: row for row in studio.rows("studio_conversation", ids=each.id, show="scores")}
    assert rows["handoff_reason"]["label"] == each.signals.handoff_reason
    assert rows["handoff_reason"]["why"] == f"The cause was {each.signals.handoff_reason} in the last messages."
    assert rows["deflection_quality"]["label"] is None
    assert "scored_at" in rows
    both = studio.rows("studio_conversation", ids=[each.id, FOUND[0].id], show="scores")
    mine = {row["signal"]: row["label"] for row in both if row["conversation_id"] == each.id}
    assert mine["sentiment"] == each.signals.sentiment


def test_scoring_is_refused_unless_side_effects_are_allowed(studio: Reaching) -> None:
    fresh = next(each for each in EVERY if not each.scored and each.signals)
    before = studio.tool("studio_conversation", ids=fresh.id, show="scores")
    assert any("Not scored" in note for note in before.structured["meta"]["notes"])
    with pytest.raises(NotSupported, match="off") as refused:
        studio.tool("studio_analyze", ids=fresh.id)
    assert refused.value.code == "side_effects_off"
    assert studio.calls == []
    assert fresh.signals
    rows = {row["signal"]: row["label"] for row in studio.rows("studio_analyze", ALLOWED, ids=[fresh.id])}
    assert rows["sentiment"] == fresh.signals.sentiment
    assert studio.paths[0].endswith("/metrics/analyze")
