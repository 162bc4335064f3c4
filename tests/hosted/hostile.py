"""An upstream that answers as badly as chance likes: right answers of the real face, spoiled in a hundred ways.

What is spoiled follows from the seed alone. `Ill.harmless` marks what a client must not stumble over: its answer is
the right one all the same.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from tests.client.sockets import Peer, Served, http, serving

Normal: TypeAlias = Callable[[str, str, bytes], tuple[int, bytes]]
"""The right answer to a request: its method, target and body to a status and JSON."""
TOLD = "/told"
"""Where the upstream tells how often it has answered in which way."""
SECRET = "ck_live_hostile_upstream_key"


@dataclass(frozen=True)
class Ill:
    """One way to answer: the bytes, and whether they come slowly or the connection stays open after them."""

    name: str
    data: bytes
    drip: bool = False
    hang: bool = False
    harmless: bool = False


def _headed(body: bytes, status: int = 200, **headers: str) -> bytes:
    return http(body, status, Connection="close", **headers)


def _json(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from _leaves(inner, (*path, key))


def _put(root: Any, path: tuple[Any, ...], value: object) -> None:
    for step in path[:-1]:
        root = root[step]
    root[path[-1]] = value


_STRANGE: tuple[object, ...] = (
    None, "", "x", " ", -1, 0, 1, 1e308, -1e308, 10**30, 0.1, True, False, [], {}, [[]], {"a": None},
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "2026-05-05T16:00:00", "not a time", "last week",
    "\u202etxt\u0000\u001b[31m", "\ud800", "x" * 100_000, "=cmd()", SECRET, 253402300799, "NaN", "-0", "1e999",
)  # fmt: skip


def _mutated(random: random.Random, root: Any) -> Any:
    """The JSON with one to three of its parts replaced, removed, doubled or turned round."""
    root = json.loads(json.dumps(root))
    for _ in range(random.randint(1, 3)):
        places = list(_leaves(root))
        if not places:
            return copy.deepcopy(random.choice(_STRANGE))
        path = random.choice(places)
        held = root
        for step in path[:-1]:
            held = held[step]
        match random.randrange(5):
            case 0:
                del held[path[-1]]
            case 1 if isinstance(held, list):
                held.extend(held[: random.randint(1, 50)])
            case 2 if isinstance(held, list):
                held.reverse()
            case 3 if isinstance(held[path[-1]], list):
                held[path[-1]] = held[path[-1]] * random.randint(2, 20)
            case _:
                # A copy: a later change of this answer must not reach the table, nor make a list hold itself.
                _put(root, path, copy.deepcopy(random.choice(_STRANGE)))
    return root


def _everywhere(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return change({key: _everywhere(each, change) for key, each in value.items()})
    return [_everywhere(each, change) for each in value] if isinstance(value, list) else value


def _harmless(random: random.Random, body: bytes) -> Ill:
    root = json.loads(body)
    match random.randrange(5):
        case 0:
            more = _everywhere(root, lambda held: {**held, "xNew": {"a": [1, None]}, "x_\u00e9": "\u202e"})
            return Ill("unknown fields", _headed(_json(more)), harmless=True)
        case 1:
            return Ill("gzip", _headed(gzip.compress(body), Content_Encoding="gzip"), harmless=True)
        case 2:
            pieces = [body[at : at + 997] for at in range(0, len(body), 997)]
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            return Ill("chunked", head + chunks, harmless=True)
        case 3:
            spaced = json.dumps(root, indent=3, ensure_ascii=True).encode()
            return Ill("spaced", _headed(b"\n " + spaced + b" \r\n", Content_Type="text/plain"), harmless=True)
    turned = _everywhere(root, lambda held: dict(reversed(held.items())))
    return Ill("turned", _headed(_json(turned)), harmless=True)


@cache
def _bomb() -> bytes:
    return gzip.compress(b"0" * (40 << 20))


def _broken(random: random.Random, body: bytes) -> Ill:
    """An answer that is none: framing, encodings and hanging."""
    half = body[: len(body) // 2]
    known: tuple[Ill, ...] = (
        Ill("nothing", b""),
        Ill("half a head", b"HTTP/1.1 200 O"),
        Ill("no HTTP", bytes(random.randbytes(200))),
        Ill("half a body", http(body)[: -len(half) or None]),
        Ill("truncated gzip", _headed(gzip.compress(body)[:-9], Content_Encoding="gzip")),
        Ill("gzip that is none", _headed(body, Content_Encoding="gzip")),
        Ill("gzip bomb", _headed(_bomb(), Content_Encoding="gzip")),
        Ill("brotli", _headed(body, Content_Encoding="br")),
        Ill("dripping body", http(body), drip=True),
        Ill("dripping head", b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 3000, drip=True),
        Ill("silence", b"", hang=True),
        Ill("a head and silence", b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n{", hang=True),
        Ill("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + body),
        Ill("a head without end", b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 20_000),
    )
    return random.choice(known)


def _refusing(random: random.Random) -> Ill:
    """An error status, in any of the shapes that services have."""
    status = random.choice((301, 302, 307, 308, 400, 401, 402, 403, 404, 409, 418, 422, 429, 429, 500, 502, 503, 599))
    said: tuple[object, ...] = (
        {"error": {"code": "x", "message": f"key {SECRET} \u202e", "details": {"required_plan": "business"}}},
        {"detail": [{"loc": ["query", "range"], "msg": "bad", "type": "t", "input": SECRET}]},
        {"error": None}, {"error": [1, 2]}, {"error": "text"}, {"detail": {"message": 3}}, ["a", {"msg": "b"}], "words",
        None, 7, {"error": {"code": ["x"], "message": {"a": 1}, "details": [1]}}, {"error": {"message": "m" * 100_000}},
    )  # fmt: skip
    body = random.choice((_json(random.choice(said)), b"<html><b>Bad</b> gateway</html>", b"", b"\xff\xfe"))
    pauses = ("0", "-3", "3600", "nan", "inf", "1e400", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "99999999999999999999")
    headers = {"Retry_After": random.choice(pauses)} if random.random() < 0.5 else {}
    if status < 400:
        headers["Location"] = random.choice(
            ("http://127.0.0.1:1/elsewhere", "//evil.example/", "/v1", "", "http://[::1")
        )
    return Ill(f"status {status}", _headed(body, status, **headers))


def _not_the_json(random: random.Random, body: bytes) -> Ill:
    """Status 200 with something that is not the contract's JSON."""
    known: tuple[bytes, ...] = (
        b"<!doctype html><html><head><script>1</script></head></html>", b"", b"null", b"[]", b"3", b'"text"', b"{}",
        b'{"a": NaN}', b'{"a": 1e999}', b"1" * 10_000, b"[" * 100_000, b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"sessions": "\\ud800", "meta": {}}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf" + body, body[: len(body) // 2],
        body + body, b"{'a': 1}", body.replace(b'"', b"'"), b"\x1f\x8b" + body, b" " * 100_000,
    )  # fmt: skip
    return Ill("not the JSON", _headed(random.choice(known)))


