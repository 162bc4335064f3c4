"""The live streams of Agent Studio's server, and what a test lets them tell."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.vendors.agent_studio_world import CallRecord, Tenant
from tests.vendors.engine import Asked, Contract, Json, Refused, Reply

CONTRACT = Contract("agent_studio")


@dataclass
class Feed:
    """What the live streams tell after their first words; each stream tells all of it."""

    told: list[tuple[str | None, str, Json]] = field(default_factory=list)
    over: bool = False

    def push(self, event: str, data: Json, *, call: str | None = None) -> None:
        """Tell an event, of one call or to the stream of all. Raises AssertionError for what is not documented."""
        operation = "call_stream" if call else "calls_stream"
        answer = CONTRACT.operations[operation].said["responses"]["200"]["content"]["text/event-stream"]
        assert event in answer["x-events"], f"{event} is no event of {operation}"
        CONTRACT.validator(answer["x-events"][event]).validate(data)
        self.told.append((call, event, data))

    def end(self) -> None:
        """End all streams."""
        self.over = True


@dataclass(frozen=True)
class Live:
    """The handlers of both streams."""

    feed: Feed
    beat: float

    def calls(self, asked: Asked) -> Reply:
        """All calls, until one side ends it."""
        tenant: Tenant = asked.granted.owner
        first = [
            ("connected", {"message": "connected"}),
            ("active_count", {"count": len(tenant.active), "timestamp": spelled(tenant.now)}),
            ("calls_update", {"calls": [{"id": call.id, "status": call.status} for call in tenant.active]}),
        ]
        return Reply(stream=self._stream(first, None), media="text/event-stream")

    def call(self, asked: Asked) -> Reply:
        """One call, until it ends."""
        call = known(asked)
        first: list[tuple[str, Json]] = [("status", {"status": call.status})]
        first += [("transcript", {"role": role, "text": text}) for role, text in call.said]
        if call.ended:
            first.append(("ended", {"ended_at": spelled(call.ended)}))
        return Reply(stream=self._stream(first, call.id, over=bool(call.ended)), media="text/event-stream")

    async def _stream(
        self, first: Iterable[tuple[str, Json]], call: str | None, *, over: bool = False
    ) -> AsyncIterator[bytes]:
        for event, data in first:
            yield _event(event, data)
        told, beaten = 0, time.monotonic()
        while not over and not (self.feed.over and told == len(self.feed.told)):
            if told < len(self.feed.told):
                of, event, data = self.feed.told[told]
                told += 1
                if of == call:
                    yield _event(event, data)
                    over = event == "ended"
                continue
            if call is None and time.monotonic() >= beaten + self.beat:
                beaten = time.monotonic()
                yield _event("heartbeat", {})
            await asyncio.sleep(0.005)


def _event(event: str, data: Json) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def known(asked: Asked) -> CallRecord:
    """The call asked for. Raises Refused where the tenant has none of that id."""
    found: CallRecord | None = asked.granted.owner.by_id.get(asked.path["id"])
    if found is None:
        raise Refused(404, "There is no such call.")
    return found


def spelled(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
