"""Agent Studio's answers as records of the warehouse.

| Answer | Records |
|---|---|
| one call | `session`; `event` by figure of the call: latencies, tokens, handoffs between agents |
| the call's transcript | `interaction` by turn, where speakers can be told; what came before them is the `opening` |
| an entry of the error log | `event` `error.<service>`, or `warning.<service>`, which is no error and has no status |
| summary, call volume, workflows, provider latency, active calls | `snapshot` by figure |

A call's character is its workflow, and where it has none the agent that spoke first. Figures of a call have the time
at which it began, by which the vendor's own windows count it. Percentiles that are fixed multiples of their mean say
`estimated` among their attributes. Averages of no calls are left out, whether the vendor says null or 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from talkscope.platforms.agent_studio.models import (
    ActiveCalls,
    CallDetail,
    CallMetrics,
    CallVolume,
    ErrorEntry,
    ErrorLog,
    ProviderLatency,
    Summary,
    TranscriptEntry,
    WorkflowStat,
)
from talkscope.platforms.recording import Figures, Record, Side, Turn, joined, key, record, turns

PLATFORM = "agent_studio"
LATENCY_BASIS = (
    "none of turns: Agent Studio tells a call's mean latency of each component, which are the metrics"
    " call.stt_latency, call.llm_latency and call.tts_latency, and no latency of an answer"
)
GAPS = (
    "Agent Studio's analytics list no calls: those that errors, or the live stream, name can be asked for one by one.",
    "It tells neither latencies nor components of single turns.",
    "Times of a transcript's entries are documented nowhere: a turn that tells none has that of the turn before.",
    "It does not say what became of a call for the caller: completed is no resolution, so there are no outcomes.",
    "An entry of the error log counts by its own time, where the vendor's windows go by the call's beginning.",
    "Where the vendor's end of a window bounds calls' ends, a day's figures lack those that went on after it.",
    "Percentiles of providers that are fixed multiples of the mean are kept, and marked as estimated.",
    "Totals by workflow are those of a day's 50 busiest: the vendor tells no more.",
    "Buckets of the call volume that the window cuts are left out until a sync has them whole.",
)

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_SPEAKERS: Mapping[str, Side] = {
    **dict.fromkeys(("user", "human", "customer", "caller"), "user"),
    **dict.fromkeys(("agent", "assistant", "bot", "ai"), "assistant"),
}  # fmt: skip
_TIMES = ("timestamp", "created_at", "started_at", "time")
_AGENT = ("agent", "agent_name", "name", "slug", "agent_slug", "id", "agent_id")
_KEPT = {
    "created_at", "workflow_slug", "direction", "duration_seconds", "agent_history", "current_agent", "metrics",
    "user", "media_url",
}  # fmt: skip
_FIGURES: Mapping[str, tuple[str, str | None, str]] = {
    "stt_latency_ms": ("call.stt_latency", "stt", "ms"),
    "llm_latency_ms": ("call.llm_latency", "llm", "ms"),
    "tts_latency_ms": ("call.tts_latency", "tts", "ms"),
    "total_tokens": ("call.total_tokens", "llm", "tokens"),
    "agent_handoffs": ("call.agent_handoffs", None, "handoffs"),
}
Said = tuple[datetime | None, TranscriptEntry]


def call(
    found: CallDetail, transcript: Sequence[TranscriptEntry] = (), *, names: Mapping[str, str] | None = None
) -> Iterator[Record]:
    """One call's records.

    Args:
        found: The call.
        transcript: What was said in it, in order.
        names: Workflows' names by their ids, as workflow statistics tell them; else the slug is the name.
    """
    start = found.started_at or found.created_at
    agents = [name for each in found.agent_history if (name := _agent(each))]
    agent = agents[0] if agents else found.current_agent
    opening, spoken = turns((_side(each), (_moment(each), each)) for each in transcript)
    workflow = found.workflow_id or found.workflow_slug
    yield record(
        "session",
        PLATFORM,
        session_id=found.id,
        start_time=start,
        end_time=found.ended_at,
        channel="voice",
        end_user_id=found.user_id,
        status=found.status,
        character_id=workflow or agent,
        character_name=(names or {}).get(found.workflow_id or "") or found.workflow_slug or agent,
        attributes={
            **found.model_dump(include=_KEPT),
            "agents": list(dict.fromkeys(agents)),
            "opening": joined(each.text for _, each in opening),
        },
    )
    yield from _figures(found, found.metrics, start)
    at = start
    for turn in spoken:
        at = max(at, turn.heard[0][0] or at)
        yield _interaction(found.id, turn, at)


def errors(found: ErrorLog) -> Iterator[Record]:
    """The entries of one page of the error log."""
    for entry in found.items:
        yield _error(entry)


def summary(found: Summary, start: datetime, end: datetime, *, at: datetime) -> Iterator[Record]:
    """Totals and averages of the window; how many calls are active is of the moment `at` of the answer."""
    averages = {
        "avg_duration_seconds": (found.avg_duration_seconds, "seconds"),
        "success_rate": (found.success_rate, "percent"),
        "avg_stt_latency_ms": (found.avg_stt_latency_ms, "ms"),
        "avg_llm_latency_ms": (found.avg_llm_latency_ms, "ms"),
        "avg_tts_latency_ms": (found.avg_tts_latency_ms, "ms"),
    }
    totals = {
        "total_calls": (found.total_calls, "calls"),
        "completed_calls": (found.completed_calls, "calls"),
        "failed_calls": (found.failed_calls, "calls"),
        "total_tokens": (found.total_tokens, "tokens"),
    }
    figures = Figures(PLATFORM, start, end)
    yield from figures.snapshots("summary", totals)
    yield from figures.snapshots("summary", averages)
    yield from Figures(PLATFORM, at, at).snapshot("summary.active_calls", found.active_calls, "calls")


def call_volume(found: CallVolume, start: datetime, end: datetime) -> Iterator[Record]:
    """Calls by bucket, of the buckets that lie in the window whole.

    A part would take the place of the whole that another sync has.
    """
    step = _STEPS.get(found.interval)
    for bucket in found.data if step else ():
        assert step is not None
        if start <= bucket.timestamp and bucket.timestamp + step <= end:
            yield from Figures(PLATFORM, bucket.timestamp, bucket.timestamp + step).snapshots(
                "call_volume",
                {
                    "total": (bucket.total, "calls"),
                    "completed": (bucket.completed, "calls"),
                    "failed": (bucket.failed, "calls"),
                },
                {"interval": found.interval},
            )


def workflow_stats(found: Sequence[WorkflowStat], start: datetime, end: datetime) -> Iterator[Record]:
    """Calls by workflow."""
    figures = Figures(PLATFORM, start, end)
    for each in found:
        averages = {
            "success_rate": (each.success_rate, "percent"),
            "avg_duration_seconds": (each.avg_duration_seconds, "seconds"),
        }
        totals = {
            "total_calls": (each.total_calls, "calls"),
            "completed_calls": (each.completed_calls, "calls"),
            "failed_calls": (each.failed_calls, "calls"),
        }
        which = {"workflow_id": each.workflow_id}
        called = {"workflow_name": each.workflow_name, "workflow_slug": each.workflow_slug}
        yield from figures.snapshots("workflow", totals, which, called)
        yield from figures.snapshots("workflow", averages, which, called)


def provider_latency(found: Sequence[ProviderLatency], start: datetime, end: datetime) -> Iterator[Record]:
    """Latency by provider; percentiles that the vendor worked out from the mean are marked `estimated`."""
    for each in found:
        figures, about = (
            Figures(PLATFORM, start, end),
            {"provider": each.provider_name, "processor": each.provider_type},
        )
        yield from figures.snapshot("provider.call_count", each.call_count, "calls", about)
        yield from figures.snapshot("provider.avg_latency_ms", each.avg_latency_ms, "ms", about)
        percentiles = {
            "p50_latency_ms": (each.p50_latency_ms, "ms"),
            "p95_latency_ms": (each.p95_latency_ms, "ms"),
            "p99_latency_ms": (each.p99_latency_ms, "ms"),
        }
        yield from figures.snapshots("provider", percentiles, about, {"estimated": each.estimated})


def active_calls(found: ActiveCalls, at: datetime) -> Iterator[Record]:
    """How many calls were under way at the moment of the answer."""
    yield from Figures(PLATFORM, at, at).snapshot("active_calls", found.count, "calls")


def _figures(found: CallDetail, metrics: CallMetrics | None, start: datetime) -> Iterator[Record]:
    for name, (metric, processor, unit) in _FIGURES.items():
        value = getattr(metrics, name, None)
        if value is not None and value >= 0:
            yield record(
                "event",
                PLATFORM,
                event_id=key(found.id, metric),
                session_id=found.id,
                time=start,
                metric_name=metric,
                metric_type="CustomLatencyMetricsData" if unit == "ms" else None,
                processor=processor,
                value=value,
                unit=unit,
            )


def _error(entry: ErrorEntry) -> Record:
    level, service = entry.level.strip().lower(), entry.service.strip().lower()
    mild = level in ("warning", "warn", "info")
    provider = entry.details.get("provider")
    return record(
        "event",
        PLATFORM,
        event_id=entry.id,
        session_id=entry.call_id,
        time=entry.timestamp,
        metric_name=f"{'warning' if mild else 'error'}.{service}",
        metric_type=None if mild else "ErrorMetricsData",
        level=level,
        message=entry.message,
        status=None if mild else "error",
        processor=service,
        provider=provider if isinstance(provider, str) else None,
        attributes={"details": entry.details, "agent": entry.agent},
    )


def _interaction(call_id: str, turn: Turn[Said], at: datetime) -> Record:
    answered = [moment for moment, _ in turn.answered if moment]
    return record(
        "interaction",
        PLATFORM,
        interaction_id=key(call_id, "turn", turn.index),
        session_id=call_id,
        start_time=at,
        end_time=max([at, *answered]) if answered else None,
        index=turn.index,
        interaction_type="voice_turn",
        status="ok" if turn.answered else None,
        attributes={
            "input": joined(each.text for _, each in turn.heard),
            "output": joined(each.text for _, each in turn.answered),
            "others": [each.model_dump(exclude_none=True) for _, each in turn.others],
        },
    )


def _side(entry: TranscriptEntry) -> Side:
    return _SPEAKERS.get((entry.speaker or "").strip().lower(), "other")


def _moment(entry: TranscriptEntry) -> datetime | None:
    """The entry's own time, where it tells one under a usual name; mere numbers could be of anything."""
    for name in _TIMES:
        told = (entry.model_extra or {}).get(name)
        try:
            at = datetime.fromisoformat(told) if isinstance(told, str) else None
        except ValueError:
            continue
        if at is not None:
            return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _agent(told: JsonValue) -> str | None:
    """An agent's name, out of a history whose fields are published nowhere."""
    if isinstance(told, dict):
        told = next((told[name] for name in _AGENT if isinstance(told.get(name), str)), None)
    return told if isinstance(told, str) and told else None
