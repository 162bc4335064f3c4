"""Questions to platforms as commands, and a source watched, over servers that keep the vendors' contracts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import click
import pytest

import talkscope
from talkscope import settings, tools
from talkscope.cli import watch
from talkscope.cli.group import group
from talkscope.cli.screen import Screen
from talkscope.errors import Json, TalkscopeError, error_for
from talkscope.models.answers import Answer, Cell, Meta
from talkscope.tools.vendor import VendorTool
from tests.cli.running import here
from tests.vendors import agent_studio, mavenoid, studio_chat
from tests.vendors.agent_studio_live import Feed
from tests.vendors.agent_studio_world import make_tenant
from tests.vendors.mavenoid_world import make_world
from tests.vendors.serving import served
from tests.vendors.studio_chat.asking import PROJECT

NOW = datetime.now(UTC)
MAVENOID = make_world(NOW, conversations=30)
FEED = Feed()


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, str]]:
    """The settings of three accounts."""
    with ExitStack() as stack:
        yield {
            "STUDIO_API_TOKEN": studio_chat.KEY,
            "STUDIO_PROJECT_ID": PROJECT.id,
            "STUDIO_API_URL": stack.enter_context(served(studio_chat.server(conversations=12))),
            "MAVENOID_API_TOKEN": mavenoid.TOKEN,
            "MAVENOID_API_URL": stack.enter_context(served(mavenoid.mavenoid(MAVENOID))),
            "AGENT_STUDIO_API_KEY": agent_studio.KEY,
            "AGENT_STUDIO_URL": stack.enter_context(
                served(agent_studio.agent_studio(make_tenant(NOW), feed=FEED, most=10_000))
            ),
        }


def asked(home: Path, accounts: dict[str, str], *words: str) -> Any:
    done = here(*words, home=home, **accounts)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_question_to_a_platform_is_a_command_and_answers_like_any_other(
    tmp_path: Path, accounts: dict[str, str]
) -> None:
    told = asked(tmp_path, accounts, "mavenoid", "conversations", "--days", "30")
    assert told["meta"]["source"] == "mavenoid"
    assert told["meta"]["n"] == sum((NOW - one.at).days < 30 for one in MAVENOID.conversations)
    same = asked(tmp_path, accounts, "mavenoid_conversations", "--days", "30")
    assert same["rows"] == told["rows"]


def test_ids_are_given_without_a_name_and_several_at_once(tmp_path: Path, accounts: dict[str, str]) -> None:
    window = ("--start-time", "2026-01-01", "--limit", "2")
    listed = asked(tmp_path, accounts, "studio", "conversations", *window)
    first, second = (row[listed["columns"].index("conversation_id")] for row in listed["rows"])
    told = asked(tmp_path, accounts, "studio", "conversation", first, second, "--show", "facts")
    assert {row[0] for row in told["rows"]} >= {first, second} or {first, second} <= {
        cell for row in told["rows"] for cell in row
    }


def test_a_misspelt_question_names_the_nearest(tmp_path: Path, accounts: dict[str, str]) -> None:
    done = here("studio", "overvew", home=tmp_path, **accounts)
    assert (done.returncode, "Did you mean 'overview'" in done.stderr) == (2, True)


def test_a_platform_that_is_not_configured_says_what_to_set(tmp_path: Path) -> None:
    done = here("calls", "summary", home=tmp_path)
    assert (done.returncode, "AGENT_STUDIO_API_KEY" in done.stderr) == (1, True)


def test_what_changes_something_is_off_unless_it_is_allowed(tmp_path: Path, accounts: dict[str, str]) -> None:
    done = here("studio", "topics-start", home=tmp_path, **accounts)
    assert (done.returncode, "TALKSCOPE_ALLOW_SIDE_EFFECTS" in done.stderr) == (1, True)


def command_of(tool: VendorTool) -> click.Command:
    """The command that a platform's tool is."""
    context = click.Context(group, info_name="talkscope")
    of, _, question = tool.name.partition("_")
    above = group.get_command(context, of)
    assert isinstance(above, click.Group)
    command = above.get_command(context, question.replace("_", "-"))
    assert command is not None
    return command


@pytest.mark.parametrize("platform", tools.TOOLSETS)
def test_every_tool_of_a_platform_is_a_command_with_its_words(platform: str) -> None:
    for tool in tools.toolset(platform):
        command = command_of(tool)
        taken = {parameter.name for parameter in command.params}
        properties = tool.input_schema()["properties"]
        assert isinstance(properties, dict)
        assert set(properties) <= taken


def test_a_source_is_looked_at_once_and_told_in_lines(tmp_path: Path, accounts: dict[str, str]) -> None:
    done = here("watch", "agent-studio", "--once", home=tmp_path, **accounts)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["panel"] for line in lines} == {"Last hour", "Calls by hour", "Newest errors", "Providers"}
    assert all(line["columns"] for line in lines)


class Shown:
    """What there was to see, until there was enough of it."""

    def __init__(self, enough: int) -> None:
        self.panels: list[str] = []
        self.events: list[str] = []
        self.enough, self.over = enough, anyio.Event()

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None:
        self.panels.append(title)

    def event(self, name: str, data: Json) -> None:
        self.events.append(name)
        if len(self.events) >= self.enough:
            self.over.set()


