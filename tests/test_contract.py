from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from talkscope import api, contract
from talkscope.contract import QUESTIONS, question, understand
from talkscope.errors import InvalidArgument, UnknownName
from talkscope.models import v1
from talkscope.models.questions import Asked, BreakdownAsked, ErrorsAsked, QueryAsked, SummaryAsked
from tests.api.answering import Recorded


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return contract.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_the_same_each_time(document: dict[str, Any]) -> None:
    assert json.dumps(contract.openapi()) == json.dumps(document)
    assert document["openapi"] == "3.1.0"


def test_every_route_that_is_served_is_documented_and_no_other(document: dict[str, Any]) -> None:
    served = {
        (route.path.replace(":path", ""), method.lower())
        for route in api.build(Recorded()).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    about = {("/healthz", "get"), ("/readyz", "get"), ("/v1/analytics/openapi.json", "get")}
    assert {(path, method) for path, method, _ in operations(document)} == served | about
    assert len(served) == len(QUESTIONS) + len(v1.ROUTES) == 16 + 9


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert wanted <= set(document["components"]["schemas"])
    assert {name for name in document["components"]["schemas"] if "__" in name} == set()


def test_every_operation_is_named_once_and_says_how_it_fails(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for _, _, operation in operations(document):
        assert operation["summary"].endswith(".")
        wanted = {"200", "500"} if operation["tags"] == ["service"] else {"200", "401", "404", "422", "429", "500"}
        assert wanted <= set(operation["responses"])


def test_the_key_travels_in_its_header(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["ConvaiApiKey"] == {"type": "apiKey", "in": "header", "name": "CONVAI-API-KEY"}
    assert document["security"] == [{"ConvaiApiKey": []}, {"ApiKey": []}, {"Bearer": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_v1_parameters_are_snake_case_and_its_answers_camel_case(document: dict[str, Any]) -> None:
    series = document["paths"]["/v1/analytics/timeseries"]["get"]
    assert [each["name"] for each in series["parameters"]] == [
        "character_id", "app_key", "experience_id", "end_user_id", "provider", "model", "processor", "status",
        "measure", "granularity", "range", "group_by", "segment", "metric_name", "metric_name_prefix",
    ]  # fmt: skip
    summary = document["components"]["schemas"]["SummaryResponse"]
    assert summary["required"] == [
        "sessions", "uniqueEndUsers", "interactions", "errorCount", "p50EndToEndMs", "p95EndToEndMs", "p99EndToEndMs",
        "meta",
    ]  # fmt: skip
    body = document["components"]["schemas"]["CubeQueryRequest"]["properties"]
    assert {"timeDimensions", "measures", "order"} <= set(body)


def test_path_ids_are_required_parameters(document: dict[str, Any]) -> None:
    (parameter,) = document["paths"]["/v1/analytics/sessions/{session_id}"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("session_id", "path", True)


def test_limits_and_defaults_are_in_the_document(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/analytics/breakdown"]["get"]["parameters"]
    limit = next(each["schema"] for each in parameters if each["name"] == "limit")
    assert limit == {"default": 50, "maximum": 500, "minimum": 1, "type": "integer"}


def test_a_question_is_found_by_name() -> None:
    assert question("summary") is contract.SUMMARY
    with pytest.raises(UnknownName, match="'breakdown'"):
        question("break_down")


def test_words_are_understood_or_refused_without_repeating_their_values() -> None:
    assert understand(BreakdownAsked, {"measure": "p95, count"}).measures == ["p95", "count"]
    assert understand(BreakdownAsked, {"range": None}) == BreakdownAsked()
    with pytest.raises(UnknownName, match="'group_by'"):
        understand(BreakdownAsked, {"grop_by": "model"})
    with pytest.raises(InvalidArgument) as caught:
        understand(BreakdownAsked, {"timezone": ["ada@example.com"]})
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "words", "place"),
    [
        (SummaryAsked, {"filters": ["channel=a\ud83d"]}, "filters"),
        (ErrorsAsked, {"service": "\ud83da"}, "service"),
        (ErrorsAsked, {"search": "\ud83d"}, "search"),
        (QueryAsked, {"query": {"filters": [{"member": "a", "operator": "equals", "values": ["\udc00"]}]}}, "query"),
        (QueryAsked, {"query": {"order": {"\udc00": "asc"}}}, "query"),
    ],
)
def test_half_a_character_is_refused_wherever_it_stands(
    params: type[Asked], words: dict[str, object], place: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"^{place}: Half a character .* no Unicode text"):
        understand(params, words)
    # What is odd, and text all the same, is nobody's error.
    assert understand(SummaryAsked, {"filters": ["channel=\x00\x01\u202e😀"]}).filters == ["channel=\x00\x01\u202e😀"]
