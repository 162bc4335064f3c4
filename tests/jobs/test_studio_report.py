"""A report on Studio Chat: every section's figures are those that its records give when counted plainly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import Any

import anyio
import pytest

from talkscope.client import AsyncClient
from talkscope.errors import AuthenticationError, InvalidArgument, UnknownName
from talkscope.jobs.report import html, markdown
from talkscope.jobs.studio_report import RECIPES, Facts, Made, Saved, Scope, chosen, exported, gather, report
from talkscope.models.masking import Mask
from talkscope.models.records import micros
from talkscope.models.window import Window
from talkscope.platforms.studio_chat import PLATFORM
from talkscope.platforms.studio_chat.models import CsatAnalytics, ToolkitUsage
from tests.vendors import studio_chat
from tests.vendors.engine import Reply, served
from tests.vendors.studio_chat import MAIN, NOW, SMALL, StudioChat
from tests.vendors.studio_chat.records import Conversation, World

START, END = datetime(2026, 4, 10, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
WINDOW = Window(micros(START), micros(END))
PROJECT = studio_chat.world().projects[0]
APRIL = [each for each in PROJECT.conversations if START <= each.last_at < END]
MASK = Mask(b"k" * 32).mask
Vendor = tuple[StudioChat, str]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    made = studio_chat.server()
    with served(made) as url:
        yield made, url


@pytest.fixture
def fresh(vendor: Vendor) -> Iterator[Vendor]:
    vendor[0].forget()
    yield vendor
    vendor[0].answer_as_before()


def live(
    url: str, *names: str, scope: Scope | None = None, project: str = MAIN, reveal: bool = False,
    keep: Callable[[str, Any], object] = lambda _name, _json: None, key: str = studio_chat.KEY, now: datetime = NOW,
) -> Made:  # fmt: skip
    """The report on the account behind that address."""
    recipes = chosen(names)
    facts = Facts(scope or Scope(WINDOW), now, "shop")

    async def main() -> None:
        async with AsyncClient(url, key=key, key_header="x-api-key", manners=PLATFORM.manners) as client:
            await gather(client, project, facts, {need for each in recipes.values() for need in each.needs}, keep=keep)

    anyio.run(main)
    return report(facts, recipes, mask=str if reveal else MASK, reveal=reveal)


class Told:
    """The figures of a report: by recipe and table, rows of figures; `n` is under the figure's name and `/n`."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.tables: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        for recipe, table, row, figure, value, _, n in made.cells:
            found = self.tables.setdefault((str(recipe), str(table)), {}).setdefault(str(row), {})
            assert figure not in found, (recipe, table, row, figure)
            found[str(figure)] = value
            if n is not None:
                found[f"{figure}/n"] = n

    def __call__(self, recipe: str, table: str) -> dict[str, dict[str, Any]]:
        return self.tables[recipe, table]

    def rates(self, recipe: str, table: str, figure: str) -> dict[str, tuple[Any, Any]]:
        """A rate and its n by row."""
        return {row: (cells[figure], cells.get(f"{figure}/n")) for row, cells in self(recipe, table).items()}

    def section(self, title: str) -> str:
        return markdown(self.made.report).partition(f"\n## {title}\n")[2].partition("\n## ")[0].replace("\\", "")


@pytest.fixture(scope="module")
def told(vendor: Vendor) -> Told:
    return Told(live(vendor[1]))


def rate(part: int, n: int) -> tuple[Any, int]:
    return (pytest.approx(part / n, abs=1e-6) if n else None, n)


def shares(labels: Sequence[str | None], known: Sequence[str]) -> dict[str, tuple[float | None, int]]:
    """What a signal's table says: each label's share of those that have the signal."""
    there = Counter(each for each in labels if each)
    return {label: rate(there[label], there.total()) for label in known}


def signal(name: str, every: Sequence[Conversation] = APRIL) -> list[str | None]:
    return [getattr(each.signals, name) if each.scored and each.signals else None for each in every]


# What conversations say


