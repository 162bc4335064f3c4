"""How Mavenoid is reached, how often it may be asked, and which of its fields are about people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

from pydantic import SecretStr

from talkscope.flow import Call
from talkscope.platforms.access import Access, Limit, bearer

T = TypeVar("T")

LAST_DAY = "last_day"
LONGER = "longer"
LIMITS: Mapping[str, Limit] = {LAST_DAY: Limit(60, 60.0), LONGER: Limit(10, 60.0)}

PERSONAL: frozenset[str] = frozenset(
    {
        "AgentAvailability.agent_email",
        "AssistantConversation.feedback_comments",
        "AssistantConversation.form_data",
        "AssistantConversation.latest_search_query",
        "AvailabilityGroup.agent_email",
        "LiveSupportSession.agent_email",
        "LiveSupportSession.debrief_summary",
        "SessionGroup.agent_email",
    }
)
"""Fields that are about people, as `Model.field`."""
UNTRUSTED: frozenset[str] = frozenset(
    {
        "AssistantConversation.feedback_comments",
        "AssistantConversation.form_data",
        "AssistantConversation.latest_search_query",
        "LiveSupportSession.debrief_summary",
    }
)
"""Fields that hold the words of end users or of agents, in the same form."""

# SHA-256 of the token in the vendor's example.
_SAMPLES = frozenset({"a7022fa4510e6b1d9546ff96b955a35774bccf1ea279b8cf15e9f6ef89645cc6"})


def is_sample(key: SecretStr | str) -> bool:
    """Whether the key is the vendor's documented sample token, which is answered with dummy data."""
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    words = text.split()
    return bool(words) and hashlib.sha256(words[-1].encode("utf-8", "replace")).hexdigest() in _SAMPLES


def bucket(call: Call[T]) -> str:
    """The limit that a call counts against; the vendor reads `days` right only where it comes last."""
    return LAST_DAY if call.params[-1:] == (("days", "1"),) else LONGER


ACCESS = Access(name="mavenoid", header=bearer)
