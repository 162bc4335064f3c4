"""Turn batches of raw records into facts: merged by key, implied rows added, session dimensions copied, flags set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .reading import ID_OF, Row, content, merge, read, words

SESSION_DIMENSIONS = words(
    "platform app_key character_id character_name experience_id channel language end_user_id session_id"
)
SPAN_DIMENSIONS = words("processor provider voice_provider model error_code")
TURN_DIMENSIONS = words("interaction_id interaction_type status failure_stage")
OUTCOME_DIMENSIONS = words("resolution handoff_reason deflection_quality sentiment sentiment_shift recontact_risk tag")
DIMENSIONS = SESSION_DIMENSIONS | SPAN_DIMENSIONS | TURN_DIMENSIONS | OUTCOME_DIMENSIONS

FAILED = ("error", "timeout")
Key = tuple[str, str]
"""A platform and an id on it: of a session or of an interaction."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One session, interaction, span, event, outcome or metric row, with everything a figure may need of it."""

    kind: str
    key: str
    """The record's id, or the hash of its content and `#` its occurrence."""
    platform: str
    session_id: str
    start: int
    """Microseconds: its start, or the time of an event or outcome."""
    end: int | None
    """Microseconds; a session's is its last fact when the record has none."""
    dims: Mapping[str, str | None]
    everyone: tuple[str, ...] = ()
    """The character ids that took part in the session: participants and the character itself."""
    interaction_id: str | None = None
    value: float | None = None
    """An interaction's latency in ms, a span's duration in ms, an event's value."""
    amounts: Mapping[str, float | int | None] = field(default_factory=dict)
    metric_name: str = ""
    failed: bool = False
    leaf: bool = False
    depth: int = 0
    derived: bool = False
    handed: bool | None = None
    """Whether an outcome says that a person took over; None where it does not say."""
    tags: tuple[str, ...] = ()

    @property
    def session(self) -> Key:
        """The session it belongs to, platform first."""
        return (self.platform, self.session_id)

    @property
    def turn(self) -> Key | None:
        """The interaction it is or belongs to, platform first."""
        return None if self.interaction_id is None else (self.platform, self.interaction_id)

    def values(self, dimension: str) -> tuple[str | None, ...]:
        """What the fact says on a dimension: one value, or every participant for `character_id`, every tag."""
        if dimension == "character_id" and self.everyone:
            return self.everyone
        if dimension == "tag" and self.tags:
            return self.tags
        return (self.dims.get(dimension),)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """All facts, each list in order of time, platform and key."""

    sessions: list[Fact]
    interactions: list[Fact]
    spans: list[Fact]
    events: list[Fact]
    outcomes: list[Fact]

    @property
    def everything(self) -> list[Fact]:
        """Every fact that shows a session to be alive."""
        return [*self.sessions, *self.interactions, *self.spans, *self.events, *self.outcomes]


class _Raw:
    """The merged rows of each type by (platform, id), before anything is derived."""

    def __init__(self, batches: Iterable[Iterable[Mapping[str, object]]]) -> None:
        self.rows: dict[str, dict[Key, Row]] = {
            kind: {} for kind in ("session", "interaction", "span", "event", "outcome")
        }
        for batch in batches:
            occurrences: Counter[str] = Counter()
            for raw in batch:
                kind, row = read(raw)
                given = row.get(ID_OF.get(kind, ""))
                if given is None:
                    text = content(kind, row)
                    given = f"{text}#{occurrences[text]}"
                    occurrences[text] += 1
                key = (str(row["platform"]), str(given))
                self.rows[kind][key] = merge(self.rows[kind].get(key), row)

    def facts_of(self, *kinds: str) -> Iterable[Row]:
        for kind in kinds:
            yield from self.rows[kind].values()


def _time(row: Row) -> int:
    """When the row's fact starts."""
    moment = row["start_time"] if "start_time" in row else row["time"]
    assert isinstance(moment, int)
    return moment


