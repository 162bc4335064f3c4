"""Calls of API tools and toolkits, loads of skills and citations of knowledge bases, each row a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from talkscope.platforms.recording import Figures, Record, key, record
from talkscope.platforms.studio_chat.models import (
    ApiToolCall,
    ApiToolUsage,
    KnowledgeBaseCitations,
    SkillLoad,
    SkillUsage,
    ToolkitCall,
    ToolkitUsage,
)
from talkscope.platforms.studio_chat.records.citing import PLATFORM, Titles, citation

# No document names these fields: the usual names of each, the likeliest first.
_TIMES = ("created_at", "cited_at", "timestamp", "date")
_IDS = ("citation_id", "id")
_BASES = ("kb_id", "knowledge_base_id", "knowledgebase_id")
_ITEMS = ("item_id", "kb_item_id")
_TITLES = ("title", "item_title", "file_name")


def api_tool_calls(found: ApiToolUsage, *, tool_id: str | None = None) -> Iterator[Record]:
    """The calls of API tools on one page; rows tell a tool's name, so the id is the one that was asked for."""
    for call in found.recent:
        config = found.tool_config.model_dump(exclude_none=True) if found.tool_config else None
        yield _called(
            "api_tool",
            call,
            name=tool_id or call.tool_name or "unnamed",
            attributes=_details(call) | {"title": call.tool_name, "config": config},
        )


def toolkit_calls(found: ToolkitUsage) -> Iterator[Record]:
    """The calls of toolkits on one page."""
    for call in found.recent:
        name = call.toolkit_slug or "unnamed"
        yield _called("toolkit", call, name=name, action=call.action_name, attributes=_details(call))


def skill_loads(found: SkillUsage) -> Iterator[Record]:
    """The loads of skills on one page. They are not timed."""
    for load in found.recent:
        yield _called("skill", load, name=load.skill_name or "unnamed")


def citations(
    found: KnowledgeBaseCitations, start: datetime, end: datetime, *, titles: Titles | None = None
) -> Iterator[Record]:
    """The recent citations, and how many there were in the window, by source; only rows with a time are taken."""
    for row in found.recent:
        if (at := _moment(_named(row, _TIMES))) is not None:
            yield citation(
                _text(_named(row, _IDS)),
                session_id=_text(row.get("conversation_id")),
                name=_text(_named(row, _BASES)) or _text(row.get("file_name")),
                item_id=_text(_named(row, _ITEMS)),
                titles=titles,
                time=at,
                attributes=_rest(row) | {"title": _named(row, _TITLES)},
            )
    figures, metric = Figures(PLATFORM, start, end), "knowledge_base.citations"
    yield from figures.snapshot(metric, found.total_citations, "citations")
    for each in found.by_source:
        yield from figures.snapshot(metric, each.count, "citations", {"source": each.source or "unstated"})


def _called(kind: str, call: ApiToolCall | ToolkitCall | SkillLoad, **said: object) -> Record:
    return record(
        "resource_call",
        PLATFORM,
        resource_call_id=key(kind, call.id) if call.id else None,
        session_id=call.conversation_id,
        time=call.created_at,
        kind=kind,
        status="ok" if call.success else "error",
        duration_ms=None if isinstance(call, SkillLoad) else call.duration_ms,
        error_message=call.error_message,
        **said,
    )


def _details(call: ApiToolCall | ToolkitCall) -> dict[str, object]:
    return {"input": call.input_params, "output": call.output_result, "request": call.request_meta}


def _named(row: Mapping[str, JsonValue], names: tuple[str, ...]) -> JsonValue:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _rest(row: Mapping[str, JsonValue]) -> dict[str, object]:
    used = {"conversation_id", *_TIMES, *_IDS, *_BASES, *_ITEMS}
    return {name: value for name, value in row.items() if name not in used}


def _text(value: JsonValue) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _moment(value: JsonValue) -> datetime | None:
    """A time as text; one without an offset is UTC."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
