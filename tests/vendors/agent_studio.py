"""Agent Studio's server: figures, errors, calls and live streams of tenants whose calls are known.

    tenant = make_tenant(NOW)
    with served(agent_studio(tenant)) as url:
        ...

Where the documents say two things, one is sent, and `forms` asks for others: see `FORMS`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

from tests.vendors.agent_studio_live import CONTRACT, Feed, Live, known, spelled
from tests.vendors.agent_studio_world import ACTIVE, COMPLETED, FAILED, CallRecord, Problem, Tenant, make_tenant
from tests.vendors.engine import Asked, Fault, Granted, Json, Limits, Operation, Pairs, Refused, Reply, Vendor

__all__ = ["FORMS", "JWT", "KEY", "LOCKED_KEY", "OTHER_KEY", "Feed", "agent_studio", "make_tenant"]

KEY, OTHER_KEY, LOCKED_KEY = "as_test_0123456789", "as_live_9876543210", "as_test_without_scopes"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwidGVuYW50X2lkIjoiMSJ9.c2lnbmVk"

FORMS = {
    "synthetic": "percentiles that are fixed multiples of the mean, as in the document's example",
    "zero": "0 instead of null where a window has no calls",
    "before_is_end": "started_before bounds the end of a call, but for the summary, as four of five tables have it",
    "envelope": "limit and offset beside the errors, as the page about lists promises",
    "context": "user_context and url in a call instead of user_data and livekit_url",
}

_CODES = {
    401: "authentication_error", 403: "authorization_error", 404: "not_found", 405: "method_not_allowed",
    422: "validation_error", 429: "rate_limit_exceeded", 500: "internal_error",
}  # fmt: skip
_PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_KINDS = ("stt", "llm", "tts")


def agent_studio(
    tenant: Tenant,
    *,
    other: Tenant | None = None,
    clock: Callable[[], float] = time.time,
    most: int = 100,
    forms: Sequence[str] = (),
    feed: Feed | None = None,
    beat: float = 15,
    delay: float = 0,
) -> Vendor:
    """The server.

    Args:
        tenant: Whose calls KEY and JWT see.
        other: Whose calls OTHER_KEY sees; none unless given.
        clock: Seconds since 1970 for the limit.
        most: Requests of a key in a minute.
        forms: Words of FORMS.
        feed: What the live streams tell.
        beat: Seconds between heartbeats of a stream that has nothing to tell.
        delay: Seconds before each answer.
    """
    assert set(forms) <= set(FORMS), f"one of {', '.join(FORMS)}"
    keys = {
        KEY: tenant, JWT: tenant, OTHER_KEY: other or Tenant(tenant.now),
        LOCKED_KEY: Tenant(tenant.now, allowed=False),
    }  # fmt: skip
    figures, live = _Figures(frozenset(forms)), Live(feed or Feed(), beat)
    handlers = {
        "summary": figures.summary, "call_volume": figures.volume, "workflow_stats": figures.workflows,
        "provider_latency": figures.providers, "error_logs": figures.errors, "active_calls": figures.active,
        "call_detail": figures.call, "call_transcript": figures.transcript,
        "calls_stream": live.calls, "call_stream": live.call,
    }  # fmt: skip
    limits = Limits({"all": (most, 60)}, _bucket, clock, sliding=False, headers=_limit_headers)
    return Vendor(
        CONTRACT, handlers, keys=keys, refuse=_refuse, fits=_fits, permit=_permit, limits=limits, delay=delay
    )  # fmt: skip


def _bucket(operation: Operation, pairs: Pairs) -> str:
    return "all"


def _limit_headers(most: int, left: int, more_at: int) -> Mapping[str, str]:
    return {"X-RateLimit-Limit": str(most), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(more_at)}


def _fits(scheme: str, token: str) -> bool:
    return token.startswith(("as_live_", "as_test_")) == (scheme == "ApiKey")


def _permit(operation: Operation, granted: Granted) -> None:
    if not granted.owner.allowed:
        raise Refused(403, "The credentials do not allow this.")


def _refuse(refused: Refused) -> Reply:
    details = [{"field": fault.name, "message": fault.message} for fault in refused.faults]
    error = {"code": _CODES[refused.status], "message": refused.message, "details": details}
    return Reply({"error": error}, refused.status, refused.headers)


@dataclass(frozen=True)
class _Figures:
    forms: frozenset[str]

    def _window(self, asked: Asked, *, by_end: bool = False) -> Callable[[CallRecord], bool]:
        """Whether a call is in the window asked for; explicit dates win over a period."""
        after, before = (_moment(asked, name) for name in ("started_after", "started_before"))
        if after is None and before is None:
            after = asked.granted.owner.now - _PERIODS[asked.get("period")]

        def fits(call: CallRecord) -> bool:
            bounded = call.ended or call.started if by_end else call.started
            return (after is None or call.started >= after) and (before is None or bounded < before)

        return fits

    def _ended(self, asked: Asked) -> list[CallRecord]:
        tenant: Tenant = asked.granted.owner
        return tenant.ended(self._window(asked, by_end="before_is_end" in self.forms))

    def _mean(self, values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return round(fmean(known), 1) if known else 0 if "zero" in self.forms else None

    def _counts(self, calls: Sequence[CallRecord]) -> dict[str, Json]:
        completed = sum(call.status == COMPLETED for call in calls)
        return {
            "total_calls": len(calls), "completed_calls": completed, "failed_calls": len(calls) - completed,
            "success_rate": self._mean(100 * (call.status == COMPLETED) for call in calls),
            "avg_duration_seconds": self._mean(call.seconds for call in calls),
        }  # fmt: skip

    def summary(self, asked: Asked) -> Reply:
        tenant: Tenant = asked.granted.owner
        calls = tenant.ended(self._window(asked))
        means = {f"avg_{kind}_latency_ms": self._mean(call.latencies.get(kind) for call in calls) for kind in _KINDS}
        tokens = sum(call.tokens for call in calls)
        return Reply({**self._counts(calls), "active_calls": len(tenant.active), "total_tokens": tokens, **means})

    def volume(self, asked: Asked) -> Reply:
        buckets: dict[datetime, list[CallRecord]] = {}
        for call in self._ended(asked):
            buckets.setdefault(_floor(call.started, asked.get("interval")), []).append(call)
        data = []
        for at, calls in sorted(buckets.items()):
            failed = sum(call.status == FAILED for call in calls)
            data.append(
                {"timestamp": spelled(at), "total": len(calls), "completed": len(calls) - failed, "failed": failed}
            )
        return Reply({"interval": asked.get("interval"), "data": data})

    def workflows(self, asked: Asked) -> Reply:
        groups: dict[str, list[CallRecord]] = {}
        for call in self._ended(asked):
            groups.setdefault(call.workflow.id, []).append(call)
        rows = [
            {"workflow_id": of.id, "workflow_name": of.name, "workflow_slug": of.slug, **self._counts(calls)}
            for calls in sorted(groups.values(), key=len, reverse=True)
            for of in [calls[0].workflow]
        ]
        return Reply(rows[: asked.get("limit")])

    def providers(self, asked: Asked) -> Reply:
        groups: dict[tuple[str, str], list[float]] = {}
        for call in self._ended(asked):
            for kind, name in call.providers.items():
                groups.setdefault((kind, name), []).append(call.latencies[kind])
        order = sorted(groups.items(), key=lambda one: (_KINDS.index(one[0][0]), -len(one[1])))
        return Reply([
            {"provider_type": kind, "provider_name": name, "call_count": len(found), **self._percentiles(found)}
            for (kind, name), found in order
        ])  # fmt: skip

    def _percentiles(self, found: Sequence[float]) -> dict[str, Json]:
        mean = round(fmean(found), 1)
        if "synthetic" in self.forms:
            # Cut off, not rounded, as the example has it.
            ratios = {"p50": 0.9, "p95": 1.5, "p99": 2.0}
            cut = {name: math.floor(round(mean * ratio * 10, 6)) / 10 for name, ratio in ratios.items()}
        else:
            cut = {f"p{part}": round(percentile(found, part), 1) for part in (50, 95, 99)}
        return {"avg_latency_ms": mean, **{f"{name}_latency_ms": value for name, value in cut.items()}}

    def errors(self, asked: Asked) -> Reply:
        fits = self._window(asked, by_end="before_is_end" in self.forms)
        found = [problem for call in asked.granted.owner.calls if fits(call) for problem in call.problems]
        for name in ("service", "level"):
            wanted = asked.get(name)
            found = [one for one in found if wanted is None or getattr(one, name) == wanted]
        found.sort(key=lambda one: (one.at, one.id), reverse=True)
        offset, limit = asked.get("offset"), asked.get("limit")
        page = {"items": [_problem_row(one) for one in found[offset : offset + limit]], "total": len(found)}
        return Reply({**page, "limit": limit, "offset": offset} if "envelope" in self.forms else page)

    def active(self, asked: Asked) -> Reply:
        return Reply({"count": len(asked.granted.owner.active)})

    def call(self, asked: Asked) -> Reply:
        call = known(asked)
        address = f"wss://media.example/{call.id}"
        more: dict[str, Json] = {"user_data": {"name": f"Name of {call.user}"}, "livekit_url": address}
        if "context" in self.forms:
            more = {"user_context": more["user_data"], "url": address}
        under_way = call.status == ACTIVE
        return Reply({
            "id": call.id, "workflow_id": call.workflow.id, "workflow_slug": call.workflow.slug, "user_id": call.user,
            "status": call.status, "direction": call.direction, "duration_seconds": call.seconds,
            "agent_history": [{"agent": agent} for agent in call.agents],
            "current_agent": call.agents[-1] if under_way else None,
            "metrics": None if under_way else _metrics(call),
            "created_at": spelled(call.started), "started_at": spelled(call.started),
            "ended_at": call.ended and spelled(call.ended), **more,
        })  # fmt: skip

    def transcript(self, asked: Asked) -> Reply:
        return Reply([{"role": role, "text": text} for role, text in known(asked).said])


def _metrics(call: CallRecord) -> dict[str, Json]:
    return {
        "duration_seconds": call.seconds, "total_tokens": call.tokens, "agent_handoffs": len(call.agents) - 1,
        **{f"{kind}_latency_ms": call.latencies.get(kind) for kind in _KINDS},
    }  # fmt: skip


def _problem_row(of: Problem) -> dict[str, Json]:
    return {
        "id": of.id, "call_id": of.call, "timestamp": spelled(of.at), "service": of.service, "level": of.level,
        "message": of.message, "details": dict(of.details), "agent": of.agent,
    }  # fmt: skip


def _moment(asked: Asked, name: str) -> datetime | None:
    text = asked.get(name)
    try:
        return None if text is None else datetime.fromisoformat(text.upper())
    except ValueError as error:
        # RFC 3339 has leap seconds and a year 0.
        raise Refused(422, "A parameter is not valid.", [Fault("query", name, "format", str(error))]) from None


def _floor(at: datetime, interval: str) -> datetime:
    """The start of the hour, of the day, or of the Monday, in UTC."""
    at = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if interval == "hour":
        return at
    return at.replace(hour=0) - timedelta(days=at.weekday() if interval == "week" else 0)


def percentile(values: Sequence[float], part: float) -> float:
    """The percentile by linear interpolation."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * part / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
