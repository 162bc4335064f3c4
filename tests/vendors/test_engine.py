"""What all vendors' servers are made of: it takes what a contract allows, and answers nothing that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.vendors.engine import Asked, Contract, Granted, Limits, Operation, Refused, Reply, Vendor, served
from tests.vendors.holding import hold

COLOURS = {"type": "string", "enum": ["red", "green"]}
QUERY: list[dict[str, Any]] = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 9, "default": 5}},
    {"name": "open", "in": "query", "schema": {"type": "boolean"}},
    {"name": "least", "in": "query", "schema": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
    {"name": "day", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "bot", "in": "query", "schema": {"type": "string", "format": "uuid"}},
    {"name": "colours", "in": "query", "explode": False, "schema": {"type": "array", "items": COLOURS, "minItems": 1}},
    {"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}},
    {"name": "tree", "in": "query", "schema": {"type": "string", "contentMediaType": "application/json",
                                               "contentSchema": {"type": "object"}}},
]  # fmt: skip
ROWS = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
OK = {
    "description": "Rows.",
    "headers": {"X-Left": {"schema": {"type": "integer"}}},
    "content": {"application/json": {"schema": ROWS, "examples": {"one": {"value": [{"id": "r1", "at": None}]}}}},
}
FAILED = {"description": "No."}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Rows", "version": "1"},
    "servers": [{"url": "https://rows.example/v1"}],
    "security": [{"Key": []}, {"Bearer": []}],
    "paths": {
        "/rows": {
            "get": {"operationId": "rows", "parameters": QUERY, "responses": {"200": OK, "4XX": FAILED}},
            "post": {
                "operationId": "add",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {
                    "type": "object", "required": ["ids"],
                    "properties": {"ids": {"type": "array", "maxItems": 2, "items": {"type": "string"}}}}}}},
                "responses": {"200": OK, "4XX": FAILED},
            },
        },
        "/rows/newest": {"get": {"operationId": "newest", "responses": {"200": OK, "4XX": FAILED}}},
        "/rows/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "row", "responses": {"200": OK, "404": FAILED, "401": FAILED, "429": FAILED}},
        },
        "/live": {"get": {"operationId": "live", "responses": {
            "200": {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}}},
    },
    "components": {
        "schemas": {"Row": {"type": "object", "required": ["id", "at"], "properties": {
            "id": {"type": "string"}, "at": {"type": ["string", "null"], "format": "date-time"}}}},
        "securitySchemes": {
            "Key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "x-key-prefixes": ["rk_"]},
            "Bearer": {"type": "http", "scheme": "bearer"},
        },
    },
}  # fmt: skip
KEY = {"x-api-key": "rk_1"}


class Told:
    """Handlers that keep what they were asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return Reply([])

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def vendor(told: Told) -> Vendor:
    handlers = dict.fromkeys(("rows", "add", "newest", "row"), told)
    return Vendor(DOCUMENT, handlers, keys={"rk_1": "ada", "jwt": "bob", "rk_jwt": "eve"})


@pytest.fixture
def url(vendor: Vendor) -> Iterator[str]:
    with served(vendor) as found:
        yield found


def get(url: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=KEY if headers is None else headers, trust_env=False, verify=False)


def test_the_url_ends_where_the_contract_s_paths_begin(url: str) -> None:
    assert url.endswith("/v1")
    assert get(url, "/rows").json() == []
    assert get(url.removesuffix("/v1"), "/rows").status_code == 404


def test_parameters_come_typed_and_with_their_defaults(url: str, told: Told) -> None:
    query = "colours=red,green&ids=1&ids=2&open=true&least=2.5&day=2026-05-05&since=2026-05-05T10:00:00%2B02:00"
    assert get(url, f"/rows?{query}").status_code == 200
    assert told.last.query == {
        "limit": 5, "colours": ["red", "green"], "ids": [1, 2], "open": True, "least": 2.5, "day": "2026-05-05",
        "since": "2026-05-05T10:00:00+02:00",
    }  # fmt: skip
    assert told.last.get("limit") == 5
    assert not told.last.sent("limit")
    assert told.last.get("bot") is None
    assert told.last.pairs[0] == ("colours", "red,green")


def test_json_in_a_parameter_is_read(url: str, told: Told) -> None:
    assert get(url, "/rows?tree=%7B%22all%22:[1]%7D").status_code == 200
    assert told.last.get("tree") == {"all": [1]}


