"""What can be measured and by what it can be grouped: each measure and dimension declared once.

The catalogue, the tools' descriptions, the v1 names, restricted queries and the engines' SQL are all made from the two
tables below. A *scope* is the kind of fact that a question is about: turns (interactions), spans, metrics (a stream of
named values) or outcomes; the dimensions that a question names decide it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkscope.errors import InvalidArgument, unknown

Scope: TypeAlias = Literal["turn", "span", "metric", "outcome"]
Family: TypeAlias = Literal["volume", "errors", "latency", "usage", "outcomes", "closed"]

USER_TO_BOT = "voice.user_to_bot_latency"


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is counted or summarised; `quantile` for percentiles; `turns_only` for v1's turn_* measures."""

    name: str
    family: Family
    unit: str
    description: str
    quantile: float | None = None
    turns_only: bool = False

    @property
    def n_of(self) -> str | None:
        """What the measure's n is about: measures with the same word share one n; None when the value is its own n."""
        return None if self.family == "volume" else self.name if self.family == "usage" else self.family


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something to group or filter by, and the scopes whose facts carry it."""

    name: str
    scopes: frozenset[Scope]
    description: str
    own: Scope | None = None
    """The scope that naming this dimension asks for: a span dimension makes it a question about spans."""


_PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_MEASURES = (
    Measure("sessions", "volume", "sessions", "Distinct sessions with a fact in the window"),
    Measure("interactions", "volume", "interactions", "Interactions (turns) that start in the window"),
    Measure("end_users", "volume", "end users", "Distinct end users with a fact in the window"),
    Measure("count", "volume", "rows", "Facts of the question: interactions, spans, metric values or outcomes"),
    Measure("errors", "errors", "errors", "Failed interactions, or failed spans with a span dimension"),
    Measure("error_rate", "errors", "fraction", "errors as a fraction 0 to 1 of n"),
    Measure("avg", "latency", "ms", "Mean latency, or mean of metric_name"),
    *(
        Measure(name, "latency", "ms", f"Exact {name} latency, or {name} of metric_name", q)
        for name, q in _PERCENTILES.items()
    ),
    Measure("max", "latency", "ms", "Highest latency, or highest value of metric_name"),
    Measure("input_tokens", "usage", "tokens", "Tokens sent to models"),
    Measure("output_tokens", "usage", "tokens", "Tokens that models wrote"),
    Measure("characters", "usage", "characters", "Characters spoken by text-to-speech"),
    Measure("cost_usd", "usage", "USD", "Cost where it is known; null when it is known nowhere"),
    Measure("outcomes", "outcomes", "sessions", "Sessions with an outcome in the window"),
    Measure("handoffs", "outcomes", "sessions", "Sessions handed to a person"),
    Measure("handoff_rate", "closed", "fraction", "handoffs as a fraction 0 to 1 of sessions where that is known"),
    Measure("deflection_rate", "closed", "fraction", "Sessions not handed over, as a fraction 0 to 1 of the same"),
)
_TURN_MEASURES = tuple(
    Measure(f"turn_{name}", "latency", "ms", f"{name} of the interactions' user-to-bot latency", q, turns_only=True)
    for name, q in (*_PERCENTILES.items(), ("max", None))
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _MEASURES}

_ALL: frozenset[Scope] = frozenset(("turn", "span", "metric", "outcome"))
_WORK: frozenset[Scope] = frozenset(("turn", "span", "metric"))
_SPAN: frozenset[Scope] = frozenset(("span", "metric"))
_DIMENSIONS = (
    Dimension("platform", _ALL, "Where the record came from; `own` for records of one's own"),
    Dimension("channel", _ALL, "voice, chat, phone, ..."),
    Dimension("language", _ALL, "Language of the session"),
    Dimension("app_key", _ALL, "Application"),
    Dimension("character_id", _ALL, "Character, assistant, agent or bot; its name is shown and accepted too"),
    Dimension("experience_id", _ALL, "Experience"),
    Dimension("end_user_id", _ALL, "The person who talks"),
    Dimension("session_id", _ALL, "One conversation or call"),
    Dimension("interaction_id", _WORK, "One turn", "turn"),
    Dimension("interaction_type", _WORK, "Kind of turn, e.g. voice_turn", "turn"),
    Dimension("status", _WORK, "ok, error, timeout or cancelled, of the question's own facts", "turn"),
    Dimension("failure_stage", frozenset(("turn",)), "Where a turn failed", "turn"),
    Dimension("processor", _SPAN, "Component: asr, vad, llm, tts, knowledge_bank, ...", "span"),
    Dimension("provider", _SPAN, "Vendor of the component", "span"),
    Dimension("voice_provider", frozenset(("span",)), "Vendor of the voice", "span"),
    Dimension("model", _SPAN, "Model of the component", "span"),
    Dimension("error_code", _SPAN, "Code of the failure", "span"),
    Dimension("metric_name", frozenset(("metric",)), "Name of a metric; list_metrics shows the names", "metric"),
    Dimension("metric_type", frozenset(("metric",)), "Kind of a metric", "metric"),
    Dimension("resolution", frozenset(("outcome",)), "resolved, handoff, abandoned or open", "outcome"),
    Dimension("handoff_reason", frozenset(("outcome",)), "Why a session was handed to a person", "outcome"),
    Dimension("sentiment", frozenset(("outcome",)), "How the end user felt", "outcome"),
    Dimension("sentiment_shift", frozenset(("outcome",)), "How the end user's feeling changed", "outcome"),
    Dimension("recontact_risk", frozenset(("outcome",)), "How likely the end user comes back with the same", "outcome"),
    Dimension("deflection_quality", frozenset(("outcome",)), "How good a deflection was", "outcome"),
    Dimension("tag", frozenset(("outcome",)), "A tag of the session, which may have several", "outcome"),
)
DIMENSIONS: Mapping[str, Dimension] = {dimension.name: dimension for dimension in _DIMENSIONS}

_MEASURE_ALIASES = {
    "unique_sessions": "sessions",
    "unique_turns": "interactions",
    "turns": "interactions",
    "unique_end_users": "end_users",
    "users": "end_users",
    "error_count": "errors",
    "avg_value": "avg",
    "mean": "avg",
    "average": "avg",
    "median": "p50",
    "max_value": "max",
    "cost": "cost_usd",
    **{f"{name}_value": name for name in _PERCENTILES},
    **{f"{name}_end_to_end_ms": name for name in _PERCENTILES},
}
_DIMENSION_ALIASES = {
    "component": "processor",
    "character": "character_id",
    "character_name": "character_id",
    "assistant": "character_id",
    "agent": "character_id",
    "app": "app_key",
    "experience": "experience_id",
    "end_user": "end_user_id",
    "user_id": "end_user_id",
    "session": "session_id",
    "interaction": "interaction_id",
    "tags": "tag",
}
# Two words for one component: importers say asr, some services stt.
_SPEECH = ("processor=asr", "processor=stt")
SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "end_to_end_turn_latency": (),
    "user_bot_latency_metrics": (),
    "neuro_sync_turn_summary": ("metric_name=neurosync.turn_summary",),
    "custom_latency_metrics": ("metric_type=CustomLatencyMetricsData",),
    "smart_turn_metrics": ("metric_type=SmartTurnMetricsData",),
    "stt_metrics": _SPEECH,
    "asr_metrics": _SPEECH,
    "vad_metrics": ("processor=vad",),
    "tts_metrics": ("processor=tts",),
    "llm_metrics": ("processor=llm",),
    "neurosync_metrics": ("processor=neurosync",),
}
"""v1's segments as filters; end-to-end latency has none, because latency is that unless a component is named."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """The name in snake_case, as v1's camelCase and kebab-case spellings are taken too."""
    return _HUMP.sub("_", name.strip()).lower().replace("-", "_")


def measure(name: str) -> Measure:
    """The measure of that name, in any accepted spelling, or UnknownName with the nearest."""
    folded = snake(name)
    folded = _MEASURE_ALIASES.get(folded, folded)
    for known in (*_MEASURES, *_TURN_MEASURES):
        if known.name == folded:
            return known
    raise unknown("measure", name, MEASURES)


def dimension(name: str) -> Dimension:
    """The dimension of that name, in any accepted spelling, or UnknownName with the nearest."""
    folded = snake(name)
    found = DIMENSIONS.get(_DIMENSION_ALIASES.get(folded, folded))
    if found is None:
        raise unknown("dimension", name, DIMENSIONS)
    return found


def segment_filters(name: str) -> list[str]:
    """The filters that a v1 segment stands for, in any accepted spelling, or UnknownName with the nearest."""
    folded = snake(name)
    if folded not in SEGMENTS:
        raise unknown("segment", name, SEGMENTS)
    return list(SEGMENTS[folded])


@dataclass(frozen=True, slots=True)
class Filter:
    """One dimension and the values it must have (`equal`), or must not have."""

    dimension: Dimension
    equal: bool
    values: tuple[str, ...]


def parse_filters(words: Iterable[str]) -> tuple[Filter, ...]:
    """Filters from `dimension=value` and `dimension!=value`; the same dimension twice means either value."""
    collected: dict[tuple[str, bool], list[str]] = {}
    for word in words:
        name, sign, value = word.partition("=")
        equal = not name.endswith("!")
        name = name.rstrip("!").strip()
        if not sign or not name:
            raise InvalidArgument(
                f"filter {word[:80]!r} is not dimension=value.", hint="Write dimension=value or dimension!=value."
            )
        collected.setdefault((dimension(name).name, equal), []).append(value.strip())
    return tuple(Filter(DIMENSIONS[name], equal, tuple(values)) for (name, equal), values in collected.items())


def scope_of(names: Iterable[Dimension], *, metric: bool = False) -> Scope:
    """The scope that the named dimensions ask for, or InvalidArgument when no kind of fact carries them all."""
    named = list(names)
    wanted: set[Scope] = {each.own for each in named if each.own}
    if metric:
        wanted.add("metric")
    order: tuple[Scope, ...] = ("outcome", "metric", "span", "turn")
    scope: Scope = next((each for each in order if each in wanted), "turn")
    misfits = [each.name for each in named if scope not in each.scopes]
    if misfits:
        others = [each.name for each in named if each.own == scope] or [f"{scope} questions"]
        raise InvalidArgument(
            f"{', '.join(misfits)} cannot be combined with {', '.join(others)}: no fact carries both.",
            hint="Ask two questions, or drop one of the dimensions.",
        )
    return scope
