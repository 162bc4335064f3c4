from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client, StdioServerParameters

from talkscope.server.calls import INSTRUCTIONS
from talkscope.tools import TOOLS
from tests.server.wire import Wire, enveloped, text
from tests.tools.fakes import NEEDED

ROOT = Path(__file__).parents[2]
FAKE = [sys.executable, "-m", "tests.server.tools_server"]
REAL = [sys.executable, "-m", "talkscope", "mcp"]


def _env(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKSCOPE_")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), **more}


@pytest.fixture(scope="module")
def server() -> Iterator[Wire]:
    with Wire(FAKE, _env(), forked=True) as wire:
        wire.handshake()
        yield wire
        assert wire.close() == 0


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Wire]:
    """`talkscope mcp` on a warehouse that is not there yet."""
    with Wire(REAL, _real(tmp_path)) as wire:
        yield wire


def _real(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "config.toml"
    config.touch()
    return _env(TALKSCOPE_WAREHOUSE=str(tmp_path / "warehouse"), TALKSCOPE_CONFIG=str(config))


def _summary(*filters: str, token: str | None = None) -> dict[str, Any]:
    params: dict[str, Any] = {"name": "get_summary", "arguments": {"filters": list(filters)}}
    return {**params, "_meta": {"progressToken": token}} if token else params


# What a host is told


def test_the_server_says_what_it_is(real: Wire):
    told = real.handshake()["result"]
    assert told["serverInfo"]["name"] == "talkscope"
    assert told["serverInfo"]["version"]
    assert told["instructions"] == INSTRUCTIONS
    assert real.close() == 0


def test_the_instructions_stand_alone_in_their_first_512_characters():
    opening = INSTRUCTIONS.split("\n\n")[0]
    assert len(opening) <= 512
    assert opening.endswith(".")
    assert "get_summary" in opening


def test_every_tool_is_listed_in_its_order_as_one_that_only_reads(server: Wire):
    listed = server.request("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in listed] == [tool.name for tool in TOOLS]
    for tool in listed:
        hints = tool["annotations"]
        assert (hints["readOnlyHint"], hints["idempotentHint"], hints["openWorldHint"]) == (True, True, False)
        assert tool["title"]
        # A chart's picture comes without structured content, and clients hold what has a schema to having some.
        assert ("outputSchema" in tool) != tool["name"].startswith("chart_")


def test_lists_may_be_kept_for_as_long_as_they_say(tmp_path: Path):
    with Wire(REAL, _real(tmp_path), forked=True) as wire:
        answer = wire.request("tools/list", enveloped())["result"]
        assert answer["ttlMs"] == 3_600_000
        assert answer["cacheScope"] == "public"
        assert wire.close() == 0


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.ui is None], ids=lambda tool: tool.name)
def test_each_tools_answer_fits_the_schema_that_was_listed(server: Wire, tool):
    listed = {each["name"]: each for each in server.request("tools/list")["result"]["tools"]}
    result = server.call(tool.name, **NEEDED.get(tool.name, {}))["result"]
    assert not result.get("isError")
    jsonschema.validate(result["structuredContent"], listed[tool.name]["outputSchema"])
    assert result["content"][0]["text"].startswith("# source: warehouse")


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
@pytest.mark.parametrize(("budget", "charts"), [(1_500, False), (4_000, True)], ids=["tables", "charts"])
def test_every_tool_answers_the_sdks_own_client_in_both_eras_within_its_budget_and_schema(
    mode: Any, version: str, budget: int, charts: bool, stocked: dict[str, str]
):
    async def ask() -> None:
        env = {**stocked, "TALKSCOPE_ANSWER_TOKENS": str(budget)}
        async with Client(StdioServerParameters(command=REAL[0], args=REAL[1:], env=env), mode=mode) as client:
            assert client.protocol_version == version
            listed = (await client.list_tools()).tools
            assert {tool.name for tool in TOOLS} <= {each.name for each in listed}
            refused = await client.call_tool("get_summary", {"rnage": "last_7d"})
            assert refused.is_error
            assert "range" in refused.content[0].text

            async def answered(tool: str, **words: Any) -> dict[str, Any]:
                # The client checks structured content against the listed schema.
                answer = await client.call_tool(tool, words)
                assert not answer.is_error, answer.content
                if tool.startswith("chart_"):
                    assert answer.structured_content["spec"]["$schema"]
                    assert answer.content[0].text.startswith(answer.structured_content["summary"])
                else:
                    assert answer.structured_content["meta"]["n"] > 0, tool
                    assert answer.structured_content["meta"]["source"] == "warehouse", tool
                    assert answer.structured_content["rows"], tool
                forms = (answer.content[0].text, json.dumps(answer.structured_content, separators=(",", ":")))
                assert max(map(len, forms)) <= budget * 4, tool
                found: dict[str, Any] = answer.structured_content
                return found

            slow = await answered("explain_slow_session", range="last_7d")
            ids = {key: slow["interaction"][key] for key in ("session_id", "interaction_id")}
            needed = {
                "get_session": {"session_id": ids["session_id"]},
                "get_interaction": {"interaction_id": ids["interaction_id"]},
                "chart_session": {"session_id": ids["session_id"]},
                "chart_interaction": {"interaction_id": ids["interaction_id"]},
                "list_sessions": {"range": "last_7d", "limit": 100},
                "get_timeseries": {"range": "last_7d", "granularity": "minute", "measures": ["p95", "count"]},
                "detect_regressions": {},
                "list_metrics": {},
                "query": {
                    "query": {"measures": ["SessionMetrics.count"], "timeDimensions": [{"dateRange": "last_7d"}]}
                },
            }
            for tool in (tool for tool in TOOLS if (tool.ui is not None) == charts):
                await answered(tool.name, **needed.get(tool.name, {"range": "last_7d"}))

    anyio.run(ask)


