"""The words of a call: refused where unknown, understood where models spell them oddly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import orjson

from talkscope.contract import understand, words_of
from talkscope.errors import InvalidArgument, Json, UnknownName, nearest, unknown
from talkscope.models.questions import Asked
from talkscope.models.text import clean

_ADDED_BY_HOSTS = frozenset({"wait_for_previous"})


def understood(
    params: type[Asked],
    words: Mapping[str, object],
    *,
    hidden: Collection[str],
    sources: Sequence[str],
    besides: Sequence[str] = (),
) -> tuple[str | None, dict[str, object]]:
    """The source that is named, if any, and the words that the model takes under their own names, checked.

    `besides` are words that the caller has taken out already: they are named to whoever misspells one.

    Raises UnknownName or InvalidArgument with what to write instead.
    """
    given = {name: value for name, value in words.items() if name not in _ADDED_BY_HOSTS}
    source = _source(given.pop("source", None), sources)
    known = [name for name in words_of(params) if name not in hidden]
    _refuse_strangers(given, [*known, *besides, *(["source"] if len(sources) > 1 else [])])
    asked = understand(params, {name: _parsed(value) for name, value in given.items()})
    return source, asked.model_dump(exclude_unset=True)


def _source(named: object, sources: Sequence[str]) -> str | None:
    if named is None or named == "":
        return None
    if not isinstance(named, str):
        raise InvalidArgument("source must be the name of a source.", hint=f"Known: {', '.join(sources)}.")
    if named not in sources:
        raise unknown("source", clean(named, 60), sources)
    return named


def _refuse_strangers(given: Mapping[str, object], known: Sequence[str]) -> None:
    strangers = [clean(name, 40) for name in given if name not in known]
    if not strangers:
        return
    close = nearest(strangers[0], known)
    listed: list[Json] = list(known)
    raise UnknownName(
        f"Unknown argument{'s' if len(strangers) > 1 else ''} {', '.join(map(repr, strangers[:5]))}.",
        hint=(f"Did you mean {close!r}? " if close else "") + f"Known: {', '.join(known)}.",
        code="unknown_argument",
        details={"nearest": close, "known": listed},
    )


def _parsed(value: object) -> object:
    """Some hosts send an object as the text of its JSON; lists are the question's own business."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
