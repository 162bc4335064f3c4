"""What is to be said beside Studio Chat's figures, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from talkscope.errors import APIError, AuthenticationError, BadRequest, NotFound, TalkscopeError
from talkscope.flow import Call
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.studio_chat import models

T = TypeVar("T")

NO_CSAT = "Satisfaction is not configured for this project: there is no score, which is not 0 %."
NO_METRIC = "No conversion metric has this slug: there is no rate, which is not 0 %."
STALE = "The last event of {} came {}: its ingest is likely broken."
WINDOW = "Without both dates the window is the last seven days until now: give them to be able to repeat the figures."
DEFLECTED = "Deflected is every conversation without a handoff, those that customers gave up included."
DENOMINATORS = "Each signal is of the conversations that have it: its share's n is the sum of its own distribution."
TABLE_ONLY = "max_rating narrows the table of ratings only; every other figure is of all ratings."
IDS_ONLY = "search looks for conversation ids, not for text."
UNNAMED = "No document names the fields of this answer: a figure that is missing may be there by another name."
_KEY = "Set STUDIO_API_TOKEN: keys that begin with sbs_ or kps_ are API keys, any other is sent as a bearer token."
_ORDER = "The service says so of dates in the wrong order and of a malformed tag_filter."
_IDS = "Check the project and the id: a conversation's is the one of its messaging platform."
_EXISTS = "There is an analysis of today already: trending_topics_status has it."
_SHORT = "A conversation needs two messages to be scored."
_CONFLICT = 409
_SLUG = re.compile(r"[\w.:-]{1,80}")


def notes(call: Call[T], answer: T | None = None, *, now: datetime | None = None) -> tuple[str, ...]:
    """What an answer to the call must say beside its figures; the answer itself adds what only it shows.

    With `now`, conversion metrics whose last event is long ago are told.
    """
    asked = dict(call.params)
    said = [IDS_ONLY] if "search" in asked and call.path.endswith("/conversations") else []
    said += [TABLE_ONLY] if "max_rating" in asked else []
    defaulted = call.path.endswith("/csat/analytics") or ("/conversion-metrics/" in call.path and call.next is not None)
    said += [WINDOW] if defaulted and not {"start_date", "end_date"} <= asked.keys() else []
    if isinstance(answer, models.ConversationAnalytics | models.AccountAnalytics):
        said.append(DEFLECTED)
    if isinstance(answer, models.MetricsAggregate):
        said.append(DENOMINATORS)
    if isinstance(answer, models.KnowledgeBaseCitations):
        said.append(UNNAMED)
    if isinstance(answer, models.CsatAnalytics) and not answer.is_configured:
        said.append(NO_CSAT)
    if isinstance(answer, models.ConversionAnalytics) and not answer.is_configured:
        said.append(NO_METRIC)
    return (*said, *_stale(answer, now))


def _stale(answer: object, now: datetime | None) -> tuple[str, ...]:
    found = answer.definition if isinstance(answer, models.ConversionAnalytics) else answer
    each = found if isinstance(found, tuple) else (found,)
    metrics = [metric for metric in each if isinstance(metric, models.ConversionDefinition)]
    return tuple(
        STALE.format(_word(metric.slug), iso(micros(metric.last_event_at)) if metric.last_event_at else "never")
        for metric in metrics
        if now is not None and metric.enabled is not False and metric.is_stale(now)
    )


def _word(slug: str) -> str:
    """The name, which in a sentence of ours is a word or is not told."""
    return slug if _SLUG.fullmatch(slug) else "a metric"


def explained(error: TalkscopeError, call: Call[T]) -> TalkscopeError:
    """The error with a hint of this platform, where the usual one would mislead; else the same error."""
    hints: Mapping[type[TalkscopeError], str] = {AuthenticationError: _KEY, BadRequest: _ORDER, NotFound: _IDS}
    hint = hints.get(type(error))
    if isinstance(error, APIError) and error.status == _CONFLICT and call.path.endswith("/generate"):
        hint = _EXISTS
    if isinstance(error, BadRequest) and call.path.endswith("/analyze"):
        hint = _SHORT
    if hint is None:
        return error
    return type(error)(error.message, hint=hint, code=error.code, status=error.status, details=error.details)