def ill(random: random.Random, body: bytes) -> Ill:
    """A way to answer instead of the JSON `body`."""
    match random.randrange(10):
        case 0:
            return _harmless(random, body)
        case 1 | 2:
            return _broken(random, body)
        case 3 | 4:
            return _refusing(random)
        case 5:
            return _not_the_json(random, body)
    return Ill("mutated", _headed(_json(_mutated(random, json.loads(body)))))


@dataclass
class Told:
    """What the upstream gave: how many of each kind, and whether the last question got anything but right answers."""

    kinds: Counter[str]
    sound: bool = True


@contextmanager
def upstream(normal: Normal, seed: int, share: float = 0.5) -> Iterator[tuple[Served, Told]]:
    """A server that spoils about that share of its answers; the rest are right."""
    chance = random.Random(seed)
    told = Told(Counter())
    lock = threading.Lock()

    def answer(peer: Peer) -> None:
        method, target, body = _asked(served, peer)
        if target == TOLD:
            peer.send(_headed(_json(told.kinds)))
            return
        status, right = normal(method, target, body)
        with lock:
            spoiled = ill(chance, right) if status == 200 and chance.random() < share else None
            told.kinds[spoiled.name if spoiled else "right"] += 1
            told.sound = told.sound and (spoiled is None or spoiled.harmless)
        if spoiled is None:
            peer.send(_headed(right, status))
        elif spoiled.drip:
            peer.drip(spoiled.data)
        else:
            peer.send(spoiled.data)
            if spoiled.hang:
                peer.over.wait(20)

    with serving(answer) as served:
        yield served, told


def _asked(served: Served, peer: Peer) -> tuple[str, str, bytes]:
    """The request that the peer has sent: method, target and body."""
    at = len(served.ports) - 1 - served.ports[::-1].index(peer.port)
    head, _, body = served.requests[at].partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    named: Mapping[str, str] = {
        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }
    while len(body) < int(named.get("content-length", "0")):
        more = peer.connection.recv(65_536)
        if not more:
            break
        body += more
    return method, target, body
