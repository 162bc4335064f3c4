"""The questions that a live service is asked: the API's calls, and Talkscope's own twelve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from talkscope.models.answers import Answer
from talkscope.models.v1 import InteractionTrace, SessionDetail, SessionListResponse
from talkscope.platforms.convai import MetricNames
from tests.questions.service import Service


@dataclass
class Asking:
    """One round of questions: the service, the range, and the ids that answers have brought so far."""

    service: Service
    range: str
    session: str | None = None
    interaction: str | None = None

    @property
    def api(self) -> Any:
        """The SDK, whose calls take their words by keyword."""
        return self.service.analytics


@dataclass(frozen=True)
class Question:
    """One question: what it says, how it is put, and whether a service in good health may have nothing to say to it.

    `ask` returns the facts behind the answer, or None when there is nothing to ask about.
    """

    says: str
    ask: Callable[[Asking], int | None] = field(repr=False)
    rare: bool = False


def every() -> list[Question]:
    """All questions, in an order in which each finds the ids that it needs."""
    return [*_health(), *_figures(), *_by_group(), *_conversations(), *_gated(), *_own()]


def _health() -> Iterator[Question]:
    for path in ("/healthz", "/readyz"):
        yield Question(f"is it in health: {path}", partial(_alive, path=path))


def _alive(asking: Asking, path: str) -> int:
    said = asking.service.health(path)
    if not said.startswith("200 "):
        raise AssertionError(f"said {said}")
    return 1


def _figures() -> Iterator[Question]:
    yield Question("account usage summary", lambda a: _n(a.api.summary(range=a.range)))
    yield Question("metrics catalog", lambda a: len(a.api.catalog().metrics))
    for percentile in ("p50", "p95", "p99"):
        yield Question(
            f"{percentile} latency over time",
            _call("latency.over_time", percentile=percentile, granularity="day"),
        )
    for measure in ("unique_sessions", "unique_turns", "unique_end_users"):
        yield Question(f"{measure} over time", _call("timeseries", measure=measure, granularity="day"))
    yield Question("errors over time", _call("errors.over_time", granularity="day"), rare=True)
    dropped = MetricNames.DB_ERROR_PERSIST_DROPPED
    yield Question(
        "dropped error persistence over time",
        _call("timeseries", measure="count", metric_name=dropped, granularity="day"),
        rare=True,
    )
    frames = MetricNames.NEUROSYNC_OUTPUT_FPS
    yield Question(
        "animation frames over time",
        _call("timeseries", measure="avg", metric_name=frames, granularity="day"),
        rare=True,
    )


def _by_group() -> Iterator[Question]:
    for percentile in ("p50", "p95"):
        yield Question(f"{percentile} by component", _call("latency.by_component", percentile=percentile))
    yield Question("sessions by character", _call("usage.summary"))
    yield Question("interactions by character", _call("usage.interactions"))
    yield Question("sessions by experience", _call("usage.summary", group_by="experience_id"))
    yield Question("turns by status", _call("breakdown", measure="count", group_by="status"))
    for group in ("processor", "provider"):
        yield Question(f"errors by {group}", _call("errors.summary", group_by=group), rare=True)
    for component in ("llm", "tts", "asr", "neurosync"):
        yield Question(f"providers of {component} compared", _call("providers.compare", component=component), rare=True)
    voices = {"metric_name": MetricNames.TTS_VOICE_PROVIDER, "group_by": "voice_provider"}
    yield Question("voice providers' share", _call("breakdown", measure="count", **voices), rare=True)
    models = {"metric_name_prefix": "LLMService.", "group_by": "model"}
    yield Question("latency of language models", _call("breakdown", measure="p95_value", **models), rare=True)


def _conversations() -> Iterator[Question]:
    for sort in ("recent", "longest", "slowest"):
        yield Question(f"{sort} sessions", partial(_listed, sort=sort))
    yield Question("two pages of sessions", _paged)
    yield Question("one session's timeline", _timeline)
    yield Question("one interaction's trace", _trace)


def _gated() -> Iterator[Question]:
    yield Question("regressions against the week", lambda a: _n(a.api.regression_detection()), rare=True)
    counted = {
        "measures": ["SessionMetrics.count"],
        "timeDimensions": [{"dimension": "SessionMetrics.eventTime", "dateRange": "last 7 days"}],
        "limit": 10,
    }
    yield Question("a restricted query", lambda a: len(a.api.query(counted).data))


def _own() -> Iterator[Question]:
    """Talkscope's twelve questions, each in its everyday form."""
    yield Question("summary, and the window before", _ask("summary"))
    yield Question("interactions by day", _ask("timeseries", granularity="day"))
    yield Question("p95 and count by provider", _ask("breakdown", measures=["p95", "count"], group_by=["provider"]))
    yield Question("where the time goes", _ask("latency", percentile="p95"))
    yield Question("the five slowest sessions", _ask("sessions", sort="slowest", limit=5))
    yield Question("that session", partial(_ask_one, "session"))
    yield Question("that interaction", partial(_ask_one, "interaction"))
    yield Question("why the slowest session was slow", _ask("explain"))
    yield Question("sessions at once", _ask("concurrency", granularity="hour"))
    yield Question("what got worse", lambda a: a.service.client.ask("regressions").meta.n, rare=True)
    yield Question("what can be asked", lambda a: len(a.service.client.ask("catalog").rows))
    asked = {"measures": ["SessionMetrics.count"], "timeDimensions": [{"dateRange": "last 7 days"}]}
    yield Question("a query of the semantic layer", lambda a: len(a.service.client.ask("query", query=asked).rows))


