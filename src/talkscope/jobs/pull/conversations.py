"""Conversations of Studio Chat, with their messages where they are asked for: pages, and batches of fifty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from talkscope.errors import Json
from talkscope.flow import AnyCall
from talkscope.jobs.pull.plan import Answer, Answers, Listing, Part, Row
from talkscope.platforms.studio_chat import conversation_batches

if TYPE_CHECKING:
    from talkscope.warehouse.export import Kind

SEED_COLUMNS = (
    "conversation_id", "inbox_name", "playbook_name", "playbook_version", "playbooks_info", "message_count",
    "first_message_at", "last_message_at", "first_user_message", "last_assistant_message", "has_handoff", "has_error",
    "tags", "skills", "avg_response_latency_ms", "sentiment_label", "sentiment_reason", "resources_label",
    "resources_reason", "summary", "model",
)  # fmt: skip
"""The columns of the vendor's own export as CSV."""
COLUMNS = (
    *SEED_COLUMNS, "user_intent", "sentiment_shift", "sentiment_shift_reason", "deflection_quality",
    "deflection_quality_reason", "handoff_reason", "handoff_reason_detail", "recontact_risk", "recontact_risk_reason",
    "winback_sent_at", "context",
)  # fmt: skip
WITH_MESSAGES = (*COLUMNS, "messages", "citations")
KINDS: Mapping[str, Kind] = {
    "playbook_version": "integer",
    "message_count": "integer",
    "first_message_at": "moment",
    "last_message_at": "moment",
    "winback_sent_at": "moment",
    "has_handoff": "boolean",
    "has_error": "boolean",
    "tags": "texts",
    "skills": "texts",
    "avg_response_latency_ms": "number",
}
"""What columns hold, so that one export's table is like another's."""


class Conversations(Listing):
    """Every conversation that a call lists; with `messages`, each as its details have it.

    A page brings the batches of those of its conversations that no earlier page had.
    """

    def __init__(self, call: AnyCall, project_id: str, *, messages: bool = False) -> None:
        super().__init__(call, rows="conversations")
        self._project_id = project_id
        self._messages = messages
        self._batch_of: dict[str, str] = {}
        self._missing: dict[str, None] = {}

    @property
    def what(self) -> Mapping[str, Json]:
        """The first page's call, and whether messages are wanted."""
        return {**super().what, "messages": self._messages}

    @property
    def missing(self) -> Sequence[str]:
        """Conversations whose messages the service left out."""
        return tuple(self._missing)

    def answered(self, part: Part, value: Answer) -> Sequence[Part]:
        """Count what came; the pages after a page, and its batches."""
        if part.key.startswith("messages"):
            asked = _ids(part.call.body, "conversation_ids")
            found = _by_id(value)
            self._missing.update(dict.fromkeys(each for each in asked if each not in found))
            return ()
        pages = super().answered(part, value)
        return (*pages, *self._batches(part, value)) if self._messages else pages

    def items(self, answers: Answers) -> Iterator[Json]:
        """The conversations in the service's order, each with its messages and citations."""
        held: dict[str, dict[str, Row]] = {}
        for row in super().items(answers):
            key = self._batch_of.get(_id(row))
            if key is None or not isinstance(row, dict):
                yield row
                continue
            if key not in held:
                # The batches of a page follow each other; more than these are never looked back at for long.
                held = {kept: held[kept] for kept in list(held)[-3:]}
                held[key] = _by_id(answers(key))
            yield {**row, **held[key].get(_id(row), {})}

    def _batches(self, part: Part, value: Answer) -> list[Part]:
        ids = [_id(row) for row in self.rows_of(value)]
        wanted = [each for each in dict.fromkeys(ids) if each and each not in self._batch_of]
        parts = []
        for number, call in enumerate(conversation_batches(self._project_id, wanted)):
            key = f"messages {part.rank}.{number}"
            parts.append(Part(key, call))
            self._batch_of.update(dict.fromkeys(_ids(call.body, "conversation_ids"), key))
        return parts


def _id(row: Json) -> str:
    known = row.get("conversation_id") if isinstance(row, dict) else None
    return known if isinstance(known, str) else ""


def _ids(body: Json, name: str) -> list[str]:
    listed = body.get(name) if isinstance(body, dict) else None
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _by_id(value: Answer) -> dict[str, Row]:
    listed = value.get("conversations") if isinstance(value, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return {_id(row): row for row in rows}