@pytest.mark.parametrize(
    "query",
    ["limit=10", "limit=-1", "limit=five", "limit=1.0", "limit=", "limit=1&limit=2", "open=yes", "open=1", "least=nan",
     "least=1e999", "since=yesterday", "since=2026-05-05", "since=2026-02-30T00:00:00Z", "day=2026-02-30",
     "bot=not-a-uuid", "colours=", "colours=blue", "colours=red&colours=green", "colours=red,", "ids=1&ids=x",
     "tree={", "tree=[]", "tree=NaN", "limit=99999999999999999999999999999999"],
)  # fmt: skip
def test_what_a_parameter_may_not_be_is_refused(url: str, told: Told, query: str) -> None:
    assert get(url, f"/rows?{query}").status_code == 422
    assert told.asked == []


def test_parameters_that_the_contract_does_not_know_are_ignored(url: str, told: Told) -> None:
    assert get(url, "/rows?nobody=1&limit=2").status_code == 200
    assert told.last.query == {"limit": 2}


def test_a_refusal_says_what_is_wrong_where() -> None:
    refused: list[Refused] = []

    def refuse(refusal: Refused) -> Reply:
        refused.append(refusal)
        return Reply({"error": refusal.faults[0].name}, 400, media="application/json")

    vendor = Vendor(DOCUMENT, {"add": Told(), "rows": Told()}, keys={"rk_1": None}, refuse=refuse)
    with served(vendor) as url:
        assert get(url, "/rows?limit=10&day=x").json() == {"error": "limit"}
        httpx.post(f"{url}/rows", json={"ids": ["a", 2]}, headers=KEY, trust_env=False, verify=False)
    first, second = refused
    assert [(fault.where, fault.name, fault.keyword) for fault in first.faults] == [
        ("query", "limit", "maximum"), ("query", "day", "format"),
    ]  # fmt: skip
    assert [(fault.where, fault.name, fault.keyword) for fault in second.faults] == [("body", "/ids/1", "type")]
    assert second.operation is not None
    assert second.operation.id == "add"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"ids": ["a", "b", "c"]}', b'{"ids": NaN}', b"\xff"])
def test_a_body_outside_the_contract_is_refused(url: str, told: Told, body: bytes) -> None:
    headers = {**KEY, "content-type": "application/json"}
    assert httpx.post(f"{url}/rows", content=body, headers=headers, trust_env=False, verify=False).status_code == 422
    assert told.asked == []


def test_a_body_is_read_when_it_says_that_it_is_json(url: str, told: Told) -> None:
    for media, status in (("application/json; charset=utf-8", 200), ("text/plain", 422)):
        headers = {**KEY, "content-type": media}
        answer = httpx.post(f"{url}/rows", content=b'{"ids": ["a"]}', headers=headers, trust_env=False, verify=False)
        assert answer.status_code == status
    assert [asked.body for asked in told.asked] == [{"ids": ["a"]}]


def test_an_id_is_one_step_of_the_path_however_it_is_spelled(url: str, told: Told) -> None:
    assert get(url, "/rows/a%2Fb%20%C3%A9%3F").status_code == 200
    assert told.last.path == {"id": "a/b é?"}
    assert get(url, "/rows/a/b").status_code == 404
    assert get(url, "/rows/").status_code == 404


def test_a_plain_path_goes_before_one_with_an_id(url: str, told: Told) -> None:
    get(url, "/rows/newest")
    assert told.last.operation.id == "newest"


def test_another_method_is_answered_with_those_that_there_are(url: str) -> None:
    answer = httpx.delete(f"{url}/rows", headers=KEY, trust_env=False, verify=False)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


def test_a_route_without_a_handler_is_not_there(told: Told) -> None:
    with served(Vendor(DOCUMENT, {"rows": told}, keys={"rk_1": None})) as url:
        assert get(url, "/rows/newest").status_code == 404


def test_a_handler_that_the_contract_does_not_know_is_a_mistake_of_the_test(told: Told) -> None:
    with pytest.raises(AssertionError, match="the contract has no nothing"):
        Vendor(DOCUMENT, {"nothing": told}, keys={})


