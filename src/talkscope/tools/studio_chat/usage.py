"""Views of how resources are used: totals, days, recent calls, and what only some kinds have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from talkscope.errors import nearest
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import (
    ApiToolCall,
    ApiToolUsage,
    KnowledgeBaseCitations,
    SkillLoad,
    SkillUsage,
    ToolkitCall,
    ToolkitUsage,
)
from talkscope.tools.studio_chat.asking import project
from talkscope.tools.studio_chat.cells import at, bucket, of, paged, share, shown, text, yes
from talkscope.tools.vendor import Reach, about, hidden
from talkscope.tools.vendor.said import word, words

Used: TypeAlias = "ApiToolUsage | ToolkitUsage | SkillUsage"
Made: TypeAlias = "ApiToolCall | ToolkitCall | SkillLoad"
Told: TypeAlias = Callable[[Reach, Mapping[str, object], str, Window], Awaitable[Answer]]

_UNITS = {"success_rate": "fraction of calls", "avg_ms": "milliseconds", "duration_ms": "milliseconds"}
_RECENT = ("time", "name", "action", "ok", "error", "duration_ms", "conversation_id", "call_id", "input", "output")
_CITED = ("created_at", "kb_id", "item_id", "source", "conversation_id")


async def api_tools(reach: Reach, told: Mapping[str, object], show: str, window: Window) -> Answer:
    """API tools."""
    call = studio_chat.CALLS["api_tool_usage"](project(reach), **told)
    found = await reach.send(call)
    assert isinstance(found, ApiToolUsage)
    about_it: list[list[Cell]] = []
    if found.tool_config is not None:
        about_it = [["method", found.tool_config.method, None], ["url", found.tool_config.url, None]]
    return _used(reach, found, show, window, told, about_it)


async def toolkits(reach: Reach, told: Mapping[str, object], show: str, window: Window) -> Answer:
    """Toolkits, their actions and the values of one parameter."""
    found = await reach.send(studio_chat.CALLS["toolkit_usage"](project(reach), **told))
    assert isinstance(found, ToolkitUsage)
    if not found.total_calls:
        await _hinted(reach, "toolkit", told.get("toolkit_slug"))
    if show == "actions":
        rows: list[list[Cell]] = [
            [each.action_name, each.count, each.success_count, share(each.success_count, each.count)]
            for each in found.by_action
        ]
        names = ("action", "calls", "succeeded", "success_rate")
        return reach.answer(names, rows, n=found.total_calls, window=window, units=of(names, _UNITS))
    if show == "params":
        n = sum(each.count for each in found.by_param)
        rows = [[_given(reach, each.value), each.count, share(each.count, n), n] for each in found.by_param]
        return reach.answer(
            ("value", "calls", "share", "n"), rows, n=n, window=window, units={"share": "fraction of n"}
        )
    return _used(reach, found, show, window, told)


def _given(reach: Reach, value: str | float | None) -> Cell:
    """A parameter's value: what is more than a word may be what a customer said."""
    return hidden(value) if isinstance(value, str) and not (reach.reveal or word(value, "")) else text(value)


async def skills(reach: Reach, told: Mapping[str, object], show: str, window: Window) -> Answer:
    """Skills."""
    found = await reach.send(studio_chat.CALLS["skill_usage"](project(reach), **told))
    assert isinstance(found, SkillUsage)
    if not found.total_calls:
        await _hinted(reach, "skill", told.get("skill_name"))
    return _used(reach, found, show, window, told)


async def _hinted(reach: Reach, kind: str, word: object) -> None:
    """Say which ones were used of late where the one that was asked for was not: they are listed nowhere."""
    if word is None:
        return
    ask = studio_chat.toolkit_sparklines if kind == "toolkit" else studio_chat.skill_sparklines
    known = await reach.send(ask(project(reach), days=90))
    if str(word) not in known:
        close = nearest(str(word), known)
        meant = f" Did you mean {close!r}?" if close and words([close]) == close else ""
        reach.note(
            f"No {kind} {clean(str(word), 60)!r} was used in the last 90 days.{meant} Used were:"
            f" {words(sorted(known))}."
        )


