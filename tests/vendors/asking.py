"""What goes between a vendor's server and the handlers behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.vendors.contract import Fault, Json, Operation, Pairs

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Granted:
    """Who asks: the token, the security scheme it came by, and whatever the server knows of its owner."""

    token: str
    scheme: str
    owner: Json = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that fits the contract.

    Args:
        operation: The route, with all that the contract says of it.
        path: The ids in the path.
        query: The declared parameters, typed, with the contract's defaults; unknown ones are not here.
        body: The body's JSON, None without one.
        granted: Who asks.
        pairs: The query as it was sent, in its order.
        headers: The request's headers, their names in lower case.
    """

    operation: Operation
    path: Mapping[str, Json]
    query: Mapping[str, Json]
    body: Json
    granted: Granted
    pairs: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Json:
        """A parameter's value, its default, or None."""
        return self.query.get(name)

    def sent(self, name: str) -> bool:
        """Whether the request itself has the parameter."""
        return any(name == given for given, _ in self.pairs)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON unless `media` says text or bytes, chunks with `stream`, and no body with an empty `media`.

    Bytes are sent as they are, so that an unchecked answer can be JSON that is none.
    """

    body: Json = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON
    stream: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class Refused(Exception):
    """What a vendor answers instead: `refuse` of its `Vendor` words it."""

    status: int
    message: str = ""
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came, and how it was answered; times are `time.monotonic()`."""

    method: str
    path: str
    operation: str | None
    pairs: Pairs
    status: int
    came: float
    went: float
