"""How a call of Studio Chat is put together: arguments checked by their annotations, one list one parameter, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, wraps
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Generic, ParamSpec, TypeVar, cast, get_args, get_type_hints

from talkscope.errors import InvalidArgument, InvalidRange, Json, UnknownArgument, nearest
from talkscope.flow import Call, Param, path, query
from talkscope.platforms.studio_chat.checks import Check, instant

P = ParamSpec("P")
T = TypeVar("T")

_calls: dict[str, Callable[..., Call[object]]] = {}
CALLS: Mapping[str, Callable[..., Call[object]]] = MappingProxyType(_calls)
"""Every call by its name."""


def checked(ask: Callable[P, Call[T]]) -> Callable[P, Call[T]]:
    """The call, with every argument understood by the check in its annotation; None is the same as left out.

    It raises UnknownArgument, UnknownName, InvalidArgument or InvalidRange before anything is sent.
    """
    plain = cast("Callable[..., Call[T]]", ask)
    known = signature(ask).parameters

    @cache
    def checks() -> Mapping[str, Check]:
        hints = get_type_hints(ask, include_extras=True)
        return {name: _check(hints[name]) for name in known}

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Call[T]:
        told = _named(known, args, kwargs)
        read = {name: checks()[name](name, value) for name, value in told.items()}
        _together(read)
        return plain(**read)

    _calls[ask.__name__] = cast("Callable[..., Call[object]]", asked)
    return asked


def get(
    template: str,
    parse: Callable[[Json], T],
    params: Mapping[str, object] | None = None,
    **ids: object,
) -> Call[T]:
    """A call that reads: the path's ids, and the parameters, of which None is left out."""
    named = {name: value if isinstance(value, int) else str(value) for name, value in ids.items()}
    told = {name: _spelled(value) for name, value in (params or {}).items()}
    return Call(path(template, **named), parse, query(told))


@dataclass(frozen=True)
class Paged(Call[T]):
    """A call whose pages are asked for by the rows to skip, which not every answer repeats."""

    def changed(self, params: Mapping[str, Param]) -> Call[T]:
        """The same call with these parameters in place of those of the same names."""
        call = super().changed(params)
        return replace(call, next=self.next.at(call)) if isinstance(self.next, _Rest) else call


def paged(
    call: Call[T],
    rows: Callable[[T], Sequence[object]],
    total: Callable[[T], int | None] = lambda _: None,
    *,
    size: int,
    prefix: str = "",
) -> Call[T]:
    """The call with its pages, of `size` rows unless it says otherwise; parameters `limit` and `offset` after `prefix`.

    The last page is the one that reaches the total, or, where there is none, the first that is shorter than asked.
    """
    rest: _Rest[T] = _Rest(rows, total, prefix, size)
    return Paged(call.path, call.parse, call.params, next=rest.at(call))


@dataclass(frozen=True, slots=True)
class _Rest(Generic[T]):
    """What comes after a page."""

    rows: Callable[[T], Sequence[object]]
    total: Callable[[T], int | None]
    prefix: str
    size: int
    offset: int = 0

    def at(self, call: Call[T]) -> _Rest[T]:
        """The same for the page that the call asks for."""
        told = dict(call.params)
        size, offset = told.get(f"{self.prefix}limit", self.size), told.get(f"{self.prefix}offset", 0)
        return replace(self, size=int(size), offset=int(offset))

    def __call__(self, page: T) -> Mapping[str, Param] | None:
        """The parameters of the page after this one."""
        count, total = len(self.rows(page)), self.total(page)
        reached = self.offset + count
        over = count < self.size if total is None else reached >= total
        return None if over or not count else {f"{self.prefix}offset": reached}


def _check(hint: object) -> Check:
    for each in (hint, *get_args(hint)):
        for found in getattr(each, "__metadata__", ()):
            if isinstance(found, Check):
                return found
    raise TypeError("an argument has no check in its annotation")


def _named(
    known: Mapping[str, Parameter], args: tuple[object, ...], words: Mapping[str, object]
) -> Mapping[str, object]:
    """The arguments by name, without those that are None."""
    places = [name for name, each in known.items() if each.kind is not Parameter.KEYWORD_ONLY]
    strangers = [word for word in words if word not in known]
    if strangers:
        close = nearest(strangers[0], known)
        listing: list[Json] = list(known)
        raise UnknownArgument(
            f"Unknown argument {strangers[0][:40]!r}.",
            hint=(f"Did you mean {close!r}? " if close else "") + f"Known: {', '.join(known) or 'none'}.",
            details={"nearest": close, "known": listing},
        )
    if len(args) > len(places) or any(name in words for name in places[: len(args)]):
        raise InvalidArgument("There are more arguments than the call takes.", hint=f"It takes {', '.join(known)}.")
    told = {**dict(zip(places, args, strict=False)), **words}
    told = {name: value for name, value in told.items() if value is not None}
    for name, each in known.items():
        if each.default is Parameter.empty and name not in told:
            raise InvalidArgument(f"{name} is missing.", hint=f"Give {name}.", code="missing_argument")
    return told


def _together(told: Mapping[str, object]) -> None:
    """Raise unless the arguments fit each other."""
    start, end = told.get("start_date"), told.get("end_date")
    if start is not None and end is not None and instant("start_date", start) > instant("end_date", end):
        raise InvalidRange("start_date is after end_date.", hint="Swap them.")
    least, most = told.get("min_messages"), told.get("max_messages")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        raise InvalidArgument("min_messages is more than max_messages.", hint="Swap them.")
    if "tags" in told and "tag_filter" in told:
        raise InvalidArgument(
            "The service ignores tags beside tag_filter.", hint="Put the tags into tag_filter, or leave it out."
        )


def _spelled(value: object) -> Param:
    if isinstance(value, tuple):
        return ",".join(value)
    assert value is None or isinstance(value, str | int)
    return value
