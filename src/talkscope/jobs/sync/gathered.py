"""What a sync asks a platform for: calls that bring further calls, and several plans as one."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, cast

from talkscope.errors import Json
from talkscope.flow import AnyCall, following, typed
from talkscope.jobs.pull.plan import REFUSED, UNREAD, Answer, Answers, Part, Plan, what_of
from talkscope.jobs.pull.rows import Rows

_PAGE = re.compile(r"\+\d+$")


def _nothing(_: object) -> Sequence[Ask]:
    return ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One call, with all its pages: what kind of answer it brings, about what, and the calls that an answer brings.

    Each row of a call that is `listed` is an answer of its own, and brings no calls. Where the platform does not have
    the call, or does not let us have it, the rest goes on without it. Where it is `spared`, the rest also goes on
    without an answer that cannot be read: a figure, which others can do without until the next sync.
    """

    kind: str
    call: AnyCall
    about: str = ""
    follow: Callable[[object], Sequence[Ask]] = _nothing
    refusable: bool = True
    spared: bool = False


figure = partial(Ask, spared=True)
"""An ask for a figure."""


@dataclass(frozen=True, slots=True)
class Found:
    """One answer, typed: of which kind, and about what."""

    kind: str
    value: object
    about: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What the platform does not give, and why; `unread` where it gave what cannot be read."""

    kind: str
    reason: str
    unread: bool = False


class Gathering(Plan, Protocol):
    """A plan whose answers come typed."""

    def found(self, answers: Answers) -> Iterator[Found | Refused]:
        """The answers in the plan's order, when all parts are answered."""


@dataclass(slots=True)
class _Node:
    ask: Ask
    call: AnyCall
    below: list[str] = field(default_factory=list)


