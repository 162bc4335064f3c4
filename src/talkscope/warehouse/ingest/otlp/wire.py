"""One OTLP request as spans: ids in hex, times as integer nanoseconds, attributes as plain values, texts cut."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, fields
from typing import cast

import orjson

from talkscope.models.records import Refused, canonical
from talkscope.warehouse.documents import DEEPEST, Item, bounded, listed, mapping_of, number_of, text_of

SPANS = ("resourceSpans", "resource_spans")
SIGNALS = {
    name: signal
    for signal in ("metrics", "logs", "profiles")
    for name in (f"resource{signal.capitalize()}", f"resource_{signal}")
}
"""What a request holds that is no trace, by the name that it is under."""

_KINDS = ("", "internal", "server", "client", "producer", "consumer")
_LATEST = 253_402_300_799_000_000_000
"""Nanoseconds; the end of the year 9999."""
_REMOTE = 0x300
"""The flags that say that the parent span is another process's."""
_USED = set(
    "traceId spanId parentSpanId name kind startTimeUnixNano endTimeUnixNano attributes status events links flags "
    "schemaUrl".split()
)


@dataclass(slots=True)
class Span:
    """One span as it came, in plain values."""

    trace: str
    id: str
    parent: str | None
    name: str
    kind: str
    entry: bool
    """Whether it is where a process was entered, so that its parent may be in no file of this one."""
    start: int
    end: int | None
    failed: bool
    message: str | None
    attributes: Item
    events: list[tuple[int, str, Item]]
    links: list[Item]
    more: Item
    """What OTLP says of it that has no place here."""
    scope: str | None
    resource: str
    """The digest of its resource's attributes."""

    @property
    def key(self) -> str:
        """Its id among all spans: span ids are unique inside their trace only."""
        return f"{self.trace}:{self.id}"


_NAMES = [field.name for field in fields(Span)]


def packed(span: Span) -> bytes:
    """The span as one line of JSON."""
    try:
        return orjson.dumps(span)
    except TypeError:  # a lone surrogate, a number over 64 bits: rare, and slower to write
        return canonical({name: getattr(span, name) for name in _NAMES}).encode()


def unpacked(line: bytes) -> Span:
    """The span that `packed` wrote."""
    item = orjson.loads(line)
    item["events"] = [tuple(event) for event in item["events"]]
    return Span(**item)


def holders(request: Item) -> list[tuple[Item, str | None, list[object]]]:
    """The resource's attributes, the scope's name and the spans of each scope in a request."""
    found: list[tuple[Item, str | None, list[object]]] = []
    for group in (_camel(each) for name in SPANS for each in listed(request.get(name))):
        resource = attributes(_camel(group.get("resource")).get("attributes"))
        for held in listed(group.get("scopeSpans")) + listed(group.get("instrumentationLibrarySpans")):
            inner = _camel(held)
            scope = mapping_of(inner.get("scope") or inner.get("instrumentationLibrary"))
            found.append((resource, text_of(scope.get("name")), listed(inner.get("spans"))))
    return found


def span(raw: object, scope: str | None, resource: str) -> Span:
    """One span of a request; raises Refused when it has no trace, no id or no start."""
    if not isinstance(raw, dict):
        raise Refused("is no span")
    item = _camel(raw)
    trace, own = identity(item.get("traceId"), 16), identity(item.get("spanId"), 8)
    start = _nanoseconds(item.get("startTimeUnixNano"))
    if trace is None or own is None or start is None:
        missing = "traceId" if trace is None else "spanId" if own is None else "startTimeUnixNano"
        raise Refused(f"has no {missing}")
    kind, status, flags = _kind(item.get("kind")), _camel(item.get("status")), number_of(item.get("flags")) or 0
    return Span(
        trace,
        own,
        identity(item.get("parentSpanId"), 8),
        text_of(item.get("name")) or "",
        kind,
        kind in {"server", "consumer"} or int(flags) & _REMOTE == _REMOTE,
        start,
        _nanoseconds(item.get("endTimeUnixNano")),
        status.get("code") in (2, "2", "STATUS_CODE_ERROR", "ERROR", "Error"),
        cast("str | None", bounded(text_of(status.get("message")))),
        attributes(item.get("attributes")),
        [_event(_camel(each), start) for each in listed(item.get("events"))],
        [_link(_camel(each)) for each in listed(item.get("links"))],
        {key: bounded(value) for key, value in item.items() if key not in _USED and value not in (None, "", 0, [], {})},
        scope,
        resource,
    )


def identity(value: object, size: int) -> str | None:
    """An id of so many bytes in lower-case hex, from hex or base64; None when it is empty or all zeros."""
    text = text_of(value)
    if text is None:
        return None
    # Hex of an id is 16 or 32 characters long, base64 of it 12 or 24.
    if len(text) == (size + 2) // 3 * 4:
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return text
    text = text.lower()
    return text if text.strip("0") else None


def attributes(value: object) -> Item:
    """OTLP's list of keys and values as a mapping; an exporter's own mapping is taken as it is."""
    if isinstance(value, dict):
        return {str(key): bounded(each) for key, each in value.items() if each is not None}
    found: Item = {}
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, dict) and (key := pair.get("key")):
            plain = _plain(pair.get("value"), 0)
            if plain is not None:
                found[str(key)] = bounded(plain) if isinstance(plain, str | dict | list) else plain
    return found


def _plain(value: object, depth: int) -> object:
    """One AnyValue as the value that it holds; None when it holds none."""
    if not isinstance(value, dict) or depth > DEEPEST:
        return value if depth <= DEEPEST else f"…nested more than {DEEPEST} levels deep"
    for name, held in value.items():
        kind = name.replace("_", "").lower()
        if kind == "intvalue":
            return int(held) if isinstance(held, str) and held.lstrip("-").isdecimal() and len(held) < 20 else held
        if kind == "doublevalue":
            return number_of(held)
        if kind == "arrayvalue":
            return [_plain(each, depth + 1) for each in listed(mapping_of(held).get("values"))]
        if kind == "kvlistvalue":
            pairs = (pair for pair in listed(mapping_of(held).get("values")) if isinstance(pair, dict))
            return {str(pair.get("key")): _plain(pair.get("value"), depth + 1) for pair in pairs}
        if kind in {"stringvalue", "boolvalue", "bytesvalue"}:
            return held
    return value or None


def _event(item: Item, start: int) -> tuple[int, str, Item]:
    moment = _nanoseconds(item.get("timeUnixNano"))
    return start if moment is None else moment, text_of(item.get("name")) or "event", attributes(item.get("attributes"))


def _link(item: Item) -> Item:
    ids = {"trace_id": identity(item.get("traceId"), 16), "span_id": identity(item.get("spanId"), 8)}
    return {**attributes(item.get("attributes")), **ids}


def _nanoseconds(value: object) -> int | None:
    """A time; None when it is 0, which is how protobuf writes that there is none."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 25:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    if value >= _LATEST:
        raise Refused("has a time that is out of range")
    return value


def _kind(value: object) -> str:
    number = number_of(value)
    if number is not None:
        return _KINDS[int(number)] if 0 <= number < len(_KINDS) else ""
    word = str(value or "").removeprefix("SPAN_KIND_").lower()
    return word if word in _KINDS else ""


def _camel(item: object) -> Item:
    """The item with its names in camelCase, as OTLP spells them; empty when it is no object."""
    if not isinstance(item, dict):
        return {}
    return {_spelt(name) if "_" in name else name: value for name, value in item.items()}


def _spelt(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)
