"""The trailing days of every resource of a kind at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

from talkscope.errors import unknown
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import DailyCount, Sparkline
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
    for key, line in sorted(found.items(), key=lambda each: (-each[1].total, each[0])):
        rows += [[names.get(key), key, *point, line.total] for point in _points(line.series, size, days)]
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


def _points(series: Sequence[DailyCount], size: int, days: int) -> list[tuple[str, int]]:
    """Start and count of each group of days, counted from the last day back."""
    told = [(each.date.astimezone(UTC).date().isoformat(), each.count) for each in series][-days:]
    groups = [told[max(0, end - size) : end] for end in range(len(told), 0, -size)]
    return [(group[0][0], sum(count for _, count in group)) for group in reversed(groups)]


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