def test_deflection_is_counted_by_assistant_tag_and_day_each_with_its_n(told: Told) -> None:
    n, kept = len(APRIL), sum(not each.handoff for each in APRIL)
    totals = told("deflection", "totals")["all"]
    assert (totals["deflection_rate"], totals["deflection_rate/n"]) == rate(kept, n)
    assert (totals["conversations"], totals["handoffs"], totals["deflected"]) == (n, n - kept, kept)
    assert totals["messages"] == sum(len(each.messages) for each in APRIL)
    latencies = [one for each in APRIL for one in each.latencies]
    assert totals["avg_response_latency_ms"] == pytest.approx(fmean(latencies), abs=0.5)
    sent = [each for each in APRIL if each.winback_at]
    answered = rate(sum(each.winback_answered for each in sent), len(sent))
    assert (totals["winback_answered_rate"], totals["winback_answered_rate/n"]) == answered

    def deflected(some: list[Conversation]) -> tuple[float | None, int]:
        return rate(sum(not each.handoff for each in some), len(some))

    names = {each.playbook.name for each in APRIL}
    by_name = {name: deflected([each for each in APRIL if each.playbook.name == name]) for name in names}
    assert told.rates("deflection", "by_assistant", "deflection_rate") == by_name
    tags = {tag for each in APRIL for tag in each.tags}
    by_tag = {tag: deflected([each for each in APRIL if tag in each.tags]) for tag in tags}
    assert told.rates("deflection", "by_tag", "deflection_rate") == by_tag
    trend = told.rates("deflection", "trend", "deflection_rate")
    days = [(START + timedelta(days=number)).date() for number in range(21)]
    assert trend == {str(day): deflected([each for each in APRIL if each.last_at.date() == day]) for day in days}
    assert f"{kept / n * 100:.1f} % of {n} conversations were deflected" in told.section("Deflection rate")
    assert "those that customers gave up included" in told.section("Deflection rate")


LABELS = {
    "sentiment": ("positive", "neutral", "negative"),
    "shift": ("improved", "stable", "degraded"),
    "deflection_quality": ("resolved", "partial", "actioned", "no_response"),
    "handoff_reason": ("policy", "user_request", "frustration", "bot_limitation"),
    "recontact_risk": ("low", "medium", "high"),
    "resources": ("irrelevant", "partial", "relevant"),
}


def test_sentiment_is_of_the_scored_and_says_how_many_are(told: Told) -> None:
    scored = [each for each in signal("sentiment") if each]
    coverage = told("sentiment", "coverage")["all"]
    assert (coverage["coverage"], coverage["coverage/n"]) == rate(len(scored), len(APRIL))
    assert told.rates("sentiment", "sentiment", "share") == shares(scored, LABELS["sentiment"])


@pytest.mark.parametrize("name", ["shift", "deflection_quality", "handoff_reason", "recontact_risk", "resources"])
def test_each_signal_is_over_the_sum_of_its_own_distribution(told: Told, name: str) -> None:
    table = {"shift": "sentiment_shift"}.get(name, name)
    expected = shares(signal(name), LABELS[name])
    assert told.rates("signals", table, "share") == expected
    assert name != "handoff_reason" or max(n for _, n in expected.values()) < sum(each.handoff for each in APRIL) + 1


def test_metadata_counts_skills_negative_handoffs_and_high_risk(told: Told) -> None:
    n = len(APRIL)
    totals = told("metadata", "totals")["all"]
    assert (totals["unscored"], totals["unscored/n"]) == rate(sum(not each for each in signal("sentiment")), n)
    assert totals["median_messages"] == median(len(each.messages) for each in APRIL)
    skills = Counter(skill for each in APRIL for skill in each.skills)
    assert told.rates("metadata", "skills", "share") == {name: rate(count, n) for name, count in skills.items()}
    handoffs = [each for each in APRIL if each.handoff and each.scored and each.signals]
    negative = [each for each in handoffs if each.signals and each.signals.sentiment == "negative"]
    share = told("metadata", "negative_handoffs")["all"]
    assert (share["share"], share["share/n"]) == rate(len(negative), len(handoffs))
    newest = sorted(negative, key=lambda each: each.last_at, reverse=True)[:5]
    listed = told("metadata", "negative_handoff_list")
    assert [row for row in listed if "phone" not in row] == [each.id for each in newest if "wa:" not in each.id]
    assert [each["summary"] for each in listed.values()] == [each.signals.summary for each in newest if each.signals]
    risk = told("metadata", "high_recontact_risk")["all"]
    known = [each for each in signal("recontact_risk") if each]
    assert (risk["share"], risk["share/n"]) == rate(known.count("high"), len(known))
    assert told.rates("metadata", "handoff_reason", "share") == told.rates("signals", "handoff_reason", "share")


