"""A typed answer: columns and rows, with meta that says exactly what was asked and counted."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Cell: TypeAlias = int | float | str | None


class Frozen(BaseModel):
    """An immutable model that keeps unknown fields of a newer service out of the way."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WindowMeta(Frozen):
    """The window [start, end) as ISO 8601 in its zone; `range` is the token that it came from."""

    start: str
    end: str
    timezone: str
    range: str | None = None


NEXT_PAGE = "the next page is next_cursor as cursor"
"""How a note says that there is more, in the words of those who ask by name; a command has words of its own."""


class Meta(Frozen):
    """What the figures are about: source, window, n, units, freshness, and notes to pass on with them."""

    source: str
    generated: bool = Field(default=False, description="True when the telemetry is generated demo data.")
    window: WindowMeta | None = None
    previous: WindowMeta | None = Field(default=None, description="The window before, where it is compared.")
    n: int = Field(description="Facts behind the answer.")
    unknown_latency: int | None = Field(default=None, description="Turns left out because their latency is unknown.")
    basis: str | None = Field(default=None, description="What the figures are over, in words.")
    latency_basis: str | None = Field(default=None, description="What latency is in the formats that were loaded.")
    units: dict[str, str] = Field(default_factory=dict, description="Column to unit.")
    granularity: str | None = None
    freshness: str | None = Field(default=None, description="Time of the newest record.")
    extent: WindowMeta | None = Field(default=None, description="What data there is, when the window holds none.")
    covers: str | None = Field(
        default=None, description="What of the window the figures cover, where a source is asked in parts."
    )
    requests: int | None = Field(default=None, description="Requests that the answer took of a vendor's API.")
    age_sec: float | None = Field(
        default=None, description="Seconds since the answer was given, where it was kept as its vendor recommends."
    )
    next_cursor: str | None = None
    notes: list[str] = Field(default_factory=list)


class Answer(Frozen):
    """Columns and rows: one list per row, cells in the order of the columns, null where a figure is missing."""

    columns: list[str]
    rows: list[list[Cell]]
    meta: Meta

    def records(self) -> list[dict[str, Cell]]:
        """The rows as mappings by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class SessionFacts(Frozen):
    """One session, as its records have it."""

    session_id: str
    platform: str
    start_time: str
    end_time: str | None = None
    duration_sec: float | None = None
    channel: str | None = None
    language: str | None = None
    app_key: str | None = None
    character_id: str | None = None
    character_name: str | None = None
    experience_id: str | None = None
    end_user_id: str | None = None
    status: str | None = None
    interactions: int
    errors: int
    p95_ms: float | None = None
    derived: bool = Field(default=False, description="True when only its facts are known, not the session itself.")


class TurnFacts(Frozen):
    """One interaction, as its records have it."""

    interaction_id: str
    session_id: str
    platform: str
    start_time: str
    end_time: str | None = None
    latency_ms: float | None = None
    total_ms: float | None = Field(default=None, description="What the offsets and shares are measured against.")
    interaction_type: str | None = None
    status: str | None = None
    failure_stage: str | None = None
    character_id: str | None = None
    character_name: str | None = None
    end_user_id: str | None = None
    unattributed_ms: float | None = Field(default=None, description="Time of the turn that no span covers.")
    derived: bool = False


class SessionAnswer(Answer):
    """A session's timeline: one row per fact, in order of time."""

    session: SessionFacts


class TurnAnswer(Answer):
    """An interaction's spans and gaps, in order of time."""

    interaction: TurnFacts


class ExplainAnswer(Answer):
    """What made a session's slowest turn slow: the components of that turn, largest share first."""

    session: SessionFacts | None = None
    interaction: TurnFacts | None = None
    verdict: str = Field(
        description="One sentence: the bottleneck, its share, and how it compares with its usual time."
    )
    slower_without_spans: list[str] = Field(
        default_factory=list, description="Turns that were slower but have no spans to explain them."
    )


class ConcurrencyAnswer(Answer):
    """Sessions active at once: the peak of each bucket, the overall peak and the time spent at each level."""

    peak: int
    peak_at: str | None = None
    mean: float | None = None
    time_at_level: dict[str, float] = Field(description="Number of active sessions to seconds; sums to the window.")


class ErrorsAnswer(Answer):
    """What went wrong: one row an error, newest first, or counts over time; and how many there are by service."""

    by_service: dict[str, int] = Field(default_factory=dict, description="Service to number of rows, most first.")


Direction: TypeAlias = Literal["asc", "desc"]
