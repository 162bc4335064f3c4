"""Calls about conversations. Windows act on the time of the last message; whether their ends count is not documented.

`search` looks for conversation ids only, not for text. Tags must all be there; of a signal's labels one is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from talkscope.errors import Json
from talkscope.flow import Call, path
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.asking import checked, get, paged
from talkscope.platforms.studio_chat.models.wire import as_is
from talkscope.platforms.studio_chat.words import (
    MOST_IDS,
    By,
    Count,
    Id,
    Ids,
    Order,
    Qualities,
    Reasons,
    Resources,
    Risks,
    Sentiments,
    Shifts,
    Skip,
    Tags,
    UpTo100,
    When,
    Word,
    Yes,
)

ROOT = "/projects/{project_id}/conversations"
_BATCH_SECONDS = 60.0


@checked
def conversations(
    project_id: Id,
    *,
    limit: UpTo100 | None = None,
    offset: Skip | None = None,
    start_date: When | None = None,
    end_date: When | None = None,
    playbook_id: Id | None = None,
    playbook_base_id: Id | None = None,
    inbox_id: Id | None = None,
    search: Word | None = None,
    has_handoff: Yes | None = None,
    has_winback: Yes | None = None,
    tags: Tags | None = None,
    sentiment: Sentiments | None = None,
    resources: Resources | None = None,
    sentiment_shift: Shifts | None = None,
    deflection_quality: Qualities | None = None,
    handoff_reason: Reasons | None = None,
    recontact_risk: Risks | None = None,
    min_messages: Count | None = None,
    max_messages: Count | None = None,
    skill_name: Word | None = None,
    sort_by: By | None = None,
    sort_order: Order | None = None,
) -> Call[models.ConversationPage]:
    """Conversations with all their metadata, page by page: 20 a page, 100 at most.

    Pages of sort_by last_message_at move while conversations go on: tell conversations by their ids.
    """
    params = {
        "limit": limit,
        "offset": offset,
        "start_date": start_date,
        "end_date": end_date,
        "playbook_id": playbook_id,
        "playbook_base_id": playbook_base_id,
        "inbox_id": inbox_id,
        "search": search,
        "has_handoff": has_handoff,
        "has_winback": has_winback,
        "tags": tags,
        "sentiment": sentiment,
        "resources": resources,
        "sentiment_shift": sentiment_shift,
        "deflection_quality": deflection_quality,
        "handoff_reason": handoff_reason,
        "recontact_risk": recontact_risk,
        "min_messages": min_messages,
        "max_messages": max_messages,
        "skill_name": skill_name,
        "sort_by": sort_by,
        "sort_order": sort_order,
    }
    call = get(ROOT, models.ConversationPage.model_validate, params, project_id=project_id)
    return paged(call, lambda page: page.conversations, lambda page: page.total, size=20)


@checked
def conversation_summaries(
    project_id: Id,
    *,
    limit: UpTo100 | None = None,
    offset: Skip | None = None,
    start_date: When | None = None,
    end_date: When | None = None,
    sentiment: Sentiments | None = None,
    resources: Resources | None = None,
    tags: Tags | None = None,
    playbook_base_id: Id | None = None,
    has_handoff: Yes | None = None,
    sort_by: By | None = None,
    sort_order: Order | None = None,
) -> Call[models.ConversationSummaryPage]:
    """Slim rows for reading many conversations, page by page: 50 a page, 100 at most."""
    params = {
        "limit": limit,
        "offset": offset,
        "start_date": start_date,
        "end_date": end_date,
        "sentiment": sentiment,
        "resources": resources,
        "tags": tags,
        "playbook_base_id": playbook_base_id,
        "has_handoff": has_handoff,
        "sort_by": sort_by,
        "sort_order": sort_order,
    }
    call = get(f"{ROOT}/summaries", models.ConversationSummaryPage.model_validate, params, project_id=project_id)
    return paged(call, lambda page: page.conversations, lambda page: page.total, size=50)


@checked
def conversation(project_id: Id, conversation_id: Id) -> Call[models.ConversationDetail]:
    """One conversation with its messages and citations, by the messaging platform's id."""
    parse = models.ConversationDetail.model_validate
    return get(f"{ROOT}/{{conversation_id}}", parse, project_id=project_id, conversation_id=conversation_id)


@checked
def conversation_batch(project_id: Id, conversation_ids: Ids) -> Call[models.ConversationBatch]:
    """Up to 50 conversations with their messages; ids that are unknown are left out without a word (see `absent`)."""
    return Call(
        path(f"{ROOT}/batch", project_id=project_id),
        models.ConversationBatch.model_validate,
        method="POST",
        body={"conversation_ids": [*conversation_ids]},
        deadline=_BATCH_SECONDS,
    )


def conversation_batches(
    project_id: str, conversation_ids: Iterable[str], *, have: Iterable[str] = ()
) -> tuple[Call[models.ConversationBatch], ...]:
    """The calls that fetch these conversations with their messages, 50 a call, each once and in their order.

    What one `have` already is not asked for, so that an interrupted fetch goes on where it stopped. The calls do not
    depend on each other.
    """
    had = set(have)
    wanted = [each for each in dict.fromkeys(conversation_ids) if each not in had]
    groups = [wanted[at : at + MOST_IDS] for at in range(0, len(wanted), MOST_IDS)]
    return tuple(conversation_batch(project_id, group) for group in groups)


def absent(conversation_ids: Sequence[str], batch: models.ConversationBatch) -> tuple[str, ...]:
    """The ids of a batch that the service left out, because it does not know them."""
    found = {each.conversation_id for each in batch.conversations}
    return tuple(each for each in conversation_ids if each not in found)


@checked
def conversation_messages(project_id: Id, conversation_id: Id) -> Call[models.MessageHistory]:
    """Messages and citations without metadata; the vendor prefers `conversation`."""
    parse = models.MessageHistory.model_validate
    return get(f"{ROOT}/{{conversation_id}}/messages", parse, project_id=project_id, conversation_id=conversation_id)


@checked
def conversation_metrics(project_id: Id, conversation_id: Id) -> Call[models.ConversationMetrics]:
    """Labels, reasons and summary of one conversation; all None while it is unscored."""
    parse = models.ConversationMetrics.model_validate
    return get(f"{ROOT}/{{conversation_id}}/metrics", parse, project_id=project_id, conversation_id=conversation_id)


@checked
def analyze_conversation(project_id: Id, conversation_id: Id) -> Call[models.ConversationMetrics]:
    """Score one conversation of two messages or more. This changes what the service holds."""
    return Call(
        path(f"{ROOT}/{{conversation_id}}/metrics/analyze", project_id=project_id, conversation_id=conversation_id),
        models.ConversationMetrics.model_validate,
        method="POST",
        read_only=False,
    )


@checked
def analyst_conversations() -> Call[Json]:
    """Conversations with the vendor's analyst, as the service says them: no document names a field."""
    return get("/analyst/conversations", as_is)


@checked
def analyst_conversation_messages(conversation_id: Id) -> Call[Json]:
    """Messages of one conversation with the analyst, as the service says them."""
    return get("/analyst/conversations/{conversation_id}/messages", as_is, conversation_id=conversation_id)