def test_dimensions_are_combined_as_the_seven_examples_say(told: Told) -> None:
    every = [(each, each.signals if each.scored else None) for each in APRIL]

    def count(of: Callable[[Any, Any], bool], holds: Callable[[Any, Any], bool]) -> tuple[float | None, int]:
        some = [(each, signals) for each, signals in every if of(each, signals)]
        return rate(sum(holds(each, signals) for each, signals in some), len(some))

    found = told.rates("combining", "examples", "share")
    assert found["negative sentiment, skill refund-process"] == count(
        lambda each, signals: signals and "refund-process" in each.skills,
        lambda _, signals: signals.sentiment == "negative",
    )
    assert found["handed over, tag billing"] == count(
        lambda each, _: "billing" in each.tags, lambda each, _: each.handoff
    )
    assert found["10 messages or more, resources irrelevant"] == count(
        lambda each, signals: signals and signals.resources and len(each.messages) >= 10,
        lambda _, signals: signals.resources == "irrelevant",
    )
    singles = {
        "a follow-up action was created": ("deflection_quality", "actioned"),
        "handed over for frustration": ("handoff_reason", "frustration"),
        "high recontact risk": ("recontact_risk", "high"),
        "sentiment degraded": ("shift", "degraded"),
    }
    for what, (name, label) in singles.items():
        there = [each for each in signal(name) if each]
        assert found[what] == rate(there.count(label), len(there)), what
    listed = told("combining", "conversations")
    lengths = [cells["messages"] for row, cells in listed.items() if row.startswith("handed over, tag vip")]
    vip = sorted((len(each.messages) for each in APRIL if each.handoff and "vip" in each.tags), reverse=True)
    assert lengths == vip[:3]


# What resources say


@pytest.mark.parametrize(
    ("recipe", "calls"), [("api-tools", "api_calls"), ("toolkits", "toolkit_calls"), ("skills", "skill_loads")]
)
def test_use_of_resources_is_counted_by_when_a_call_was_made(told: Told, recipe: str, calls: str) -> None:
    made = [call for call in getattr(PROJECT, calls) if START <= call.at < END]
    totals = told(recipe, "totals")["all"]
    assert (totals["success_rate"], totals["success_rate/n"]) == rate(sum(call.ok for call in made), len(made))
    assert (totals["calls"], totals["failed"]) == (len(made), sum(not call.ok for call in made))
    if recipe == "skills":
        assert "avg_duration_ms" not in totals
        newest = sorted(made, key=lambda call: (call.at, call.id), reverse=True)[:10]
        shown = [(each["skill"], each["outcome"]) for each in told("skills", "recent").values()]
        assert shown == [(call.name, "ok" if call.ok else f"failed: {call.error}") for call in newest]
        assert {call.ok for call in newest} == {True, False}
        return
    timed = [call.duration_ms for call in made if call.duration_ms is not None]
    assert totals["avg_duration_ms"] == pytest.approx(fmean(timed), abs=1e-3)


