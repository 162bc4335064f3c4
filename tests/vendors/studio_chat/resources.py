"""Use of API tools, toolkits, skills and knowledge bases. Windows act on when a call was made, and days are UTC's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.studio_chat.records import Citation, Project, ResourceCall
from tests.vendors.studio_chat.selection import floor, window
from tests.vendors.studio_chat.state import Studio


def api_tools(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    wanted = asked.get("api_tool_id")
    calls = _called(asked, project.api_calls, owner=wanted)
    answer = _usage(studio, asked, calls, _tool_call, timed=True)
    if wanted is not None:
        tool = next((each for each in project.tools if each.id == wanted), None)
        answer["tool_config"] = tool and {"method": tool.method, "url": tool.url}
    return answer


def toolkits(studio: Studio, asked: Asked) -> Json:
    calls = _called(asked, studio.project(asked).toolkit_calls, owner=asked.get("toolkit_slug"))
    if (action := asked.get("action_name")) is not None:
        calls = [call for call in calls if call.name == action]
    by_param: dict[str, Json] = {}
    if (rule := asked.get("param_filter")) is not None:
        key, _, value = rule.partition(":")
        # The values that the other filters leave, or there would be one row.
        spread = Counter(call.given[key] for call in calls if key in call.given)
        by_param["by_param"] = [{"value": each, "count": count} for each, count in _most(spread)]
        calls = [call for call in calls if str(call.given.get(key)) == value]
    actions = _most(Counter(call.name for call in calls))
    worked = Counter(call.name for call in calls if call.ok)
    by_action = [{"action_name": name, "count": count, "success_count": worked[name]} for name, count in actions]
    return {**_usage(studio, asked, calls, _toolkit_call, timed=True), "by_action": by_action, **by_param}


def skills(studio: Studio, asked: Asked) -> Json:
    loads = _called(asked, studio.project(asked).skill_loads, owner=asked.get("skill_name"))
    return _usage(studio, asked, loads, _skill_load, timed=False)


def citations(studio: Studio, asked: Asked) -> Json:
    """Citations; every name in this answer is our own, for the documents give none."""
    start, end = window(asked.query)
    found = [
        (citation, about) for citation, about in _cited(studio.project(asked))
        if start <= citation.at < end and asked.get("kb_id") in {None, citation.kb_id}
        and asked.get("item_id") in {None, citation.item_id} and asked.get("source") in {None, citation.source}
    ]  # fmt: skip
    found.sort(key=lambda each: (each[0].at, each[0].id), reverse=True)
    days = Counter(floor(citation.at, "day") for citation, _ in found)
    sources = Counter(citation.source for citation, _ in found)
    recent = [
        {
            "citation_id": citation.id, "kb_id": citation.kb_id, "item_id": citation.item_id,
            "source": citation.source, "content": citation.content, "created_at": studio.time(citation.at),
            "conversation_id": about,
        }
        for citation, about in found
    ]  # fmt: skip
    word = asked.get("search")
    return {
        "total_citations": len(found),
        "by_source": [{"source": source, "count": count} for source, count in _most(sources)],
        "time_series": [{"date": studio.bucket(day, "day"), "count": days[day]} for day in sorted(days)],
        "recent": [row for row in recent if word is None or _says(word, row)][:50],
    }


def cited_items(studio: Studio, asked: Asked) -> Json:
    """The items of one knowledge base, the most cited first; `total_items_cited` counts those left out too."""
    project = studio.project(asked)
    if asked.path["kb_id"] not in {base.id for base in project.bases}:
        raise Refused(404, "knowledge base not found")
    start, end = window(asked.query)
    counts = Counter(
        citation.item_id for citation, _ in _cited(project)
        if citation.kb_id == asked.path["kb_id"] and start <= citation.at < end
    )  # fmt: skip
    rows = [{"item_id": item, "count": count} for item, count in _most(counts)]
    return {"items": rows[: asked.get("limit")], "total_items_cited": len(counts)}


def api_tool_sparklines(studio: Studio, asked: Asked) -> Json:
    return _sparklines(studio, asked, [(call.owner, call.at) for call in studio.project(asked).api_calls])


def toolkit_sparklines(studio: Studio, asked: Asked) -> Json:
    return _sparklines(studio, asked, [(call.owner, call.at) for call in studio.project(asked).toolkit_calls])


def skill_sparklines(studio: Studio, asked: Asked) -> Json:
    return _sparklines(studio, asked, [(load.owner, load.at) for load in studio.project(asked).skill_loads])


def kb_sparklines(studio: Studio, asked: Asked) -> Json:
    return _sparklines(studio, asked, [(each.kb_id, each.at) for each, _ in _cited(studio.project(asked))])


def _sparklines(studio: Studio, asked: Asked, held: Iterable[tuple[str, datetime]]) -> Json:
    """Counts of every one of the trailing days, of which today is the last."""
    today = floor(studio.world.now, "day")
    days = [today - timedelta(days=back) for back in reversed(range(asked.query["days"]))]
    counts: dict[str, Counter[datetime]] = {}
    for owner, at in held:
        if floor(at, "day") >= days[0]:
            counts.setdefault(owner, Counter())[floor(at, "day")] += 1
    return {
        owner: {
            "total": found.total(),
            "series": [{"date": studio.bucket(day, "day"), "count": found[day]} for day in days],
        }
        for owner, found in sorted(counts.items())
    }


def _cited(project: Project) -> list[tuple[Citation, str]]:
    return [(citation, each.id) for each in project.conversations for citation in each.citations]


def _called(asked: Asked, calls: Iterable[ResourceCall], *, owner: str | None) -> list[ResourceCall]:
    start, end = window(asked.query)
    found = [call for call in calls if start <= call.at < end and owner in {None, call.owner}]
    return sorted(found, key=lambda call: (call.at, call.id), reverse=True)


def _usage(
    studio: Studio,
    asked: Asked,
    calls: Sequence[ResourceCall],
    form: Callable[[Studio, ResourceCall], Json],
    *,
    timed: bool,
) -> dict[str, Json]:
    """Totals, days that had calls, and a page of the calls; `search` narrows the page alone."""
    worked = sum(call.ok for call in calls)
    word = asked.get("search")
    rows = [form(studio, call) for call in calls]
    shown = [row for row in rows if word is None or _says(word, row)]
    limit, offset = asked.query["limit"], asked.query["offset"]
    days: dict[datetime, list[ResourceCall]] = {}
    for call in reversed(calls):
        days.setdefault(floor(call.at, "day"), []).append(call)
    series = []
    for day, some in days.items():
        point = {"date": studio.bucket(day, "day"), "count": len(some), "success_count": sum(call.ok for call in some)}
        series.append(point | ({"avg_duration_ms": _mean(some)} if timed else {}))
    return {
        "total_calls": len(calls),
        "successful_calls": worked,
        "failed_calls": len(calls) - worked,
        **({"avg_duration_ms": _mean(calls)} if timed else {}),
        "time_series": series,
        "recent": shown[offset : offset + limit],
    }


def _mean(calls: Iterable[ResourceCall]) -> float | None:
    """The mean duration of the calls that were timed."""
    known = [call.duration_ms for call in calls if call.duration_ms is not None]
    return fmean(known) if known else None


def _says(word: str, row: Json) -> bool:
    return word.lower() in json.dumps(list(row.values()), ensure_ascii=False).lower()


def _most(counts: Counter[Json]) -> list[tuple[Json, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], str(each[0])))


def _tool_call(studio: Studio, call: ResourceCall) -> dict[str, Json]:
    return {**_called_row(studio, call), "tool_name": call.name}


def _toolkit_call(studio: Studio, call: ResourceCall) -> dict[str, Json]:
    return {**_called_row(studio, call), "toolkit_slug": call.owner, "action_name": call.name}


def _skill_load(studio: Studio, load: ResourceCall) -> dict[str, Json]:
    return {
        "id": load.id, "skill_name": load.name, "success": load.ok, "error_message": load.error,
        "created_at": studio.time(load.at), "conversation_id": load.conversation_id,
    }  # fmt: skip


def _called_row(studio: Studio, call: ResourceCall) -> dict[str, Json]:
    return {
        "id": call.id, "input_params": dict(call.given), "output_result": call.gave, "request_meta": None,
        "success": call.ok, "error_message": call.error, "duration_ms": call.duration_ms,
        "created_at": studio.time(call.at), "conversation_id": call.conversation_id,
    }  # fmt: skip
