"""`make mcp-smoke` asks the real server and needs npm; here is that it sees what it is there to see."""

from __future__ import annotations

import copy
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.smoke.checks import BURST, ERAS
from tests.smoke.inspector import Inspector, NoInspectorError, Seen, node
from tests.smoke.run import NAMES, WITH_PLATFORMS, every_platform, everything, main

ROOT = Path(__file__).parents[2]
TURN = {"session_id": "s-1", "interaction_id": "i-1"}
ANSWER = {
    "content": [{"type": "text", "text": "# source: warehouse"}],
    "structuredContent": {"columns": ["session_id"], "rows": [["s-1"]], "interaction": TURN},
    "isError": False,
}
REFUSAL = {"content": [{"type": "text", "text": "UnknownName: did you mean 'range'?"}], "isError": True}
REQUIRED = {"get_session": ["session_id"], "get_interaction": ["interaction_id"], "query": ["query"]}


def tool(name: str) -> dict[str, Any]:
    words = {word: {"type": "string"} for word in REQUIRED.get(name, ["range"])}
    shape = {"type": "object", "properties": {"rows": {"type": "array"}}, "required": ["rows"]}
    taken = {"type": "object", "properties": words, "required": REQUIRED.get(name, [])}
    return {"name": name, "inputSchema": taken, "outputSchema": shape}


