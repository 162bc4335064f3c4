"""What a pull asks for: parts, each with a name that is the same in every run, and the items in their answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from talkscope.errors import BadAnswer, InvalidArgument, Json
from talkscope.flow import AnyCall, following, typed
from talkscope.jobs.pull.rows import Rows
from talkscope.models.text import clean

Answer: TypeAlias = "Json | Rows"
"""An answer's JSON; of a call that is `listed`, the rows of the list."""
Answers: TypeAlias = Callable[[str], Answer]
"""The answer to a part, by the part's key."""
Row: TypeAlias = "dict[str, Json]"

REFUSED = "$refused"
UNREAD = "$unread"

# Lists that a page is about, where its answer holds others beside it, such as a series over time.
_LISTS = ("conversations", "summaries", "sessions", "items", "ratings", "events", "recent", "data", "points", "rows")
# What tells rows apart; of rows without it, those are the same that say the same.
_IDS: Mapping[str | None, tuple[str, ...]] = {
    "conversations": ("conversation_id", "id"),
    "summaries": ("conversation_id", "id"),
    "sessions": ("sessionId", "session_id", "id"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a plan: its key, its call, and its place among those whose answers hold items.

    Where a part is `refusable`, a service that does not have it, or does not let us have it, has answered too: with
    the error under the name REFUSED. Where it is `spared`, an answer that cannot be read has come too: as the error
    under the name UNREAD.
    """

    key: str
    call: AnyCall
    rank: int = 0
    refusable: bool = False
    spared: bool = False


class Plan(Protocol):
    """What is pulled. It learns of each part's answer once, in the order of the journal."""

    @property
    def what(self) -> Mapping[str, Json]:
        """What makes it this plan and no other, without secrets."""

    @property
    def count(self) -> int:
        """How many items there are so far, each once."""

    @property
    def duplicates(self) -> int:
        """How many items came once more, since pages shift while one pages."""

    @property
    def expected(self) -> int | None:
        """How many items there should be, as the service says."""

    @property
    def missing(self) -> Sequence[str]:
        """Ids whose details the service left out."""

    def first(self) -> Sequence[Part]:
        """The parts to begin with."""

    def answered(self, part: Part, value: Answer) -> Sequence[Part]:
        """Take note of an answer; the parts that it brings. Raises BadAnswer for what cannot be one."""

    def items(self, answers: Answers) -> Iterator[Json]:
        """The items in the service's order, each once, when all parts are answered."""


def what_of(call: AnyCall) -> dict[str, Json]:
    """A call as a plan says what it is."""
    params: list[Json] = [list(pair) for pair in call.params]
    return {"method": call.method, "path": call.path, "params": params, "body": call.body}


class Listing:
    """The rows of one call, and of all pages after it.

    Pages that are asked for by the rows to skip are asked at once when the first one says how many rows there are, and
    others one after the other. `rows` names the list in the answer, where that is not plain.
    """

    def __init__(self, call: AnyCall, *, rows: str | None = None) -> None:
        self.call = call
        self.name = rows
        self.opening: Json = None
        """What the first answer says beside its rows."""
        self._named = rows is not None
        self._pages: dict[int, str] = {}
        self._seen: set[tuple[tuple[str, str], ...]] = set()
        self._ids: set[str] = set()
        self._rows = 0
        self._total: int | None = None
        self._offset = ""
        self._start = self._step = self._reached = 0

    @property
    def what(self) -> Mapping[str, Json]:
        """The first page's call."""
        return {**what_of(self.call), "rows": self.name if self._named else None}

    @property
    def count(self) -> int:
        """How many rows there are so far, each once."""
        return len(self._ids) if self._paged else self._rows

    @property
    def duplicates(self) -> int:
        """How many rows came once more."""
        return self._rows - self.count

    @property
    def expected(self) -> int | None:
        """How many rows there should be, from the first one asked for on."""
        return None if self._total is None else max(0, self._total - self._start)

    @property
    def missing(self) -> Sequence[str]:
        """Nothing: rows have no details of their own."""
        return ()

    def first(self) -> Sequence[Part]:
        """The first page."""
        return (Part("page 0", self.call),)

    def answered(self, part: Part, value: Answer) -> Sequence[Part]:
        """Count the rows; the pages after."""
        if not self._pages:
            self._begin(part, value)
        for row in self.rows_of(value):
            self._rows += 1
            if self._paged:
                self._ids.add(self.identity(row))
        self._pages[part.rank] = part.key
        return self._after(part, value)

    def items(self, answers: Answers) -> Iterator[Json]:
        """The rows of all pages in their order."""
        seen: set[str] = set()
        for rank in sorted(self._pages):
            for row in self.rows_of(answers(self._pages[rank])):
                if self._paged:
                    known = self.identity(row)
                    if known in seen:
                        continue
                    seen.add(known)
                yield row

    def rows_of(self, value: Answer) -> Iterable[Json]:
        """The rows of a page."""
        if isinstance(value, Rows):
            return value
        found = value.get(self.name) if isinstance(value, dict) and self.name is not None else value
        if found is None:
            return []
        if not isinstance(found, list):
            raise BadAnswer(f"The answer to {clean(self.call.path, 100)} holds no list where its first page did.")
        return found

    def identity(self, row: Json) -> str:
        """What tells the row from others."""
        if isinstance(row, dict):
            known = next((row[name] for name in _IDS.get(self.name, ("id",)) if row.get(name) is not None), None)
            if isinstance(known, str | int):
                return str(known)
        text = json.dumps(row, sort_keys=True, ensure_ascii=True)
        return "#" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def _paged(self) -> bool:
        return self.call.next is not None

    def _begin(self, part: Part, value: Answer) -> None:
        """Learn from the first page where its rows are, and how the pages after it are asked for."""
        after = _next(part.call, value)
        name, reach = next(iter(after.items())) if len(after) == 1 else ("", None)
        if not self._named:
            self.name = _list_in(value, name.removesuffix("offset").rstrip("_"))
        elif not isinstance(value, dict) or not isinstance(value.get(self.name or ""), list):
            raise _no_rows(value)
        if isinstance(value, dict):
            self.opening = {field: told for field, told in value.items() if field != self.name}
        if name.endswith("offset") and isinstance(reach, int) and _total(value) is not None:
            self._offset = name
            self._start = int(dict(part.call.params).get(name, 0))
            self._step, self._reached = reach - self._start, reach

    def _after(self, part: Part, value: Answer) -> list[Part]:
        if not self._paged or isinstance(value, Rows):
            return []
        told = _total(value)
        self._total = told if told is not None else self._total
        if not self._offset:
            call = following(part.call, typed(part.call, value), self._seen)
            return [] if call is None else [Part(f"page {part.rank + 1}", call, part.rank + 1)]
        offsets = range(self._reached, self._total or 0, self._step)
        self._reached += self._step * len(offsets)
        return [Part(f"page {at}", self.call.changed({self._offset: at}), at) for at in offsets]


def _next(call: AnyCall, value: Answer) -> Mapping[str, object]:
    return {} if call.next is None or isinstance(value, Rows) else call.next(typed(call, value)) or {}


def _total(value: Answer) -> int | None:
    total = value.get("total") if isinstance(value, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _list_in(value: Answer, paged: str) -> str | None:
    """The name of the list that an answer is about, None for an answer that is a list. Raises InvalidArgument."""
    if isinstance(value, list | Rows):
        return None
    lists = [name for name, told in value.items() if isinstance(told, list)] if isinstance(value, dict) else []
    likely = [name for name in (paged, *_LISTS) if name in lists]
    if likely:
        return likely[0]
    if len(lists) == 1:
        return lists[0]
    raise _no_rows(value)


def _no_rows(value: Answer) -> InvalidArgument:
    lists = (
        [clean(name, 60) for name, told in value.items() if isinstance(told, list)] if isinstance(value, dict) else []
    )
    return InvalidArgument(
        "The answer is no list of rows.",
        hint=f"Name one of its lists with --rows: {', '.join(lists)}."
        if lists
        else "Fetch it instead, without --all: it is one document.",
    )
