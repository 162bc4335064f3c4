"""Every status that v1 clients know, answered by a real `talkscope serve`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.service.conftest import Town

SUMMARY = "/v1/analytics/summary"
GATED = [
    ("GET", "/v1/analytics/regression-detection"),
    ("POST", "/v1/analytics/query"),
    ("GET", "/v1/ask/regressions"),
    ("POST", "/v1/ask/query"),
]


def error(reply: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = reply.json()["error"]
    assert {"code", "message", "details"} <= told.keys()
    return told


def test_health_needs_no_key_and_says_what_runs(town: Town) -> None:
    for path in ("/healthz", "/readyz"):
        reply = town.served.get(path)
        assert (reply.status_code, reply.json()["status"]) == (200, "ok")
        assert set(reply.json()) == {"status", "environment", "version"}


@pytest.mark.parametrize("key", [None, "", "ck_live_nonsense", "tsk_00000000_" + "A" * 43, "ключ".encode()])
def test_without_a_key_that_is_known_it_is_401(town: Town, key: Any) -> None:
    headers = {} if key is None else {"CONVAI-API-KEY": key}
    for path in (SUMMARY, "/v1/ask/summary", "/v1/analytics/openapi.json", "/v1/nowhere"):
        reply = httpx.get(f"{town.served.url}{path}", headers=headers, trust_env=False)
        assert (reply.status_code, error(reply)["code"]) == (401, "unauthorized")


def test_a_key_is_taken_from_each_header_that_clients_send(town: Town) -> None:
    key = town.keys["scale"]
    for headers in ({"CONVAI-API-KEY": key}, {"x-api-key": key}, {"Authorization": f"Bearer {key}"}):
        assert town.served.get(SUMMARY, headers=headers).status_code == 200
    both = {"x-api-key": key, "Authorization": f"Bearer {key}"}
    assert town.served.get(SUMMARY, headers=both).status_code == 200
    two = {"x-api-key": key, "CONVAI-API-KEY": town.bob}
    assert town.served.get(SUMMARY, headers=two).status_code == 401


def test_a_key_with_one_letter_changed_opens_nothing(town: Town) -> None:
    key = town.keys["business"]
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert town.served.get(SUMMARY, other).status_code == 401


def test_without_a_plan_every_route_is_402(town: Town) -> None:
    for path in (
        SUMMARY,
        "/v1/ask/summary",
        "/v1/analytics/regression-detection",
        "/v1/analytics/openapi.json",
        "/v1/x",
    ):
        told = town.served.get(path, town.keys["none"])
        assert (told.status_code, error(told)["code"]) == (402, "plan_required")
        assert error(told)["details"] == {"required_plan": "free", "current_plan": "none"}


@pytest.mark.parametrize(("method", "path"), GATED)
@pytest.mark.parametrize("plan", ["free", "scale"])
def test_below_business_regressions_and_queries_are_403(town: Town, plan: str, method: str, path: str) -> None:
    told = town.served.request(method, path, town.keys[plan])
    assert (told.status_code, error(told)["code"]) == (403, "plan_below_required")
    assert error(told)["details"] == {"required_plan": "business", "current_plan": plan}


@pytest.mark.parametrize(("method", "path"), GATED)
def test_business_includes_every_route(town: Town, method: str, path: str) -> None:
    query = {"measures": ["SessionMetrics.count"]}
    body: dict[str, Any] = {} if method == "GET" else {"json": {"query": query} if "ask" in path else query}
    reply = town.served.request(method, path, town.keys["business"], **body)
    assert reply.status_code == 200, reply.text


def test_what_is_not_there_is_404_in_the_contracts_shape(town: Town) -> None:
    for path in ("/v1/analytics/sessions/nobody", "/v1/analytics/interactions/none", "/v1/analytics/nothing", "/"):
        assert town.served.get(path, town.keys["scale"]).status_code == 404
        error(town.served.get(path, town.keys["scale"]))


def test_a_word_that_is_unknown_is_422_with_the_detail_of_the_contract(town: Town) -> None:
    reply = town.served.get(SUMMARY, town.keys["scale"], params={"provider": "x"})
    assert reply.status_code == 422
    [problem] = reply.json()["detail"]
    assert (problem["loc"], problem["type"]) == (["query", "provider"], "extra_forbidden")
    assert error(reply)["code"] == "validation_error"


def test_an_unknown_measure_is_400_and_another_method_405(town: Town) -> None:
    reply = town.served.get("/v1/analytics/breakdown", town.keys["scale"], params={"measure": "nonsense"})
    assert (reply.status_code, error(reply)["code"]) == (400, "unknown_name")
    reply = town.served.request("DELETE", SUMMARY, town.keys["scale"])
    assert (reply.status_code, "GET" in reply.headers["Allow"]) == (405, True)
    assert town.served.request("POST", "/healthz").status_code == 405


def test_a_body_or_an_address_that_is_too_long_is_refused_unread(town: Town) -> None:
    key = town.keys["business"]
    reply = town.served.request("POST", "/v1/analytics/query", key, content=b" " * 300_000)
    assert (reply.status_code, error(reply)["code"]) == (413, "body_too_large")

    def pieces() -> Any:
        for _ in range(300):
            yield b" " * 1_024

    reply = town.served.request("POST", "/v1/analytics/query", key, content=pieces())
    assert reply.status_code == 413
    reply = town.served.get(SUMMARY, key, params={"character_id": "x" * 40_000})
    assert (reply.status_code, error(reply)["code"]) == (414, "query_too_long")


def test_nothing_redirects_and_no_answer_says_what_serves_it(town: Town) -> None:
    for path in (f"{SUMMARY}/", "//v1/analytics/summary", "/v1/analytics/../analytics/summary", "/healthz/"):
        for key in (None, town.keys["scale"]):
            reply = town.served.get(path, key)
            assert reply.status_code in (200, 401, 404), reply.status_code
            assert "location" not in reply.headers
            assert "server" not in reply.headers


def test_the_document_is_the_contracts(town: Town) -> None:
    document = town.served.get("/v1/analytics/openapi.json", town.keys["free"]).json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["ConvaiApiKey"]["name"] == "CONVAI-API-KEY"
    for path, methods in document["paths"].items():
        for operation in methods.values():
            said = set(operation["responses"])
            assert {"401", "402", "403", "429"} <= said or operation["security"] == [], path
