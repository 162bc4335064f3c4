"""What is written beside Pipecat's metrics, which name neither session nor time, and what a processor's name says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, number_of, text_of

PLATFORM = "pipecat"

_SESSION = ("session_id", "conversation_id", "conversation.id", "call_id", "room_id")
_TURN_IDS = ("interaction_id", "turn_id")
_TURN_NUMBERS = ("turn_number", "turn.number", "turn")
_TIMES = ("time", "timestamp", "ts", "created_at", "at")
_TOLD = {
    "character_id": ("agent_id", "agent_name", "bot_id", "bot_name"),
    "character_name": ("agent_name", "bot_name"),
    "end_user_id": ("user_id", "end_user_id"),
    "channel": ("channel", "conversation.type"),
    "language": ("language",),
    "app_key": ("app_key",),
}
BESIDE = frozenset((*_SESSION, *_TURN_IDS, *_TURN_NUMBERS, *_TIMES)).union(*_TOLD.values())
"""The names under which a line says whose it is and when it was."""

_UNITS = (1, 1e3, 1e6, 1e9)
_PLAUSIBLE = (1.5e9, 2.5e9)
"""Seconds since 1970 from 2017 to 2049: Pipecat's own clock, nanoseconds of a pipeline, is not taken for them."""

_PARTS = {"LLM": "llm", "STT": "asr", "TTS": "tts", "Video": "avatar", "ImageGen": "image", "Memory": "memory"}
_SERVICE = re.compile(rf"(.*?)({'|'.join(_PARTS)})(?:Service)?")
_TURN = re.compile(r"(?:.*SmartTurn.*|.*TurnAnalyzer.*|Krisp.*Turn.*)")
_WORDS = {"llm": "llm", "stt": "asr", "asr": "asr", "tts": "tts", "vad": "vad"}
_VARIANTS = re.compile(r"(?:Http|HTTP|Realtime|Responses|Live|Base|Segmented|SageMaker|Vertex|Flux|Turns|Dialogue)+$")
_VENDORS = {"gemini": "google", "aws": "aws", "fishaudio": "fish", "asyncai": "asyncai", "resembleai": "resemble"}
_COUNT = re.compile(r"#\d+$")


@dataclass(frozen=True, slots=True)
class Home:
    """Whose a line is and when: the session's and turn's ids, seconds since 1970, and what is told of the session."""

    session: str
    turn: str | None
    at: float | None
    told: Mapping[str, str]

    def time(self) -> float:
        """When it was; raises Refused when the line does not say."""
        if self.at is None:
            raise Refused('says no time: write it beside the metrics, "time": time.time()')
        return self.at


def home_of(beside: Item) -> Home:
    """What the ids and times on and around an object say; raises Refused when they name no session."""
    session = _said(beside, _SESSION)
    if session is None:
        raise Refused("names no session: write session_id or conversation_id beside the metrics")
    turn, number = _said(beside, _TURN_IDS), _said(beside, _TURN_NUMBERS)
    at = next((_seconds(beside[name]) for name in _TIMES if beside.get(name) is not None), None)
    told = {ours: found for ours, theirs in _TOLD.items() if (found := _said(beside, theirs))}
    return Home(session, turn or (f"{session}/turn-{number}" if number else None), at, told)


def _said(item: Item, names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := text_of(item.get(name)))), None)


def _seconds(value: object) -> float:
    """Seconds since 1970 out of ISO 8601 or an epoch in whichever unit makes it a time of today."""
    number = number_of(value)
    if number is not None:
        for unit in _UNITS:
            if _PLAUSIBLE[0] <= number / unit <= _PLAUSIBLE[1]:
                return number / unit
        raise Refused(f"time does not count from 1970: {number:g}; frames' own times count from the pipeline's start")
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise Refused(f"time is not an ISO 8601 time: {str(value)[:40]!r}") from None
    if moment.tzinfo is None:
        raise Refused(f"time has no UTC offset: {str(value)[:40]!r}")
    return moment.timestamp()


def processor_of(name: str) -> tuple[str, str | None]:
    """The component and the vendor that a processor's name tells: `OpenAILLMService#0` is openai's llm."""
    plain = _COUNT.sub("", name.strip())
    service = _SERVICE.fullmatch(plain)
    if service and service[1][:1].isupper():
        return _PARTS[service[2]], _vendor(service[1])
    if _TURN.fullmatch(plain):
        return "eou_detection", None
    if plain.endswith("VADAnalyzer"):
        return "vad", None
    words = [word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word]
    part = next((_WORDS[word] for word in words if word in _WORDS), None)
    if part is None:
        return ("transport" if plain.endswith(("Transport", "TransportOutput", "TransportInput")) else plain), None
    return part, next((word for word in words if word not in _WORDS and word not in {"service", "processor"}), None)


def _vendor(stem: str) -> str | None:
    plain = _VARIANTS.sub("", stem).lower()
    return next((vendor for start, vendor in _VENDORS.items() if plain.startswith(start)), plain or None)


def ms(seconds: float) -> float:
    """The seconds in milliseconds."""
    return round(seconds * 1_000, 3)


def micros(seconds: float) -> int:
    """The moment as integer microseconds since 1970."""
    return round(seconds * 1_000_000)
