"""A Convai account, asked in the same way by blocking and by async code, and answers as the service spells them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio
import httpx

from talkscope import AsyncClient, AsyncConvaiAnalytics, Client, ConvaiAnalytics
from talkscope.flow import Policy
from talkscope.platforms.convai import KEY_HEADER

KEY = "ck_live_abcdef123456"
URL = "https://analytics-api.convai.com/v1/analytics"
AT_ONCE = Policy(first_wait=0.0)

RANGE = {"startTime": "2026-05-04T16:00:00+00:00", "endTime": "2026-05-05T16:00:00+00:00"}
META: dict[str, Any] = {
    "freshnessAt": "2026-05-05T16:00:00+00:00",
    "sampleCount": 90,
    "effectiveRange": RANGE,
    "backend": "cube",
    "cacheHit": True,
}
SUMMARY: dict[str, Any] = {
    "sessions": 90,
    "uniqueEndUsers": 31,
    "interactions": 240,
    "errorCount": 2,
    "p50EndToEndMs": 810.5,
    "p95EndToEndMs": 2100.0,
    "p99EndToEndMs": 3900.25,
    "meta": META,
}
TIMESERIES: dict[str, Any] = {
    "measure": "count",
    "granularity": "hour",
    "points": [{"bucketStart": "2026-05-05T15:00:00+00:00", "group": None, "value": 12}],
    "meta": {},
}
BREAKDOWN: dict[str, Any] = {
    "measure": "count",
    "groupBy": "processor",
    "rows": [{"group": "llm", "value": 100, "sampleCount": 100}],
    "meta": {},
}
SESSIONS: dict[str, Any] = {
    "sessions": [
        {
            "sessionId": "s_1",
            "characterId": "char_a",
            "startTime": "2026-05-05T15:00:00+00:00",
            "endTime": "2026-05-05T15:30:00+00:00",
            "durationSec": 1800,
            "interactionCount": 25,
            "p95EndToEndMs": 420,
            "errorCount": 0,
        }
    ],
    "nextCursor": None,
    "meta": {},
}
SESSION: dict[str, Any] = {
    "sessionId": "s_1",
    "events": [
        {"eventTime": "2026-05-05T15:00:01+00:00", "metricName": "voice.user_to_bot_latency", "value": 900.0},
    ],
    "meta": {},
}
INTERACTION: dict[str, Any] = {
    "interactionId": "int_1",
    "sessionId": "s_1",
    "interactionType": "voice_turn",
    "totalDurationMs": 410,
    "terminalStatus": "ok",
    "failureStage": None,
    "spans": [{"processor": "asr", "startTime": "2026-05-05T15:00:00+00:00", "durationMs": 100, "status": "ok"}],
    "meta": {},
}
CATALOG: dict[str, Any] = {
    "metrics": [
        {
            "metricName": "voice.user_to_bot_latency",
            "metricType": "UserBotLatencyMetricsData",
            "unit": "ms",
            "description": "From the end of speech to the first sound of the answer.",
            "visibility": "public",
            "supportsPercentiles": True,
        }
    ],
    "meta": {},
}
REGRESSION: dict[str, Any] = {
    "rows": [{"group": "all", "baselineValue": 400, "currentValue": 480, "relativeChange": 0.2, "significant": True}],
    "meta": {},
}
QUERY: dict[str, Any] = {"data": [{"SessionMetrics.uniqueSessions": "12", "SessionMetrics.model": None}], "meta": {}}
ANSWERS: Mapping[str, dict[str, Any]] = {
    "summary": SUMMARY,
    "timeseries": TIMESERIES,
    "breakdown": BREAKDOWN,
    "sessions": SESSIONS,
    "metrics": CATALOG,
    "interactions": INTERACTION,
    "regression-detection": REGRESSION,
    "query": QUERY,
}

Do = Callable[[Any], Any]
NINE: Mapping[str, Do] = {
    "summary": lambda account: account.summary(),
    "timeseries": lambda account: account.timeseries(),
    "breakdown": lambda account: account.breakdown(),
    "sessions.list": lambda account: account.sessions.list(),
    "sessions.get": lambda account: account.sessions.get("s_1"),
    "interactions.get": lambda account: account.interactions.get("int_1"),
    "catalog": lambda account: account.catalog(),
    "regression_detection": lambda account: account.regression_detection(),
    "query": lambda account: account.query({"measures": ["SessionMetrics.uniqueSessions"]}),
}


class Ask(Protocol):
    """Does something with an account that is opened for it, and closed."""

    def __call__(self, do: Do, url: str = URL, *, timeout: float = 30.0, policy: Policy | None = None) -> Any: ...


def blocking(do: Do, url: str = URL, *, timeout: float = 30.0, policy: Policy | None = None) -> Any:
    if policy is not None:
        with Client(url, key=KEY, key_header=KEY_HEADER, deadline=timeout, policy=policy) as client:
            return do(ConvaiAnalytics(client=client))
    with ConvaiAnalytics(KEY, base_url=url, timeout=timeout) as account:
        return do(account)


def asynchronous(do: Do, url: str = URL, *, timeout: float = 30.0, policy: Policy | None = None) -> Any:
    async def run() -> Any:
        if policy is not None:
            async with AsyncClient(url, key=KEY, key_header=KEY_HEADER, deadline=timeout, policy=policy) as client:
                return await do(AsyncConvaiAnalytics(client=client))
        async with AsyncConvaiAnalytics(KEY, base_url=url, timeout=timeout) as account:
            return await do(account)

    return anyio.run(run)


@dataclass
class Scripted:
    """A service whose answers are written down; what it is asked is kept."""

    answer: Callable[[httpx.Request], httpx.Response]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    def ask(self, do: Do) -> Any:
        """What a blocking account gets from it."""
        with httpx.Client(transport=httpx.MockTransport(self)) as client:
            with ConvaiAnalytics(KEY, base_url=URL, client=client) as account:
                return do(account)

    def ask_async(self, do: Do) -> Any:
        """What an async account gets from it."""

        async def run() -> Any:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as client:
                async with AsyncConvaiAnalytics(KEY, base_url=URL, client=client) as account:
                    return await do(account)

        return anyio.run(run)

    @property
    def sent(self) -> dict[str, str]:
        """The parameters of the one request."""
        (request,) = self.requests
        return dict(request.url.params)


def as_contracted() -> Scripted:
    """A service that answers each route as the contract has it."""

    def answer(request: httpx.Request) -> httpx.Response:
        route, *rest = request.url.path.removeprefix("/v1/analytics/").split("/")
        return httpx.Response(200, json=SESSION if route == "sessions" and rest else ANSWERS[route])

    return Scripted(answer)


def always(status: int, body: object = None, **headers: str) -> Scripted:
    """A service that answers one thing."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Scripted(lambda request: httpx.Response(status, content=content, headers=named))