def test_api_tools_are_told_by_day_and_toolkits_by_action(told: Told) -> None:
    calls = [call for call in PROJECT.api_calls if START <= call.at < END]
    by_day = Counter(str(call.at.date()) for call in calls)
    good = Counter(str(call.at.date()) for call in calls if call.ok)
    assert told.rates("api-tools", "days", "success_rate") == {day: rate(good[day], n) for day, n in by_day.items()}
    kits = [call for call in PROJECT.toolkit_calls if START <= call.at < END]
    actions = Counter(call.name for call in kits)
    well = Counter(call.name for call in kits if call.ok)
    assert told.rates("toolkits", "by_action", "success_rate") == {
        each: rate(well[each], n) for each, n in actions.items()
    }
    failed = sorted((call for call in kits if not call.ok), key=lambda call: (call.at, call.id), reverse=True)
    assert [each["error"] for each in told("toolkits", "failures").values()] == [call.error for call in failed[:10]]


def test_actions_stand_by_their_calls_whatever_the_order_of_the_answer() -> None:
    actions = [{"action_name": name, "count": count, "success_count": 1} for name, count in (("A", 2), ("B", 9))]
    usage = {"total_calls": 11, "successful_calls": 2, "failed_calls": 9, "by_action": actions}
    facts = Facts(Scope(WINDOW), NOW, "shop", toolkits=ToolkitUsage.model_validate(usage))
    made = report(facts, chosen(["toolkits"]), mask=MASK)
    assert list(Told(made)("toolkits", "by_action")) == ["B", "A"]


def test_how_many_ratings_are_low_is_not_taken_for_none_where_it_is_not_told() -> None:
    ratings = CsatAnalytics.model_validate({"is_configured": True, "total_rated": 40})
    made = report(Facts(Scope(WINDOW), NOW, "shop", csat=ratings), chosen(["dsat"]), mask=MASK)
    assert "is not told" in Told(made).section("Low ratings")
    assert "None of" not in markdown(made.report)


def test_citations_are_told_by_source_and_the_top_items_by_title(told: Told) -> None:
    cited = [one for each in PROJECT.conversations for one in each.citations if START <= one.at < END]
    sources = Counter(one.source for one in cited)
    assert told("knowledge", "totals")["all"]["citations"] == len(cited)
    by_source = {source: rate(count, len(cited)) for source, count in sources.items()}
    assert told.rates("knowledge", "by_source", "share") == by_source
    titles = {item: title for base in PROJECT.bases for item, title in base.items}
    counts = Counter(one.item_id for one in cited)
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    top = {item: (titles[item], count) for item, count in ranked[:10]}
    assert {item: (row["title"], row["citations"]) for item, row in told("knowledge", "top_items").items()} == top
    (intercom,) = (base for base in PROJECT.bases if base.kind == "INTERCOM")
    articles = Counter(one.item_id for one in cited if one.kb_id == intercom.id)
    found = told("intercom", "top_articles")
    assert {item: (row["title"], row["citations"]) for item, row in found.items()} == {
        item: (titles[item], count) for item, count in articles.most_common(10)
    }


def test_sparklines_are_cut_to_the_window_and_named(told: Told) -> None:
    names = {tool.id: tool.name for tool in PROJECT.tools}
    calls = Counter(names[call.owner] for call in PROJECT.api_calls if START <= call.at < END)
    found = told("sparklines", "api_tools")
    assert {name: row["total"] for name, row in found.items()} == dict(calls)
    last = [str((END - timedelta(days=back)).date()) for back in range(7, 0, -1)]
    for name, row in found.items():
        by_day = Counter(str(call.at.date()) for call in PROJECT.api_calls if names[call.owner] == name)
        assert row["last_days"] == " ".join(str(by_day[day]) for day in last)
        assert len(row["days"]) == 21
    assert set(told("sparklines", "knowledge_bases")) <= {base.title for base in PROJECT.bases}


def test_sparklines_of_a_window_that_ends_now_have_the_present_day(fresh: Vendor) -> None:
    lately = Window(micros(NOW - timedelta(days=2)), micros(NOW))
    found = Told(live(fresh[1], "sparklines", scope=Scope(lately)))("sparklines", "api_tools")
    by_day = Counter(call.at.date() for call in PROJECT.api_calls)
    days = [(NOW - timedelta(days=back)).date() for back in (2, 1, 0)]
    assert sum(row["total"] for row in found.values()) == sum(by_day[day] for day in days)
    assert by_day[NOW.date()] > 0


