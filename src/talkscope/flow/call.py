"""What is asked of a service, and the values that go between a request and whoever sends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from talkscope.errors import BadAnswer, InvalidArgument, Json
from talkscope.models.text import whole

T = TypeVar("T")
Scalar: TypeAlias = "str | int | float | bool"
Param: TypeAlias = "Scalar | Sequence[Scalar] | None"
Pairs: TypeAlias = tuple[tuple[str, str], ...]
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Trouble: TypeAlias = Literal["connect", "timeout", "too_large", "encoding", "truncated"]

CAP = 32 * 1024 * 1024


def path(template: str, **ids: str | int) -> str:
    """The path with each `{name}` replaced by its percent-encoded id.

    Raises InvalidArgument for an id that is empty or that a server would read as a step in the path ('.', '..').
    """
    encoded: dict[str, str] = {}
    for name, value in ids.items():
        text = str(value)
        if text in {"", ".", ".."}:
            raise InvalidArgument(f"{name} is {text!r}, which is no id.")
        if whole(text) != text:
            raise InvalidArgument(f"{name} holds half a character (a lone surrogate).")
        encoded[name] = quote(text, safe="")
    return template.format(**encoded)


def query(params: Mapping[str, Param]) -> Pairs:
    """The parameters as a query string spells them, in their order.

    None is left out, a list repeats its name, booleans are `true` and `false`. Raises InvalidArgument for NaN and
    infinities.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None:
            continue
        each = [value] if isinstance(value, str | int | float) else value
        pairs += [(name, _spelled(name, item)) for item in each]
    return tuple(pairs)


def _spelled(name: str, value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"{name} is not a finite number.")
    return whole(str(value))


@dataclass(frozen=True)
class Call(Generic[T]):
    """One question to a service, before it is sent: where, with which parameters, and how its answer is read.

    Attributes:
        path: below the service's url, percent-encoded (see `path`).
        parse: the answer's JSON to the typed answer; what it raises becomes BadAnswer.
        params: the query string's pairs (see `query`).
        body: sent as JSON unless None.
        read_only: only a call that changes nothing is ever retried.
        cap: most bytes of the decoded answer; None takes the client's.
        deadline: seconds for everything, retries included; None takes the client's.
        next: a page's answer to the parameters that ask for the page after it; None at the last page.
        nullable: whether null is an answer, which `parse` is then given as None.
        scalar: whether a mere number, text or boolean is an answer.
        listed: whether the answer is one list without pages, so that whoever wants all of it had better read it row by
            row; `parse` takes such a list of any rows of it.
    """

    path: str
    parse: Callable[[Json], T]
    params: Pairs = ()
    method: Method = "GET"
    body: Json = field(default=None, repr=False)
    read_only: bool = True
    cap: int | None = None
    deadline: float | None = None
    next: Callable[[T], Mapping[str, Param] | None] | None = None
    nullable: bool = False
    scalar: bool = False
    listed: bool = False

    def changed(self, params: Mapping[str, Param]) -> Call[T]:
        """The same call with these parameters in place of those of the same names."""
        kept = tuple(pair for pair in self.params if pair[0] not in params)
        return replace(self, params=kept + query(params))


@dataclass(frozen=True)
class Download(Call[bytes]):
    """A call whose answer is a document of this media type, given as it came and never read."""

    media_type: str = "application/octet-stream"


def following(call: Call[T], page: T, seen: set[Pairs]) -> Call[T] | None:
    """The call for the page after this one, or None at the end; `seen` remembers what was asked.

    Raises BadAnswer when the service sends the caller back to a page that it has already had.
    """
    seen.add(call.params)
    params = call.next(page) if call.next else None
    if params is None:
        return None
    after = call.changed(params)
    if after.params in seen:
        raise BadAnswer(
            f"{call.path} gave the same page cursor twice.", hint="The pages so far are complete; the rest is unknown."
        )
    return after


@dataclass(frozen=True, slots=True)
class Request:
    """Send this, and answer with a Reply or a Failed within `timeout` seconds.

    The key, the host and the encoding of the answer are the sender's business.
    """

    method: Method
    path: str
    params: Pairs
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)
    cap: int
    timeout: float

    @property
    def target(self) -> str:
        """Path and query string."""
        asked = urlencode(self.params, quote_via=quote, safe="")
        return f"{self.path}?{asked}" if asked else self.path


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered: status, headers by lower-case name, decoded body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no answer, and why: `reason` is a few words without address parameters or secrets.

    `came` is for how many seconds an answer of any length came before it failed, which no deadline counts.
    """

    kind: Trouble
    reason: str = ""
    came: float = 0.0
