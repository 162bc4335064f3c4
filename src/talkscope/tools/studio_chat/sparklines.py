"""The trailing days of every resource of a kind at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, timedelta

from talkscope.errors import unknown
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import Sparkline
from talkscope.tools.studio_chat.asking import project
from talkscope.tools.vendor import Reach

MOST_ROWS = 150
"""Beyond these, days are added up to weeks, and weeks to one figure."""
_WEEK = 7


async def sparklines(reach: Reach, kind: str, name: str | None, days: int) -> Answer:
    """Counts by day, the busiest resource first, as fine as fits."""
    ask = {
        "api_tools": studio_chat.api_tool_sparklines,
        "toolkits": studio_chat.toolkit_sparklines,
        "skills": studio_chat.skill_sparklines,
        "knowledge_bases": studio_chat.kb_sparklines,
    }[kind]
    told = await reach.send(ask(project(reach), days=days))
    names = await _names(reach, kind, told)
    found = told if name is None else _one(kind, name, told, names)
    size = _size(len(found), days)
    rows: list[list[Cell]] = []
    points = _points(found, size, days)
    for key, line in sorted(found.items(), key=lambda each: (-each[1].total, each[0])):
        rows += [[names.get(key), key, *point, line.total] for point in points[key]]
    if size == _WEEK:
        reach.note("Days are added up to weeks of seven days that end with the last day; the first may be shorter.")
    if size > _WEEK:
        reach.note("Days are added up to one figure for each: name one, or ask for fewer days, to see them.")
    return reach.answer(
        ("name", "id", "start", "count", "total"),
        rows,
        n=sum(line.total for line in found.values()),
        basis=f"the last {days} days, today included, in UTC; what was not used is left out",
        granularity={1: "day", _WEEK: "week"}.get(size),
    )


def _size(count: int, days: int) -> int:
    """Days to a row."""
    if count * days <= MOST_ROWS:
        return 1
    return _WEEK if count * -(-days // _WEEK) <= MOST_ROWS else days


def _points(found: Mapping[str, Sparkline], size: int, days: int) -> dict[str, list[tuple[str, int]]]:
    """Of each, start and count of every group of days, counted from the last day that any tells of; no count is 0."""
    told = {
        key: [(each.date.astimezone(UTC).date(), each.count) for each in line.series] for key, line in found.items()
    }
    every = [day for series in told.values() for day, _ in series]
    if not every:
        return {key: [] for key in told}
    last = max(every)
    known = min(days, (last - min(every)).days + 1)
    groups = [range(back, min(back + size, known)) for back in range(0, known, size)]
    points: dict[str, list[tuple[str, int]]] = {}
    for key, series in told.items():
        counts: Counter[int] = Counter()
        for day, count in series:
            counts[(last - day).days] += count
        points[key] = [
            ((last - timedelta(group[-1])).isoformat(), sum(counts[back] for back in group))
            for group in reversed(groups)
        ]
    return points


async def _names(reach: Reach, kind: str, found: Mapping[str, Sparkline]) -> dict[str, str | None]:
    """What the ids stand for; toolkits and skills go by their names already."""
    if not found or kind in {"toolkits", "skills"}:
        return {each: each for each in found}
    if kind == "api_tools":
        tools = await reach.send(studio_chat.api_tools(project(reach)))
        return {each.id: each.name for each in tools if each.id}
    every = await reach.send(studio_chat.knowledge_bases(project(reach), include_final_delete=True))
    return {each.id: each.title for each in every}


def _one(
    kind: str, name: str, found: Mapping[str, Sparkline], names: Mapping[str, str | None]
) -> Mapping[str, Sparkline]:
    folded = name.strip().casefold()
    kept = {key: each for key, each in found.items() if folded in {key.casefold(), (names.get(key) or "").casefold()}}
    if not kept:
        raise unknown(f"name among {kind} in use", clean(name, 60), [clean(names.get(key) or key, 60) for key in found])
    return kept
