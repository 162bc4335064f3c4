"""Who asks, and whether they may: by a key, or anybody where a service on this machine wants no keys."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from talkscope.api.accounts import Accounts, Key, Meter, plans
from talkscope.errors import AuthenticationError

_HINT = "Send a key of this service in the CONVAI-API-KEY header."
_FAILURES = 100
_ADDRESSES = 1_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose warehouse a request is about, and by which key."""

    account: str
    key: Key | None = None


class Gate(Protocol):
    """Lets requests in, or not."""

    def know(self, keys: frozenset[str], address: str) -> Caller:
        """Who asks; blocking. `keys` are the different keys that the request carries.

        Raises AuthenticationError; `details.often` where the address was refused often of late.
        """

    def admit(self, caller: Caller, route: str | None) -> None:
        """Count the request, by the template of its route; blocking. What is refused is not counted.

        Raises PlanRequired, PlanInsufficient or RateLimited.
        """

    def ready(self) -> bool:
        """Whether it can let anybody in; blocking."""


class OpenGate:
    """Lets everybody in, to one account."""

    def __init__(self, account: str) -> None:
        self._caller = Caller(account)

    def know(self, keys: frozenset[str], address: str) -> Caller:  # noqa: ARG002
        """The one caller that there is."""
        return self._caller

    def admit(self, caller: Caller, route: str | None) -> None:
        """Always."""

    def ready(self) -> bool:
        """Always."""
        return True


class KeyGate:
    """Lets in who has a key, as far as its plan goes, as often as its limits say."""

    def __init__(self, accounts: Accounts, meter: Meter, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._meter = meter
        self._failures = _Failures(timer)

    def know(self, keys: frozenset[str], address: str) -> Caller:
        """Who has the key."""
        key = self._accounts.of(next(iter(keys))) if len(keys) == 1 else None
        if key is None:
            # Whoever has a key is let in from anywhere: behind a proxy, everybody has the same address.
            raise AuthenticationError(
                _said(keys), hint=_HINT, details={"often": True} if self._failures.often(address) else {}
            )
        return Caller(key.account, key)

    def admit(self, caller: Caller, route: str | None) -> None:
        """Count a call that the key's plan includes and its limits allow."""
        assert caller.key is not None
        plans.check(caller.key.plan, route)
        self._meter.count(caller.key)

    def ready(self) -> bool:
        """Whether keys can be looked up."""
        return self._accounts.ready()


def _said(keys: frozenset[str]) -> str:
    if not keys:
        return "The request has no key."
    return "The key is unknown or revoked." if len(keys) == 1 else "The request has several different keys."


class _Failures:
    """How often keys were refused to an address, of late."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._lock = threading.Lock()
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def often(self, address: str) -> bool:
        """Remember a refusal, and tell whether there were many within a minute."""
        now = self._timer()
        with self._lock:
            times = self._of.setdefault(address, deque(maxlen=_FAILURES))
            self._of.move_to_end(address)
            if len(self._of) > _ADDRESSES:
                self._of.popitem(last=False)
            often = len(times) == _FAILURES and now - times[0] < 60
            times.append(now)
        return often