def _end(row: Row) -> int:
    """When the row's fact was last seen: its end, else its start or time."""
    moment = row.get("end_time")
    return moment if isinstance(moment, int) else _time(row)


def _of(row: Row, name: str) -> Key | None:
    value = row.get(name)
    return None if value is None else (str(row["platform"]), str(value))


def _imply_interactions(raw: _Raw) -> set[Key]:
    """Add an interaction for every id that only spans and events know; the keys of those added."""
    carriers: dict[Key, list[Row]] = {}
    for row in raw.facts_of("span", "event"):
        key = _of(row, "interaction_id")
        if key is not None and key not in raw.rows["interaction"]:
            carriers.setdefault(key, []).append(row)
    for key, rows in carriers.items():
        first = min(rows, key=lambda row: (_time(row), str(row["session_id"])))
        raw.rows["interaction"][key] = {
            "platform": key[0],
            "interaction_id": key[1],
            "session_id": first["session_id"],
            "start_time": _time(first),
            "end_time": max(_end(row) for row in rows),
        }
    return set(carriers)


def _imply_sessions(raw: _Raw) -> set[Key]:
    """Add a session for every id that only facts know; the keys of those added."""
    starts: dict[Key, int] = {}
    for row in raw.facts_of("interaction", "span", "event", "outcome"):
        key = (str(row["platform"]), str(row["session_id"]))
        if key not in raw.rows["session"]:
            starts[key] = min(starts.get(key, _time(row)), _time(row))
    for key, start in starts.items():
        raw.rows["session"][key] = {"platform": key[0], "session_id": key[1], "start_time": start}
    return set(starts)


def _last_facts(raw: _Raw) -> dict[Key, int]:
    """Per session the latest end (or start) of its interactions, spans and events; outcomes do not extend it."""
    last: dict[Key, int] = {}
    for row in raw.facts_of("interaction", "span", "event"):
        key = (str(row["platform"]), str(row["session_id"]))
        last[key] = max(last.get(key, _end(row)), _end(row))
    return last


def is_error_event(row: Row) -> bool:
    """An event is an error by its name or by its status, unless its level or its name says that it is less."""
    name = str(row["metric_name"])
    mild = row.get("level") in ("warning", "warn", "info", "debug") or name.startswith("warning.")
    return not mild and (name.startswith("error.") or row["status"] in FAILED)


class _Tree:
    """Who is whose parent among the spans of each session."""

    def __init__(self, spans: Iterable[Row]) -> None:
        self.parent: dict[tuple[str, str, str], str] = {}
        self.known: set[tuple[str, str, str]] = set()
        self.parents: set[tuple[str, str, str]] = set()
        for row in spans:
            platform, session, span, parent = (row[n] for n in ("platform", "session_id", "span_id", "parent_id"))
            if span is not None:
                self.known.add((str(platform), str(session), str(span)))
            if parent is not None and parent != span:
                self.parents.add((str(platform), str(session), str(parent)))
                if span is not None:
                    self.parent[str(platform), str(session), str(span)] = str(parent)

    def depth(self, row: Row) -> int:
        """How many different ancestors the session holds; a loop is walked once, a missing parent ends the walk."""
        platform, session = str(row["platform"]), str(row["session_id"])
        own, above = row["span_id"], row["parent_id"]
        seen: set[str] = set()
        while above is not None and above != own and above not in seen:
            if (platform, session, str(above)) not in self.known:
                break
            seen.add(str(above))
            above = self.parent.get((platform, session, str(above)))
        return len(seen)

    def is_leaf(self, row: Row) -> bool:
        """No other span of the session names it as its parent."""
        own = (str(row["platform"]), str(row["session_id"]), str(row["span_id"]))
        return row["span_id"] is None or own not in self.parents


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else None


def _amounts(row: Row) -> dict[str, float | int | None]:
    names = ("input_tokens", "output_tokens", "characters", "cost_usd", "ttfb_ms")
    return {name: value for name in names if isinstance(value := row.get(name), int | float)}


