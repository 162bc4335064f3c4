"""What happened in one call?"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.agent_studio import call_detail, call_transcript
from talkscope.platforms.agent_studio.models import TranscriptEntry
from talkscope.tools.vendor import Reach, VendorTool
from talkscope.tools.vendor.said import written

UNDER_WAY = "The call is under way: it has no figures yet, and its transcript goes on."
HIDDEN = "What was said is hidden; whoever set Talkscope up can show it with TALKSCOPE_REVEAL_PERSONAL_DATA=1."

_FIELDS = (
    "id", "status", "direction", "workflow_id", "workflow_slug", "user_id", "created_at", "started_at", "ended_at",
    "duration_seconds", "current_agent",
)  # fmt: skip
# Who speaks may be said by name, which is nobody's business; these words name no one.
_ROLES = frozenset({"agent", "assistant", "bot", "caller", "customer", "human", "system", "tool", "user"})
_AGENT = ("agent", "agent_name", "name", "slug")
_UNITS = {
    "duration_seconds": "s",
    "stt_latency_ms": "ms",
    "llm_latency_ms": "ms",
    "tts_latency_ms": "ms",
    "total_tokens": "tokens",
}


class DetailAsked(Asked):
    """One call."""

    call_id: str
    transcript: bool = Field(default=True, description="default true")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, DetailAsked)
    found = await reach.send(call_detail(asked.call_id))
    said = await reach.send(call_transcript(asked.call_id)) if asked.transcript else []
    if found.ended_at is None and found.metrics is None:
        reach.note(UNDER_WAY)
    if said and not reach.reveal:
        reach.note(HIDDEN)
    rows: list[list[Cell]] = [["call", name, _shown(reach, found, name)] for name in _FIELDS]
    rows += [["agent", str(place), _agent(each)] for place, each in enumerate(found.agent_history, 1)]
    if found.metrics is not None:
        rows += [["figure", name, value] for name, value in found.metrics.model_dump().items()]
    rows += [["said", _speaker(reach, each), _shown(reach, each, "text")] for each in said]
    return reach.answer(
        ["part", "name", "value"],
        rows,
        n=1,
        basis=f"one call, {len(said)} entries of its transcript" if asked.transcript else "one call",
        units=_UNITS,
    )


def _speaker(reach: Reach, entry: TranscriptEntry) -> str | None:
    if entry.speaker is None or entry.speaker.lower() in _ROLES:
        return entry.speaker
    return _text(reach.shown(entry, "speaker"))


def _shown(reach: Reach, row: BaseModel, name: str) -> Cell:
    value = reach.shown(row, name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _text(value: object) -> str | None:
    """A value of any kind as the text of a cell."""
    if value is None or isinstance(value, str):
        return value
    return iso(micros(value)) if isinstance(value, datetime) else written(value)


def _agent(told: JsonValue) -> str | None:
    """An agent of the call's history by its name, however that is told."""
    if isinstance(told, dict):
        named = [name for key in _AGENT if isinstance(name := told.get(key), str)]
        return named[0] if named else _text(told)
    return _text(told)


DETAIL = VendorTool(
    name="calls_detail",
    title="One call",
    description="One Agent Studio call: status, workflow, agents, latencies, tokens, and its transcript in order (texts"
    " hidden unless personal data are shown).",
    platform="agent_studio",
    params=DetailAsked,
    answered=_answered,
    left_out="Ask without the transcript.",
    own=frozenset({"part"}),
)
