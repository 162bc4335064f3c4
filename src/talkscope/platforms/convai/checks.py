"""The words of one call, checked before anything is sent, because the service ignores what it does not know.

An argument may be spelled in camelCase as well. No error repeats a value that no enumeration could hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeVar, get_args, get_origin

from talkscope import contract
from talkscope.errors import InvalidArgument, InvalidRange, Json, nearest, unknown
from talkscope.flow import Param
from talkscope.models.text import clean
from talkscope.models.v1 import V1Asked
from talkscope.platforms.convai import vocabulary

P = TypeVar("P", bound=V1Asked)

_RANGES = {"range", "baseline_range", "current_range"}
_SPELLED: Mapping[str, Callable[[str], str]] = {
    "measure": vocabulary.measure,
    "group_by": vocabulary.group,
    "segment": vocabulary.segment,
}


def named(params: type[V1Asked], words: Mapping[str, object], *, fixed: Collection[str] = ()) -> dict[str, object]:
    """The words by their names in snake_case, without those that are None.

    Raises UnknownArgument for a word that the call does not take, or whose value is `fixed` by it.
    """
    camel = {field.alias or name: name for name, field in params.model_fields.items()}
    by_name = {camel.get(word, word): word for word in words}
    if len(by_name) < len(words):
        twice = next(word for word in words if camel.get(word, word) in words and word in camel and camel[word] != word)
        raise InvalidArgument(f"{camel[twice]} is given twice, as {twice} too.", hint="Give it once.")
    contract.only([name for name in params.model_fields if name not in fixed], by_name)
    return {name: words[word] for name, word in by_name.items() if words[word] is not None}


def checked(params: type[P], words: Mapping[str, object]) -> P:
    """The words of one call as its model.

    Raises UnknownArgument, UnknownName, InvalidRange or InvalidArgument.
    """
    told = named(params, words)
    for name in told:
        _check_choice(params, name, told[name])
    if "limit" in told:
        check_limit(told["limit"], *_limits(params))
    return contract.understand(params, told)


def spelled(asked: V1Asked) -> dict[str, Param]:
    """What was said, as the query string has it; what was left out is the service's to choose."""
    told = asked.model_dump(mode="json", exclude_unset=True)
    return {name: _SPELLED[name](value) if name in _SPELLED else value for name, value in told.items()}


def check_limit(limit: object, least: int, most: int) -> None:
    """Raise InvalidArgument, code invalid_limit, unless it is a whole number in these bounds."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not least <= limit <= most:
        shown: Json = limit if isinstance(limit, int) else None
        raise InvalidArgument(
            f"limit must be a whole number from {least} to {most:,}.",
            code="invalid_limit",
            details={"limit": shown, "min": least, "max": most},
        )


def _limits(params: type[V1Asked]) -> tuple[int, int]:
    bounds = params.model_fields["limit"].metadata
    least = next(each.ge for each in bounds if hasattr(each, "ge"))
    most = next(each.le for each in bounds if hasattr(each, "le"))
    return int(least), int(most)


def _check_choice(params: type[V1Asked], name: str, value: object) -> None:
    kind = params.model_fields[name].annotation
    if get_origin(kind) is not Literal or not isinstance(value, str):
        return
    choices = [str(choice) for choice in get_args(kind)]
    if value in choices:
        return
    if name not in _RANGES:
        raise unknown(name, value, choices)
    received, close = clean(value, 40), nearest(value, choices)
    allowed: list[Json] = list(choices)
    raise InvalidRange(
        f"{name} {received!r} is none that this API has.",
        hint=(f"Did you mean {close!r}? " if close else "") + f"It has {', '.join(choices)}.",
        details={"received": received, "allowed": allowed},
    )
