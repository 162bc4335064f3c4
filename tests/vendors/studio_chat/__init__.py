"""A server that keeps Studio Chat's contract over a made-up account.

vendor = studio_chat.server(conversations=2_000)
with served(vendor) as url:
    ...  # vendor.studio.world holds the records that the answers are worked out from
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from tests.vendors.engine import Asked, Json, Refused, Reply, Vendor
from tests.vendors.studio_chat import configuration, conversations, figures, outcomes, resources, topics
from tests.vendors.studio_chat.records import World
from tests.vendors.studio_chat.state import Habits, Studio
from tests.vendors.studio_chat.world import MAIN, NOW, SMALL, make

__all__ = ["BEARER", "EXPORT_KEY", "KEY", "MAIN", "NOW", "SMALL", "Habits", "Studio", "StudioChat", "server", "world"]

KEY = "sbs_test"
EXPORT_KEY = "kps_test"
BEARER = "eyJhbGciOiJIUzI1NiJ9.e30.test"

_ANSWERS: Mapping[str, Callable[[Studio, Asked], Json]] = {
    "conversation_analytics": figures.conversation_analytics,
    "account_analytics": figures.account_analytics,
    "metrics_aggregate": figures.metrics_aggregate,
    "conversations": conversations.conversations,
    "conversation_summaries": conversations.summaries,
    "conversation": conversations.conversation,
    "conversation_batch": conversations.batch,
    "conversation_messages": conversations.messages,
    "conversation_metrics": conversations.metrics,
    "analyze_conversation": conversations.analyze,
    "trending_topics_status": topics.status,
    "generate_trending_topics": topics.generate,
    "trending_topics_job": topics.job,
    "trending_topics_analysis": topics.analysis,
    "api_tool_usage": resources.api_tools,
    "api_tool_sparklines": resources.api_tool_sparklines,
    "toolkit_usage": resources.toolkits,
    "toolkit_sparklines": resources.toolkit_sparklines,
    "skill_usage": resources.skills,
    "skill_sparklines": resources.skill_sparklines,
    "kb_citations": resources.citations,
    "kb_sparklines": resources.kb_sparklines,
    "kb_item_citations": resources.cited_items,
    "csat_analytics": outcomes.csat,
    "conversion_metrics": outcomes.conversion_metrics,
    "conversion_metric": outcomes.conversion_metric,
    "conversion_analytics": outcomes.conversion_analytics,
    "playbooks": configuration.playbooks,
    "playbook": configuration.playbook,
    "playbook_history": configuration.playbook_history,
    "playbook_version": configuration.playbook_version,
    "active_playbook": configuration.active_playbook,
    "active_playbook_history": configuration.active_playbook_history,
    "playbook_settings": configuration.playbook_settings,
    "knowledge_bases": configuration.knowledge_bases,
    "knowledge_base": configuration.knowledge_base,
    "knowledge_base_item": configuration.knowledge_base_item,
    "schedule": configuration.schedule,
    "api_tools": configuration.api_tools,
    "api_tool": configuration.api_tool,
    "project_settings": configuration.project_settings,
    "eval_cases": configuration.eval_cases,
    "eval_case": configuration.eval_case,
    "eval_cases_yaml": configuration.eval_cases_yaml,
    "eval_runs": configuration.eval_runs,
    "eval_run": configuration.eval_run,
    "projects": configuration.projects,
    "project": configuration.project,
    "analyst_conversations": configuration.analyst_conversations,
    "analyst_conversation_messages": configuration.analyst_messages,
}


class StudioChat(Vendor):
    """The server; `studio` is the account behind it, with what requests have changed."""

    def __init__(self, studio: Studio, *, delay: float = 0) -> None:
        self.studio = studio
        super().__init__(
            "studio_chat",
            {name: partial(_reply, answer, studio) for name, answer in _ANSWERS.items()},
            keys=dict.fromkeys((KEY, EXPORT_KEY, BEARER)), fits=_fits, refuse=_words, delay=delay,
        )  # fmt: skip


@cache
def world(conversations: int = 240, seed: int = 7) -> World:
    """The account of a seed; records never change, so servers may share it."""
    return make(seed=seed, conversations=conversations)


def server(
    *, conversations: int = 240, seed: int = 7, of: World | None = None, habits: Habits | None = None, delay: float = 0
) -> StudioChat:
    """A server of its own state.

    Args:
        conversations: How many the main project has.
        seed: What the account is drawn from.
        of: Another account than that of the seed.
        habits: Which of the documented forms it answers in.
        delay: Seconds before each answer.
    """
    return StudioChat(Studio(of or world(conversations, seed), habits or Habits()), delay=delay)


def _reply(answer: Callable[[Studio, Asked], Json], studio: Studio, asked: Asked) -> Reply:
    return Reply(answer(studio, asked))


def _fits(scheme: str, token: str) -> bool:
    """Whether a token may come in a header: a kps_ token in both, since the vendor's scripts disagree."""
    return token.startswith(("sbs_", "kps_")) if scheme == "ApiKey" else not token.startswith("sbs_")


def _words(refused: Refused) -> Reply:
    """An error; only dates in the wrong order and a bad tag_filter are documented as 400."""
    bad_rule = any(fault.name == "tag_filter" for fault in refused.faults)
    detail: Json = refused.message
    if refused.faults:
        detail = [
            {"loc": [fault.where, fault.name], "msg": fault.message, "type": fault.keyword} for fault in refused.faults
        ]
    return Reply({"detail": detail}, 400 if bad_rule else refused.status, refused.headers)
