"""Which resources assistants use: API tools, toolkits, skills and knowledge bases, and whether that works."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument, InvalidRange, unknown
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked, FilterWords
from talkscope.models.text import clean
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.tools.studio_chat import usage
from talkscope.tools.studio_chat.asking import days_of, in_days, picked, project
from talkscope.tools.studio_chat.cells import Spanned
from talkscope.tools.studio_chat.sparklines import sparklines
from talkscope.tools.vendor import Reach, VendorTool

_FILTERS = {
    "api_tools": {"search": "search"},
    "toolkits": {"action": "action_name", "param": "param_filter", "search": "search"},
    "skills": {"search": "search"},
    "knowledge_bases": {"item": "item_id", "source": "source", "search": "search"},
}
_NAMED = {"api_tools": "api_tool_id", "toolkits": "toolkit_slug", "skills": "skill_name", "knowledge_bases": "kb_id"}
_VIEWS = {
    "totals": tuple(_NAMED),
    "days": tuple(_NAMED),
    "recent": tuple(_NAMED),
    "sparklines": tuple(_NAMED),
    "actions": ("toolkits",),
    "params": ("toolkits",),
    "sources": ("knowledge_bases",),
}


class ResourcesAsked(Spanned):
    """Use of one kind of resource."""

    kind: Literal["api_tools", "toolkits", "skills", "knowledge_bases"]
    show: Literal["totals", "days", "recent", "sparklines", "actions", "params", "sources"] = "totals"
    name: str | None = Field(default=None, description="name, slug or id")
    filters: FilterWords = Field(default_factory=list)
    days: int | None = Field(default=None, ge=1, le=90, description="sparklines: 1-90, default 14")
    limit: int = Field(default=50, ge=1, le=500, description="1-500")
    offset: int = Field(default=0, ge=0)


async def resources(reach: Reach, asked: Asked) -> Answer:
    """The view of one kind."""
    assert isinstance(asked, ResourcesAsked)
    if asked.kind not in _VIEWS[asked.show]:
        raise InvalidArgument(
            f"{asked.show} is of {' and '.join(_VIEWS[asked.show])}.", hint="Leave show out, or ask for another kind."
        )
    filters = _filters(asked)
    if asked.show == "sparklines":
        if filters:
            raise InvalidArgument("Sparklines take no filter.", hint="Ask with show=days.")
        return await sparklines(reach, asked.kind, asked.name, _trailing(reach, asked))
    if asked.days is not None:
        raise InvalidArgument("days is of sparklines.", hint="Give range, or start_time and end_time.")
    if asked.show == "params" and "param_filter" not in filters:
        raise InvalidArgument("The values of which parameter?", hint="Filter by param=key:value: all values are told.")
    window = in_days(reach, reach.window(asked))
    told: dict[str, object] = {**filters, **days_of(window)}
    if asked.name is not None:
        told[_NAMED[asked.kind]] = await _meant(reach, asked.kind, asked.name)
    if asked.kind != "knowledge_bases":
        told |= {"limit": asked.limit, "offset": asked.offset} if asked.show == "recent" else {"limit": 1}
    return await usage.TOLD[asked.kind](reach, told, asked.show, window)


def _filters(asked: ResourcesAsked) -> dict[str, str]:
    """The filters by the vendor's names. Raises UnknownName or InvalidArgument."""
    known = _FILTERS[asked.kind]
    found: dict[str, str] = {}
    for each in asked.filters:
        name, sign, value = (part.strip() for part in each.partition("="))
        if name not in known and name not in known.values():
            raise unknown(f"filter of {asked.kind}", clean(name, 40), known)
        if not sign or not value:
            raise InvalidArgument(f"The filter {name} has no value.", hint="Write it as search=error.")
        found[known.get(name, name)] = value
    if "search" in found and asked.show != "recent":
        raise InvalidArgument(
            "search looks through the list of calls, not through the totals.", hint="Ask with show=recent."
        )
    return found


def _trailing(reach: Reach, asked: ResourcesAsked) -> int:
    """How many days the sparklines are of, the present one included."""
    if asked.days is not None or (asked.range, asked.start_time, asked.end_time) == (None, None, None):
        return asked.days or 14
    window = in_days(reach, reach.window(asked))
    today = in_days(reach, Window(int(reach.now.timestamp() * 1e6) - 1, int(reach.now.timestamp() * 1e6)))
    days = round(window.seconds / 86_400)
    if window.end != today.end or days > 90:
        raise InvalidRange("Sparklines are of up to 90 days that end today.", hint="Give days, or ask with show=days.")
    return days


async def _meant(reach: Reach, kind: str, word: str) -> str:
    """The id, slug or name that a word means; tools and knowledge bases are listed to find it."""
    if kind == "api_tools":
        tools = await reach.send(studio_chat.api_tools(project(reach)))
        return picked("API tool", word, {each.id: each.name for each in tools if each.id})
    if kind == "knowledge_bases":
        return await knowledge_base(reach, word)
    return word.strip()


async def knowledge_base(reach: Reach, word: str) -> str:
    """The id of a knowledge base by its id, its title, or its kind where there is one of that kind."""
    every = await reach.send(studio_chat.knowledge_bases(project(reach), include_final_delete=True))
    titles = {each.id: each.title for each in every}
    kinds = {each.id: each.kb_type for each in every if each.kb_type.casefold() == word.strip().casefold()}
    named = [each for each in titles.values() if each and each.casefold() == word.strip().casefold()]
    return picked("knowledge base", word, kinds if kinds and not named and word not in titles else titles)


RESOURCES = VendorTool(
    name="studio_resources",
    title="Studio Chat: use of tools and knowledge",
    description="API tools, toolkits, skills, knowledge in use. filters: action param=key:value search item source",
    platform="studio_chat",
    params=ResourcesAsked,
    answered=resources,
    left_out="Ask with a smaller limit, the offset of the first that is missing, or fewer days.",
    own=frozenset({"measure"}),
    told={"filters": "name=value", "end_time": ""},
)