def test_a_source_with_a_stream_is_listened_to_and_listened_to_again_when_it_ends(
    tmp_path: Path, accounts: dict[str, str]
) -> None:
    FEED.push("calls_update", {"calls": []})
    FEED.end()
    told = settings.read({**accounts, "TALKSCOPE_WAREHOUSE": str(tmp_path)})
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await anyio.sleep(0 if seconds <= 2 else 3_600)

    async def look() -> Shown:
        async with talkscope.App(told) as app:
            seen = Shown(enough=10)
            async with anyio.create_task_group() as group:
                board = watch.board_of(app, told, "agent_studio")

                async def run() -> None:
                    await watch.watching(board, seen, sleep=nap)

                group.start_soon(run)
                await seen.over.wait()
                group.cancel_scope.cancel()
            return seen

    seen = anyio.run(look)
    assert seen.events[:5] == ["connected", "active_count", "calls_update", "calls_update", "ended"]
    assert seen.events[5] == "connected"
    assert {30.0, 60.0} <= set(naps)


def test_a_warehouse_is_watched_by_its_newest_figures(tmp_path: Path) -> None:
    done = here("watch", "--once", home=tmp_path, TALKSCOPE_WAREHOUSE=str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["panel"] for line in lines} == {"Last hour", "Active sessions", "Newest errors"}


def test_a_platform_of_several_accounts_or_of_none_is_not_watched_by_guess(
    tmp_path: Path, accounts: dict[str, str]
) -> None:
    done = here("watch", "mavenoid", "--once", home=tmp_path)
    assert done.returncode == 1
    assert "Set MAVENOID_API_TOKEN" in done.stderr
    config = tmp_path / "config.toml"
    config.write_text("".join(f'[sources.{name}]\nplatform = "mavenoid"\n' for name in ("americas", "europe")))
    several = {**accounts, "TALKSCOPE_CONFIG": str(config), "TALKSCOPE_WAREHOUSE": str(tmp_path / "none")}
    done = here("watch", "mavenoid", "--once", home=tmp_path, **several)
    assert done.returncode == 1
    assert "Name one of" in done.stderr


def facts(rows: list[list[Cell]], columns: list[str], *notes: str) -> Answer:
    return Answer(columns=columns, rows=rows, meta=Meta(source="s", n=len(rows), notes=list(notes)))


def test_every_panel_of_a_watched_source_has_room_on_a_small_terminal() -> None:
    shown = Screen("calls", ["Now", "By hour", "Errors", "Rest"], lambda: NOW, stream=True)
    shown.panel("Now", facts([["calls", 12.0], ["rate", None]], ["measure", "value"], "Dummy data."))
    shown.panel("By hour", facts([[f"{hour:02}:00", hour] for hour in range(24)], ["bucket", "calls"]))
    shown.panel("Errors", facts([["llm", f"error {n}", None] for n in range(40)], ["service", "message", "agent"]))
    shown.panel("Rest", error_for(401, "unauthorized", "The key is unknown.", hint="Set it again."))
    shown.event("active_count", {"count": 3})
    lines = shown.lines(60, 24)
    assert len(lines) == 24
    assert all(len(line) <= 60 for line in lines[1:])
    assert [line.split()[1] for line in lines if line.startswith("──")] == ["Now", "By", "Errors", "Rest", "Live"]
    assert lines[2] == "calls 12 · rate –"
    assert lines[4:6] == [
        "00:00 to 23:00",
        f"calls  {'▁' * 4}{'▂' * 3}{'▃' * 3}{'▄' * 4}{'▅' * 3}{'▆' * 3}{'▇' * 3}█  now 23, most 23",
    ]
    assert [line.split() for line in lines[7:9]] == [["service", "message"], ["llm", "error", "0"]]
    assert lines[17] == "… 31 more"
    assert "Set it again." in " ".join(lines)
    assert "active_count" in lines[-2]
    assert lines[-1] == "Note: Dummy data."


@pytest.mark.parametrize("platform", tools.TOOLSETS)
def test_the_help_of_a_question_to_a_platform_is_in_a_shells_words(platform: str) -> None:
    names = {tool.name for tool in tools.toolset(platform)}
    for tool in tools.toolset(platform):
        command = command_of(tool)
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert all(each.help for each in options), tool.name
        words = {str(each.name) for each in options}
        for text in (str(command.help), *(str(each.help) for each in options)):
            assert not words & set(re.findall(r"\b(\w+)=", text)), text
            assert not {word for word in words if "_" in word} & set(re.findall(r"\w+", text)), text
            assert not names & set(re.findall(r"\w+", text)), text


def test_the_options_of_a_platforms_question_say_what_they_are_and_their_defaults(tmp_path: Path) -> None:
    told = " ".join(here("calls", "breakdown", "--help", home=tmp_path).stdout.split())
    assert "Start of the window, ISO 8601, instead of --range." in told
    assert "IANA zone in which days are days and naive times are. [default: UTC]" in told
    assert "At most so many workflows. [default: 10] [1<=x<=50]" in told
    told = " ".join(here("studio", "evals", "--help", home=tmp_path).stdout.split())
    assert "For --show run." in told