class Gathered:
    """Calls, all their pages, and the calls that their answers bring."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        self._nodes = {str(number): _Node(ask, ask.call) for number, ask in enumerate(asks)}
        self._roots = list(self._nodes)
        self._seen: dict[str, set[tuple[tuple[str, str], ...]]] = {}
        self._answered = 0

    @property
    def what(self) -> Mapping[str, Json]:
        """The calls to begin with."""
        return {"calls": [what_of(self._nodes[key].call) for key in self._roots]}

    @property
    def count(self) -> int:
        """How many answers there are so far."""
        return self._answered

    @property
    def duplicates(self) -> int:
        """None: an answer is one."""
        return 0

    @property
    def expected(self) -> int | None:
        """Nobody says."""
        return None

    @property
    def missing(self) -> Sequence[str]:
        """Nothing."""
        return ()

    def first(self) -> Sequence[Part]:
        """The calls to begin with."""
        return [self._part(key) for key in self._roots]

    def answered(self, part: Part, value: Answer) -> Sequence[Part]:
        """The page after, and what the answer brings."""
        node = self._nodes[part.key]
        brought = self._brought(node, part, value) if _refused(node.ask.kind, value) is None else ()
        self._answered += 1
        return brought

    def _brought(self, node: _Node, part: Part, value: Answer) -> Sequence[Part]:
        if isinstance(value, Rows):
            # Read to its end, for it counts only when all of it is what was promised.
            deque(_each(part.call, value), maxlen=0)
            return ()
        answer = typed(part.call, value)
        root = _PAGE.sub("", part.key)
        # Before anything is added: an answer that cannot be read brings nothing.
        after = following(part.call, answer, self._seen.setdefault(root, set()))
        brought = [self._add(node, f"{part.key}.{number}", ask) for number, ask in enumerate(node.ask.follow(answer))]
        if after is not None:
            page = len(self._seen[root])
            brought.append(self._add(node, f"{root}+{page}", replace(node.ask, call=after)))
        return brought

    def items(self, answers: Answers) -> Iterator[Json]:
        """The answers as they came."""
        for key in self._ordered(self._roots):
            value = answers(key)
            yield from value if isinstance(value, Rows) else (value,)

    def found(self, answers: Answers) -> Iterator[Found | Refused]:
        """The answers typed, each before those that it brought."""
        for key in self._ordered(self._roots):
            node, value = self._nodes[key], answers(key)
            refused = _refused(node.ask.kind, value)
            if refused is not None:
                yield refused
            elif node.call.listed and isinstance(value, list | Rows):
                yield from (Found(node.ask.kind, row, node.ask.about) for row in _each(node.call, value))
            else:
                yield Found(node.ask.kind, typed(node.call, cast("Json", value)), node.ask.about)

    def _add(self, node: _Node, key: str, ask: Ask) -> Part:
        self._nodes[key] = _Node(ask, ask.call)
        node.below.append(key)
        return self._part(key)

    def _part(self, key: str) -> Part:
        node = self._nodes[key]
        return Part(key, node.call, refusable=node.ask.refusable, spared=node.ask.spared)

    def _ordered(self, keys: Sequence[str]) -> Iterator[str]:
        # Pages can be thousands, one below the other: more than Python likes to nest.
        left = list(reversed(keys))
        while left:
            key = left.pop()
            yield key
            left += reversed(self._nodes[key].below)


class Together:
    """Several plans as one, by name, in this order."""

    def __init__(self, plans: Mapping[str, Plan], typed_by: Mapping[str, Callable[[Json], object]]) -> None:
        self._plans = plans
        self._typed_by = typed_by

    @property
    def what(self) -> Mapping[str, Json]:
        """What each is."""
        return {name: dict(plan.what) for name, plan in self._plans.items()}

    @property
    def count(self) -> int:
        """How many items there are so far."""
        return sum(plan.count for plan in self._plans.values())

    @property
    def duplicates(self) -> int:
        """How many items came once more."""
        return sum(plan.duplicates for plan in self._plans.values())

    @property
    def expected(self) -> int | None:
        """How many items there should be; None unless every plan knows."""
        return None

    @property
    def missing(self) -> Sequence[str]:
        """Ids whose details the service left out."""
        return [each for plan in self._plans.values() for each in plan.missing]

    def first(self) -> Sequence[Part]:
        """The parts to begin with."""
        return [_under(name, part) for name, plan in self._plans.items() for part in plan.first()]

    def answered(self, part: Part, value: Answer) -> Sequence[Part]:
        """Let the plan whose part it is take note. Raises BadAnswer for what could not be typed later."""
        name, _, key = part.key.partition("/")
        if name in self._typed_by and not isinstance(value, Rows):
            typed(part.call, value)
        return [_under(name, each) for each in self._plans[name].answered(replace(part, key=key), value)]

    def items(self, answers: Answers) -> Iterator[Json]:
        """The items of all plans."""
        for name, plan in self._plans.items():
            yield from plan.items(_below(name, answers))

    def found(self, answers: Answers) -> Iterator[Found | Refused]:
        """The answers typed; of a plan of rows, each row."""
        for name, plan in self._plans.items():
            if isinstance(plan, Gathered):
                yield from plan.found(_below(name, answers))
            else:
                read = self._typed_by[name]
                yield from (Found(name, read(item)) for item in plan.items(_below(name, answers)))


def _each(call: AnyCall, rows: Iterable[Json]) -> Iterator[object]:
    """The rows of a list, typed one by one."""
    for number, row in enumerate(rows, 1):
        yield from cast("list[object]", typed(call, [row], place=f", in row {number:,},"))


def _refused(kind: str, value: Answer) -> Refused | None:
    if isinstance(value, dict):
        for name in (REFUSED, UNREAD):
            told = value.get(name)
            if isinstance(told, dict):
                return Refused(kind, str(told.get("message", "")), unread=name == UNREAD)
    return None


def _under(name: str, part: Part) -> Part:
    return replace(part, key=f"{name}/{part.key}")


def _below(name: str, answers: Answers) -> Answers:
    return lambda key: answers(f"{name}/{key}")
