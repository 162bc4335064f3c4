"""Use of tools, toolkits, skills and knowledge bases. Durations are in milliseconds, None where none is known."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from pydantic import JsonValue, ValidationError, model_validator

from talkscope.platforms.studio_chat.models.wire import Many, Moment, Unstated, Wire, either

D = TypeVar("D", bound=Wire)


class DailyCount(Wire):
    """One day."""

    date: Moment
    count: int


class DailySuccess(DailyCount):
    """Calls of one day."""

    success_count: int | None = None


class DailyCalls(DailySuccess):
    """Calls of one day, and how long they took."""

    avg_duration_ms: float | None = None


class Sparkline(Wire):
    """One resource's trailing days."""

    total: int
    series: Many[DailyCount] = ()


class _Usage(Wire):
    total_calls: int
    successful_calls: int
    failed_calls: int

    @property
    def success_pct(self) -> float | None:
        """Percent of all calls that succeeded; None when there was none."""
        return 100 * self.successful_calls / self.total_calls if self.total_calls else None


class SkillLoad(Wire):
    """One load of a skill."""

    id: str | None = None
    skill_name: str | None = None
    success: bool
    error_message: str | None = None
    created_at: Moment
    conversation_id: str | None = None


class SkillUsage(_Usage):
    """Use of skills; `recent` is one page of loads."""

    time_series: Many[DailySuccess] = ()
    recent: Many[SkillLoad] = ()


class _ResourceCall(Wire):
    id: str | None = None
    input_params: JsonValue = None
    output_result: JsonValue = None
    request_meta: JsonValue = None
    success: bool
    error_message: str | None = None
    duration_ms: float | None = None
    created_at: Moment
    conversation_id: str | None = None


class ApiToolCall(_ResourceCall):
    """One call of an API tool."""

    tool_name: str | None = None


class ApiToolConfig(Wire):
    """How a tool is called."""

    method: str | None = None
    url: str | None = None


class ApiToolUsage(_Usage):
    """Use of API tools; `tool_config` only where one tool was asked for, `recent` is one page of calls."""

    avg_duration_ms: float | None = None
    tool_config: ApiToolConfig | None = None
    time_series: Many[DailyCalls] = ()
    recent: Many[ApiToolCall] = ()


class ToolkitCall(_ResourceCall):
    """One call of a toolkit."""

    toolkit_slug: str | None = None
    action_name: str | None = None


class ActionBreakdown(Wire):
    """Calls of one action."""

    action_name: str
    count: int
    success_count: int | None = None


class ParamBreakdown(Wire):
    """Calls with one value of the filtered parameter."""

    value: str | int | float | bool | None = None
    count: int


class ToolkitUsage(_Usage):
    """Use of toolkits; `by_param` only with a param_filter, `recent` is one page of calls."""

    avg_duration_ms: float | None = None
    by_action: Many[ActionBreakdown] = ()
    by_param: Many[ParamBreakdown] = ()
    time_series: Many[DailyCalls] = ()
    recent: Many[ToolkitCall] = ()


class SourceCount(Wire):
    """Citations of one source."""

    source: str | None = None
    count: int | None = None


class KnowledgeBaseCitations(Unstated):
    """Citations of knowledge bases. No field is named in any document: these are guesses, and the rest is kept.

    What of them is not as guessed is left out, and takes nothing from the others.
    """

    total_citations: int | None = None
    by_source: Many[SourceCount] = ()
    time_series: Many[DailyCount] = ()
    recent: Many[dict[str, JsonValue]] = ()

    @model_validator(mode="before")
    @classmethod
    def _any_name(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        totals = (each for name in ("total_citations", "total") if isinstance(each := value.get(name), int | float))
        recent = value.get("recent")
        return {
            **value,
            "total_citations": next(totals, None),
            "by_source": _counted(SourceCount, value.get("by_source"), "source"),
            "time_series": _counted(DailyCount, value.get("time_series"), "date", "day", "timestamp"),
            "recent": [each for each in recent if isinstance(each, dict)] if isinstance(recent, list | tuple) else (),
        }


def _counted(model: type[D], told: object, *names: str) -> list[D]:
    """The counts that can be read: rows by the likely names of their fields, or one count for each key."""
    if isinstance(told, dict):
        told = [{names[0]: key, "count": count} for key, count in told.items()]
    found = []
    for row in told if isinstance(told, list | tuple) else ():
        with suppress(ValidationError):
            found.append(model.model_validate(either(either(row, *names), "count", "citations", "total")))
    return found


class KnowledgeBaseItemCount(Wire):
    """Citations of one item."""

    item_id: str
    count: int


class KnowledgeBaseItemCitations(Wire):
    """Items of one knowledge base, most cited first."""

    items: Many[KnowledgeBaseItemCount] = ()
    total_items_cited: int | None = None
