"""The Analytics API, declared once: the client sends it, the warehouse serves it, openapi/ is rendered from it.

A `Question` is one typed endpoint `/v1/ask/<name>`: its words, its answer, its documentation. The nine routes of the v1
contract are the `Route`s of `talkscope.models.v1`, a face over the same questions for clients that were written for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from talkscope.errors import InvalidArgument, Json, UnknownArgument, nearest, unknown
from talkscope.models import questions as asked
from talkscope.models.answers import (
    Answer,
    ConcurrencyAnswer,
    ErrorsAnswer,
    ExplainAnswer,
    SessionAnswer,
    TurnAnswer,
)
from talkscope.models.text import whole

A_co = TypeVar("A_co", bound=Answer, covariant=True)


@dataclass(frozen=True, slots=True)
class Question(Generic[A_co]):
    """One question: its words, its answer, what it is for, and the lowest plan with it, where not every plan has it."""

    name: str
    params: type[asked.Asked]
    answer: type[A_co]
    doc: str
    plan: str | None = None

    @property
    def path(self) -> str:
        """Where the question is asked, below the service's root."""
        return f"/v1/ask/{self.name}"


SUMMARY = Question("summary", asked.SummaryAsked, Answer, "Headline figures of a window and of the window before.")
TIMESERIES = Question("timeseries", asked.TimeseriesAsked, Answer, "Measures over time, optionally by one dimension.")
BREAKDOWN = Question(
    "breakdown", asked.BreakdownAsked, Answer, "Measures by one or two dimensions, each row with its n."
)
LATENCY = Question(
    "latency", asked.LatencyBreakdownAsked, Answer, "Where the time of turns goes, as shares that sum to 1."
)
SESSIONS = Question(
    "sessions", asked.SessionsAsked, Answer, "Sessions with a fact in the window, with in-window figures."
)
SESSION = Question("session", asked.SessionAsked, SessionAnswer, "One session's timeline.")
INTERACTION = Question(
    "interaction", asked.InteractionAsked, TurnAnswer, "One interaction's spans with offsets, gaps and critical path."
)
EXPLAIN = Question("explain", asked.ExplainAsked, ExplainAnswer, "The slowest turn of a session and what made it slow.")
CONCURRENCY = Question(
    "concurrency", asked.ConcurrencyAsked, ConcurrencyAnswer, "Sessions active at once, by an exact sweep."
)
REGRESSIONS = Question(
    "regressions", asked.RegressionsAsked, Answer, "What got worse against a baseline, with significance.", "business"
)
CATALOG = Question("catalog", asked.CatalogAsked, Answer, "What can be measured and grouped here.")
OUTCOMES = Question("outcomes", asked.OutcomesAsked, Answer, "How sessions ended: rates and shares, each with its n.")
LIVE_SUPPORT = Question(
    "live_support", asked.LiveSupportAsked, Answer, "Queue, response and chat times of live agents; occupancy."
)
RESOURCES = Question(
    "resources", asked.ResourcesAsked, Answer, "Calls of tools, toolkits, skills and knowledge bases, and how they end."
)
ERRORS = Question("errors", asked.ErrorsAsked, ErrorsAnswer, "What went wrong, one row an error, newest first.")
QUERY = Question("query", asked.QueryAsked, Answer, "A restricted query over the semantic layer.", "business")

QUESTIONS: Mapping[str, Question[Answer]] = {
    question.name: question
    for question in (
        SUMMARY, TIMESERIES, BREAKDOWN, LATENCY, SESSIONS, SESSION, INTERACTION, EXPLAIN, CONCURRENCY, REGRESSIONS,
        CATALOG, QUERY, OUTCOMES, LIVE_SUPPORT, RESOURCES, ERRORS,
    )
}  # fmt: skip

P = TypeVar("P", bound=BaseModel)

_CORRECT = "Correct the value and ask again."
_HALF = "Half a character (a lone surrogate) is in it, so it is no Unicode text"


def question(name: str) -> Question[Answer]:
    """The question of that name, or UnknownName with the nearest."""
    if name not in QUESTIONS:
        raise unknown("question", name, QUESTIONS)
    return QUESTIONS[name]


def words_of(params: type[BaseModel]) -> list[str]:
    """Every argument name that the model takes, its other spellings included."""
    names: list[str] = []
    for name, field in params.model_fields.items():
        choices = getattr(field.validation_alias, "choices", None)
        names.extend(choice for choice in choices if isinstance(choice, str)) if choices else names.append(name)
    return names


def understand(params: type[P], words: Mapping[str, object]) -> P:
    """The words, checked: unknown ones are refused with the nearest known, values that do not fit with what would.

    Raises UnknownArgument or InvalidArgument.
    """
    only(words_of(params), words)
    try:
        understood = params.model_validate({name: value for name, value in words.items() if value is not None})
    except PydanticValidationError as error:
        raise _misfit(params, error) from None
    for name, value in understood:
        if not _is_text(value):
            raise InvalidArgument(f"{name}: {_HALF}.", hint=_CORRECT)
    return understood


def _is_text(value: object) -> bool:
    """Whether the texts of a value can be written down: no engine and no service takes those that cannot."""
    if isinstance(value, str):
        return whole(value) == value
    if isinstance(value, BaseModel):
        return all(_is_text(each) for _, each in value)
    if isinstance(value, Mapping):
        return all(map(_is_text, value)) and all(map(_is_text, value.values()))
    return not isinstance(value, list | tuple) or all(map(_is_text, value))


def only(known: list[str], words: Iterable[str]) -> None:
    """Raise UnknownArgument, with the nearest, unless all words are known."""
    strangers = [word for word in words if word not in known]
    if not strangers:
        return
    close = nearest(strangers[0], known)
    plural = "s" if len(strangers) > 1 else ""
    listed = ", ".join(repr(word[:40]) for word in strangers[:5])
    listing: list[Json] = list(known)
    raise UnknownArgument(
        f"Unknown argument{plural} {listed}.",
        hint=(f"Did you mean {close!r}? " if close else "") + f"Known: {', '.join(known)}.",
        details={"nearest": close, "known": listing},
    )


def _misfit(params: type[BaseModel], error: PydanticValidationError) -> InvalidArgument:
    """What did not fit, in words, without the value: a value may be a secret."""
    spelled = {field.alias or name: name for name, field in params.model_fields.items()}
    told = []
    for problem in error.errors(include_url=False, include_context=True, include_input=False)[:3]:
        first, *rest = problem["loc"] or ("the arguments",)
        where = ".".join(str(part) for part in (spelled.get(str(first), first), *rest))
        told.append(f"{where}: {_HALF if problem['type'] == 'string_unicode' else problem['msg']}")
    return InvalidArgument("; ".join(told) + ".", hint=_CORRECT)


def names(items: Iterable[Question[Answer]]) -> list[str]:
    """The names of the questions, in order."""
    return [item.name for item in items]


def openapi() -> dict[str, Json]:
    """The whole API as an OpenAPI 3.1 document: the questions and the v1 routes, the same text for the same code."""
    from talkscope.contract.rendering import document

    return document()