def test_days_that_the_service_has_forgotten_are_said_to_be(fresh: Vendor) -> None:
    old = Window(micros(NOW - timedelta(days=200)), micros(NOW - timedelta(days=80)))
    text = Told(live(fresh[1], "sparklines", scope=Scope(old))).section("All resources at a glance")
    assert "Days before 2026-02-05 are not told any more" in text
    assert {dict(each.pairs).get("days") for each in fresh[0].seen if "sparklines" in each.path} == {"90"}


# What customers say


def test_satisfaction_is_told_with_its_n_distribution_and_trend(told: Told) -> None:
    stars = Counter(each.rating.stars for each in APRIL if each.rating)
    n, eligible = stars.total(), sum(not each.handoff for each in APRIL)
    scores = told("csat", "scores")["all"]
    assert (scores["csat"], scores["csat/n"]) == rate(stars[4] + stars[5], n)
    assert (scores["dsat"], scores["dsat/n"]) == rate(stars[1] + stars[2], n)
    assert (scores["response_rate"], scores["response_rate/n"]) == rate(n, eligible)
    expected = {f"{star} ★": rate(stars[star], n) for star in range(5, 0, -1)}
    assert told.rates("csat", "distribution", "share") == expected
    days: dict[str, Counter[bool]] = {}
    for each in APRIL:
        if each.rating:
            days.setdefault(str(each.last_at.date()), Counter())[each.rating.stars > 3] += 1
    assert told.rates("csat", "trend", "csat") == {day: rate(one[True], one.total()) for day, one in days.items()}
    could = Counter(str(each.last_at.date()) for each in APRIL if not each.handoff)
    answered = {day: rate(one.total(), could[day]) for day, one in days.items()}
    assert told.rates("csat", "trend", "response_rate") == answered


def test_low_ratings_are_counted_by_themselves_and_remarks_are_hidden(told: Told, vendor: Vendor) -> None:
    low = [each for each in APRIL if each.rating and each.rating.stars < 3]
    rated = sum(each.rating is not None for each in APRIL)
    found = told("dsat", "low")["all"]
    assert (found["low"], found["share"], found["share/n"]) == (len(low), *rate(len(low), rated))
    tags = Counter(tag for each in low for tag in each.tags)
    assert told.rates("dsat", "tags", "share") == {tag: rate(count, len(low)) for tag, count in tags.items()}
    remarks = [each.rating.remark for each in low if each.rating and each.rating.remark]
    assert remarks
    section = told.section("Low ratings")
    assert all(remark not in section for remark in remarks if len(remark) > 3)
    assert section.count("[hidden: ") == len(remarks)
    shown = Told(live(vendor[1], "dsat", reveal=True))
    assert Counter(row["remark"] for row in shown("dsat", "remarks").values()) == Counter(remarks)


def test_low_ratings_beyond_a_page_are_all_read(fresh: Vendor) -> None:
    def page(asked: Any) -> Reply:
        offset, many = asked.query["ratings_offset"], 250
        rows = [
            {"conversation_id": f"c{number}", "rating": 1, "remark": None, "rated_at": None, "tags": ["slow"]}
            for number in range(offset, min(offset + asked.query["ratings_limit"], many))
        ]
        return Reply(
            {
                "is_configured": True, "total_rated": 1_000, "csat_score_pct": 75.0, "dsat_score_pct": 25.0,
                "eligible_deflected": 2_000, "response_rate_pct": 50.0, "positive_count": 750, "neutral_count": 0,
                "negative_count": 250, "rating_distribution": {"1": 250, "2": 0, "3": 0, "4": 0, "5": 750},
                "time_series": [], "time_granularity": "day", "ratings": rows, "ratings_offset": offset,
            }
        )  # fmt: skip

    fresh[0].answer_with("csat_analytics", page)
    found = Told(live(fresh[1], "csat", "dsat"))
    assert found.rates("dsat", "tags", "share") == {"slow": (1.0, 250)}
    # The score comes with the first page of low ratings.
    assert fresh[0].count("csat_analytics") == 2


