from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError

from talkscope.errors import ConnectionFailed
from talkscope.models.answers import Answer
from talkscope.server import resources
from talkscope.server.app import build
from talkscope.tools import TOOLS
from tests.server.conftest import ROOT, Host
from tests.server.wire import Wire
from tests.tools.fakes import Fake, Manner

APP = "text/html;profile=mcp-app"
URIS = {
    "talkscope://docs/concepts": "text/markdown",
    "talkscope://docs/metrics-reference": "text/markdown",
    "talkscope://docs/authentication": "text/markdown",
    "talkscope://catalog": "application/json",
    "ui://talkscope/chart.html": APP,
}


def _read(host: Host, uri: str) -> dict[str, Any]:
    result = host.result("resources/read", uri=uri)
    (content,) = result["contents"]
    assert content["uri"] == uri
    if host.modern:
        assert (result["ttlMs"], result["cacheScope"]) == (60_000, "private")
    found: dict[str, Any] = content
    return found


def test_the_five_resources_are_listed_with_their_types(host: Host):
    listed = host.result("resources/list")
    assert {each["uri"]: each["mimeType"] for each in listed["resources"]} == URIS
    assert all(each["title"] and each["description"] for each in listed["resources"])
    if host.modern:
        assert listed["ttlMs"] == 3_600_000


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("concepts", "concepts.md"),
        ("metrics-reference", "reference/metrics.md"),
        ("authentication", "authentication.md"),
    ],
)
def test_a_page_is_the_documentations_own_and_as_large_as_listed(host: Host, uri: str, file: str):
    content = _read(host, f"talkscope://docs/{uri}")
    assert content["mimeType"] == "text/markdown"
    assert content["text"] == (ROOT / "docs" / file).read_text(encoding="utf-8")
    listed = {each["uri"]: each.get("size") for each in host.result("resources/list")["resources"]}
    assert listed[content["uri"]] == len(content["text"].encode())


def test_the_catalog_is_what_list_metrics_answers(host: Host):
    content = _read(host, "talkscope://catalog")
    assert content["mimeType"] == "application/json"
    told = json.loads(content["text"])
    answered = host.result("tools/call", name="list_metrics", arguments={})["structuredContent"]
    assert told["columns"] == answered["columns"]
    assert told["rows"] == answered["rows"]


def test_a_member_of_the_catalog_has_an_address_of_its_own(host: Host):
    (template,) = host.result("resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "talkscope://catalog/{kind}/{name}"
    content = _read(host, "talkscope://catalog/metric/voice.user%5Fto_bot_latency")
    row = json.loads(content["text"])
    assert (row["kind"], row["name"], row["unit"]) == ("metric", "voice.user_to_bot_latency", "ms")


@pytest.mark.parametrize(
    ("uri", "near"),
    [
        ("talkscope://docs/concept", "talkscope://docs/concepts"),
        ("convai://analytics/docs/concepts", "talkscope://docs/concepts"),
        ("talkscope://catalog/measure/p96", "p9"),
        ("talkscope://catalog/measurement/p95", "talkscope://catalog"),
        ("file:///etc/passwd", "There are talkscope://docs/concepts"),
        ("talkscope://docs/../../etc/passwd", "talkscope://docs/"),
    ],
)
def test_an_address_of_nothing_is_not_found_and_names_the_nearest(host: Host, uri: str, near: str):
    error = host.error("resources/read", uri=uri)
    assert error["code"] == (-32602 if host.modern else -32002)
    assert near in error["message"]
    assert error["data"]["uri"] == uri
    assert error["data"]["code"] == "not_found"


def test_a_catalog_that_cannot_be_had_is_an_error_and_no_data():
    def refusing(name: str, words: Mapping[str, object]) -> Answer:
        raise ConnectionFailed("Nothing answered at example.")

    server = build(Fake(refusing), settings=Manner())
    for uri in ("talkscope://catalog", "talkscope://catalog/measure/p95"):
        with pytest.raises(MCPError) as caught:
            anyio.run(server.read_resource, uri)
        assert caught.value.code == -32603
        assert caught.value.message == "Nothing answered at example. Check the network and the source's url."
        assert caught.value.data["code"] == "connection_failed"
        assert caught.value.data["hint"] == "Check the network and the source's url."


def test_without_a_choice_among_several_sources_the_catalog_names_them(stocked: dict[str, str], tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text('[sources.production]\npath = "a"\n[sources.staging]\npath = "b"\n', encoding="utf-8")
    env = {key: value for key, value in stocked.items() if key != "TALKSCOPE_WAREHOUSE"}
    with Wire(
        [sys.executable, "-m", "talkscope", "mcp"], {**env, "TALKSCOPE_CONFIG": str(config)}, forked=True
    ) as wire:
        wire.handshake()
        listed = wire.request("tools/list")["result"]["tools"]
        assert all("source" in each["inputSchema"]["required"] for each in listed)
        error = Host(wire, modern=False).error("resources/read", uri="talkscope://catalog")
        assert error["data"]["code"] == "source_not_chosen"
        assert "production, staging" in error["message"]
        assert wire.close() == 0


# The page that shows charts


def test_the_chart_page_is_a_whole_page_that_asks_the_host_for_nothing(host: Host):
    content = _read(host, resources.CHART)
    assert content["mimeType"] == APP
    assert content["text"].startswith("<!")
    assert "vega" in content["text"]
    page = content["_meta"]["ui"]
    assert set(page["csp"]) == {"connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"}
    assert not any(page["csp"].values())
    assert page["permissions"] == {}
    (listed,) = (each for each in host.result("resources/list")["resources"] if each["uri"] == resources.CHART)
    assert listed["_meta"]["ui"] == page


def test_chart_tools_name_the_page_and_the_others_do_not(host: Host):
    for tool in host.result("tools/list")["tools"]:
        if tool["name"].startswith("chart_"):
            assert tool["_meta"] == {"ui": {"resourceUri": resources.CHART}, "ui/resourceUri": resources.CHART}
        else:
            assert "_meta" not in tool
    assert {tool.ui for tool in TOOLS} == {None, resources.CHART}


def test_the_extension_for_pages_is_declared_where_the_protocol_has_extensions(host: Host):
    if host.modern:
        assert host.result("server/discover")["capabilities"]["extensions"] == {"io.modelcontextprotocol/ui": {}}
    else:
        assert host.error("server/discover")["code"] == -32601


def test_an_asker_that_draws_nothing_has_no_page():
    server = build(Fake(), settings=Manner())
    with pytest.raises(MCPError, match="draws no charts") as caught:
        anyio.run(server.read_resource, resources.CHART)
    assert caught.value.data["code"] == "not_supported"