def _used(
    reach: Reach,
    found: Used,
    show: str,
    window: Window,
    told: Mapping[str, object],
    about_it: Sequence[list[Cell]] = (),
) -> Answer:
    n = found.total_calls
    timed = not isinstance(found, SkillUsage)
    if show == "days":
        rows: list[list[Cell]] = [
            [
                bucket(each.date, "day"),
                each.count,
                each.success_count,
                share(each.success_count, each.count),
                *([getattr(each, "avg_duration_ms", None)] if timed else ()),
            ]
            for each in found.time_series
        ]
        names = ("start", "calls", "succeeded", "success_rate", *(("avg_ms",) if timed else ()))
        reach.note("A day without calls may be left out.")
        return reach.answer(names, rows, n=n, window=window, granularity="day", units=of(names, _UNITS))
    if show == "recent":
        offset = told.get("offset")
        assert isinstance(offset, int)
        total = None if "search" in told else n
        paged(reach, "calls", offset, len(found.recent), total)
        return reach.answer(
            _RECENT, [_made(reach, each) for each in found.recent], n=n, window=window, units=of(_RECENT, _UNITS),
            basis="n counts all calls" if "search" in told else None,
        )  # fmt: skip
    mean = getattr(found, "avg_duration_ms", None)
    rows = [
        ["calls", n, None],
        ["succeeded", found.successful_calls, None],
        ["failed", found.failed_calls, None],
        ["success_rate", share(found.successful_calls, n), n],
        *([["avg_duration_ms", mean, None]] if timed else ()),
        *about_it,
    ]
    units = {"value": "count, milliseconds for _ms, fraction of n for _rate"}
    return reach.answer(("measure", "value", "n"), rows, n=n, window=window, units=units)


def _made(reach: Reach, each: Made) -> list[Cell]:
    """A call; what went in and came out may hold what customers said."""
    name, action = (
        (each.tool_name, None)
        if isinstance(each, ApiToolCall)
        else (each.toolkit_slug, each.action_name)
        if isinstance(each, ToolkitCall)
        else (each.skill_name, None)
    )
    given = isinstance(each, ApiToolCall | ToolkitCall)
    return [
        at(each.created_at),
        name,
        action,
        yes(each.success),
        each.error_message,
        each.duration_ms if isinstance(each, ApiToolCall | ToolkitCall) else None,
        each.conversation_id,
        each.id,
        shown(reach, each, "input_params") if given else None,
        shown(reach, each, "output_result") if given else None,
    ]


async def knowledge_bases(reach: Reach, told: Mapping[str, object], show: str, window: Window) -> Answer:
    """Citations of knowledge bases."""
    found = await reach.send(studio_chat.CALLS["kb_citations"](project(reach), **told))
    assert isinstance(found, KnowledgeBaseCitations)
    n = found.total_citations
    if show == "sources":
        total = sum(each.count or 0 for each in found.by_source)
        rows: list[list[Cell]] = [
            [each.source, each.count, share(each.count, total), total] for each in found.by_source
        ]
        names: tuple[str, ...] = ("source", "citations", "share", "n")
    elif show == "days":
        rows = [[bucket(each.date, "day"), each.count] for each in found.time_series]
        names = ("start", "citations")
    elif show == "recent":
        hidden = not reach.reveal and about(found, "recent", reach.platform.personal)
        names = _CITED if hidden else (*_CITED, "rest")
        rows = [[text(each.get(name)) for name in _CITED] for each in found.recent]
        if hidden:
            reach.note("What was cited is hidden: no document says what these rows hold.")
        else:
            rest = [{name: value for name, value in each.items() if name not in _CITED} for each in found.recent]
            rows = [[*row, text(more)] for row, more in zip(rows, rest, strict=True)]
    else:
        rows, names = [["citations", n, None]], ("measure", "value", "n")
    return reach.answer(names, rows, n=n or 0, window=window, granularity="day" if show == "days" else None)


TOLD: Mapping[str, Told] = {
    "api_tools": api_tools,
    "toolkits": toolkits,
    "skills": skills,
    "knowledge_bases": knowledge_bases,
}
"""Whoever tells of each kind."""
