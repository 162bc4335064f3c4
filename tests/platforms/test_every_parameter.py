"""Every parameter of every operation, as it leaves: method, path and the exact spelling on the wire.

What there is comes from openapi/: a parameter that a contract gains is a case here, and fails until a call takes it.
`docs/coverage.md` names these cases one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from talkscope.client import Client
from talkscope.flow import Call
from talkscope.platforms.agent_studio import Stream
from tests.platforms.parameters import BODIES, CASES, Case, call_named, contract, spellings

WINDOW = {"start_date": "2026-04-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"}
ARGUMENTS = {"id": "call_id"}
BATCH = {"conversation_ids": ["conv-1"]}
REQUIRED: dict[str, object] = {**WINDOW, "days": 7, "name": "messages.total", "version_number": 3}
URL = "https://analytics.example"


class Wire:
    """A service that keeps the last request and has nothing to say."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.clients: dict[str, Client] = {}

    def send(self, base: str, call: Any) -> httpx.Request:
        """The request that a call becomes."""
        made = Call(call.path, _unread) if isinstance(call, Stream) else replace(call, parse=_unread, nullable=True)
        if base not in self.clients:
            transport = httpx.MockTransport(self._answer)
            self.clients[base] = Client(URL + base, key="key", transport=transport)
        self.clients[base].send(made)
        return self.requests.pop()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json={})


def _unread(value: object) -> object:
    return value


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    service = Wire()
    yield service
    for client in service.clients.values():
        client.close()


def needed(case: Case) -> dict[str, object]:
    """What the operation requires beside the parameter, by its name in the contract."""
    return {
        each.name: REQUIRED.get(each.name, "an id/ü")
        for each in case.operation.parameters
        if each.required and each.name != case.name
    }


def beside(case: Case) -> dict[str, object]:
    """What the operation requires in its body, where the parameter stands elsewhere."""
    return dict(BATCH) if case.called == "conversation_batch" else {}


def asked(case: Case, words: dict[str, object]) -> Any:
    """The call with these words; ids in the path may have other names here."""
    if case.called == "query_cube":
        return call_named(case.platform, case.operation.id)(words)
    return call_named(case.platform, case.operation.id)(
        **{ARGUMENTS.get(name, name): each for name, each in words.items()}
    )


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_every_parameter_reaches_the_service(case: Case, wire: Wire) -> None:
    declared = contract(case.platform)
    parameter = next((each for each in case.operation.parameters if each.name == case.name), None)
    if parameter is None:
        holds_in_the_body(case, wire)
        return
    sent = spellings(case, parameter)
    assert sent
    for given, spelled, meant in sent:
        words = {**needed(case), **beside(case), case.name: given}
        request = wire.send(declared.base, asked(case, words))
        told = {**{name: str(each) for name, each in needed(case).items()}, case.name: spelled}
        goes_to_its_place(case, request, told)
        pairs = tuple(request.url.params.multi_items())
        read, faults = declared.read_query(case.operation, pairs)
        ids, wrong = declared.read_path(case.operation, path_ids(case, request))
        assert faults + wrong == []
        assert {**ids, **read}[case.name] == meant
        # Nothing goes out that nobody asked for, and what is counted by its place stands there.
        in_query = [each.name for each in case.operation.parameters if each.where == "query" and each.name in told]
        assert sorted(name for name, _ in pairs) == sorted(in_query)
        if case.platform == "mavenoid":
            assert pairs[-1][0] == "days"


def goes_to_its_place(case: Case, request: httpx.Request, told: dict[str, str]) -> None:
    """The method and the path are the operation's, and each value stands in the address as it must."""
    path, _, query = request.url.raw_path.decode().partition("?")
    where = {each.name: each.where for each in case.operation.parameters}
    ids = {name: quote(text, safe="") for name, text in told.items() if where[name] == "path"}
    assert (request.method, path) == (
        case.operation.method,
        contract(case.platform).base + case.operation.path.format(**ids),
    )
    for name, text in told.items():
        if where[name] == "query":
            assert query.split("&").count(f"{name}={quote(text, safe='')}") == 1
    assert "requestBody" in case.operation.said or request.content == b""


def path_ids(case: Case, request: httpx.Request) -> dict[str, str]:
    """The ids that a server finds in the path, having found the operation by it."""
    declared = contract(case.platform)
    operations, ids = declared.match(request.url.raw_path.decode().partition("?")[0].removeprefix(declared.base))
    assert case.operation in operations
    return ids


def holds_in_the_body(case: Case, wire: Wire) -> None:
    """The field of the body goes out as it was given, and the whole body is the contract's."""
    declared = contract(case.platform)
    others, values = BODIES[case.platform, case.called][case.name]
    assert values
    for value in values:
        words = {**needed(case), **others, case.name: value}
        if case.name == "body":
            words = {"question": value}
        request = wire.send(declared.base, asked(case, words))
        path_ids(case, request)
        assert request.method == case.operation.method
        media = request.headers["content-type"]
        read, faults = declared.read_body(case.operation, media, request.content)
        assert faults == []
        body = json.loads(request.content)
        assert read == body
        assert body == (value if case.name == "body" else {**others, case.name: value})
        assert request.url.query == b""


# What the hosted service's own document lists; our copy of it in openapi/ is rendered from our code.
FILTERS = "character_id app_key experience_id end_user_id provider model processor status"
NINE = {
    "GET /summary": "range character_id app_key experience_id",
    "GET /timeseries": f"measure granularity range group_by segment metric_name metric_name_prefix {FILTERS}",
    "GET /breakdown": f"measure group_by range limit segment metric_name metric_name_prefix {FILTERS}",
    "GET /sessions": "range sort limit cursor character_id app_key experience_id end_user_id",
    "GET /sessions/{session_id}": "session_id",
    "GET /interactions/{interaction_id}": "interaction_id",
    "GET /metrics/catalog": "",
    "GET /regression-detection": "measure baseline_range current_range group_by threshold",
    "POST /query": "measures dimensions segments filters timeDimensions limit order",
}


def test_the_nine_routes_take_what_the_hosted_service_lists() -> None:
    found: dict[str, set[str]] = {str(each): set() for each in contract("convai").operations.values()}
    for case in CASES:
        if case.platform == "convai":
            found[str(case.operation)].add(case.name)
    assert found == {route: set(words.split()) for route, words in NINE.items()}