def _handed(row: Row) -> bool | None:
    """What `handoff` says, else what the resolution does."""
    said = row.get("handoff")
    if said is not None:
        return said == "true"
    return {"handoff": True, "resolved": False, "abandoned": False}.get(str(row.get("resolution")))


def _tags(row: Row) -> tuple[str, ...]:
    given = row.get("tags")
    return tuple(str(one) for one in given) if isinstance(given, list) else ()


class _Builder:
    """Makes facts of the merged rows."""

    def __init__(self, raw: _Raw) -> None:
        self.raw = raw
        self.derived = {"interaction": _imply_interactions(raw)}
        self.derived["session"] = _imply_sessions(raw)
        self.last = _last_facts(raw)
        self.tree = _Tree(raw.rows["span"].values())
        self.broken = {_of(row, "interaction_id") for row in raw.facts_of("event") if is_error_event(row)}

    def build(self, kind: str) -> list[Fact]:
        facts = [self._fact(kind, key, row) for key, row in self.raw.rows[kind].items()]
        return sorted(facts, key=lambda fact: (fact.start, fact.platform, fact.key))

    def _fact(self, kind: str, key: Key, row: Row) -> Fact:
        session_key = (key[0], str(row["session_id"]))
        session = self.raw.rows["session"][session_key]
        turn = _of(row, "interaction_id")
        dims = self._dims(kind, row, session, turn)
        participants = session.get("participants")
        everyone = {str(one) for one in participants} if isinstance(participants, list) else set()
        if session.get("character_id") is not None:
            everyone.add(str(session["character_id"]))
        value = {"interaction": "latency_ms", "span": "duration_ms", "event": "value"}.get(kind, "")
        return Fact(
            kind=kind,
            key=key[1],
            platform=key[0],
            session_id=session_key[1],
            start=_time(row),
            end=self._end(kind, session_key, row),
            dims=dims,
            everyone=tuple(sorted(everyone)),
            interaction_id=turn[1] if turn else None,
            value=_number(row, value),
            amounts=_amounts(row) if kind == "span" else {},
            metric_name=str(row["metric_name"]) if kind == "event" else "",
            failed=self._failed(kind, row, turn),
            leaf=kind == "span" and self.tree.is_leaf(row),
            depth=self.tree.depth(row) if kind == "span" else 0,
            derived=key in self.derived.get(kind, set()),
            handed=_handed(row) if kind == "outcome" else None,
            tags=_tags(row) if kind == "outcome" else (),
        )

    def _end(self, kind: str, session: Key, row: Row) -> int | None:
        end = row.get("end_time")
        if isinstance(end, int) or kind != "session":
            return end if isinstance(end, int) else None
        return max(_time(row), self.last.get(session, _time(row)))

    def _failed(self, kind: str, row: Row, turn: Key | None) -> bool:
        if kind == "event":
            return is_error_event(row)
        marked = kind == "interaction" and turn in self.broken
        return kind in ("interaction", "span") and (row.get("status") in FAILED or marked)

    def _dims(self, kind: str, row: Row, session: Row, turn: Key | None) -> dict[str, str | None]:
        """The row's own dimensions, the session's on top of every fact, the interaction's type on spans and events."""
        found = {name: row.get(name) for name in DIMENSIONS}
        found.update({name: session.get(name) for name in SESSION_DIMENSIONS})
        if kind in ("span", "event") and turn is not None:
            found["interaction_type"] = self.raw.rows["interaction"][turn].get("interaction_type")
        return {name: None if value is None else str(value) for name, value in found.items()}


def telemetry(batches: Iterable[Iterable[Mapping[str, object]]]) -> Telemetry:
    """The facts of the batches, loaded one after the other."""
    builder = _Builder(_Raw(batches))
    return Telemetry(*(builder.build(kind) for kind in ("session", "interaction", "span", "event", "outcome")))
