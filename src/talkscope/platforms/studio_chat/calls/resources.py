"""Calls for the use of tools, toolkits, skills and knowledge bases. They take days, where others take instants."""

from __future__ import annotations

from talkscope.flow import Call
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.asking import checked, get, paged
from talkscope.platforms.studio_chat.models.wire import by_key
from talkscope.platforms.studio_chat.words import Id, KeyValue, Number, OnDay, Skip, UpTo90, UpTo500, Word

_USE = "/projects/{project_id}/analytics"


@checked
def api_tool_usage(
    project_id: Id,
    *,
    api_tool_id: Id | None = None,
    start_date: OnDay | None = None,
    end_date: OnDay | None = None,
    limit: UpTo500 | None = None,
    offset: Skip | None = None,
    search: Word | None = None,
) -> Call[models.ApiToolUsage]:
    """Use of API tools by day, and the calls page by page; of one tool, how it is called too."""
    params = {
        "api_tool_id": api_tool_id,
        "start_date": start_date,
        "end_date": end_date,
        "limit": limit,
        "offset": offset,
        "search": search,
    }
    call = get(f"{_USE}/api-tools", models.ApiToolUsage.model_validate, params, project_id=project_id)
    return paged(call, lambda page: page.recent, size=50)


@checked
def toolkit_usage(
    project_id: Id,
    *,
    toolkit_slug: Id | None = None,
    action_name: Word | None = None,
    start_date: OnDay | None = None,
    end_date: OnDay | None = None,
    limit: UpTo500 | None = None,
    offset: Skip | None = None,
    search: Word | None = None,
    param_filter: KeyValue | None = None,
) -> Call[models.ToolkitUsage]:
    """Use of toolkits by action and day, and the calls page by page; by_param only with param_filter key:value."""
    params = {
        "toolkit_slug": toolkit_slug,
        "action_name": action_name,
        "start_date": start_date,
        "end_date": end_date,
        "limit": limit,
        "offset": offset,
        "search": search,
        "param_filter": param_filter,
    }
    call = get(f"{_USE}/toolkits", models.ToolkitUsage.model_validate, params, project_id=project_id)
    return paged(call, lambda page: page.recent, size=50)


@checked
def skill_usage(
    project_id: Id,
    *,
    skill_name: Word | None = None,
    start_date: OnDay | None = None,
    end_date: OnDay | None = None,
    search: Word | None = None,
    limit: UpTo500 | None = None,
    offset: Skip | None = None,
) -> Call[models.SkillUsage]:
    """Use of skills by day, and the loads page by page."""
    params = {
        "skill_name": skill_name,
        "start_date": start_date,
        "end_date": end_date,
        "search": search,
        "limit": limit,
        "offset": offset,
    }
    call = get(f"{_USE}/skills", models.SkillUsage.model_validate, params, project_id=project_id)
    return paged(call, lambda page: page.recent, size=50)


@checked
def kb_citations(
    project_id: Id,
    *,
    kb_id: Id | None = None,
    item_id: Id | None = None,
    source: Word | None = None,
    start_date: OnDay | None = None,
    end_date: OnDay | None = None,
    search: Word | None = None,
) -> Call[models.KnowledgeBaseCitations]:
    """Citations of knowledge bases by source and day. The fields of the answer are documented nowhere."""
    params = {
        "kb_id": kb_id,
        "item_id": item_id,
        "source": source,
        "start_date": start_date,
        "end_date": end_date,
        "search": search,
    }
    return get(f"{_USE}/kbs", models.KnowledgeBaseCitations.model_validate, params, project_id=project_id)


@checked
def kb_item_citations(
    project_id: Id,
    kb_id: Id,
    *,
    start_date: OnDay | None = None,
    end_date: OnDay | None = None,
    limit: Number | None = None,
) -> Call[models.KnowledgeBaseItemCitations]:
    """The items of one knowledge base, most cited first."""
    params = {"start_date": start_date, "end_date": end_date, "limit": limit}
    parse = models.KnowledgeBaseItemCitations.model_validate
    return get(f"{_USE}/kbs/{{kb_id}}/items", parse, params, project_id=project_id, kb_id=kb_id)


@checked
def api_tool_sparklines(project_id: Id, *, days: UpTo90 | None = None) -> Call[dict[str, models.Sparkline]]:
    """Calls of each API tool by day, by its id: the last 14 days, 90 at most."""
    return get(f"{_USE}/api-tools/sparklines", by_key(models.Sparkline), {"days": days}, project_id=project_id)


@checked
def toolkit_sparklines(project_id: Id, *, days: UpTo90 | None = None) -> Call[dict[str, models.Sparkline]]:
    """Calls of each toolkit by day, by its slug: the last 14 days, 90 at most."""
    # Below toolkit-calls, and not below toolkits as the usage is.
    return get(f"{_USE}/toolkit-calls/sparklines", by_key(models.Sparkline), {"days": days}, project_id=project_id)


@checked
def skill_sparklines(project_id: Id, *, days: UpTo90 | None = None) -> Call[dict[str, models.Sparkline]]:
    """Loads of each skill by day, by its name: the last 14 days, 90 at most."""
    return get(f"{_USE}/skills/sparklines", by_key(models.Sparkline), {"days": days}, project_id=project_id)


@checked
def kb_sparklines(project_id: Id, *, days: UpTo90 | None = None) -> Call[dict[str, models.Sparkline]]:
    """Citations of each knowledge base by day, by its id: the last 14 days, 90 at most."""
    return get(f"{_USE}/kbs/sparklines", by_key(models.Sparkline), {"days": days}, project_id=project_id)
