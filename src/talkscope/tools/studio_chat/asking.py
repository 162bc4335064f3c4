"""How Studio Chat's tools ask: the project, windows on the wire, names in place of ids, several calls at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import anyio

from talkscope.errors import (
    AmbiguousName,
    InvalidArgument,
    Json,
    NotFound,
    NotSupported,
    TalkscopeError,
    UnknownName,
    unknown,
)
from talkscope.flow import Call
from talkscope.models.records import micros
from talkscope.models.text import clean
from talkscope.models.window import Window, iso, moment
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import Playbook
from talkscope.tools.vendor import Reach

T = TypeVar("T")

AT_ONCE = 4
"""Calls under way at a time; the vendor documents no limit."""
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def project(reach: Reach) -> str:
    """The id of the account's project. Raises NotSupported where none is set."""
    found = reach.account.also.get("project_id")
    if not found:
        raise NotSupported(f"The source {reach.account.name} has no project.", hint="Set STUDIO_PROJECT_ID.")
    return found


def between(window: Window) -> dict[str, str]:
    """The window as the dates of a call, which are always sent."""
    return {"start_date": iso(window.start), "end_date": iso(window.end)}


def in_days(reach: Reach, window: Window) -> Window:
    """The whole days of UTC that hold the window, for the calls that take days alone."""
    start = moment(window.start).replace(hour=0, minute=0, second=0, microsecond=0)
    last = moment(window.end - 1).replace(hour=0, minute=0, second=0, microsecond=0)
    found = Window(micros(start), micros(last + timedelta(days=1)))
    if (found.start, found.end) != (window.start, window.end):
        reach.note(
            f"Use of resources is told by whole days of UTC: asked for {window}, answered for {found}, today included"
            " as far as it has come."
        )
    return Window(found.start, found.end, "UTC", window.range)


def days_of(window: Window) -> dict[str, str]:
    """Whole days as the dates of a call."""
    return {"start_date": iso(window.start)[:10], "end_date": iso(window.end)[:10]}


async def together(reach: Reach, calls: Sequence[Call[T]]) -> list[T]:
    """The answers to the calls in their order, a few at a time. Raises the first error as it is."""
    found = await _answered(reach, calls)
    return [found[place] for place in range(len(calls))]


async def there(reach: Reach, calls: Sequence[Call[T]]) -> list[T | None]:
    """The same, None for what is not there."""
    found = await _answered(reach, calls, (NotFound,))
    return [found.get(place) for place in range(len(calls))]


async def _answered(
    reach: Reach, calls: Sequence[Call[T]], passed_by: tuple[type[TalkscopeError], ...] = ()
) -> dict[int, T]:
    found: dict[int, T] = {}
    turn = anyio.CapacityLimiter(AT_ONCE)
    wrong: list[TalkscopeError] = []

    async def one(place: int, call: Call[T]) -> None:
        async with turn:
            if wrong:
                return
            try:
                found[place] = await reach.send(call)
            except passed_by:
                return
            except TalkscopeError as error:
                wrong.append(error)

    async with anyio.create_task_group() as group:
        for place, call in enumerate(calls):
            group.start_soon(one, place, call)
    if wrong:
        raise wrong[0]
    return found


def picked(kind: str, word: str, names: Mapping[str, str | None]) -> str:
    """The id that a word means: an id itself, else the only one of that name, whatever its capitals.

    Raises UnknownName with the nearest, or AmbiguousName with the candidates.
    """
    if word in names:
        return word
    folded = word.strip().casefold()
    found = [each for each, name in names.items() if name is not None and name.strip().casefold() == folded]
    if not found:
        raise unknown(kind, clean(word, 60), [clean(name or each, 60) for each, name in names.items()])
    if len(found) > 1:
        listed: list[Json] = [*found]
        raise AmbiguousName(
            f"{len(found)} {kind}s are called {clean(word, 60)!r}.",
            hint=f"Give an id: {', '.join(found[:20])}.",
            details={"candidates": listed},
        )
    return found[0]


async def playbooks(reach: Reach, *, versions: bool = False) -> tuple[Playbook, ...]:
    """The project's assistants, deleted ones too: their conversations are still there."""
    call = studio_chat.playbooks(project(reach), include_deleted=True, include_versions=versions or None)
    return await reach.send(call)


async def bases(reach: Reach, words: Iterable[str]) -> tuple[str, ...]:
    """The ids of assistants by their ids or names; they are listed only where one is not given by its id."""
    wanted = [each for each in words if each.strip()]
    if all(UUID.fullmatch(each) for each in wanted):
        return tuple(dict.fromkeys(wanted))
    names = {each.base_id: each.name for each in await playbooks(reach)}
    return tuple(dict.fromkeys(each if UUID.fullmatch(each) else picked("assistant", each, names) for each in wanted))


async def base(reach: Reach, word: str | None) -> str | None:
    """The id of one assistant, if one is named."""
    if word is None or not word.strip():
        return None
    (found,) = await bases(reach, [word])
    return found


async def version(reach: Reach, assistant: str | None, word: str | None) -> str | None:
    """The id of one version of an assistant: the id itself, or the number beside the assistant."""
    if word is None or UUID.fullmatch(word):
        return word
    number = word.strip().removeprefix("v")
    if not number.isdecimal() or assistant is None:
        raise InvalidArgument(
            f"{clean(word, 40)!r} is no id of a version.", hint="Give its id, or its number and one assistant."
        )
    every = await playbooks(reach, versions=True)
    known = {each.base_id: each.name for each in every}
    owner = assistant if UUID.fullmatch(assistant) else picked("assistant", assistant, known)
    mine = [each for each in every if each.base_id == owner]
    found = next((each.id for each in mine if each.version_number == int(number)), None)
    if found is None:
        numbers = ", ".join(str(each.version_number) for each in mine)
        raise UnknownName(f"The assistant has no version {number}.", hint=f"Known: {numbers or 'none'}.")
    return found


async def inbox(reach: Reach, word: str | None) -> str | None:
    """The id of an inbox by its id or by its name, as the assistants that answer on it know it."""
    if word is None or UUID.fullmatch(word):
        return word
    every = await playbooks(reach)
    return picked("inbox", word, {place.id: place.name for each in every for place in each.inboxes})