def test_satisfaction_and_conversions_that_are_not_configured_are_no_zero(vendor: Vendor) -> None:
    found = Told(live(vendor[1], "csat", "dsat", "conversions", "funnel", project=SMALL))
    assert found.made.cells == []
    text = markdown(found.made.report)
    assert text.count("Satisfaction is not configured for this project") == 2
    assert text.count("no conversion metric: nothing is configured") == 2
    one = Told(live(vendor[1], "conversions", scope=Scope(WINDOW, metrics=("sale",)), project=SMALL))
    assert "sale: No conversion metric has this slug" in one.section("Conversions")
    assert one.made.cells == []


# What conversations brought


def test_conversions_are_told_with_their_rate_value_and_days(told: Told) -> None:
    (sales,) = (each for each in PROJECT.metrics if each.slug == "sales")
    events = [event for event in sales.events if START <= event.at < END]
    converting = {event.conversation_id for event in events}
    eligible = sum(not each.handoff for each in APRIL)
    found = told("conversions", "sales")["all"]
    assert (found["conversion_rate"], found["conversion_rate/n"]) == rate(len(converting), eligible)
    value = sum(event.value for event in events)
    assert found["total_value"] == pytest.approx(value, abs=0.01)
    assert (found["avg_value"], found["avg_value/n"]) == (pytest.approx(value / len(events), abs=1e-3), len(events))
    days = Counter(str(event.at.date()) for event in events)
    trend = told("conversions", "sales_trend")
    assert {day: row["events"] for day, row in trend.items() if row["events"]} == dict(days)


def test_the_funnel_compares_assistants_best_rate_first(told: Told) -> None:
    (sales,) = (each for each in PROJECT.metrics if each.slug == "sales")
    events = [event for event in sales.events if START <= event.at < END]
    expected = {}
    for base, name in {each.base_id: each.name for each in PROJECT.playbooks if not each.deleted}.items():
        took_part = {each.id for each in PROJECT.conversations if any(one.base_id == base for one in each.playbooks)}
        converting = {event.conversation_id for event in events} & took_part
        expected[name] = rate(len(converting), sum(not each.handoff and each.id in took_part for each in APRIL))
    found = told.rates("funnel", "sales", "conversion_rate")
    assert found == expected
    rates = [value for value, _ in found.values()]
    assert rates == sorted(rates, reverse=True)


def test_an_ingest_that_stopped_is_flagged_and_one_without_events_has_no_rate(told: Told) -> None:
    section = told.section("Conversions")
    assert "The last event of bookings came 2026-04-15" in section
    assert "its ingest is likely broken" in section
    assert "sales came" not in section
    assert "Upgrades (upgrades): no event came in this window, which is no rate of 0 %." in section
    assert ("conversions", "upgrades") not in told.tables
    assert "upgrades: no event in this window, so there is nothing to compare." in told.section(
        "Conversion by assistant"
    )


# What is asked


def test_each_call_is_asked_once_with_explicit_dates_and_few_at_a_time(fresh: Vendor) -> None:
    live(fresh[1])
    studio, asked = fresh[0], [(each.path, each.pairs) for each in fresh[0].seen]
    assert len(asked) == len(set(asked))
    assert studio.most_at_once <= 4
    for each in studio.seen:
        told = dict(each.pairs)
        if ("/analytics" in each.path and "sparklines" not in each.path) or each.path.endswith("/aggregate"):
            assert {"start_date", "end_date"} <= told.keys(), each.path
    days = {
        dict(each.pairs)["start_date"]
        for each in studio.seen
        if each.path.endswith(("/api-tools", "/kbs")) and each.pairs
    }
    assert days - {""} == {"2026-04-10"}


def test_a_recipe_asks_for_no_more_than_it_needs(fresh: Vendor) -> None:
    live(fresh[1], "sentiment", "signals")
    assert [each.operation for each in fresh[0].seen] == ["metrics_aggregate"]


