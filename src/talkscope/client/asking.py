"""A question of the contract as a call: its words checked first, then spelled as the API takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from talkscope import contract
from talkscope.contract import QUERY, Question
from talkscope.errors import Json
from talkscope.flow import Call, Param, query
from talkscope.models.answers import Answer

A = TypeVar("A", bound=Answer)


def call(question: str | Question[A], words: Mapping[str, object], source: str | None = None) -> Call[A]:
    """The call that asks the question; its answer names `source`, where that is given.

    Raises UnknownName or InvalidArgument before anything is sent.
    """
    asked = cast("Question[A]", contract.question(question)) if isinstance(question, str) else question
    params = contract.understand(asked.params, words)
    # What stands at its default need not travel.
    spelled = params.model_dump(mode="json", exclude_defaults=True)

    def answer(value: Json) -> A:
        found = asked.answer.model_validate(value)
        if source is None:
            return found
        return found.model_copy(update={"meta": found.meta.model_copy(update={"source": source})})

    if asked.name == QUERY.name:
        body: dict[str, Json] = spelled
        return Call(asked.path, answer, method="POST", body=body)
    pairs: dict[str, Param] = spelled
    return Call(asked.path, answer, query(pairs))
