"""What the tools of platforms share: a question to one platform's API, asked with its calls and answered in rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel, Field

from talkscope.errors import APIError, BadAnswer, Json, NotSupported
from talkscope.flow import Call
from talkscope.models.answers import Answer, Cell, Meta, WindowMeta
from talkscope.models.questions import Asked
from talkscope.models.records import micros
from talkscope.models.safe import CELL, Masking, plain
from talkscope.models.window import Range, Window, iso, resolve
from talkscope.platforms import platform
from talkscope.platforms.access import Platform
from talkscope.settings import PlatformSettings
from talkscope.tools.tool import Asker, Manner, Shaped, schema
from talkscope.tools.tool.shape import Shaping
from talkscope.tools.tool.words import understood

if TYPE_CHECKING:
    # Only who asks needs httpx, and a host waits for the list of tools.
    from talkscope.client import Recent

__all__ = ["Reach", "Reacher", "Reaching", "Timed", "VendorTool", "about"]

T = TypeVar("T")

# Readers of JSON differ beyond these.
_MOST = 2**63 - 1
_GRAINS = frozenset({"minute", "hour", "day", "week", "month", "quarter", "year"})
_CUT = "Texts are cut at {} characters: `talkscope fetch {}` has them whole."
_TOLD = {"start_time": "ISO 8601, not with range"}


class Reaching(Protocol):
    """Whoever asks platforms."""

    def accounts(self, platform: str) -> Sequence[PlatformSettings]:
        """The configured accounts of a platform."""

    def account(self, platform: str, source: str | None) -> PlatformSettings:
        """The account of that name, or the only one. Raises NotSupported, SourceNotChosen or UnknownName."""

    async def reach(self, account: PlatformSettings, call: Call[T]) -> Recent[T]:
        """The account's answer to the call, with its age."""

    def now(self) -> datetime:
        """The time it is."""


class Reacher(Asker, Reaching, Protocol):
    """Whoever answers questions, and asks platforms."""

    @property
    def holds_records(self) -> bool:
        """Whether a warehouse among the sources holds what only some platforms tell."""


class Timed(Asked):
    """A question about a window: a range token, or start_time and end_time."""

    range: Range | None = Field(default=None, description="default last_7d")
    start_time: str | None = Field(default=None, description="ISO 8601, instead of range")
    end_time: str | None = Field(default=None, description="exclusive")
    timezone: str = Field(default="UTC", description="IANA")


class Reach:
    """One question to one account, as a tool's `answered` sees it: it sends calls and makes the answer.

    `reveal` says whether personal data are shown.
    """

    def __init__(self, reacher: Reaching, account: PlatformSettings, *, reveal: bool) -> None:
        self.account = account
        self.platform: Platform = platform(account.platform)
        self.now = reacher.now()
        self.reveal = reveal
        self._reacher = reacher
        self._notes: list[str] = []
        self._requests = 0
        self._age: float | None = None

    async def send(self, call: Call[T]) -> T:
        """The answer to the call; what is to be said beside it becomes a note of the answer."""
        found = await self._reacher.reach(self.account, call)
        if found.age:
            self._age = max(self._age or 0.0, found.age)
        else:
            self._requests += 1
        self.note(*self.platform.notes(call, found.answer, self.account.key, self.now))
        return found.answer

    def note(self, *sentences: str) -> None:
        """Say something beside the figures, once."""
        self._notes += [each for each in dict.fromkeys(sentences) if each not in self._notes]

    def window(self, asked: Timed) -> Window:
        """The window that the words mean now. Raises InvalidRange or InvalidArgument."""
        return resolve(
            now=self.now,
            range=asked.range,
            start_time=asked.start_time,
            end_time=asked.end_time,
            timezone=asked.timezone,
            default="last_7d",
        )

    def shown(self, row: BaseModel, name: str) -> object:
        """A field's value, or how much there is of it where it is about people and those are not to be shown."""
        value: object = getattr(row, name)
        if self.reveal or value in (None, "", (), [], {}) or not about(row, name, self.platform.personal):
            return value
        return hidden(value)

    def answer(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        n: int,
        window: Window | None = None,
        basis: str | None = None,
        units: Mapping[str, str] | None = None,
        granularity: str | None = None,
        freshness: datetime | None = None,
        covers: str | None = None,
        next_cursor: str | None = None,
    ) -> Answer:
        """The answer with these rows, and with everything that is to be said beside them.

        Raises BadAnswer for an n that no vendor can have counted.
        """
        if not -_MOST <= n <= _MOST:
            raise BadAnswer("The service counts more than can be counted.")
        zone = window.zone if window else "UTC"
        meta = Meta(
            source=self.account.name,
            window=WindowMeta(
                start=iso(window.start, zone), end=iso(window.end, zone), timezone=zone, range=window.range
            )
            if window
            else None,
            n=n,
            basis=basis,
            units=dict(units or {}),
            granularity=granularity if granularity in _GRAINS else None,
            freshness=iso(micros(freshness)) if freshness else None,
            covers=covers,
            requests=self._requests,
            age_sec=self._age,
            next_cursor=next_cursor,
            notes=list(self._notes),
        )
        return Answer(columns=list(columns), rows=[list(row) for row in rows], meta=meta)


