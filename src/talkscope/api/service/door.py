"""Which hosts and origins are served: a page of somebody else's must not reach a service on this machine by a name."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Scope

from talkscope.errors import APIError, InvalidArgument

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_MISDIRECTED = 421


class Door:
    """The names under which the service is reached, and the origins of pages that may ask it."""

    def __init__(self, hosts: Iterable[str] = LOOPBACK, origins: Iterable[str] = ()) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._origins = frozenset(_origin(origin) for origin in origins)

    def check(self, scope: Scope) -> None:
        """Refuse a request that was meant for somebody else. Raises APIError."""
        headers = Headers(scope=scope)
        told = headers.getlist("host")
        if len(told) != 1 or _name(told[0]) not in self._hosts:
            raise APIError(
                "The request is for a host that is not served here.",
                hint="Serve it with --allow-host, or ask by a name that is served.",
                code="host_not_allowed",
                status=_MISDIRECTED,
            )
        if any(origin not in self._origins for origin in headers.getlist("origin")):
            raise APIError(
                "The request comes from a page whose origin is not allowed.",
                hint="Allow it with --allow-origin.",
                code="origin_not_allowed",
                status=403,
            )

    def preflight(self, scope: Scope) -> bool:
        """Whether a browser asks if a page may ask."""
        return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)

    def headers(self, scope: Scope) -> dict[str, str]:
        """What tells a browser that the page may read the answer."""
        origin = Headers(scope=scope).get("origin")
        if origin is None or origin not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "CONVAI-API-KEY, X-API-Key, Authorization, Content-Type",
            "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }


def _name(host: str) -> str:
    """The name without its port."""
    text = host.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0].rstrip(".")


def _origin(text: str) -> str:
    scheme, mark, rest = text.strip().rstrip("/").partition("://")
    if scheme.lower() not in ("http", "https") or not mark or not rest or "/" in rest or rest == "*":
        raise InvalidArgument(f"{text[:80]!r} is not an origin.", hint="Write https://name or http://name:port.")
    return f"{scheme}://{rest}".lower()
