"""Citations of knowledge bases as records, and what bases and their items are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from talkscope.models.values import canonical
from talkscope.platforms.recording import Record, key, record
from talkscope.platforms.studio_chat.models import Citation, ConversationDetail, KnowledgeBase, Message, ToolCall

PLATFORM = "studio_chat"

Said = tuple[datetime, Message]


@dataclass(frozen=True, slots=True)
class Titles:
    """What knowledge bases are called, by id, and what their items are, by the ids of both."""

    bases: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[tuple[str, str], str] = field(default_factory=dict)


def titles_of(bases: Iterable[KnowledgeBase]) -> Titles:
    """The titles that knowledge bases tell, of those of their items too that they list themselves."""
    every = list(bases)
    items = {(base.id, item): title for base in every for item, title in base.titles.items()}
    return Titles({base.id: base.title for base in every if base.title}, items)


def cited(found: ConversationDetail, said: Sequence[Said], last: datetime, titles: Titles | None) -> Iterator[Record]:
    """The citations of one conversation."""
    searches = [
        (at, canonical([call.returned, call.params]))
        for at, message in said
        for call in message.tool_calls
        if _searches(call)
    ]
    for each in found.citations:
        at = _found_at(each, searches)
        yield citation(
            each.citation_id,
            session_id=found.conversation_id,
            name=each.kb_id or each.file_name,
            item_id=each.item_id,
            titles=titles,
            time=at or last,
            attributes={
                "content": each.content,
                "file_name": each.file_name,
                "time_of": None if at else "the conversation's last message",
            },
        )  # fmt: skip


def citation(
    citation_id: str | None,
    *,
    session_id: str | None,
    name: str | None,
    item_id: str | None,
    titles: Titles | None,
    attributes: Mapping[str, object],
    **said: object,
) -> Record:
    """One citation: the same record, whether it is told with its conversation or with its knowledge base.

    No document says that an id is of one citation alone: it may be the passage's, which many conversations cite.
    """
    known = [each for each in (session_id, "citation", citation_id) if each]
    named = name or "unnamed"
    # What has no id is told apart by all that it says, which a title that changes must not.
    called = titles if titles and citation_id else Titles()
    item = called.items.get((named, item_id)) if item_id else None
    return record(
        "resource_call",
        PLATFORM,
        resource_call_id=key(*known) if citation_id else None,
        session_id=session_id,
        kind="knowledge_base",
        name=named,
        item_id=item_id,
        attributes={**attributes, "title": attributes.get("title") or item, "name_title": called.bases.get(named)},
        **said,
    )


def _searches(call: ToolCall) -> bool:
    return call.tool_type == "kb_search"


def _found_at(cited: Citation, searches: Sequence[tuple[datetime, str]]) -> datetime | None:
    """When the passage was found: citations come out of searches, and the search that names it is the one."""
    for name in (cited.citation_id, cited.item_id):
        found = [at for at, told in searches if name and canonical(name) in told]
        if found:
            return found[0]
    return searches[0][0] if len(searches) == 1 else None
