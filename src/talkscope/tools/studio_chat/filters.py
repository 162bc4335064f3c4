"""The filters of conversations, as `name=value` texts, and what they are on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkscope.errors import InvalidArgument, unknown
from talkscope.models.text import clean
from talkscope.tools.studio_chat.asking import inbox, version
from talkscope.tools.vendor import Reach

NAMES: Mapping[str, str] = {
    "handoff": "has_handoff",
    "sentiment": "sentiment",
    "resources": "resources",
    "sentiment_shift": "sentiment_shift",
    "deflection_quality": "deflection_quality",
    "handoff_reason": "handoff_reason",
    "recontact_risk": "recontact_risk",
    "tags": "tags",
    "skill": "skill_name",
    "min_messages": "min_messages",
    "max_messages": "max_messages",
    "winback": "has_winback",
    "inbox": "inbox_id",
    "version": "playbook_id",
    "id": "search",
}
"""Ours, and the vendor's, which is understood too."""
_FLAGS = {"yes": "true", "no": "false"}


def read(filters: Sequence[str]) -> dict[str, str]:
    """The filters by the vendor's names. Raises UnknownName or InvalidArgument."""
    found: dict[str, str] = {}
    theirs = set(NAMES.values())
    for each in filters:
        name, sign, value = (part.strip() for part in each.partition("="))
        if not sign or not value or name.endswith(("!", "<", ">")):
            raise InvalidArgument(
                f"The filter {clean(each, 60)!r} is not name=value.", hint="Write it as sentiment=negative,neutral."
            )
        word = name if name in theirs else NAMES.get(name)
        if word is None:
            raise unknown("filter", clean(name, 40), NAMES)
        if word in found:
            raise InvalidArgument(f"There are two filters of {name}.", hint=f"Write them as one: {name}=a,b.")
        found[word] = _FLAGS.get(value.lower(), value) if word.startswith("has_") else value
    return found


async def resolved(reach: Reach, filters: Sequence[str], assistant: str | None) -> dict[str, str]:
    """The filters with ids where names were given."""
    found = read(filters)
    if "inbox_id" in found:
        found["inbox_id"] = str(await inbox(reach, found["inbox_id"]))
    if "playbook_id" in found:
        found["playbook_id"] = str(await version(reach, assistant, found["playbook_id"]))
    return found