def test_pages_follow_each_other_without_a_gap_however_short_the_budget_makes_them(stocked: dict[str, str]):
    with Wire(REAL, {**stocked, "TALKSCOPE_ANSWER_TOKENS": "800"}, forked=True) as wire:
        wire.handshake()
        seen: list[str] = []
        words: dict[str, Any] = {"range": "last_7d", "limit": 100}
        while True:
            page = wire.call("list_sessions", **words)["result"]["structuredContent"]
            at = page["columns"].index("session_id")
            seen += [row[at] for row in page["rows"]]
            if "next_cursor" not in page["meta"]:
                break
            words["cursor"] = page["meta"]["next_cursor"]
        assert len(seen) == len(set(seen)) == page["meta"]["n"]
        assert wire.close() == 0


# Errors


def test_an_error_is_an_answer_that_says_what_to_do(server: Wire):
    result = server.call("get_breakdwn")["result"]
    assert result["isError"]
    assert "get_breakdown" in result["content"][0]["text"]
    error = result["_meta"]["talkscope/error"]
    assert error["type"] == "UnknownName"
    assert set(error) == {"type", "code", "message", "hint", "details"}
    # Clients of the TypeScript SDK hold what is there against the schema of answers, errors included.
    assert "structuredContent" not in result


def test_a_crash_is_told_neither_to_the_model_nor_with_its_secrets_to_the_log(server: Wire):
    answer = server.call("get_summary", filters="status=crash")
    assert text(answer).startswith("UnexpectedFailure [500] internal_error: ")
    assert "jane" not in json.dumps(answer)
    assert "ck_live" not in json.dumps(answer)
    server.call("get_summary")
    _until(server, "LookupError")
    line = next(line for line in server.stderr.splitlines() if "LookupError" in line)
    assert "get_summary failed" in line
    assert "kkkk" not in server.stderr
    assert "Traceback" not in server.stderr


def _until(wire: Wire, word: str) -> None:
    """Keep the server busy until it has logged this."""
    for _ in range(2_000):
        if word in wire.stderr:
            return
        wire.request("ping")
    pytest.fail(f"{word} was not logged: {wire.stderr[-1000:]}")


def test_text_from_outside_arrives_harmless(server: Wire):
    result = server.call("get_summary", filters="status=hostile")["result"]
    cell = result["structuredContent"]["rows"][0][0]
    assert cell.startswith("half \ufffdx")
    assert len(cell) == 200
    assert result["structuredContent"]["untrusted"] == ["processor"]
    assert "\u202e" not in result["content"][0]["text"]