def hidden(value: object) -> str:
    """What is shown in place of a value: how much there is of it."""
    return f"[hidden: {len(value)} characters]" if isinstance(value, str) else "[hidden: a value]"


def about(row: BaseModel, name: str, fields: frozenset[str]) -> bool:
    """Whether a field of a model is among these `Model.field` names; what a model inherits counts too."""
    return any(
        f"{each.__name__}.{name}" in fields or f"{each.__name__}.*" in fields
        for each in type(row).__mro__
        if issubclass(each, BaseModel)
    )


def _masked(error: APIError, mask: Masking) -> APIError:
    """The same error without personal data in the service's own words."""
    details = plain(error.details, mask)
    assert isinstance(details, dict)
    masked = type(error)(
        mask(error.message), hint=mask(error.hint), code=error.code, status=error.status, details=details
    )
    masked.answered = error.answered
    return masked


@dataclass(frozen=True, slots=True)
class VendorTool:
    """A question to a platform, as a model's tool and as a command.

    Args:
        name: At most 25 characters.
        title: For people.
        description: For the model: what it answers, defaults and limits.
        platform: The platform's word.
        params: Its words.
        answered: Sends calls and makes the answer, from the checked words.
        left_out: How to get what does not fit.
        own: Columns whose text is ours, not from outside.
        bare: Columns that are shown as they are, because they were asked for by name.
        unlisted: Words that are understood, if only to say why they are refused, and not shown to a model.
        told: Descriptions of words in place of their own.
        read_only: False for one that changes something on the platform; it is listed only where that is allowed.
    """

    name: str
    title: str
    description: str
    platform: str
    params: type[Asked]
    answered: Callable[[Reach, Asked], Awaitable[Answer]]
    left_out: str = "Ask for a shorter window, or filter."
    own: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = True
    ui: str | None = None

    def input_schema(self, sources: Sequence[str] = ()) -> dict[str, Json]:
        """The closed JSON Schema of the tool's words; `source` is among them when there are several accounts."""
        return schema.taken(self.params, hidden=self.unlisted, told={**_TOLD, **self.told}, sources=sources)

    def output_schema(self) -> dict[str, Json]:
        """The closed JSON Schema of the tool's structured content."""
        made = schema.shown(Answer)
        properties = made["properties"]
        assert isinstance(properties, dict)
        texts: Json = {"type": "array", "items": {"type": "string"}}
        return schema.closed(properties | {"untrusted": texts}, ["columns", "rows", "meta"])

    def permit(self, *, allowed: bool) -> None:
        """Raise NotSupported for what changes something on a platform, unless that is allowed."""
        if not self.read_only and not allowed:
            raise NotSupported(
                f"{self.name} changes something on the platform, and that is off.",
                hint="Whoever set Talkscope up can allow it with TALKSCOPE_ALLOW_SIDE_EFFECTS=1.",
                code="side_effects_off",
            )

    async def ask(self, reacher: Reaching, words: Mapping[str, object], *, reveal: bool) -> Answer:
        """The answer to these words, `source` among them, as the platform gave it.

        Raises:
            TalkscopeError: The words are off, or there is no answer.
        """
        reach, asked = self._begun(reacher, words, reveal=reveal)
        return await self.answered(reach, asked)

    def _begun(self, reacher: Reaching, words: Mapping[str, object], *, reveal: bool) -> tuple[Reach, Asked]:
        names = [each.name for each in reacher.accounts(self.platform)]
        source, asked = understood(self.params, words, hidden=(), sources=names)
        reach = Reach(reacher, reacher.account(self.platform, source), reveal=reveal)
        return reach, self.params.model_validate(asked)

    async def call(self, asker: Reacher, words: Mapping[str, object], manner: Manner) -> Shaped:
        """Ask, and shape the answer to its budget.

        Raises:
            TalkscopeError: The words are off, or there is no answer.
        """
        self.permit(allowed=manner.allow_side_effects)
        reach, asked = self._begun(asker, words, reveal=manner.reveal_personal_data)
        try:
            answer = await self.answered(reach, asked)
        except APIError as error:
            raise error if reach.reveal else _masked(error, asker.mask(reach.account.name)) from None
        if any(isinstance(cell, str) and len(cell) > CELL for row in answer.rows for cell in row):
            answer.meta.notes.append(_CUT.format(CELL, self.platform.replace("_", "-")))
        mask: Masking = str if reach.reveal else asker.mask(answer.meta.source)
        shaping = Shaping(answer, budget=manner.answer_tokens, mask=mask, own=self.own, bare=self.bare)
        return shaping.whole(self.left_out)
