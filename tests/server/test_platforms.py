"""Platforms over the real server: `talkscope mcp` on pipes, and the vendors' servers on sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from talkscope import tools
from talkscope.server.app import build
from talkscope.server.calls import ERROR, INSTRUCTIONS
from talkscope.server.opening import Opening
from talkscope.settings import PlatformSettings, Settings
from tests.server.wire import Wire, enveloped, text
from tests.tools.vendor_questions import by_platform
from tests.vendors import general_bots, studio_chat
from tests.vendors.agent_studio import KEY, LOCKED_KEY, agent_studio
from tests.vendors.agent_studio_world import make_tenant
from tests.vendors.engine import Reply, Vendor
from tests.vendors.mavenoid import TOKEN, make_world, mavenoid
from tests.vendors.serving import served
from tests.vendors.studio_chat.asking import EVERY
from tests.waiting import until

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)
TENANT = make_tenant(NOW, calls=60)
WORLD = make_world(NOW, conversations=60)
OTHER = make_world(NOW, seed=9, conversations=25)
ADMIN, GUEST = general_bots.token("admin", "Admin"), general_bots.token("guest")
STRANGER = "ma_stranger_0123456789abcdef"
KEYS = (studio_chat.KEY, KEY, LOCKED_KEY, TOKEN, STRANGER, ADMIN, GUEST)
QUESTIONS = by_platform(TENANT, wait_sec=0)
EVERYTHING = [tool for platform in tools.TOOLSETS for tool in tools.toolset(platform)]


class Hanging:
    """A vendor that says nothing, and knows when whoever asked has gone."""

    base = "/v1"

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.asked, self.left = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        while (await receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)
        self.left.set()


@dataclass
class Host:
    """A connection to the server; remembers all that came back."""

    wire: Wire
    modern: bool
    told: list[str] = field(default_factory=list)
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    validators: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A request's result."""
        answer = self.wire.request(method, enveloped(params) if self.modern else params)
        self.told.append(json.dumps(answer))
        result: dict[str, Any] = answer["result"]
        return result

    def call(self, tool: str, words: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's result."""
        return self.ask("tools/call", {"name": tool, "arguments": words})

    def tools(self) -> dict[str, dict[str, Any]]:
        """The tools that are listed, in their order."""
        self.listed = self.listed or {each["name"]: each for each in self.ask("tools/list")["tools"]}
        return self.listed

    def fits(self, tool: str, result: Mapping[str, Any]) -> None:
        """Hold a result against the schema that was listed."""
        if tool not in self.validators:
            self.validators[tool] = jsonschema.Draft202012Validator(self.tools()[tool]["outputSchema"])
        self.validators[tool].validate(result["structuredContent"])

    def error(self, tool: str, words: Mapping[str, Any]) -> dict[str, Any]:
        """The error that a tool gives, which its text says too, and which is no structured content."""
        result = self.call(tool, words)
        assert result["isError"], result
        assert "structuredContent" not in result
        error: dict[str, Any] = result["_meta"][ERROR]
        said = text({"result": result})
        assert said.startswith(error["type"])
        assert error["message"] in said
        assert error["hint"] in said
        return error


@dataclass
class Places:
    """The vendors' servers by account, and their addresses."""

    vendors: dict[str, Vendor]
    urls: dict[str, str]
    hanging: Hanging


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    vendors: dict[str, Vendor] = {
        "studio_chat": studio_chat.server(),
        "agent_studio": agent_studio(TENANT),
        "general_bots": general_bots.server("both"),
        "mavenoid": mavenoid(WORLD),
        "americas": mavenoid(OTHER),
        "busy": mavenoid(OTHER),
    }
    vendors["busy"].answer_with(
        "assistant_conversations", Reply(None, 429, {"retry-after": "3600"}, media=""), checked=False
    )  # fmt: skip
    hanging = Hanging()
    with ExitStack() as stack, socket.socket() as closed:
        urls = {name: stack.enter_context(served(vendor)) for name, vendor in vendors.items()}
        urls["hanging"] = stack.enter_context(served(hanging))
        # Bound and not listening: nobody else can have the port, and nobody answers.
        closed.bind(("127.0.0.1", 0))
        urls["down"] = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        yield Places(vendors, urls, hanging)


def _environment(place: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKSCOPE_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "TALKSCOPE_WAREHOUSE": str(place / "warehouse"),
        "TALKSCOPE_CONFIG": str(place / "config.toml"),
        **more,
    }


def _started(env: Mapping[str, str], *, modern: bool) -> Iterator[Host]:
    with Wire([sys.executable, "-m", "talkscope", "mcp"], env) as wire:
        yield Host(wire, modern)
        assert wire.close() == 0
        assert not any(key in wire.stderr for key in KEYS)


@pytest.fixture(scope="module")
def one(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One account of each platform by the environment, in the era of the handshake, as it is without further words."""
    place = tmp_path_factory.mktemp("one")
    (place / "config.toml").touch()
    yield from _started(
        _environment(
            place,
            STUDIO_API_TOKEN=studio_chat.KEY, STUDIO_PROJECT_ID=studio_chat.MAIN,
            STUDIO_API_URL=places.urls["studio_chat"],
            AGENT_STUDIO_API_KEY=KEY, AGENT_STUDIO_URL=places.urls["agent_studio"],
            GENERAL_BOTS_TOKEN=ADMIN, GENERAL_BOTS_URL=places.urls["general_bots"],
            MAVENOID_API_TOKEN=TOKEN, MAVENOID_API_URL=places.urls["mavenoid"],
        ),
        modern=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def many(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Several accounts of three platforms by the file, and one of Studio Chat, in the era without a handshake.

    Personal data are shown, and what changes something is allowed.
    """
    accounts = {
        "europe": ("mavenoid", "mavenoid", TOKEN), "americas": ("mavenoid", "americas", TOKEN),
        "down": ("mavenoid", "down", TOKEN), "busy": ("mavenoid", "busy", TOKEN),
        "stranger": ("mavenoid", "mavenoid", STRANGER), "hanging": ("mavenoid", "hanging", TOKEN),
        "calls": ("agent_studio", "agent_studio", KEY), "locked": ("agent_studio", "agent_studio", LOCKED_KEY),
        "bots": ("general_bots", "general_bots", ADMIN), "guest": ("general_bots", "general_bots", GUEST),
        "studio": ("studio_chat", "studio_chat", studio_chat.KEY),
    }  # fmt: skip
    place = tmp_path_factory.mktemp("many")
    tables = [
        f'[sources.{name}]\nplatform = "{platform}"\nurl = "{places.urls[vendor]}"\nkey_env = "KEY_{name}"\n'
        for name, (platform, vendor, _) in accounts.items()
    ]
    (place / "config.toml").write_text("\n".join(tables), encoding="utf-8")
    kept = {f"KEY_{name}": key for name, (_, _, key) in accounts.items()}
    allowed = {"TALKSCOPE_ALLOW_SIDE_EFFECTS": "1", "TALKSCOPE_REVEAL_PERSONAL_DATA": "1"}
    project = {"STUDIO_PROJECT_ID": studio_chat.MAIN}
    yield from _started(_environment(place, **kept, **allowed, **project), modern=True)


@pytest.fixture(scope="module")
def shaken(one: Host) -> dict[str, Any]:
    """What the server says of itself."""
    told: dict[str, Any] = one.wire.handshake()["result"]
    return told


SOURCES = {"studio_chat": "studio", "agent_studio": "calls", "general_bots": "bots", "mavenoid": "europe"}
"""The accounts of `many` that answer well."""
CHANGING = {tool.name for tool in EVERYTHING if not tool.read_only}


# What is listed


@pytest.mark.usefixtures("shaken")
def test_the_twenty_come_first_and_then_each_platforms_in_a_fixed_order(one: Host, many: Host) -> None:
    core = [tool.name for tool in tools.TOOLS]
    assert [*one.tools()] == [*core, *(tool.name for tool in EVERYTHING if tool.read_only)]
    # The file names Mavenoid first, and allows what changes something.
    assert [*many.tools()] == [*core, *(tool.name for tool in EVERYTHING)]
    assert {"studio_analyze", "studio_topics_start", "bots_report_create"} == CHANGING


@pytest.mark.parametrize("platform", tools.TOOLSETS)
def test_nothing_is_listed_of_a_platform_without_an_account(platform: str) -> None:
    account = PlatformSettings(platform, platform, "http://127.0.0.1:9", SecretStr("k"))
    server = build(Opening(Settings(platforms=(account,))), settings=Settings())
    listed = [tool.name for tool in anyio.run(server.list_tools)]
    assert listed[len(tools.TOOLS) :] == [tool.name for tool in tools.toolset(platform) if tool.read_only]


@pytest.mark.usefixtures("shaken")
def test_a_tool_says_whether_it_only_reads_and_that_it_asks_a_world_outside(one: Host, many: Host) -> None:
    vendors = {tool.name for tool in EVERYTHING}
    for host in (one, many):
        for name, listed in host.tools().items():
            hints = listed["annotations"]
            assert hints["readOnlyHint"] is (name not in CHANGING), name
            assert hints["openWorldHint"] is (name in vendors), name
            assert hints["destructiveHint"] is False, name
            assert hints["idempotentHint"] is hints["readOnlyHint"], name


@pytest.mark.usefixtures("shaken")
def test_the_choice_of_an_account_is_a_word_only_where_there_are_several(one: Host, many: Host) -> None:
    assert not [name for name, each in one.tools().items() if "source" in each["inputSchema"]["properties"]]
    words = {name: each["inputSchema"]["properties"] for name, each in many.tools().items()}
    accounts = ["europe", "americas", "down", "busy", "stranger", "hanging"]
    assert words["mavenoid_support"]["source"]["enum"] == accounts
    assert words["calls_summary"]["source"]["enum"] == ["calls", "locked"]
    assert "source" not in words["studio_overview"].keys() | words["get_summary"].keys()


def test_the_platforms_are_named_after_what_is_said_everywhere(shaken: dict[str, Any]) -> None:
    said = shaken["instructions"]
    assert said[:512] == INSTRUCTIONS[:512]
    assert said.startswith(INSTRUCTIONS)
    names = ("Studio Chat", "Agent Studio", "General Bots", "Mavenoid")
    assert [name for name in names if name not in said] == []
    account = PlatformSettings("mavenoid", "mavenoid", "http://127.0.0.1:9", SecretStr("k"))
    fewer = build(Opening(Settings(platforms=(account,))), settings=Settings()).instructions or ""
    assert fewer.startswith(INSTRUCTIONS)
    assert [name for name in names if name in fewer] == ["Mavenoid"]


def test_a_platforms_tools_begin_with_the_word_that_the_server_says(shaken: dict[str, Any]) -> None:
    words = tools.TOOLSETS
    assert [tool.name for tool in EVERYTHING if not tool.name.startswith(f"{words[tool.platform]}_")] == []
    assert [word for word in words.values() if f" {word}_* (" not in shaken["instructions"]] == []


def test_nothing_that_only_answers_need_is_loaded_to_list_the_tools_of_four_platforms(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from talkscope.server import app, stdio\n"
        "found = []\n"
        "import anyio\n"
        "stdio.run = lambda server: found.extend(anyio.run(server.list_tools))\n"
        "app.main()\n"
        "heavy = ('altair', 'duckdb', 'httpx', 'talkscope.api', 'talkscope.cli', 'talkscope.client',"
        " 'talkscope.wiring')\n"
        "print(len(found), [name for name in heavy if name in sys.modules])"
    )
    keys = {
        "STUDIO_API_TOKEN": "sbs_1", "AGENT_STUDIO_API_KEY": "as_test_1", "GENERAL_BOTS_TOKEN": "g",
        "MAVENOID_API_TOKEN": "ma_1",
    }  # fmt: skip
    (tmp_path / "config.toml").touch()
    env = _environment(tmp_path, TALKSCOPE_ALLOW_SIDE_EFFECTS="1", **keys)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(tools.TOOLS) + len(EVERYTHING)} []\n"


# What is answered


def _personal() -> dict[str, set[str]]:
    """What customers wrote or gave, by platform: as long as that it can be told from other text."""
    said = {line for call in TENANT.calls for _, line in call.said}
    written = {message.content for each in EVERY for message in each.messages if message.role == "user"}
    remarks = {each.rating.remark for each in EVERY if each.rating and each.rating.remark}
    typed = {value for one in WORLD.conversations for value in _leaves(one.form) | {one.comment}}
    found = {"studio_chat": written | remarks, "agent_studio": said, "mavenoid": typed}
    return {name: {each for each in texts if len(each) > 12} for name, texts in found.items()}


def _leaves(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {leaf for part in parts for leaf in _leaves(part)}


def _answered(host: Host, platform: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The result of each tool's first and last question that the host lists, held against its schema."""
    listed = host.tools()
    first, last = dict(reversed(QUESTIONS[platform])), dict(QUESTIONS[platform])
    for name, words in QUESTIONS[platform]:
        if words not in (first[name], last[name]):
            continue
        several = "source" in listed.get(name, {"inputSchema": {"properties": {}}})["inputSchema"]["properties"]
        chosen = {"source": SOURCES[platform]} if several else {}
        if name in listed:
            result = host.call(name, {**words, **chosen})
            assert not result.get("isError"), (name, words, result)
            host.fits(name, result)
            yield name, result


def _whole(result: Mapping[str, Any]) -> None:
    """Hold the text against the structured content: the same rows under the same columns, and what is about them."""
    found, said = result["structuredContent"], text({"result": result})
    context, columns, *rows = said.split("\n")
    assert context.startswith(f"# source: {found['meta']['source']}; ")
    assert columns.split("\t") == found["columns"]
    assert len(rows) == len(found["rows"])
    for line, row in zip(rows, found["rows"], strict=True):
        for cell, shown in zip(row, line.split("\t"), strict=True):
            assert shown == ("" if cell is None else cell) if not isinstance(cell, int | float) else shown
    assert f"n: {found['meta']['n']}" in context
    assert all(note in context for note in found["meta"].get("notes", []))
    assert all(name in context for name in found.get("untrusted", []))


@pytest.mark.usefixtures("shaken")
@pytest.mark.parametrize("platform", tools.TOOLSETS)
def test_every_tool_answers_with_its_schema_and_hides_what_is_about_people(one: Host, platform: str) -> None:
    personal = _personal().get(platform, set())
    asked, filled = set(), set()
    for name, result in _answered(one, platform):
        _whole(result)
        asked.add(name)
        filled |= {name} if result["structuredContent"]["rows"] else set()
        told = text({"result": result})
        assert [each for each in personal if each in told] == [], name
    assert asked == {tool.name for tool in tools.toolset(platform) if tool.read_only}
    # There is no analysis of topics before somebody asks for one, and no report.
    assert filled == asked - {"studio_topics", "bots_reports"}


@pytest.mark.parametrize("platform", SOURCES)
def test_what_is_about_people_is_shown_and_what_changes_something_done_where_that_is_wanted(
    many: Host, platform: str
) -> None:
    told, asked = [], set()
    for name, result in _answered(many, platform):
        _whole(result)
        asked.add(name)
        assert result["structuredContent"]["meta"]["source"] == SOURCES[platform]
        told.append(text({"result": result}))
    assert asked == {tool.name for tool in tools.toolset(platform)}
    personal = _personal().get(platform)
    assert personal is None or any(each in "\n".join(told) for each in personal)


def test_two_accounts_are_told_apart(many: Host) -> None:
    rows = {}
    for source, world in (("europe", WORLD), ("americas", OTHER)):
        found = many.call("mavenoid_conversations", {"days": 120, "source": source})["structuredContent"]
        assert found["meta"]["source"] == source
        rows[source] = dict(zip((row[0] for row in found["rows"]), found["rows"], strict=True))["conversations"][1]
        assert rows[source] == len(world.last(120, world.conversations))
    assert rows["europe"] != rows["americas"]
    listed = many.tools()
    assert "source" in listed["mavenoid_conversations"]["inputSchema"]["required"]
    assert "source" not in listed["studio_overview"]["inputSchema"]["properties"]
    nobody = many.error("mavenoid_conversations", {"days": 120})
    assert nobody["type"] == "SourceNotChosen"
    assert "americas" in nobody["hint"]
    assert many.error("mavenoid_conversations", {"source": "america"})["details"]["nearest"] == "americas"


# What goes wrong


@pytest.mark.parametrize(
    ("tool", "source", "kind", "status", "hint"),
    [
        ("mavenoid_support", "down", "ConnectionFailed", None, "source's url"),
        ("mavenoid_support", "stranger", "AuthenticationError", 401, "which begin with ma_"),
        ("mavenoid_conversations", "busy", "RateLimited", 429, "wait for the next minute"),
        ("calls_summary", "locked", "PlanInsufficient", 403, "lacks the scope"),
        ("bots_usage", "guest", "PlanInsufficient", 403, "analytics_viewer"),
    ],
)
def test_a_vendor_that_refuses_is_an_error_that_says_what_to_do(
    many: Host, tool: str, source: str, kind: str, status: int | None, hint: str
) -> None:
    error = many.error(tool, {"source": source})
    assert error["type"] == kind
    assert hint in error["hint"]
    told = json.loads(many.told[-1])["result"]["content"][0]["text"]
    assert told.startswith(f"{kind} [{status}] " if status else f"{kind} ")
    if source == "guest":
        assert error["details"]["required_role"] == "analytics_viewer"


def test_a_vendor_that_says_nothing_is_left_at_the_deadline(places: Places) -> None:
    places.hanging.left.clear()

    async def ask() -> Any:
        account = PlatformSettings("slow", "mavenoid", places.urls["hanging"], SecretStr(TOKEN))
        opening = Opening(Settings(platforms=(account,), deadline=0.4))
        try:
            return await build(opening, settings=Settings()).call_tool("mavenoid_support", {})
        finally:
            await opening.aclose()

    result = anyio.run(ask)
    assert result.is_error
    assert result.structured_content is None
    assert result.meta[ERROR]["type"] == "DeadlineExceeded"
    assert result.meta[ERROR]["hint"] in result.content[0].text
    until(places.hanging.left.is_set, "the end of the request")


@pytest.mark.usefixtures("shaken")
def test_words_that_are_off_are_refused_before_anything_is_sent(one: Host, places: Places) -> None:
    for vendor in places.vendors.values():
        vendor.forget()
    assert one.error("mavenoid_support", {"dasy": 7})["type"] == "UnknownName"
    assert one.error("calls_summary", {"range": "last_7d", "start_time": "2026-04-01"})["type"] == "InvalidRange"
    assert one.error("bots_usage", {"group_by": "fortnight"})["type"] == "InvalidArgument"
    # What is not listed says how it could be.
    off = one.error("studio_analyze", {"ids": ["1"]})
    assert ("TALKSCOPE_ALLOW_SIDE_EFFECTS" in off["hint"], off["code"]) == (True, "side_effects_off")
    assert [name for name, vendor in places.vendors.items() if vendor.seen] == []


# What is given up


def test_a_call_that_is_cancelled_ends_its_request_at_the_vendor(many: Host, places: Places) -> None:
    hanging = places.hanging
    hanging.asked.clear()
    hanging.left.clear()
    asked = many.wire.begin(
        "tools/call", enveloped({"name": "mavenoid_support", "arguments": {"source": "hanging"}})
    )  # fmt: skip
    until(hanging.asked.is_set, "a request at the vendor")
    assert not hanging.left.is_set()
    many.wire.notify("notifications/cancelled", {"requestId": asked})
    until(hanging.left.is_set, "the end of the request")
    assert not many.call("mavenoid_support", {"source": "europe"}).get("isError")


# Secrets


@pytest.mark.usefixtures("shaken")
def test_no_key_comes_back(one: Host, many: Host) -> None:
    for host in (one, many):
        host.error("mavenoid_support", {"source": TOKEN})
        sources = SOURCES if host is many else {}
        chosen = {"source": sources["agent_studio"]} if sources else {}
        host.error("calls_detail", {"call_id": "nobody", **chosen})
        assert len(host.told) > 3
        # A key that was given as a word is the asker's own, and is told back cut or not at all.
        assert [each[:200] for each in host.told[:-2] if any(key in each for key in KEYS)] == []
        assert not any(key in host.wire.stderr for key in KEYS)