def test_an_assistant_and_tags_narrow_what_can_be_and_what_cannot_be_says_so(fresh: Vendor) -> None:
    base = PROJECT.playbooks[0].base_id
    names = ("deflection", "sentiment", "metadata", "skills", "csat", "conversions", "funnel")
    found = Told(live(fresh[1], *names, scope=Scope(WINDOW, base, ("refund",))))
    mine = [each for each in APRIL if "refund" in each.tags and any(one.base_id == base for one in each.playbooks)]
    assert 0 < len(mine) < len(APRIL)
    kept = sum(not each.handoff for each in mine)
    assert found("deflection", "totals")["all"]["deflection_rate/n"] == len(mine)
    assert found("sentiment", "coverage")["all"]["coverage/n"] == len(mine)
    assert found("metadata", "totals")["all"]["conversations"] == len(mine)
    assert found("csat", "scores")["all"]["response_rate/n"] == kept
    assert found("conversions", "sales")["all"]["conversion_rate/n"] == kept
    assert list(found("funnel", "sales")) == ["Support desk"]
    assert "the whole project's" in found.section("Skill usage")
    text = markdown(found.made.report).replace("\\", "")
    assert f"Support desk ({base})" in text
    assert "With the tags: refund" in text


def test_an_assistant_that_is_not_known_is_refused_before_anything_is_reported(vendor: Vendor) -> None:
    with pytest.raises(UnknownName, match="playbook_base_id"):
        live(vendor[1], "deflection", scope=Scope(WINDOW, "support-desk"))


def test_what_is_refused_is_told_in_its_section_and_the_rest_stands(fresh: Vendor) -> None:
    fresh[0].answer_with("csat_analytics", Reply({"detail": "off"}, 404))
    found = Told(live(fresh[1], "deflection", "csat", "dsat"))
    assert "Satisfaction: not answered." in found.section("Satisfaction")
    assert "Low ratings: not answered." in found.section("Low ratings")
    assert ("deflection", "totals") in found.tables
    assert fresh[0].count("csat_analytics") == 1


def test_without_any_answer_there_is_no_report(vendor: Vendor) -> None:
    with pytest.raises(AuthenticationError):
        live(vendor[1], "deflection", "csat", key="sbs_wrong")


def test_an_empty_window_says_so_in_every_section_and_invents_nothing(vendor: Vendor) -> None:
    empty = Window(micros(datetime(2025, 1, 1, tzinfo=UTC)), micros(datetime(2025, 1, 8, tzinfo=UTC)))
    found = Told(live(vendor[1], scope=Scope(empty)))
    silent = {recipe.title for recipe in RECIPES.values()}
    for title in silent:
        section = found.section(title)
        assert "o data in this window" in section or "Nobody rated" in section or "nothing to compare" in section, title
    assert not [cell for cell in found.made.cells if cell[5] == "fraction" and cell[4] is not None]


# What an export says