class Host:
    """An Inspector whose server is well, until a test says otherwise; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.seen: dict[str, Seen] = {
            "tools/list": Seen(0, {"result": {"tools": [tool(name) for name in NAMES]}, "schemaFindings": []}),
            "prompts/list": Seen(0, {"result": {"prompts": []}}),
            "resources/list": Seen(0, {"result": {"resources": []}}),
            "resources/templates/list": Seen(0, {"result": {"resourceTemplates": []}}),
            "refusal": Seen(5, {"result": REFUSAL}),
            "burst": Seen(0, {"result": {"ok": BURST}}),
            **{name: Seen(0, {"result": copy.deepcopy(ANSWER)}) for name in NAMES},
        }

    def __call__(self, era: str, method: str, *options: str) -> Seen:
        self.asked.append((era, method, options))
        if method == "initialize":
            who = {"serverInfo": {"name": "talkscope"}, "instructions": "Ask.", "protocolVersion": ERAS[era]}
            return self.seen.get(method) or Seen(
                0, {"result": {**who, "capabilities": {"prompts": {}, "resources": {}}}}
            )
        if method != "tools/call":
            return self.seen[method]
        named = "burst" if "--load" in options else "refusal" if "rnage" in options[3] else options[1]
        return self.seen[named]

    def faults(self) -> list[str]:
        made = everything(self, say=lambda line: None)
        return [f"{check.what}: {check.fault}" for check in made if check.fault]

    def words(self, name: str) -> dict[str, Any]:
        """What the tool was called with, the last time."""
        calls = [options for _, method, options in self.asked if method == "tools/call" and options[1] == name]
        found: dict[str, Any] = json.loads(calls[-1][3])
        return found


@pytest.fixture
def host() -> Host:
    return Host()


def test_a_server_that_is_well_has_no_faults_in_either_era(host: Host):
    assert host.faults() == []
    assert {era for era, method, _ in host.asked if method == "tools/call"} == {"legacy", "modern"}
    assert ("auto", "initialize", ()) in host.asked


def test_tools_are_asked_about_what_earlier_answers_told(host: Host):
    host.faults()
    assert host.words("get_interaction") == {"interaction_id": "i-1"}
    assert host.words("get_session") == {"session_id": "s-1"}
    assert host.words("get_concurrency") == {"range": "last_7d"}


def spoil(named: str, result: dict[str, Any], code: int = 0) -> Callable[[Host], None]:
    """Let this request end in another way."""

    def spoiled(host: Host) -> None:
        before = host.seen.get(named, Seen(0)).envelope
        host.seen[named] = Seen(code, {**before, "result": result}, "it said why")

    return spoiled


def found(schema: str, severity: str) -> Callable[[Host], None]:
    """Let the strict listing find this."""

    def spoiled(host: Host) -> None:
        finding = {"schema": schema, "severity": severity, "path": "properties.x", "issue": "is off"}
        host.seen["tools/list"].envelope["schemaFindings"] = [{"toolName": "query", "findings": [finding]}]

    return spoiled


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (spoil("initialize", {"protocolVersion": "2024-11-05"}), "initialize: agreed on 2024-11-05, not 2025-11-25"),
        (spoil("tools/list", {"tools": []}), "tools/call query: was not asked"),
        (spoil("tools/list", {"tools": [tool("query")]}), "tools/list --strict: listed ['query']"),
        (found("outputSchema", "error"), "tools/list --strict: query outputSchema.properties.x: is off"),
        (found("inputSchema", "warning"), "tools/list --strict: query inputSchema.properties.x: is off"),
        (spoil("query", REFUSAL, 5), "tools/call query: exit 5: it said why"),
        (spoil("query", REFUSAL), "tools/call query: an error: UnknownName: did you mean 'range'?"),
        (spoil("query", {**ANSWER, "content": []}), "tools/call query: no text"),
        (spoil("query", {**ANSWER, "structuredContent": {"rows": []}}), "tools/call query: no rows"),
        (
            spoil("query", {**ANSWER, "structuredContent": {"columns": []}}),
            "tools/call query: structured content is off its schema: 'rows' is a required property",
        ),
        (
            spoil("list_sessions", {**ANSWER, "structuredContent": {"rows": []}}),
            "tools/call list_sessions: no rows",
        ),
        (spoil("refusal", {}, 1), "tools/call get_summary with a misspelt word: no error of the tool: it said why"),
        (spoil("burst", {"ok": 1}), f"tools/call get_summary, {BURST} at once: 1 of {BURST}"),
        (spoil("prompts/list", {}), "prompts/list: no list"),
        (spoil("resources/list", {}, 1), "resources/list: exit 1: it said why"),
    ],
)
def test_what_is_wrong_is_told(host: Host, spoiled: Callable[[Host], None], told: str):
    spoiled(host)
    assert told in [fault[: len(told)] for fault in host.faults()]


def test_warnings_about_what_no_model_reads_are_no_fault(host: Host):
    found("outputSchema", "warning")(host)
    assert host.faults() == []


def test_prompts_and_resources_that_are_listed_are_fetched(host: Host):
    asks = {"name": "why", "arguments": [{"name": "session_id", "required": True}, {"name": "range"}]}
    spoil("prompts/list", {"prompts": [asks, {"name": "guess", "arguments": [{"name": "luck", "required": True}]}]})(
        host
    )
    spoil("prompts/get", {"messages": []})(host)
    spoil("resources/list", {"resources": [{"uri": "talkscope://catalog"}]})(host)
    spoil("resources/read", {"contents": []})(host)
    assert sorted(set(host.faults())) == [
        "prompts/get guess: this test knows no value for luck",
        "prompts/get why: no messages",
        "resources/read talkscope://catalog: no contents",
    ]
    assert ("modern", "prompts/get", ("--prompt-name", "why", "--prompt-args", "session_id=s-1")) in host.asked


def test_what_made_up_telemetry_does_not_tell_is_said_and_no_fault(host: Host):
    spoil("get_live_support", {**ANSWER, "structuredContent": {"rows": []}})(host)
    assert set(host.faults()) == {"tools/call get_live_support: no rows, and no word about why"}
    spoil("get_live_support", {**ANSWER, "structuredContent": {"rows": [], "meta": {"notes": ["None."]}}})(host)
    assert host.faults() == []


def test_the_tools_of_every_platform_are_listed_in_both_eras_and_not_called(host: Host):
    def faults() -> list[str]:
        return [check.fault for check in every_platform(host, say=lambda line: None) if check.fault]

    assert len(faults()) == 2
    host.seen["tools/list"] = Seen(0, {"result": {"tools": [tool(name) for name in WITH_PLATFORMS]}})
    assert faults() == []
    assert {(era, method) for era, method, _ in host.asked} == {("legacy", "tools/list"), ("modern", "tools/list")}
    found("inputSchema", "warning")(host)
    assert faults() == ["query inputSchema.properties.x: is off"] * 2


# Inspector's program


def program(place: Path, name: str, does: str) -> Path:
    """A program that does this, in Python."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / name
    file.write_text(f"#!{sys.executable}\nimport json, os, sys\n{does}\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def installed(modules: Path, does: str) -> Path:
    """A folder like that of Inspector, run by a Node that does this when it is not asked for its version."""
    launcher = modules / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    launcher.parent.mkdir(parents=True)
    launcher.touch()
    program(
        modules / "node-any-any/bin", "node", f"if sys.argv[1] == '--version':\n    sys.exit(print('v22.23.2'))\n{does}"
    )
    return modules


def test_inspector_sees_the_server_and_nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("TALKSCOPE_WAREHOUSE", "NODE_OPTIONS", "MCP_CATALOG_PATH"):
        monkeypatch.setenv(name, "the user's")
    modules = installed(
        tmp_path / "m", "print(json.dumps({'result': {'env': dict(os.environ), 'argv': sys.argv[2:]}}))"
    )
    inspect = Inspector(modules, {"command": "talkscope", "args": ["mcp"]}, tmp_path)
    seen = inspect("modern", "tools/list", "--strict")
    assert seen.code == 0
    assert "the user's" not in seen.result["env"].values()
    assert (seen.result["env"]["HOME"], seen.result["env"]["CI"]) == (str(tmp_path), "true")
    argv = seen.result["argv"]
    assert argv[0] == "--cli"
    assert argv[-5:] == ["--protocol-era", "modern", "--method", "tools/list", "--strict"]
    entry = json.loads(Path(argv[argv.index("--config") + 1]).read_text(encoding="utf-8"))
    assert entry == {"mcpServers": {"talkscope": {"command": "talkscope", "args": ["mcp"]}}}


def test_what_inspector_complains_of_is_told(tmp_path: Path):
    envelope = '{"error": {"code": "error", "message": "data must have required property"}}'
    modules = installed(tmp_path / "m", f"print('a banner', file=sys.stderr)\nsys.exit({envelope!r})")
    assert Inspector(modules, {}, tmp_path)("legacy", "tools/call") == Seen(1, {}, "data must have required property")


def test_without_inspector_the_smoke_test_says_what_installs_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    assert main([str(tmp_path)]) == 1
    assert capfd.readouterr().err == f"mcp-smoke: MCP Inspector is not in {tmp_path}: `make mcp-smoke` installs it.\n"


def test_a_node_of_the_machines_own_is_taken_only_where_the_packaged_one_does_not_run(tmp_path: Path):
    packaged = program(tmp_path / "m/node-any-any/bin", "node", "print('v22.23.2')")
    own = program(tmp_path / "path", "node", "print('v24.1.0')")
    assert node(tmp_path / "m", str(own.parent)) == str(packaged)
    packaged.write_text("built for another machine", encoding="utf-8")
    assert node(tmp_path / "m", str(own.parent)) == str(own)
    program(own.parent, "node", "print('v20.20.2')")
    with pytest.raises(NoInspectorError, match="Node 22.19 or newer"):
        node(tmp_path / "m", str(own.parent))


# make


def make(place: Path, path: str) -> subprocess.CompletedProcess[str]:
    """`make` what installs Inspector into the place, with these folders to look for programs in."""
    argv = [str(shutil.which("make")), f"INSPECTOR={place}", f"{place}/ready"]
    env = {**{key: value for key, value in os.environ.items() if not key.startswith("MAKE")}, "PATH": path}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_without_npm_make_says_what_is_missing(tmp_path: Path):
    done = make(tmp_path / "inspector", str(tmp_path))
    assert done.returncode != 0
    assert "npm" in done.stderr
    assert "Node.js" in done.stderr
    assert not (tmp_path / "inspector/ready").exists()


def test_inspector_is_installed_once_as_locked_and_without_running_what_packages_bring(tmp_path: Path):
    program(tmp_path / "bin", "npm", f"print(json.dumps(sys.argv[1:]), file=open({str(tmp_path / 'calls')!r}, 'a'))")
    place = tmp_path / "inspector"
    for _ in range(2):
        done = make(place, os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
        assert done.returncode == 0, done.stderr
    [call] = [json.loads(line) for line in (tmp_path / "calls").read_text(encoding="utf-8").splitlines()]
    assert call[0] == "ci"
    assert "--ignore-scripts" in call
    for name in ("package.json", "package-lock.json"):
        assert (place / name).read_bytes() == (ROOT / "tests/smoke" / name).read_bytes()


def test_every_package_of_the_lock_file_comes_from_npms_registry_and_is_held_to_its_hash():
    locked = json.loads((ROOT / "tests/smoke/package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((ROOT / "tests/smoke/package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["optionalDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    for name, package in locked.items():
        if name:
            assert package["resolved"].startswith("https://registry.npmjs.org/"), name
            assert package["integrity"].startswith("sha512-"), name
