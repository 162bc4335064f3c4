"""A service's own OpenAPI document, compared with the contract that our clients are written against."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talkscope.surface import BREAKING, COMPATIBLE, NONE, analytics, verdict
from talkscope.surface.__main__ import main
from talkscope.surface.live import against
from tests.api.service.serving import serving

BREAKDOWN = "/v1/analytics/breakdown"


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return analytics()


@pytest.fixture
def hosted(ours: dict[str, Any]) -> dict[str, Any]:
    """A document as another generator writes it: the nine routes alone, and 'or null' beside each optional word."""
    made = copy.deepcopy(ours)
    made["paths"] = {
        path: item for path, item in made["paths"].items() if "analytics" in path and "openapi" not in path
    }
    made["info"] = {"title": "Somebody's Analytics API", "version": "0.1.0"}
    for parameter in made["paths"][BREAKDOWN]["get"]["parameters"]:
        if "enum" not in parameter["schema"]:
            default = parameter["schema"].pop("default", None)
            parameter["schema"] = {"anyOf": [parameter["schema"], {"type": "null"}], "default": default, "title": "A"}
    return made


def _parameters(document: dict[str, Any], path: str = BREAKDOWN) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = document["paths"][path]["get"]["parameters"]
    return listed


def _word(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in _parameters(document) if each["name"] == name)


def test_a_service_that_serves_our_own_contract_has_not_changed(ours: dict[str, Any]):
    assert against(ours, copy.deepcopy(ours)) == []


def test_the_nine_routes_spelled_by_another_generator_break_nobody(ours: dict[str, Any], hosted: dict[str, Any]):
    assert verdict(against(ours, hosted)) in (NONE, COMPATIBLE)


MORE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a route": lambda new: new["paths"].update({"/v1/analytics/first-response/summary": {"get": {"parameters": []}}}),
    "an optional word": lambda new: _parameters(new).append({"name": "mode", "schema": {"type": "string"}}),
    "a field": lambda new: new["components"]["schemas"]["BreakdownRow"]["properties"].update(more={"type": "string"}),
    "a list of every measure": lambda new: _word(new, "measure").update(
        schema={"type": "string", "enum": [*_every_measure(), "p999_value"]}
    ),
}
LESS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a route is gone": lambda new: new["paths"].pop(BREAKDOWN),
    "a word is gone": lambda new: _parameters(new).remove(_word(new, "metric_name_prefix")),
    "a word is newly required": lambda new: _parameters(new).append(
        {"name": "app", "required": True, "schema": {"type": "string"}}
    ),
    "a field is gone": lambda new: new["components"]["schemas"]["BreakdownRow"]["properties"].pop("value"),
    "a measure is refused": lambda new: _word(new, "measure").update(
        schema={"type": "string", "enum": [each for each in _every_measure() if each != "turnP90"]}
    ),
}


def _every_measure() -> list[str]:
    from talkscope.platforms.convai.vocabulary import Measures, values

    return list(values(Measures))


@pytest.mark.parametrize("change", MORE.values(), ids=MORE)
def test_what_a_service_has_more_is_told_and_passes(
    ours: dict[str, Any], hosted: dict[str, Any], change: Callable[[dict[str, Any]], Any]
):
    change(hosted)
    assert verdict(against(ours, hosted)) == COMPATIBLE


@pytest.mark.parametrize("change", LESS.values(), ids=LESS)
def test_what_a_service_lacks_or_refuses_is_breaking(
    ours: dict[str, Any], hosted: dict[str, Any], change: Callable[[dict[str, Any]], Any]
):
    change(hosted)
    assert verdict(against(ours, hosted)) == BREAKING


def test_a_service_of_our_own_keeps_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    there = ["--folder", str(tmp_path / "openapi")]
    assert main(["--write", *there]) == 0
    with serving(tmp_path, "--no-keys", "--warehouse", str(tmp_path / "calls")) as served:
        assert main(["--check", *there, "--live", f"{served.url}/v1/analytics"]) == 0
        assert "the service: none" in capsys.readouterr().out
        assert main(["--check", *there, "--live", served.url]) == 1
    assert main(["--check", *there, "--live", f"{served.url}/v1/analytics"]) == 1
    assert "the service: " in capsys.readouterr().out
