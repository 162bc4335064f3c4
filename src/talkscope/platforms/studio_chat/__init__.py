"""Studio Chat: customer-support assistants, their conversations and what became of them; fifty calls and their limits.

The vendor calls an assistant a playbook. Calls are named as in its contract (`CALLS` has them by name); two change what
the service holds (`analyze_conversation`, `generate_trending_topics`), as `Call.read_only` says.
"""

from __future__ import annotations

from talkscope.flow import Manners
from talkscope.platforms.access import Platform
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.access import ACCESS, LIMITS, PERSONAL, PREFIXES, UNTRUSTED, bucket
from talkscope.platforms.studio_chat.asking import CALLS
from talkscope.platforms.studio_chat.calls.configuration import (
    active_playbook,
    active_playbook_history,
    api_tool,
    api_tools,
    eval_case,
    eval_cases,
    eval_cases_yaml,
    eval_run,
    eval_runs,
    knowledge_base,
    knowledge_base_item,
    knowledge_bases,
    playbook,
    playbook_history,
    playbook_settings,
    playbook_version,
    playbooks,
    project,
    project_settings,
    projects,
    schedule,
)
from talkscope.platforms.studio_chat.calls.conversations import (
    absent,
    analyst_conversation_messages,
    analyst_conversations,
    analyze_conversation,
    conversation,
    conversation_batch,
    conversation_batches,
    conversation_messages,
    conversation_metrics,
    conversation_summaries,
    conversations,
)
from talkscope.platforms.studio_chat.calls.figures import (
    account_analytics,
    conversation_analytics,
    conversion_analytics,
    conversion_metric,
    conversion_metrics,
    csat_analytics,
    metrics_aggregate,
)
from talkscope.platforms.studio_chat.calls.insights import (
    generate_trending_topics,
    trending_topics,
    trending_topics_analysis,
    trending_topics_job,
    trending_topics_status,
)
from talkscope.platforms.studio_chat.calls.resources import (
    api_tool_sparklines,
    api_tool_usage,
    kb_citations,
    kb_item_citations,
    kb_sparklines,
    skill_sparklines,
    skill_usage,
    toolkit_sparklines,
    toolkit_usage,
)
from talkscope.platforms.studio_chat.meaning import explained, notes

PLATFORM = Platform(
    access=ACCESS,
    calls=CALLS,
    manners=Manners(limits=LIMITS, bucket=bucket, explained=explained),
    personal=PERSONAL,
    untrusted=UNTRUSTED,
    notes=lambda call, answer, _key, now: notes(call, answer, now=now),
    probes=lambda also: (project(also.get("project_id", "")),),
)
"""All of the above, as the clients, the tools and the command line take it."""

__all__ = [
    "ACCESS",
    "CALLS",
    "LIMITS",
    "PERSONAL",
    "PLATFORM",
    "PREFIXES",
    "UNTRUSTED",
    "absent",
    "account_analytics",
    "active_playbook",
    "active_playbook_history",
    "analyst_conversation_messages",
    "analyst_conversations",
    "analyze_conversation",
    "api_tool",
    "api_tool_sparklines",
    "api_tool_usage",
    "api_tools",
    "bucket",
    "conversation",
    "conversation_analytics",
    "conversation_batch",
    "conversation_batches",
    "conversation_messages",
    "conversation_metrics",
    "conversation_summaries",
    "conversations",
    "conversion_analytics",
    "conversion_metric",
    "conversion_metrics",
    "csat_analytics",
    "eval_case",
    "eval_cases",
    "eval_cases_yaml",
    "eval_run",
    "eval_runs",
    "explained",
    "generate_trending_topics",
    "kb_citations",
    "kb_item_citations",
    "kb_sparklines",
    "knowledge_base",
    "knowledge_base_item",
    "knowledge_bases",
    "metrics_aggregate",
    "models",
    "notes",
    "playbook",
    "playbook_history",
    "playbook_settings",
    "playbook_version",
    "playbooks",
    "project",
    "project_settings",
    "projects",
    "schedule",
    "skill_sparklines",
    "skill_usage",
    "toolkit_sparklines",
    "toolkit_usage",
    "trending_topics",
    "trending_topics_analysis",
    "trending_topics_job",
    "trending_topics_status",
]  # fmt: skip
