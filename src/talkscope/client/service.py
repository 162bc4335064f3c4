"""The service that a client asks: its address, its key, and the pool of connections to it.

The key is held as a SecretStr and becomes a header when a request is built, so no repr, pickle or log shows it.
"""

from __future__ import annotations

import math
import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Generic, NoReturn, TypeVar

import httpx
from pydantic import SecretStr

from talkscope.client import forks, wire
from talkscope.client.borrowed import AsyncBorrowed, Borrowed
from talkscope.client.recent import Answers
from talkscope.errors import InvalidArgument, UsageError
from talkscope.flow import Call, Clock, Manners, Policy, Request, RetryBudget, Steps, Turns, run

T = TypeVar("T")
PoolT = TypeVar("PoolT", httpx.Client, httpx.AsyncClient)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e]+")
# Those that carry secrets, which `key` is for, and those that the transport writes.
_OURS = {
    "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "cookie", "host",
    "proxy-authorization", "transfer-encoding", "x-api-key",
}  # fmt: skip


class Service(Generic[PoolT]):
    """What the blocking and the async client share; see `Client` for the arguments."""

    def __init__(
        self,
        base_url: str,
        *,
        key: SecretStr | str | None,
        key_header: str,
        headers: Mapping[str, str] | None,
        deadline: float | None,
        cap: int | None,
        policy: Policy | None,
        clock: Clock | None,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None,
        manners: Manners | None = None,
    ) -> None:
        self._transport = transport
        near = transport is not None and not isinstance(transport, Borrowed | AsyncBorrowed)
        self._url, self._local = _address(base_url, given=near)
        self._key = _key(key)
        self._key_header = key_header
        self._headers = {"user-agent": "talkscope", **_headers(headers or {}, key_header)}
        self._policy = _policy(policy or Policy(), deadline, cap)
        self._clock = clock or Clock()
        self._budget = RetryBudget()
        self._manners = manners or Manners()
        self._turns = Turns(self._manners.limits)
        self._recent = Answers(self._manners.refresh, self._clock.monotonic)
        self._lock = threading.Lock()
        self._opened: PoolT | None = None
        self._unusable = ""
        forks.guard(self)

    def __repr__(self) -> str:
        # A traceback may ask for it before there is a url.
        return f"{type(self).__name__}({str(getattr(self, '_url', ''))!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"A {type(self).__name__} holds a key and connections and cannot be copied: make one where it is used."
        )

    def after_fork(self) -> None:
        """Start, in a forked child, with connections of its own."""
        self._lock = threading.Lock()
        self._budget.after_fork()
        self._turns.after_fork()
        self._recent.after_fork()
        if self._transport is not None and not isinstance(self._transport, forks.Forkable):
            self._unusable = "This client was made before the process forked: make one with a transport of its own."
        with warnings.catch_warnings():
            # Dropped and not closed: what a goodbye would send belongs to the parent.
            warnings.simplefilter("ignore", ResourceWarning)
            self._opened = None

    def _open(self) -> PoolT:
        raise NotImplementedError

    def _pool(self) -> PoolT:
        with self._lock:
            if self._unusable:
                raise UsageError(self._unusable)
            if self._opened is None:
                try:
                    self._opened = self._open()
                except (OSError, ValueError, httpx.InvalidURL) as error:
                    raise InvalidArgument(
                        f"The environment's network settings cannot be used ({type(error).__name__}).",
                        hint="Check SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY and ALL_PROXY.",
                    ) from None
                # A cookie would travel from one caller's answer to the next caller's request.
                self._opened.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            return self._opened

    def _closed(self) -> PoolT | None:
        with self._lock:
            self._unusable = "This client is closed."
            opened, self._opened = self._opened, None
            return opened

    def _steps(self, call: Call[T]) -> Steps[T]:
        return run(
            call,
            self._policy,
            self._budget,
            clock=self._clock,
            key=self._key,
            manners=self._manners,
            turns=self._turns,
        )

    def _request(self, pool: PoolT, step: Request) -> httpx.Request:
        url = self._target(step)
        if url is None:
            raise InvalidArgument("The request's parameters are too long for an address.")
        # From here on nothing may fail: a traceback that shows local variables would show the key.
        headers = {**self._headers, **step.headers, "accept-encoding": "gzip"}
        if self._key is not None:
            headers[self._key_header] = self._key.get_secret_value()
        return pool.build_request(
            step.method,
            url,
            headers=headers,
            content=step.body,
            timeout=wire.timeouts(step.timeout, self._policy.connect),
            extensions={"most": step.cap},
        )

    def _target(self, step: Request) -> httpx.URL | None:
        try:
            return self._url.copy_with(raw_path=self._url.raw_path.rstrip(b"/") + step.target.encode("ascii"))
        except httpx.InvalidURL:
            return None

    def _direct(self) -> dict[str, None]:
        """The hosts that no proxy of the environment is asked for: this machine is no business of another."""
        host = self._url.host
        return {f"all://[{host}]" if ":" in host else f"all://{host}": None} if self._local else {}


def _address(base_url: str, *, given: bool) -> tuple[httpx.URL, bool]:
    """The url, and whether it is on this machine. Its text is in no error, because it may hold a password."""
    try:
        url = httpx.URL(base_url.strip())
    except (httpx.InvalidURL, ValueError):
        raise InvalidArgument("The service's url cannot be understood.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidArgument("The service's url must begin with https:// and name a host.")
    if url.port is not None and not 0 < url.port < 65_536:
        raise InvalidArgument("The service's url names a port that cannot be.")
    if url.userinfo:
        raise InvalidArgument("The service's url holds a user name or password.", hint="Give the secret as the key.")
    if url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise InvalidArgument("The service's url holds a query or fragment; it must end with its path.")
    try:
        # What the resolver would do, and fail at with an error of its own.
        url.host.encode("idna")
    except UnicodeError:
        raise InvalidArgument("The service's url names a host that cannot be.") from None
    local = _loopback(url.host)
    if url.scheme == "http" and not local and not given:
        raise InvalidArgument(
            f"Plain http would send the key readably to {url.host}.", hint="Use https; http is for this machine only."
        )
    return url, local


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(key: SecretStr | str | None) -> SecretStr | None:
    if key is None:
        return None
    text = (key.get_secret_value() if isinstance(key, SecretStr) else key).strip()
    if not _VALUE.fullmatch(text):
        raise InvalidArgument("The key is empty, or holds characters that no key has.")
    return SecretStr(text)


def _headers(headers: Mapping[str, str], key_header: str) -> dict[str, str]:
    if not _TOKEN.fullmatch(key_header):
        raise InvalidArgument("key_header is not the name of a header.")
    kept = {name.lower(): value for name, value in headers.items()}
    for name, value in kept.items():
        if name in _OURS or name == key_header.lower():
            raise InvalidArgument(
                f"The header {name} is not for headers=.", hint="A secret is given as key=, with key_header=."
            )
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidArgument("A header's name or value holds characters that no header has.")
    return kept


def _policy(policy: Policy, deadline: float | None, cap: int | None) -> Policy:
    policy = replace(
        policy,
        deadline=policy.deadline if deadline is None else deadline,
        cap=policy.cap if cap is None else cap,
    )
    if not (math.isfinite(policy.deadline) and policy.deadline > 0):
        raise InvalidArgument("deadline must be a number of seconds above 0.")
    if policy.cap < 1:
        raise InvalidArgument("cap must be a number of bytes above 0.")
    return policy
