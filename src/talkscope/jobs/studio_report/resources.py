"""How API tools, toolkits and skills are used, and the days of every resource at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

from talkscope.jobs.studio_report.making import Making, Measured, share
from talkscope.jobs.studio_report.outcome import bucket
from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.studio_chat.models import (
    ApiToolUsage,
    SkillLoad,
    SkillUsage,
    Sparkline,
    ToolkitCall,
    ToolkitUsage,
)

RECENT = 200
"""Calls of toolkits that are looked through for failures."""
LOADS = 10
"""Loads of skills that are shown."""
KINDS: Mapping[str, str] = {
    "api_tools": "API tools, calls",
    "toolkits": "Toolkits, calls",
    "skills": "Skills, loads",
    "knowledge_bases": "Knowledge bases, citations",
}
_BARS = "▁▂▃▄▅▆▇█"
_WEEK = 7
_TITLES = {"n": "calls", "avg_ms": "mean (ms)"}
_RATES = {"success_rate": "fraction", "avg_ms": "ms"}


def api_tools(made: Making) -> None:
    """Calls of API tools: how many, how many succeeded, how long they took, day by day."""
    found = made.facts.api_tools
    if found is None:
        return made.lacks("api_tools", "API tools")
    if not found.total_calls:
        return made.empty("no API tool was called")
    made.figures("totals", _totals(found, "calls"))
    _days(made, found)
    _whose(made, "api_tools")
    return None


def toolkits(made: Making) -> None:
    """Calls of toolkits by action, and those that failed of late."""
    found = made.facts.toolkits
    if found is None:
        return made.lacks("toolkits", "Toolkits")
    if not found.total_calls:
        return made.empty("no toolkit was called")
    made.figures("totals", _totals(found, "calls"))
    made.grid(
        "by_action",
        ("action", "succeeded", "success_rate", "n"),
        [
            [each.action_name, each.success_count, share(each.success_count, each.count), each.count]
            for each in sorted(found.by_action, key=lambda one: (-one.count, one.action_name))
        ],
        caption="By action, most calls first.",
        units=_RATES,
        titles=_TITLES,
    )
    _failures(made, found)
    _whose(made, "toolkits")
    return None


def _failures(made: Making, found: ToolkitUsage) -> None:
    failed: list[ToolkitCall] = [each for each in found.recent if not each.success]
    looked = len(found.recent)
    if not failed:
        made.say(f"None of the newest {looked:,} calls failed." if looked else "The calls themselves are not told.")
        return
    made.grid(
        "failures",
        ("call", "time", "toolkit", "action", "error"),
        [
            [each.id, _at(each), each.toolkit_slug, each.action_name, each.error_message or "unknown"]
            for each in failed[:LOADS]
        ],
        caption=f"The newest failures: {min(len(failed), LOADS)} of {len(failed)} among the newest {looked:,} calls.",
    )


def skills(made: Making) -> None:
    """Loads of skills, and the newest of them."""
    found = made.facts.skills
    if found is None:
        return made.lacks("skills", "Skills")
    if not found.total_calls:
        return made.empty("no skill was loaded")
    made.figures("totals", _totals(found, "loads"))
    made.grid(
        "recent",
        ("load", "time", "skill", "outcome", "conversation"),
        [
            [each.id, _at(each), each.skill_name, _ended(each), each.conversation_id]
            for each in found.recent[:LOADS]
        ],
        caption=f"The newest {min(LOADS, len(found.recent))} loads.",
    )  # fmt: skip
    _whose(made, "skills")
    return None


def _ended(each: SkillLoad) -> str:
    return "ok" if each.success else f"failed: {each.error_message or 'unknown'}"


def _totals(found: ApiToolUsage | ToolkitUsage | SkillUsage, what: str) -> list[Measured]:
    n = found.total_calls
    shown = [
        Measured("success_rate", "Succeeded", share(found.successful_calls, n), "fraction", n, what),
        Measured("calls", what.capitalize(), n),
        Measured("failed", "Failed", found.failed_calls),
    ]
    if not isinstance(found, SkillUsage):
        mean = found.avg_duration_ms
        shown.append(Measured("avg_duration_ms", "Mean duration", mean, "ms", None, "calls that were timed"))
    return shown


def _days(made: Making, found: ApiToolUsage) -> None:
    made.grid(
        "days",
        ("day", "succeeded", "success_rate", "n", "avg_ms"),
        [
            [bucket(each.date, "day"), each.success_count, share(each.success_count, each.count), each.count,
             each.avg_duration_ms]
            for each in found.time_series
        ],
        caption="By day in UTC. A day without calls may be left out.",
        units=_RATES,
        titles=_TITLES,
    )  # fmt: skip


def sparklines(made: Making) -> None:
    """The days of each resource, busiest first."""
    found = made.facts.sparklines
    if found is None:
        return made.lacks("sparklines", "Resources by day")
    days = made.facts.spark_days
    if not days:
        return made.empty("the service tells of the last 90 days only")
    for kind, title in KINDS.items():
        rows = _lines(found.get(kind, {}), made.facts.spark_names, days)
        if not rows:
            made.say(f"{title}: none from {days[0]} to {days[-1]}.")
            continue
        made.grid(
            kind,
            ("name", "total", "days", "last_days"),
            rows,
            caption=f"{title}, from {days[0]} to {days[-1]}, each day in UTC a bar.",
            titles={"last_days": f"the last {min(_WEEK, len(days))} days"},
            own=frozenset({"days", "last_days"}),
        )
    _whose(made, "sparklines")
    return None


def _lines(found: Mapping[str, Sparkline], names: Mapping[str, str], days: Sequence[str]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for key, line in found.items():
        told = {each.date.astimezone(UTC).date().isoformat(): each.count for each in line.series}
        counts = [told.get(day, 0) for day in days]
        if any(counts):
            rows.append([names.get(key, key), sum(counts), bars(counts), " ".join(map(str, counts[-_WEEK:]))])
    rows.sort(key=lambda row: (-int(row[1] or 0), str(row[0])))
    return rows


def bars(counts: Sequence[int]) -> str:
    """Counts as a line of bars; none is the lowest only where there is nothing."""
    most = max(counts, default=0)
    return "".join(_BARS[0 if not count else max(1, round(count / most * (len(_BARS) - 1)))] for count in counts)


def _at(each: ToolkitCall | SkillLoad) -> str:
    return iso(micros(each.created_at))[:16].replace("T", " ")


def _whose(made: Making, name: str) -> None:
    made.noted(name)
    if made.facts.scope.base_id or made.facts.scope.tags:
        made.note("Use of resources is the whole project's: it is not told by assistant or tag.")
