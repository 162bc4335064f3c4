"""The words of the Convai Analytics API: what may be sent, and how each accepted spelling goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from talkscope.errors import InvalidArgument, unknown
from talkscope.models.v1 import V1Asked

P = TypeVar("P", bound=V1Asked)


def checked(params: type[P], words: Mapping[str, object]) -> P:
    """The words of one call, checked; an unknown one is refused with the nearest."""
    known = set(params.model_fields)
    for word in words:
        if word not in known:
            raise unknown("argument", word, sorted(known))
    try:
        return params.model_validate({name: value for name, value in words.items() if value is not None})
    except ValidationError as error:
        raise InvalidArgument(str(error.errors(include_input=False, include_url=False)[0]["msg"])) from None


def spelled(asked: V1Asked) -> dict[str, object]:
    """The words as the query string has them; what stands at its default need not travel."""
    return asked.model_dump(mode="json", exclude_defaults=True)