# Progress and cancellation


def test_progress_is_reported_at_the_start_meanwhile_and_at_the_end(server: Wire):
    waiting = server.begin("tools/call", _summary("status=wait", token="mine"))
    told: list[dict[str, Any]] = []
    while len(told) < 3:
        told.append(server.read_message()["params"])
    server.call("get_summary", filters="status=release")
    assert not server.answer(waiting)["result"].get("isError")
    while told[-1].get("total") is None:
        told.append(server.read_message()["params"])
    progress = [each["progress"] for each in told]
    assert {each["progressToken"] for each in told} == {"mine"}
    assert progress == sorted(set(progress))
    assert told[-1]["progress"] == told[-1]["total"]


def test_even_the_quickest_answer_reports_that_it_began_and_ended(server: Wire):
    answer = server.request("tools/call", _summary(token="quick"))
    assert not answer["result"].get("isError")
    assert [server.read_message()["params"]["progress"] for _ in range(2)] == [0, 1]


def test_no_progress_is_reported_to_whoever_did_not_ask(server: Wire):
    server.call("get_summary")
    server.request("ping")
    with pytest.raises(TimeoutError):
        server.read_message(0.05)


def test_a_call_that_is_cancelled_interrupts_its_query(server: Wire):
    hanging = server.begin("tools/call", _summary("status=hang"))
    server.request("ping")
    server.notify("notifications/cancelled", {"requestId": hanging})
    _until(server, "the query was interrupted")
    assert text(server.call("get_summary")).startswith("# source")


# Start


def test_nothing_that_only_answers_need_is_loaded_before_the_first_question(tmp_path: Path):
    code = (
        "import sys\n"
        "from talkscope.server import app, stdio\n"
        "stdio.run = lambda server: None\n"
        "app.main()\n"
        "import anyio\n"
        "from talkscope.server.opening import Opening\n"
        "from talkscope.settings import Settings\n"
        "server = app.build(Opening(Settings()), settings=Settings())\n"
        "print(len(anyio.run(server.list_tools)))\n"
        "heavy = ('duckdb', 'talkscope.api', 'talkscope.cli', 'talkscope.wiring', 'talkscope.warehouse', 'httpx')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=_real(tmp_path), capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [str(len(TOOLS)), "[]"]


def test_talkscope_mcp_starts_without_the_command_line(tmp_path: Path):
    code = (
        "import sys\n"
        "from talkscope.server import stdio\n"
        "stdio.run = lambda server: sys.exit(0 if 'talkscope.cli' not in sys.modules else 9)\n"
        "sys.argv = ['talkscope', 'mcp']\n"
        "from talkscope.__main__ import main\n"
        "main()"
    )
    assert subprocess.run([sys.executable, "-c", code], env=_real(tmp_path), check=False).returncode == 0


def test_settings_that_cannot_be_understood_end_the_start_with_one_line(tmp_path: Path):
    env = {**_real(tmp_path), "TALKSCOPE_DEADLINE": "ck_live_secret"}
    done = subprocess.run(REAL, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("talkscope mcp: TALKSCOPE_DEADLINE")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_a_warehouse_that_is_not_there_yet_is_an_empty_one(real: Wire):
    real.handshake()
    result = real.call("get_summary")["result"]
    assert not result.get("isError"), text({"result": result})
    assert result["structuredContent"]["meta"]["n"] == 0
    assert real.call("get_session", session_id="s-1")["result"]["isError"]
    assert real.close() == 0


def test_without_a_choice_among_several_sources_the_answer_names_them(tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text('[sources.production]\npath = "a"\n[sources.staging]\npath = "b"\n', encoding="utf-8")
    with Wire(REAL, _env(TALKSCOPE_CONFIG=str(config)), forked=True) as wire:
        wire.handshake()
        listed = wire.request("tools/list")["result"]["tools"][0]
        assert listed["inputSchema"]["properties"]["source"]["enum"] == ["production", "staging"]
        assert "staging" in text(wire.call("get_summary"))
        chosen = wire.call("get_summary", source="staging")["result"]
        assert chosen["structuredContent"]["meta"]["source"] == "staging"
        assert wire.close() == 0
