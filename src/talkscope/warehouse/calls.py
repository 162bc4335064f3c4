"""Recorded calls of a platform as records: what importers of telephone and web calls share.

A call is told as a list of lines, who said what and which tools were called between; the turns are made of it here, and
the spans, events and items of the bill that hang on a call or on a turn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, TypeAlias

from talkscope.models.records import Refused, canonical
from talkscope.models.semantics import USER_TO_BOT
from talkscope.warehouse.documents import Found, Item, bounded, documents, items, mapped, mapping_of, number_of

MILLISECOND = 1_000
SECOND = 1_000_000
_LONGEST = 1e8
"""So many seconds after a call's start, or milliseconds of waiting, nothing is any more."""
_ROUNDING = 0.0005
"""USD by which a total may differ from its items without there being another item."""

Role: TypeAlias = Literal["user", "agent", "tool"]


def since_start(seconds: object, start: int) -> int | None:
    """The moment so many seconds after the start of a call; None where it is no number that can be meant."""
    number = number_of(seconds)
    return start + round(number * SECOND) if number is not None and abs(number) < _LONGEST else None


def measured_ms(value: object) -> float | None:
    """A measured length in milliseconds; None where it is none, or negative."""
    number = number_of(value)
    return number if number is not None and 0 <= number < _LONGEST else None


@dataclass(slots=True)
class Line:
    """One thing of a call: words of a side, or a tool's call with its result; times in microseconds since 1970."""

    role: Role
    text: str = ""
    start: int | None = None
    end: int | None = None
    about: Item = field(default_factory=dict)
    """What else is said of it."""


@dataclass(slots=True)
class Turn:
    """What the user said, and all that the agent said and did until the user spoke again."""

    index: int
    heard: list[Line] = field(default_factory=list)
    answer: list[Line] = field(default_factory=list)
    latency: float | None = None

    def said(self) -> list[Line]:
        """The agent's words."""
        return [line for line in self.answer if line.role == "agent"]

    def responses(self) -> int:
        """How often the agent set about to answer: once, and once more with every tool that follows on words of its."""
        before = [None, *self.answer]
        return bool(self.answer) + sum(
            line.role == "tool" and last is not None and last.role == "agent"
            for last, line in zip(before, self.answer, strict=False)
        )

    def began(self) -> int | None:
        """When the user stopped to speak: so long before the agent's first words as the latency says, else as told."""
        first = self.answer[0] if self.answer else None
        if first is not None and first.role == "agent" and first.start is not None and self.latency is not None:
            return first.start - round(self.latency * MILLISECOND)
        known = [moment for line in self.heard for moment in (line.start, line.end) if moment is not None]
        return max(known, default=None)


def turns_of(lines: Iterable[Line]) -> tuple[list[Line], list[Turn]]:
    """What came before the user's first words, and the turns; words of the user in a row are one turn's."""
    opening: list[Line] = []
    turns: list[Turn] = []
    for line in lines:
        if line.role != "user":
            (turns[-1].answer if turns else opening).append(line)
            continue
        if not turns or turns[-1].answer:
            turns.append(Turn(len(turns)))
        turns[-1].heard.append(line)
    return opening, turns


def interaction(ids: Item, turn: Turn, since: int) -> Item:
    """The record of a turn; `since` is where it starts when the call tells no time of it."""
    start = turn.began()
    start = since if start is None else start
    ends = [moment for line in turn.answer for moment in (line.start, line.end) if moment is not None]
    attributes: Item = {
        "input": " ".join(line.text for line in turn.heard if line.text),
        "output": " ".join(line.text for line in turn.said() if line.text),
        "messages": [line.about for line in (*turn.heard, *turn.said()) if line.about],
    }
    return {
        "type": "interaction",
        **ids,
        "interaction_id": f"{ids['session_id']}/turn/{turn.index}",
        "index": turn.index,
        "interaction_type": "voice_turn",
        "start_time_us": start,
        "end_time_us": max(start, *ends) if ends else None,
        "latency_ms": turn.latency,
        "status": "ok" if turn.answer or not turn.heard else None,
        "attributes": {name: bounded(value) for name, value in attributes.items() if value},
    }