def _call(path: str, **words: Any) -> Callable[[Asking], int]:
    """A call of the SDK by its dotted name, over the round's range."""

    def ask(asking: Asking) -> int:
        call = asking.api
        for part in path.split("."):
            call = getattr(call, part)
        return _n(call(range=asking.range, **words))

    return ask


def _ask(name: str, **words: Any) -> Callable[[Asking], int]:
    """A question of Talkscope's, over the round's range."""

    def ask(asking: Asking) -> int:
        answer: Answer = asking.service.client.ask(name, range=asking.range, **words)
        return answer.meta.n or len(answer.rows)

    return ask


def _ask_one(kind: str, asking: Asking) -> int | None:
    known = asking.session if kind == "session" else asking.interaction
    if known is None:
        return None
    return asking.service.client.ask(kind, **{f"{kind}_id": known}).meta.n


def _listed(asking: Asking, sort: str) -> int:
    page: SessionListResponse = asking.api.sessions.list(range=asking.range, sort=sort, limit=5)
    if page.sessions:
        asking.session = page.sessions[0].session_id
    return len(page.sessions)


def _paged(asking: Asking) -> int:
    pages = asking.api.sessions.pages(range=asking.range, limit=2)
    ids = [session.session_id for page in islice(pages, 2) for session in page.sessions]
    if len(set(ids)) != len(ids):
        raise AssertionError("a session is on both pages")
    return len(ids)


def _timeline(asking: Asking) -> int | None:
    if asking.session is None:
        return None
    detail: SessionDetail = asking.api.sessions.get(asking.session)
    asking.interaction = next((event.interaction_id for event in detail.events if event.interaction_id), None)
    return len(detail.events)


def _trace(asking: Asking) -> int | None:
    if asking.interaction is None:
        return None
    trace: InteractionTrace = asking.api.interactions.get(asking.interaction)
    return max(len(trace.spans), 1)


def _n(answer: Any) -> int:
    """The facts behind an answer of the API; where it says none, the values that it gives."""
    told = answer.meta.sample_count
    if told:
        return int(told)
    points = getattr(answer, "points", None) or getattr(answer, "rows", None) or ()
    return sum(1 for each in points if getattr(each, "value", None) or getattr(each, "sample_count", 0))
