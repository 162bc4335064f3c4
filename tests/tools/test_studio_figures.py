"""Studio Chat's tools that give figures: overview, satisfaction, conversions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest

from talkscope.errors import AmbiguousName, InvalidArgument, InvalidRange, TalkscopeError, UnknownName
from tests.tools.reaching import Reaching, reaching
from tests.tools.vendor_questions import APRIL
from tests.vendors import studio_chat
from tests.vendors.studio_chat.asking import EVERY, PROJECT, WORLD, in_april, of_april
from tests.vendors.studio_chat.records import Conversation

FOUND = of_april()
SCORED = [each for each in FOUND if each.scored and each.signals]
RATED = [each for each in FOUND if each.rating]
DEFLECTED = [each for each in FOUND if not each.handoff]
SUPPORT = PROJECT.playbooks[0]


@pytest.fixture(scope="module")
def pilot() -> Iterator[Reaching]:
    """A project that asks for no ratings and has no metric."""
    with reaching(
        studio_chat.server(), "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW,
        also={"project_id": studio_chat.SMALL},
    ) as reached:  # fmt: skip
        yield reached


def _measures(rows: list[dict[str, Any]], of: str = "value") -> dict[str, tuple[Any, Any]]:
    return {row["measure"]: (row[of], row["n"]) for row in rows}


def _took_part(base: str, found: Sequence[Conversation]) -> list[Conversation]:
    return [each for each in found if any(one.base_id == base for one in each.playbooks)]


def test_totals_are_those_of_the_conversations_that_ended_in_the_window(studio: Reaching) -> None:
    told = _measures(studio.rows("studio_overview", **APRIL))
    n, handoffs = len(FOUND), sum(each.handoff for each in FOUND)
    assert told["conversations"] == (n, None)
    assert told["messages"] == (sum(len(each.messages) for each in FOUND), None)
    assert told["handoffs"] == (handoffs, None)
    assert told["deflection_rate"] == (pytest.approx((n - handoffs) / n, abs=1e-6), n)
    assert told["handoff_rate"] == (pytest.approx(handoffs / n, abs=1e-6), n)
    sent = sum(each.winback_at is not None for each in FOUND)
    answered = sum(each.winback_answered for each in FOUND)
    assert told["winback_answered_rate"] == (pytest.approx(answered / sent, abs=1e-6), sent)
    latencies = [value for each in FOUND for value in each.latencies]
    assert told["avg_response_latency_ms"] == (round(fmean(latencies)), None)


def test_both_dates_are_sent_even_when_no_window_is_named(studio: Reaching) -> None:
    studio.tool("studio_overview")
    (call,) = studio.calls
    sent = dict(call.params)
    assert (sent["start_date"], sent["end_date"]) == ("2026-04-28T16:00:00Z", "2026-05-05T16:00:00Z")
    studio.tool("studio_csat")
    assert {"start_date", "end_date"} <= dict(studio.calls[0].params).keys()
    studio.tool("studio_conversions", metric="sales")
    assert {"start_date", "end_date"} <= dict(studio.calls[0].params).keys()


def test_deflection_comes_with_a_word_about_those_who_gave_up(studio: Reaching) -> None:
    meta = studio.tool("studio_overview", **APRIL).structured["meta"]
    assert any("gave up" in note for note in meta["notes"])
    assert meta["n"] == len(FOUND)


def test_the_shares_of_a_signal_are_of_the_conversations_that_have_it(studio: Reaching) -> None:
    rows = studio.rows("studio_overview", show="signals", **APRIL)
    told = {(row["signal"], row["label"]): (row["conversations"], row["share"], row["n"]) for row in rows}
    assert told["coverage", "scored"][::2] == (len(SCORED), len(FOUND))
    reasons = Counter(each.signals.handoff_reason for each in SCORED if each.signals and each.signals.handoff_reason)
    n = reasons.total()
    assert 0 < n < len(SCORED)
    for label, count in reasons.items():
        assert told["handoff_reason", label] == (count, pytest.approx(count / n, abs=1e-6), n)
    shifts = Counter(each.signals.shift for each in SCORED if each.signals)
    assert told["sentiment_shift", "degraded"][::2] == (shifts["degraded"], len(SCORED))
    assert sum(row["share"] for row in rows if row["signal"] == "deflection_quality") == pytest.approx(1, abs=1e-5)


def test_an_assistant_is_found_by_its_name_whatever_its_capitals(studio: Reaching) -> None:
    mine = _took_part(SUPPORT.base_id, FOUND)
    told = _measures(studio.rows("studio_overview", assistant=["support DESK"], **APRIL))
    assert told["conversations"][0] == len(mine) < len(FOUND)
    assert len(studio.calls) == 2
    told = _measures(studio.rows("studio_overview", assistant=[SUPPORT.base_id], tags=["billing"], **APRIL))
    assert told["conversations"][0] == sum("billing" in each.tags for each in mine)
    assert len(studio.calls) == 1
    assert dict(studio.calls[0].params)["playbook_base_ids"] == SUPPORT.base_id


def test_one_version_is_found_by_its_number(studio: Reaching) -> None:
    told = _measures(studio.rows("studio_overview", assistant="Support desk", version="2", **APRIL))
    second = next(each for each in PROJECT.playbooks if (each.base_id, each.version) == (SUPPORT.base_id, 2))
    assert told["conversations"][0] == sum(second in each.playbooks for each in FOUND)
    with pytest.raises(UnknownName, match="no version 9"):
        studio.tool("studio_overview", assistant="Support desk", version="9")


def test_signals_go_by_assistant_and_inbox(studio: Reaching) -> None:
    rows = studio.rows("studio_overview", show="signals", assistant="Orders", inbox="WhatsApp", **APRIL)
    base = next(each.base_id for each in PROJECT.playbooks if each.name == "Orders")
    mine = [each for each in _took_part(base, FOUND) if each.inbox.name == "WhatsApp"]
    assert rows[0]["n"] == len(mine)
    assert "playbook_base_id" in dict(studio.calls[-1].params)
    with pytest.raises(InvalidArgument, match="one assistant"):
        studio.tool("studio_overview", show="signals", assistant=["Orders", "Support desk"])


def test_breakdowns_and_the_trend_add_up(studio: Reaching) -> None:
    by = studio.rows("studio_overview", show="assistants", **APRIL)
    assert {row["assistant"]: row["n"] for row in by} == Counter(each.playbook.name for each in FOUND)
    for row in studio.rows("studio_overview", show="tags", **APRIL):
        tagged = [each for each in FOUND if row["tag"] in each.tags]
        rate = sum(not each.handoff for each in tagged) / len(tagged)
        assert (row["n"], row["deflection_rate"]) == (len(tagged), pytest.approx(rate, abs=1e-5))
    shaped = studio.tool("studio_overview", show="trend", **APRIL)
    assert shaped.structured["meta"]["granularity"] == "day"
    rows = [dict(zip(shaped.structured["columns"], row, strict=True)) for row in shaped.structured["rows"]]
    assert sum(row["conversations"] for row in rows) == len(FOUND)
    assert rows[0]["start"] == min(each.last_at for each in FOUND).date().isoformat()


@pytest.mark.parametrize(
    ("tool", "words"),
    [("studio_overview", {}), ("studio_csat", {}), ("studio_conversions", {"metric": "sales"})],
)
def test_buckets_are_said_to_be_of_utc_where_another_zone_is_asked_for(
    studio: Reaching, tool: str, words: dict[str, Any]
) -> None:
    meta = studio.tool(tool, show="trend", timezone="Asia/Tokyo", **words, **APRIL).structured["meta"]
    assert any("UTC" in note for note in meta["notes"])
    assert dict(studio.calls[0].params)["start_date"] == "2026-03-31T15:00:00Z"


def test_an_empty_window_has_no_rate_and_no_latency(studio: Reaching) -> None:
    told = _measures(studio.rows("studio_overview", start_time="2025-01-01", end_time="2025-01-02"))
    assert told["conversations"][0] == 0
    assert told["deflection_rate"] == (None, 0)
    assert told["avg_response_latency_ms"][0] is None
    assert told["winback_answered_rate"][0] is None


def test_the_account_is_told_with_the_time_it_saved(studio: Reaching) -> None:
    rows = studio.rows("studio_overview", show="account", **APRIL)
    every = [each for project in WORLD.projects for each in project.conversations if in_april(each.last_at)]
    told = {row["measure"]: (row["value"], row["n"]) for row in rows if row["assistant"] == "account"}
    said = sum(message.role == "assistant" for each in every for message in each.messages)
    assert told["conversations"][0] == len(every)
    assert told["minutes_saved"] == (5 * said, said)
    named = {row["assistant"] for row in rows}
    assert {"Support desk", "Sales guide", "Orders"} <= named
    with pytest.raises(InvalidArgument, match="no filter"):
        studio.tool("studio_overview", show="account", tags="billing")


def test_satisfaction_says_the_n_of_each_share(studio: Reaching) -> None:
    told = _measures(studio.rows("studio_csat", **APRIL), "share")
    stars = Counter(each.rating.stars for each in RATED if each.rating)
    n = len(RATED)
    assert told["csat"] == (pytest.approx((stars[4] + stars[5]) / n, abs=1e-5), n)
    assert told["dsat"] == (pytest.approx((stars[1] + stars[2]) / n, abs=1e-5), n)
    assert told["responses"] == (pytest.approx(n / len(DEFLECTED), abs=1e-5), len(DEFLECTED))
    assert told["rated_3"] == (pytest.approx(stars[3] / n, abs=1e-5), n)


def test_satisfaction_that_is_not_configured_is_null_and_never_zero(pilot: Reaching) -> None:
    shaped = pilot.tool("studio_csat", **APRIL)
    assert all(row[1:] == [None, None, None] for row in shaped.structured["rows"])
    assert any("not configured" in note for note in shaped.structured["meta"]["notes"])
    assert shaped.structured["meta"]["basis"] == "not configured"
    for show in ("trend", "ratings", "rating_tags"):
        assert pilot.tool("studio_csat", show=show, **APRIL).structured["rows"] == []


def test_the_list_of_bad_ratings_counts_bad_ratings(studio: Reaching) -> None:
    bad = [each for each in RATED if each.rating and each.rating.stars <= 2]
    assert 3 < len(bad) < len(RATED)
    shaped = studio.tool("studio_csat", show="ratings", max_rating=2, limit=3, **APRIL)
    meta = shaped.structured["meta"]
    assert meta["n"] == len(bad)
    assert any(f"Numbers 1 to 3 of {len(bad)} ratings up to 2. offset=3" in note for note in meta["notes"])
    rest = studio.rows("studio_csat", show="ratings", max_rating=2, limit=200, offset=3, **APRIL)
    first = [row[0] for row in shaped.structured["rows"]]
    assert sorted([*first, *(row["conversation_id"] for row in rest)]) == sorted(each.id for each in bad)


def test_the_tags_of_bad_ratings_are_counted_over_all_of_them(studio: Reaching) -> None:
    bad = [each for each in RATED if each.rating and each.rating.stars <= 2]
    rows = studio.rows("studio_csat", show="rating_tags", max_rating=2, **APRIL)
    assert {row["tag"]: row["ratings"] for row in rows} == Counter(tag for each in bad for tag in each.tags)
    assert {row["n"] for row in rows} == {len(bad)}


def test_a_tree_of_tags_filters_as_text_and_as_an_object(studio: Reaching) -> None:
    kept = [each for each in RATED if "billing" in each.tags and "vip" not in each.tags]
    tree = {"AND": ["billing", {"NOT": "vip"}]}
    told = _measures(studio.rows("studio_csat", tag_filter=tree, **APRIL), "n")
    assert told["csat"][0] == len(kept)
    text = '{"AND": ["billing", {"NOT": "vip"}]}'
    assert _measures(studio.rows("studio_csat", tag_filter=text, **APRIL), "n") == told
    with pytest.raises(InvalidArgument, match="tag_filter"):
        studio.tool("studio_csat", tag_filter="billing")


def test_an_assistant_is_looked_up_once_however_many_pages_are_read(studio: Reaching) -> None:
    studio.tool("studio_csat", show="rating_tags", assistant="Support desk", **APRIL)
    assert [path.rsplit("/", 1)[1] for path in studio.paths].count("playbooks") == 1


def test_the_trend_of_satisfaction_has_nulls_where_nobody_rated(studio: Reaching) -> None:
    rows = studio.rows("studio_csat", show="trend", **APRIL)
    assert sum(row["ratings"] for row in rows) == len(RATED)
    assert any(row["csat"] is None for row in rows)
    assert all((row["csat"] is None) == (row["ratings"] == 0) for row in rows)


def _sales(found: Sequence[Conversation] | None = None) -> list[Any]:
    known = {each.id for each in (EVERY if found is None else found)}
    (metric,) = (each for each in PROJECT.metrics if each.slug == "sales")
    return [event for event in metric.events if in_april(event.at) and event.conversation_id in known]


def test_a_conversion_rate_is_of_the_deflected_conversations(studio: Reaching) -> None:
    rows = studio.rows("studio_conversions", metric="Sales", **APRIL)
    told = _measures(rows)
    events = _sales()
    converting = len({event.conversation_id for event in events})
    assert told["events"][0] == len(events)
    assert told["total_value"] == (pytest.approx(sum(event.value for event in events), abs=0.01), len(events))
    assert told["conversion_rate"] == (pytest.approx(converting / len(DEFLECTED), abs=1e-5), len(DEFLECTED))
    assert {row["unit"] for row in rows} == {None, "USD"}


def test_a_metric_whose_events_stopped_coming_is_flagged(studio: Reaching) -> None:
    rows = {row["metric"]: row for row in studio.rows("studio_conversions")}
    assert {slug: row["stale"] for slug, row in rows.items()} == {"sales": "no", "bookings": "yes", "upgrades": None}
    notes = studio.tool("studio_conversions", metric="bookings", **APRIL).structured["meta"]["notes"]
    assert any("likely broken" in note and "bookings" in note for note in notes)


@pytest.mark.parametrize(("metric", "why"), [("upgrades", "switched off"), ("bookings", "no event for long")])
def test_a_metric_of_which_no_event_was_to_be_expected_has_no_rate_of_0(
    studio: Reaching, metric: str, why: str
) -> None:
    shaped = studio.tool("studio_conversions", metric=metric)
    told = {row[0]: (row[1], row[3]) for row in shaped.structured["rows"]}
    deflected = told["eligible_conversations"][0]
    assert deflected > 0
    assert (told["events"][0], told["conversion_rate"]) == (0, (None, deflected))
    assert any(why in note and "not 0 %" in note for note in shaped.structured["meta"]["notes"])
    rows = studio.rows("studio_conversions", metric=metric, show="assistants")
    assert {row["conversion_rate"] for row in rows} == {None}


def test_a_metric_that_is_not_there_is_null_and_the_nearest_is_named(studio: Reaching) -> None:
    shaped = studio.tool("studio_conversions", metric="sale", **APRIL)
    assert all(row[1] is None for row in shaped.structured["rows"])
    notes = shaped.structured["meta"]["notes"]
    assert any("not 0 %" in note for note in notes)
    assert any("Did you mean 'sales'?" in note for note in notes)
    with pytest.raises(UnknownName, match="metric"):
        studio.tool("studio_conversions", metric="Web sales")


def test_the_funnel_compares_assistants_by_their_own_denominators(studio: Reaching) -> None:
    rows = studio.rows("studio_conversions", metric="sales", show="assistants", **APRIL)
    assert [row["conversion_rate"] for row in rows] == sorted((row["conversion_rate"] for row in rows), reverse=True)
    for row in rows:
        mine = _took_part(row["base_id"], EVERY)
        converting = len({event.conversation_id for event in _sales(mine)})
        eligible = len(_took_part(row["base_id"], DEFLECTED))
        assert (row["eligible"], row["converting"]) == (eligible, converting)
    assert "Retired" not in {row["assistant"] for row in rows}
    # Of these the best rates are not those of the assistants that are listed first.
    tagged = studio.rows("studio_conversions", metric="sales", show="assistants", tags=["shipping"], **APRIL)
    rates = [row["conversion_rate"] for row in tagged]
    assert rates == sorted(rates, reverse=True)
    assert [row["assistant"] for row in tagged] != [row["assistant"] for row in rows]


def test_events_are_paged_and_their_details_hidden_unless_revealed(studio: Reaching) -> None:
    shaped = studio.tool("studio_conversions", metric="sales", show="events", limit=5, **APRIL)
    assert len(shaped.structured["rows"]) == 5
    assert shaped.structured["meta"]["n"] == len(_sales())
    assert any("offset=5" in note for note in shaped.structured["meta"]["notes"])
    assert "o-" not in shaped.text.split("metadata", 1)[1]
    trend = studio.rows("studio_conversions", metric="sales", show="trend", **APRIL)
    assert sum(row["events"] for row in trend) == len(_sales())


@pytest.mark.parametrize(
    ("tool", "words", "error", "said"),
    [
        ("studio_overview", {"assistant": "Suport desk"}, UnknownName, "Support desk"),
        ("studio_overview", {"shows": "totals"}, UnknownName, "show"),
        ("studio_overview", {"inbox": "Website"}, InvalidArgument, "studio_conversations"),
        ("studio_overview", {"show": "signals", "inbox": "Web site"}, UnknownName, "Website"),
        ("studio_overview", {"range": "last_8d"}, TalkscopeError, "last_"),
        ("studio_csat", {"range": "last_8d"}, InvalidRange, "last_7d"),
        ("studio_csat", {"max_rating": 6}, InvalidArgument, ""),
        ("studio_csat", {"tags": "a", "tag_filter": '{"tag":"b"}'}, InvalidArgument, "tag_filter"),
        ("studio_conversions", {"show": "trend"}, InvalidArgument, "metric"),
    ],
)  # fmt: skip
def test_words_that_are_off_are_refused_with_what_to_write(
    studio: Reaching, tool: str, words: dict[str, Any], error: type[TalkscopeError], said: str
) -> None:
    with pytest.raises(error) as caught:
        studio.tool(tool, **words)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_a_name_that_two_assistants_have_is_refused_with_both() -> None:
    twins = tuple(replace(each, name="Desk") if each.name in {"Orders", "Sales guide"} else each
                  for each in PROJECT.playbooks)  # fmt: skip
    world = replace(WORLD, projects=(replace(PROJECT, playbooks=twins, conversations=()),))
    vendor = studio_chat.server(of=world)
    with (
        reaching(
            vendor, "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW, also={"project_id": studio_chat.MAIN}
        ) as reached,
        pytest.raises(AmbiguousName) as caught,
    ):
        reached.tool("studio_overview", assistant="desk")
    found = {each.base_id for each in twins if each.name == "Desk"}
    assert set(caught.value.details["candidates"]) == found  # type: ignore[arg-type]