@pytest.mark.parametrize(
    ("headers", "owner"),
    [({"x-api-key": "rk_1"}, "ada"), ({"authorization": "Bearer jwt"}, "bob"), ({"authorization": "bearer jwt"}, "bob"),
     ({"x-api-key": "wrong", "authorization": "Bearer jwt"}, "bob"), ({}, None), ({"x-api-key": "rk_2"}, None),
     ({"x-api-key": "jwt"}, None), ({"authorization": "jwt"}, None), ({"authorization": "Basic jwt"}, None)],
)  # fmt: skip
def test_a_key_counts_in_the_header_that_is_documented_for_it(
    url: str, told: Told, headers: dict[str, str], owner: str | None
) -> None:
    assert get(url, "/rows", headers).status_code == (200 if owner else 401)
    assert [asked.granted.owner for asked in told.asked] == ([owner] if owner else [])


def test_a_vendor_may_say_which_keys_come_by_which_header_and_who_may_ask(told: Told) -> None:
    def permit(operation: Operation, granted: Granted) -> None:
        if granted.owner != "admin" and operation.id == "rows":
            raise Refused(403)

    vendor = Vendor(
        DOCUMENT, {"rows": told, "newest": told}, keys={"rk_1": "guest", "any": "admin"},
        fits=lambda scheme, _: scheme == "Bearer", permit=permit,
    )  # fmt: skip
    with served(vendor) as url:
        assert get(url, "/rows").status_code == 401
        assert get(url, "/rows", {"authorization": "Bearer rk_1"}).status_code == 403
        assert get(url, "/newest", {"authorization": "Bearer rk_1"}).status_code == 404
        assert get(url, "/rows/newest", {"authorization": "Bearer rk_1"}).status_code == 200
        assert get(url, "/rows", {"authorization": "Bearer any"}).status_code == 200


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply([{"id": "r1"}]), '"at" is a required property'),
        (Reply([{"id": "r1", "at": "noon"}]), "date-time"),
        (Reply({"rows": []}), "array"),
        (Reply([], 201), "status 201 is not declared"),
        (Reply("<p>", media="text/html"), "text/html is not among application/json"),
        (Reply([], headers={"x-left": "few"}), "X-Left may not be 'few'"),
    ],
)
def test_an_answer_outside_the_contract_fails_the_test(vendor: Vendor, reply: Reply, words: str) -> None:
    vendor.handlers["rows"] = lambda _: reply
    with pytest.raises(AssertionError, match=words):
        with served(vendor) as url:
            assert get(url, "/rows").status_code == 500


def test_a_handler_that_fails_fails_the_test(vendor: Vendor) -> None:
    def broken(_: Asked) -> Reply:
        raise ValueError("no such world")

    vendor.handlers["rows"] = broken
    with pytest.raises(AssertionError, match="no such world"):
        with served(vendor) as url:
            assert get(url, "/rows").status_code == 500


def test_a_test_may_have_other_answers_once_always_and_broken_ones(vendor: Vendor, url: str, told: Told) -> None:
    vendor.answer_with("rows", Reply("down", 503, {"retry-after": "1"}, "text/plain"), once=True, checked=False)
    vendor.answer_with("rows", Reply(None, 429, media=""), once=True)
    assert [get(url, "/rows").status_code for _ in range(3)] == [503, 429, 200]
    assert vendor.answer_with_example("rows") == [{"id": "r1", "at": None}]
    assert [get(url, "/rows").json() for _ in range(2)] == [[{"id": "r1", "at": None}]] * 2
    vendor.answer_as_before()
    assert get(url, "/rows").json() == []
    assert len(told.asked) == 2


def test_bytes_are_sent_as_they_are_and_still_held_to_the_contract(vendor: Vendor, url: str) -> None:
    vendor.answer_with("rows", Reply(b'[{"id": "r1", "at": null},]'), once=True, checked=False)
    assert get(url, "/rows").content.endswith(b",]")
    vendor.answer_with("rows", Reply(b'[ {"id": "r1", "at": null} ]'), once=True)
    assert get(url, "/rows").content.startswith(b"[ ")
    vendor.answer_with("rows", Reply(b"[{}]"), once=True)
    assert get(url, "/rows").status_code == 500
    assert len(vendor.faults) == 2
    vendor.faults.clear()


