"""What the v1 contract's words mean in the words of the questions: filters, segments, times and meta."""

from __future__ import annotations

from datetime import UTC, datetime

from talkscope.errors import UsageError
from talkscope.models.answers import Answer, Cell, Meta
from talkscope.models.semantics import dimension, segment_filters, snake
from talkscope.models.v1 import EffectiveRange, ResponseMeta, V1Asked

_FILTERS = (
    "character_id", "app_key", "experience_id", "end_user_id", "provider", "model", "processor", "status",
)  # fmt: skip


class Misfit(UsageError):
    """Parameters that do not fit; `problems` lists them as the contract does."""

    code = "validation_error"

    def __init__(self, problems: list[dict[str, object]]) -> None:
        super().__init__("Parameters do not fit.")
        self.problems = problems


def filters(asked: V1Asked, segment: str | None = None) -> list[str]:
    """The filters of a v1 question as the questions take them. Raises UnknownName for an unknown segment."""
    told = asked.model_dump()
    found = [f"{name}={told[name]}" for name in _FILTERS if told.get(name) not in (None, "")]
    if segment:
        found += segment_filters(segment)
    return found


def grouping(word: str) -> tuple[str, str]:
    """A group_by as the contract echoes it, and as the questions take it. Raises UnknownName."""
    return snake(word), dimension(word).name


def at(text: Cell) -> datetime | None:
    """An answer's time; one without an offset, as a bare day is, is UTC."""
    if not isinstance(text, str):
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def number(value: Cell) -> float:
    """A figure that the contract never leaves out: 0.0 where there is none."""
    return float(value) if isinstance(value, int | float) else 0.0


def maybe(value: Cell) -> float | None:
    """A figure that may be missing."""
    return float(value) if isinstance(value, int | float) else None


def whole(value: Cell) -> int:
    """A count: 0 where there is none."""
    return int(value) if isinstance(value, int | float) else 0


def text(value: Cell) -> str | None:
    """A text, or None."""
    return None if value is None else str(value)


def meta(
    answered: Answer | Meta, now: datetime, *, start: datetime | None = None, end: datetime | None = None
) -> ResponseMeta:
    """The contract's meta; `start` and `end` are the range of an answer that has no window of its own.

    An empty warehouse is as fresh as the clock.
    """
    told = answered.meta if isinstance(answered, Answer) else answered
    fresh = at(told.freshness) or now
    if told.window is not None:
        start, end = at(told.window.start), at(told.window.end)
    return ResponseMeta(
        freshness_at=fresh,
        sample_count=told.n,
        effective_range=EffectiveRange(start_time=start or fresh, end_time=end or start or fresh),
        backend="cube",
    )
