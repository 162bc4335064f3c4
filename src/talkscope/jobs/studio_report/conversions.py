"""What conversations brought: each metric's topline and trend, and its rate by assistant."""

from __future__ import annotations

from talkscope.jobs.studio_report.facts import Converted
from talkscope.jobs.studio_report.making import Making, Measured, fraction
from talkscope.jobs.studio_report.outcome import bucket
from talkscope.models.answers import Cell
from talkscope.platforms.studio_chat import meaning
from talkscope.platforms.studio_chat.models import ConversionMetric

NONE = "The project has no conversion metric: nothing is configured, which is not 0 %."


def conversions(made: Making) -> None:
    """Each metric: events, value, rate with its n, and the days; an ingest that stopped is said first."""
    found = made.facts.conversions
    if found is None:
        return made.lacks("conversions", "Conversions")
    if not found:
        return made.say(NONE, "finding")
    for each in found:
        _topline(made, each)
    made.noted("conversions")
    return None


def _topline(made: Making, each: Converted) -> None:
    metric, found = each.metric, each.whole
    name = f"{metric.name or metric.slug} ({metric.slug})"
    if not found.is_configured:
        made.say(f"{metric.slug}: {meaning.NO_METRIC}", "finding")
        return
    made.say(f"{name}{_state(metric)}.")
    stale = made.facts.stale(metric)
    if stale:
        made.say(stale, "finding")
    if not found.total_events and metric.is_silent(made.facts.now):
        made.say(f"{name}: no event came in this window, which is no rate of 0 %.")
        return
    unit, eligible = metric.value_label or "", found.eligible_conversations
    converting = found.converting_conversations
    made.figures(
        metric.slug,
        [
            Measured("conversion_rate", "Conversion rate", fraction(found.conversion_rate_pct), "fraction", eligible,
                     "deflected conversations"),
            Measured("converting_conversations", "Converting conversations", converting),
            Measured("events", "Events", found.total_events),
            Measured("total_value", "Total value", found.total_value, unit),
            Measured("avg_value", "Mean value", found.avg_value, unit, found.total_events, "events"),
            Measured("value_per_converting_conversation", "Value per converting conversation",
                     found.avg_value_per_conversation, unit, converting, "converting conversations"),
        ],
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [bucket(at.date, found.time_granularity), at.event_count, at.total_value, at.converting_conversations]
        for at in found.time_series
    ]
    if rows:
        made.grid(
            f"{metric.slug}_trend",
            ("start", "events", "total_value", "converting_conversations"),
            rows,
            caption=f"{name} over time, in UTC.",
            units={"total_value": unit},
        )
    else:
        made.empty(f"{metric.slug} has no event in it")


def _state(metric: ConversionMetric) -> str:
    last = metric.last_event_at.isoformat(timespec="minutes")[:16].replace("T", " ") if metric.last_event_at else None
    told = f"last event {last} UTC" if last else "no event has ever come"
    return f": {told}{', switched off' if metric.enabled is False else ''}"


def funnel(made: Making) -> None:
    """Each metric by assistant, best rate first."""
    found = made.facts.conversions
    if found is None:
        return made.lacks("conversions", "Funnel")
    if "funnel" in made.facts.lacking:
        return made.lacks("funnel", "Funnel")
    if not found:
        return made.say(NONE, "finding")
    names = {each.base_id: each.name or each.base_id for each in made.facts.playbooks}
    for each in found:
        metric = each.metric
        if not each.whole.is_configured:
            made.say(f"{metric.slug}: {meaning.NO_METRIC}", "finding")
            continue
        stale = made.facts.stale(metric)
        if stale:
            made.say(stale, "finding")
        if not each.whole.total_events:
            made.say(f"{metric.slug}: no event in this window, so there is nothing to compare.")
            continue
        unit = metric.value_label or ""
        rows: list[list[Cell]] = [
            [names.get(base, base), one.converting_conversations, fraction(one.conversion_rate_pct),
             one.eligible_conversations, one.total_value]
            for base, one in each.assistants.items()
        ]  # fmt: skip
        rows.sort(key=lambda row: (row[2] is None, -float(row[2] or 0), str(row[0])))
        made.grid(
            metric.slug,
            ("assistant", "converting", "conversion_rate", "n", "total_value"),
            rows,
            caption=f"{metric.name or metric.slug} by assistant, the best rate first; n is the assistant's deflected"
            " conversations.",
            units={"conversion_rate": "fraction", "total_value": unit},
            titles={"n": "deflected"},
        )
    made.note("A conversation counts for every assistant that took part in it.")
    made.noted("conversions", "funnel")
    return None