def test_requests_are_counted_with_how_they_were_answered(vendor: Vendor, url: str) -> None:
    get(url, "/rows?limit=1")
    get(url, "/rows", {})
    get(url, "/elsewhere")
    first, second, third = vendor.seen
    assert (first.method, first.path, first.operation, first.pairs) == ("GET", "/v1/rows", "rows", (("limit", "1"),))
    assert (first.status, second.status, third.status) == (200, 401, 404)
    assert first.came <= first.went <= second.came
    assert (vendor.count(), vendor.count("rows"), vendor.most_at_once) == (3, 2, 1)
    vendor.forget()
    assert vendor.count() == 0


def test_slow_answers_are_given_side_by_side(vendor: Vendor, url: str) -> None:
    gate = asyncio.Event()

    async def together(_: Asked) -> Reply:
        if vendor.most_at_once == 3:
            gate.set()
        await gate.wait()
        return Reply([])

    async def ask() -> list[int]:
        async with httpx.AsyncClient(headers=KEY, trust_env=False, verify=False) as client:
            return [one.status_code for one in await asyncio.gather(*(client.get(f"{url}/rows") for _ in range(3)))]

    vendor.handlers["rows"] = together
    assert asyncio.run(ask()) == [200, 200, 200]


def test_an_answer_waits_as_long_as_the_server_is_slow(vendor: Vendor, url: str) -> None:
    vendor.delay = 0.02
    get(url, "/rows")
    assert vendor.seen[0].went - vendor.seen[0].came >= 0.02


def test_a_stream_is_sent_piece_by_piece(vendor: Vendor, url: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"data: {number}\n\n".encode()

    vendor.handlers["live"] = lambda _: Reply(stream=pieces(), media="text/event-stream")
    with httpx.stream("GET", f"{url}/live", headers=KEY, trust_env=False, verify=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert [line for line in answer.iter_lines() if line] == ["data: 0", "data: 1", "data: 2"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("sliding", "statuses"),
    [(True, [200, 200, 429, 200, 429]), (False, [200, 200, 429, 200, 200])],
    ids=["any minute counts", "minute after minute"],
)
def test_who_asks_too_often_is_told_so_until_there_is_room(told: Told, sliding: bool, statuses: list[int]) -> None:
    clock = Clock()
    limits = Limits(
        {"rows": (2, 60), "newest": (1, 60)}, lambda operation, _: operation.id, clock,
        sliding=sliding, headers=lambda most, left, more_at: {"x-left": str(left), "x-more-at": str(more_at)},
    )  # fmt: skip
    vendor = Vendor(DOCUMENT, {"rows": told, "newest": told}, keys={"rk_1": None, "rk_2": None}, limits=limits)
    with served(vendor) as url:
        first = get(url, "/rows")
        clock.now = 1_030
        found = [first, get(url, "/rows"), get(url, "/rows")]
        assert get(url, "/rows/newest").status_code == 200
        assert get(url, "/rows", {"x-api-key": "rk_2"}).status_code == 200
        clock.now = 1_060
        found += [get(url, "/rows"), get(url, "/rows")]
    assert [answer.status_code for answer in found] == statuses
    assert (found[0].headers["x-left"], found[0].headers["x-more-at"]) == ("1", "1060")
    assert found[2].headers["x-left"] == "0"
    assert limits.refused == statuses.count(429)


@pytest.mark.parametrize("name", ["agent_studio", "mavenoid"])
def test_the_answers_that_a_document_shows_are_within_its_contract(name: str) -> None:
    contract = Contract(name)
    shown = {one.id: contract.examples(one.id) for one in contract.operations.values()}
    headers = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1"}
    for operation, examples in shown.items():
        for example in examples.values():
            of = contract.operations[operation]
            assert list(contract.wrong_with(of, 200, "application/json", example, headers)) == []
    assert sum(map(len, shown.values())) >= 6


def test_schemathesis_finds_a_server_that_takes_what_it_should_not(tmp_path: Path) -> None:
    vendor = Vendor(
        "mavenoid",
        {"agent_availabilities": lambda _: Reply([])},
        keys={"ma_1": None},
        refuse=lambda refused: Reply([]) if refused.status == 422 else Reply(None, refused.status, media=""),
    )
    with pytest.raises(AssertionError, match="Schema-violating request accepted"):
        hold(vendor, "Authorization: Bearer ma_1", tmp_path, "--include-operation-id", "agent_availabilities")