def span(ids: Item, key: str, processor: str, start: int, end: int) -> Item:
    """A span of the call, its id made of the call's and `key`."""
    return {
        "type": "span",
        **ids,
        "span_id": f"{ids['session_id']}/{key}",
        "processor": processor,
        "start_time_us": start,
        "end_time_us": end,
    }


def values(ids: Item, at: int, metric: str, measured: Iterable[float | None]) -> Iterator[Item]:
    """Measurements of which the call tells only their order: an event each, at the call's end, in milliseconds."""
    processor, _, kind = metric.rpartition(".")
    to_bot = metric == USER_TO_BOT
    types = {"ttfb": "TTFBMetricsData", "processing": "ProcessingMetricsData"}
    for position, value in enumerate(measured):
        if value is not None:
            yield {
                "type": "event",
                **ids,
                "time_us": at,
                "metric_name": metric,
                "metric_type": "UserBotLatencyMetricsData" if to_bot else types.get(kind, "CustomLatencyMetricsData"),
                "processor": None if to_bot else processor,
                "value": value,
                "unit": "ms",
                "attributes": {"position": position},
            }


@dataclass(slots=True)
class Charge:
    """One item of a call's bill: its name, USD, and further columns of a span."""

    name: str
    usd: float | None
    columns: Item = field(default_factory=dict)


def bill(ids: Item, charges: Sequence[Charge], total: float | None, at: int) -> Iterator[Item]:
    """The items of a bill as spans `billing.<name>` at the call's end, and what the total has beyond them.

    A bill takes no time, and its 0 ms must not become latencies of a provider or a model. Latencies are those of
    innermost spans: so each item that names one has the next item as if inside it, and those that name none come last.
    """
    known = sum(each.usd for each in charges if each.usd is not None)
    ordered = sorted(charges, key=_nameless)
    if charges and total is not None and abs(total - known) > _ROUNDING:
        ordered.append(Charge("other", round(total - known, 9)))
    numbers: dict[str, int] = {}
    above: object = None
    for each in ordered:
        number = numbers[each.name] = numbers.get(each.name, 0) + 1
        key = f"billing/{each.name}" if number == 1 else f"billing/{each.name}/{number}"
        record = span(ids, key, f"billing.{each.name}", at, at)
        yield record | {"parent_id": above, "cost_usd": each.usd, **each.columns}
        if not _nameless(each):
            above = record["span_id"]


def _nameless(charge: Charge) -> bool:
    return not {"provider", "model"} & charge.columns.keys()


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one vendor's calls are read: whether a value is one of its, its records, and what to call it."""

    title: str
    pages: tuple[str, ...]
    known: Callable[[Item], bool]
    records: Callable[[str, Item], Iterator[tuple[str, Item | Refused]]]
    hint: str


def read_calls(stream: BinaryIO, vendor: Vendor) -> Iterator[Found]:
    """Each record of a file of calls with its place, and each item that is none with the reason.

    Of a call that the file tells several times, an event or outcome that is the same each time is one, since it has no
    id to be known by. Raises IngestError when nothing in the file is a call.
    """
    seen: set[bytes] = set()

    def take(place: str, value: object) -> Iterator[Found] | None:
        known = isinstance(value, dict) and vendor.known(value)
        return _fresh(vendor.records(place, mapping_of(value)), seen) if known else None

    yield from mapped(
        _values(stream, vendor.pages),
        take,
        stranger=lambda _: f"is no {vendor.title}",
        nothing=f"The file holds no {vendor.title}",
        hint=vendor.hint,
    )


def _fresh(records: Iterable[tuple[str, Item | Refused]], seen: set[bytes]) -> Iterator[Found]:
    for where, record in records:
        if isinstance(record, Refused) or _new(record, seen):
            yield where, record


def _values(stream: BinaryIO, pages: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for place, value in documents(stream):
        yield from items(place, value, pages)


def _new(record: Item, seen: set[bytes]) -> bool:
    if record["type"] not in ("event", "outcome"):
        return True
    digest = hashlib.blake2b(canonical(record).encode(), digest_size=12).digest()
    known = digest in seen
    seen.add(digest)
    return not known
