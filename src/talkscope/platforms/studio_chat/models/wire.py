"""How answers of Studio Chat are read: what is extra is dropped, what is null may be missing, times are in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, RootModel

from talkscope.errors import BadAnswer, Json

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _listed(value: object) -> object:
    return () if value is None else value


Moment: TypeAlias = Annotated[datetime, AfterValidator(_in_utc)]
"""A time; one without an offset is UTC, and the date of a bucket its first instant."""
Many: TypeAlias = Annotated[tuple[V, ...], BeforeValidator(_listed)]
"""A list, empty where the service says null."""


class Wire(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Unstated(BaseModel):
    """Part of an answer whose fields are documented nowhere: whatever the service says is kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)


class Distribution(RootModel[dict[str, int]]):
    """Conversations by label of one signal; a label that nobody got may be missing.

    The denominator of its shares is `n`, the sum: most signals exist for a part of the scored conversations only.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @property
    def n(self) -> int:
        """The conversations that have the signal."""
        return sum(self.root.values())

    def share(self, label: str) -> float | None:
        """Percent of the conversations with the signal that have the label; None when none has the signal."""
        return 100 * self.root.get(label, 0) / self.n if self.n else None


def either(value: object, *names: str) -> object:
    """An object with the first of these names set to the first of their values that is not null."""
    if not isinstance(value, dict):
        return value
    found = next((value[name] for name in names if value.get(name) is not None), None)
    return {**value, names[0]: found}


def of_something(value: object, **denominators: str) -> object:
    """An object whose rates, each told with its denominator, are null where the denominator is 0."""
    if not isinstance(value, dict):
        return value
    return {**value, **{rate: None for rate, n in denominators.items() if value.get(n) == 0}}


def listed(model: type[M]) -> Callable[[Json], tuple[M, ...]]:
    """Reads a list of the model, bare or as the `items` of an envelope: which of both is not documented."""

    def read(value: Json) -> tuple[M, ...]:
        found = value.get("items") if isinstance(value, dict) else value
        if not isinstance(found, list):
            raise BadAnswer("The answer holds no list.")
        return tuple(model.model_validate(each) for each in found)

    return read


def by_key(model: type[M]) -> Callable[[Json], dict[str, M]]:
    """Reads one of the model for each key."""

    def read(value: Json) -> dict[str, M]:
        if not isinstance(value, dict):
            raise BadAnswer("The answer is no object.")
        return {key: model.model_validate(each) for key, each in value.items()}

    return read


def objects(value: Json) -> tuple[dict[str, Json], ...]:
    """Reads objects in a list, bare or as the only list of an envelope; an object without one is the only object."""
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list)]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise BadAnswer("The answer holds no list.")
    return tuple(each for each in value if isinstance(each, dict))


def as_is(value: Json) -> Json:
    """Whatever the service says."""
    return value