@pytest.fixture(scope="module")
def saved(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of April's conversations with their messages, as an export has them."""
    place = tmp_path_factory.mktemp("export")
    listed = Saved(place)
    live(vendor[1], "metadata", keep=listed.keep)
    listed.done("2026-05-05T16:00:00Z")
    return place / "all_conversations.json"


def from_file(
    file: Path, *names: str, scope: Scope | None = None, tags: Sequence[str] = (), now: datetime = NOW
) -> Told:
    facts = exported(file, scope, tags=tags, now=now)
    return Told(report(facts, chosen(names), mask=MASK))


def test_an_export_gives_the_same_figures_as_the_account_does(told: Told, saved: Path) -> None:
    found = from_file(saved)
    same = [key for key in told.tables if key[0] in ("sentiment", "signals", "metadata", "combining", "deflection")]
    assert len(same) > 15
    for key in same:
        if key != ("deflection", "totals"):
            assert found.tables[key] == told.tables[key], key
    ours, theirs = found("deflection", "totals")["all"], told("deflection", "totals")["all"]
    assert ours.keys() < theirs.keys()
    assert all(theirs[name] == pytest.approx(value, abs=1e-3) for name, value in ours.items())


def test_what_an_export_cannot_tell_is_said_and_not_counted(saved: Path) -> None:
    found = from_file(saved)
    for name in (
        "api-tools",
        "toolkits",
        "skills",
        "knowledge",
        "intercom",
        "sparklines",
        "csat",
        "dsat",
        "conversions",
        "funnel",
    ):
        assert "export" in found.section(RECIPES[name].title), name
        assert not [key for key in found.tables if key[0] == name]


def test_an_export_with_messages_tells_latencies_and_citations(vendor: Vendor, saved: Path, tmp_path: Path) -> None:
    rows = json.loads(saved.read_bytes())["conversations"]
    by_id = {each.id: each for each in APRIL}
    for row in rows:
        row["messages"] = [
            {"role": one.role, "content": one.content, "metadata": {"response_latency_ms": one.latency_ms}}
            for one in by_id[row["conversation_id"]].messages
        ]
        row["citations"] = [
            {"citation_id": one.id, "kb_id": one.kb_id, "item_id": one.item_id, "content": ""}
            for one in by_id[row["conversation_id"]].citations
        ]
    file = tmp_path / "with messages.ndjson"
    rows[0]["summary"] = "one line\u2028for JSON"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    found = from_file(file, "deflection", "knowledge", "intercom")
    latencies = [one for each in APRIL for one in each.latencies]
    mean = found("deflection", "totals")["all"]["avg_response_latency_ms"]
    assert mean == pytest.approx(fmean(latencies), abs=1e-3)
    cited = Counter(one.item_id for each in APRIL for one in each.citations)
    assert found("knowledge", "totals")["all"]["citations"] == cited.total()
    ranked = sorted(cited.items(), key=lambda each: (-each[1], each[0]))[:10]
    assert [(item, row["citations"]) for item, row in found("knowledge", "top_items").items()] == ranked
    assert "does not say which knowledge bases are Intercom's" in found.section("Most cited Intercom articles")


def test_a_window_and_tags_narrow_an_export(saved: Path) -> None:
    week = Window(micros(END - timedelta(days=7)), micros(END))
    found = from_file(saved, "deflection", scope=Scope(week), tags=("vip",))
    mine = [each for each in APRIL if each.last_at >= END - timedelta(days=7) and "vip" in each.tags]
    assert found("deflection", "totals")["all"]["conversations"] == len(mine) > 0
    assert f"{len(mine)} of {len(APRIL)} in the file" in markdown(found.made.report)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"rows": []}', "no json", '{"conversation_id": "a"}\nno json'])
def test_a_file_that_is_no_export_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(text, encoding="utf-8")
    if not text:
        assert from_file(file, "deflection").made.cells == []
        return
    with pytest.raises(InvalidArgument):
        from_file(file, "deflection")


# Who may see it


def test_texts_from_outside_are_masked_and_stay_text(fresh: Vendor) -> None:
    world: World = studio_chat.world(conversations=12)
    project = world.projects[0]
    first = project.conversations[0]
    assert first.signals is not None
    told = "Ada <ada@example.com> wrote | <script>alert(1)</script> =cmd"
    signals = replace(first.signals, sentiment="negative", recontact_risk="high", summary=told, intent=told)
    odd = replace(first, id="wa:+4917612345678", handoff=True, scored=True, signals=signals, tags=("=1+1",))
    changed = replace(world, projects=(replace(project, conversations=(odd,)), *world.projects[1:]))
    whole = Window(micros(NOW - timedelta(days=60)), micros(NOW))
    vendor = studio_chat.server(of=changed)
    with served(vendor) as url:
        made = live(url, "deflection", "metadata", "combining", scope=Scope(whole))
        shown = live(url, "metadata", scope=Scope(whole), reveal=True)
    page, text = html(made.report, lambda _: ""), markdown(made.report)
    for form in (page, text, str(made.cells)):
        assert "ada@example.com" not in form
        assert "+4917612345678" not in form
        assert "wa:phone:" in form
    assert "<script" not in page
    assert r"\<script\>" in text
    assert "ada@example.com" in str(shown.cells)
    assert "wa:+4917612345678" in str(shown.cells)
