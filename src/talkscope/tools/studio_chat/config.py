"""How Studio Chat is set up: assistants and their versions, knowledge, tools, office hours, projects."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal, TypeAlias, get_args

from pydantic import BaseModel, Field

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import KnowledgeBase, Playbook
from talkscope.tools.studio_chat.asking import UUID, base, picked, playbooks, project
from talkscope.tools.studio_chat.cells import at, listed, paged, shown, tabled, text, yes
from talkscope.tools.studio_chat.resources import knowledge_base
from talkscope.tools.vendor import Reach, VendorTool, hidden

Kind: TypeAlias = Literal[
    "assistants", "assistant", "versions", "active", "deployments", "settings", "knowledge_bases", "knowledge_base",
    "item", "api_tools", "api_tool", "schedule", "project", "projects",
]  # fmt: skip
Table: TypeAlias = tuple[tuple[str, ...], list[list[Cell]]]
_KEYS = re.compile(r"auth|secret|token|passw|credential|api_?key|header|cookie", re.IGNORECASE)
_NAMED = {"assistant", "versions", "active", "deployments", "settings", "knowledge_base", "item", "api_tool"}


class ConfigAsked(Asked):
    """One kind of setting."""

    kind: Kind = "assistants"
    name: str | None = Field(default=None, description="name or id of the assistant, knowledge base or tool")
    version: int | None = Field(default=None, ge=1, description="of an assistant, else the active one")
    item_id: str | None = None
    include_deleted: bool = False
    limit: int = Field(default=200, ge=1, le=2_000, description="rows, 1-2000")
    offset: int = Field(default=0, ge=0)


async def config(reach: Reach, asked: Asked) -> Answer:
    """The settings of one kind as rows."""
    assert isinstance(asked, ConfigAsked)
    if asked.kind in _NAMED and not asked.name:
        raise InvalidArgument(f"Which one? {asked.kind} is of one.", hint="Give name: a name or an id.")
    columns, rows = await _TOLD[asked.kind](reach, asked)
    part = rows[asked.offset : asked.offset + asked.limit]
    paged(reach, "rows", asked.offset, len(part), len(rows))
    return reach.answer(columns, part, n=len(rows), basis="n counts rows: this is how it is set up now")


async def _assistants(reach: Reach, asked: ConfigAsked) -> Table:
    call = studio_chat.playbooks(project(reach), include_deleted=asked.include_deleted or None)
    every = await reach.send(call)
    return _playbooks(every)


def _playbooks(every: Iterable[Playbook]) -> Table:
    names = ("assistant", "base_id", "version", "version_id", "model", "inboxes", "knowledge_bases", "deleted")
    return names, [
        [
            each.name,
            each.base_id,
            each.version_number,
            each.id,
            each.model,
            listed(inbox.name or inbox.id for inbox in each.inboxes),
            len(each.kb_ids),
            yes(each.is_deleted),
        ]
        for each in every
    ]


async def _version_id(reach: Reach, asked: ConfigAsked) -> str:
    """The id of the version that is listed of the assistant, which is the active one; the id of a version stays."""
    word, every = str(asked.name), await playbooks(reach)
    known = {each.base_id: each.name for each in every}
    if UUID.fullmatch(word) and word not in known:
        return word
    which = picked("assistant", word, known)
    return next(each.id for each in every if each.base_id == which)


async def _assistant(reach: Reach, asked: ConfigAsked) -> Table:
    """Everything about one version, its instructions line by line."""
    which = await _version_id(reach, asked)
    if asked.version is None:
        found = await reach.send(studio_chat.playbook(which))
    else:
        found = await reach.send(studio_chat.playbook_version(which, asked.version))
    table = _fields(
        {
            "name": found.name,
            "base_id": found.base_id,
            "version": found.version_number,
            "version_id": found.id,
            "model": found.model,
            "deleted": yes(found.is_deleted),
            "inboxes": listed(inbox.name or inbox.id for inbox in found.inboxes),
        },
        {"instructions": found.content},
    )
    bases: list[list[Cell]] = [["knowledge_base", each] for each in found.kb_ids]
    return table[0], [*table[1], *bases]


def _fields(told: Mapping[str, Cell], texts: Mapping[str, str | None] | None = None) -> Table:
    """Rows of a field and its value; a text takes one row for each of its lines."""
    rows: list[list[Cell]] = [[name, value] for name, value in told.items()]
    for name, words in (texts or {}).items():
        rows += [[name, line] for line in (words or "").splitlines() if line.strip()]
    return ("field", "value"), rows


async def _versions(reach: Reach, asked: ConfigAsked) -> Table:
    which = await _version_id(reach, asked)
    found = await reach.send(studio_chat.playbook_history(which))
    return tabled(found, frozenset({"content", "inboxes", "kb_ids"}))


async def _active(reach: Reach, asked: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.active_playbook(str(await base(reach, asked.name))))
    return _playbooks([found.playbook])


async def _deployments(reach: Reach, asked: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.active_playbook_history(str(await base(reach, asked.name))))
    rows: list[list[Cell]] = [[each.version_number, at(each.activated_at), each.activated_by] for each in found]
    return ("version", "activated_at", "activated_by"), rows


async def _settings(reach: Reach, asked: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.playbook_settings(await _version_id(reach, asked)))
    if found is None:
        reach.note("Nothing was ever set for this assistant.")
        return _fields({"disabled": None, "winback": None, "url_shortener": None})
    return _fields(
        {
            "disabled": yes(found.is_disabled),
            "winback": text(found.winback),
            "url_shortener": text(found.url_shortener),
        }
    )


async def _bases(reach: Reach, asked: ConfigAsked) -> Table:
    call = studio_chat.knowledge_bases(
        project(reach), include_final_delete=asked.include_deleted or None, include_playbook_usage=True
    )
    rows: list[list[Cell]] = [
        [each.title, each.id, each.kb_type, each.status, listed(dict.fromkeys(map(_name, each.used_by_playbooks)))]
        for each in await reach.send(call)
    ]
    return ("title", "id", "type", "status", "used_by"), rows


def _name(value: object) -> str:
    named = value.get("name") or value.get("id") if isinstance(value, dict) else value
    return str(text(named))


async def _base(reach: Reach, asked: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.knowledge_base(await knowledge_base(reach, str(asked.name))))
    about = _fields(
        {"title": found.title, "id": found.id, "type": found.kb_type, "status": found.status},
        {"content": found.content},
    )
    return about[0], [*about[1], *_items(found)]


def _items(found: KnowledgeBase) -> list[list[Cell]]:
    return [
        *(["article", text({"id": each.id, "title": each.title})] for each in found.intercom_items),
        *(["faq", text(each)] for each in found.faq_items),
        *(["snippet", text(each)] for each in found.snippet_items),
    ]


async def _item(reach: Reach, asked: ConfigAsked) -> Table:
    if asked.item_id is None:
        raise InvalidArgument("Which item?", hint="Give item_id: studio_kb_items lists those that are cited.")
    which = await knowledge_base(reach, str(asked.name))
    found = await reach.send(studio_chat.knowledge_base_item(which, asked.item_id))
    told = {"item_id": found.item_id, "type": found.item_type, "title": found.title, "url": found.url}
    return _fields(told)


def _extras(row: BaseModel) -> dict[str, object]:
    """Everything that is told, keys to other services not: which fields there are is documented nowhere."""
    return {name: _unkeyed(name, value) for name, value in row.model_dump(mode="json").items()}


def _unkeyed(name: str, value: object) -> object:
    if isinstance(value, str | dict | list) and value and _KEYS.search(name):
        return hidden(value)
    if isinstance(value, dict):
        return {key: _unkeyed(key, part) for key, part in value.items()}
    return [_unkeyed("", part) for part in value] if isinstance(value, list) else value


async def _tools(reach: Reach, _: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.api_tools(project(reach), include_playbook_usage=True))
    return tabled(map(_extras, found))


async def _tool(reach: Reach, asked: ConfigAsked) -> Table:
    every = await reach.send(studio_chat.api_tools(project(reach)))
    which = picked("API tool", str(asked.name), {each.id: each.name for each in every if each.id})
    found = await reach.send(studio_chat.api_tool(project(reach), which))
    return _fields({name: text(value) for name, value in _extras(found).items()})


async def _schedule(reach: Reach, _: ConfigAsked) -> Table:
    found = await reach.send(studio_chat.schedule(project(reach)))
    weekly = found.weekly_schedule
    days: dict[str, Cell] = {day: text(hours) for day, hours in weekly.items()} if isinstance(weekly, dict) else {}
    table = _fields({"enabled": yes(found.enabled), "timezone": found.timezone, **days})
    return table[0], [*table[1], *(["override", text(each)] for each in found.overrides)]


async def _project(reach: Reach, _: ConfigAsked) -> Table:
    one = await reach.send(studio_chat.project(project(reach)))
    found = await reach.send(studio_chat.project_settings(project(reach)))
    told: dict[str, Cell] = {name: text(value) for name, value in _extras(one).items()}
    told["personality_tone"] = text(found.personality_tone)
    told["user_enrichment_url"] = shown(reach, found, "user_enrichment_url")
    return _fields(told)


async def _projects(reach: Reach, _: ConfigAsked) -> Table:
    every = await reach.send(studio_chat.projects())
    return tabled(map(_extras, every))


_TOLD: Mapping[Kind, Callable[[Reach, ConfigAsked], Awaitable[Table]]] = dict(
    zip(
        get_args(Kind),
        (
            _assistants, _assistant, _versions, _active, _deployments, _settings, _bases, _base, _item, _tools, _tool,
            _schedule, _project, _projects,
        ),
        strict=True,
    )
)  # fmt: skip

CONFIG = VendorTool(
    name="studio_config",
    title="Studio Chat: how it is set up",
    description=(
        "How Studio Chat is set up: assistants (bots, agents, playbooks) with instructions and versions, knowledge"
        " bases, API tools, office hours, projects."
    ),
    platform="studio_chat",
    params=ConfigAsked,
    answered=config,
    left_out="Ask with the offset of the first row that is missing.",
)
