"""`talkscope watch`: a source as it is now, refreshed as often as its vendor recommends, until Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

import anyio
import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, surroundings, told
from talkscope.cli.show import as_json, on_terminal
from talkscope.errors import Json, TalkscopeError, unknown
from talkscope.models.answers import Answer
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.agent_studio import REFRESH, calls_stream
from talkscope.settings import PLATFORMS, SourceSettings
from talkscope.tools import find
from talkscope.tools.vendor import VendorTool

if TYPE_CHECKING:
    from talkscope.settings import PlatformSettings, Settings
    from talkscope.wiring import App

_AGAIN = 2.0
_LONGEST_PAUSE = 60.0

Live: TypeAlias = Callable[[Callable[[str, Json], None]], Awaitable[None]]
"""A stream of events: it tells each by its name and data, until it ends."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One thing to look at: what it is called, how it is asked, and how many seconds it is good for."""

    title: str
    ask: Callable[[], Awaitable[Answer]]
    every: float


@dataclass(slots=True)
class Board:
    """Everything that is looked at; `live` listens to the source's own stream, where it has one."""

    name: str
    panels: Sequence[Panel]
    live: Live | None = None


class Seen(Protocol):
    """Who is told what there is to see."""

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None:
        """A panel's new answer, or why there is none."""

    def event(self, name: str, data: Json) -> None:
        """An event of the source's stream."""


def command(name: str) -> click.Command:
    """The command `watch`."""
    return click.Command(
        name,
        callback=_watch,
        params=[
            click.Argument(["source"], required=False, metavar="[SOURCE]"),
            click.Option(["--once"], is_flag=True, help="Look once, and end."),
        ],
        help="Show a source as it is now: active calls, volume, errors. Refreshed as often as the vendor recommends,"
        " and as events come where it has a stream; Ctrl-C ends it. In a pipe, a line of JSON for each refresh.\n\n"
        "SOURCE is the name of a configured account or warehouse, or a platform.\n\n"
        "\b\nExample:\n  talkscope watch agent_studio",
        short_help=COMMANDS[name].says,
    )


def _watch(source: str | None, once: bool) -> None:
    around = surroundings(click.get_current_context())
    settings = around.settings()
    anyio.run(_look, around, settings, source, once)


async def _look(around: Surroundings, settings: Settings, source: str | None, once: bool) -> None:
    async with around.app(settings) as app:
        board = board_of(app, settings, source)
        seen: AbstractContextManager[Seen] = (
            _screen(board, around.now, once=once) if on_terminal() else _lines(around.now)
        )
        with seen as shown:
            await watching(board, shown, once=once)


async def watching(
    board: Board, seen: Seen, *, once: bool = False, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
) -> None:
    """Ask every panel again when its answer is no longer good, and listen, for ever; or once.

    Raises OSError when nobody can be told, and, asked once, a panel's error where none has an answer.
    """
    failed: dict[str, TalkscopeError] = {}

    async def look(panel: Panel) -> None:
        while True:
            try:
                answer: Answer | TalkscopeError = await panel.ask()
            except TalkscopeError as error:
                answer = failed[panel.title] = error
            seen.panel(panel.title, answer)
            if once:
                return
            await sleep(panel.every)

    try:
        async with anyio.create_task_group() as group:
            for panel in board.panels:
                group.start_soon(look, panel)
            if board.live is not None and not once:
                group.start_soon(_listen, board.live, seen, sleep)
    except ExceptionGroup as errors:
        # Whatever stops one of them, such as a pipe that nobody reads, stops all.
        raise errors.exceptions[0] from None
    if once and len(failed) == len(board.panels):
        raise next(iter(failed.values()))


async def _listen(live: Live, seen: Seen, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Tell what the stream tells; when it ends or cannot be reached, begin again a while later."""
    pause = _AGAIN
    while True:
        heard = False

        def hear(name: str, data: Json) -> None:
            nonlocal heard
            heard = True
            seen.event(name, data)

        try:
            await live(hear)
            seen.event("ended", None)
        except TalkscopeError as error:
            seen.event("unreachable", told(error))
        pause = _AGAIN if heard else min(_LONGEST_PAUSE, pause * 2)
        await sleep(pause)


def board_of(app: App, settings: Settings, source: str | None) -> Board:
    """What is looked at of a source. Raises UnknownName, SourceNotChosen or NotSupported."""
    wanted = source or settings.default_source
    account = _account(settings, wanted)
    if account is not None:
        return _platform(app, settings, account)
    names = [each.name for each in settings.sources]
    if wanted is not None and wanted not in names:
        raise unknown("source", wanted, [*names, *(each.name for each in settings.platforms)])
    place = settings.source(wanted)

    def asking(question: str, words: Mapping[str, object]) -> Callable[[], Awaitable[Answer]]:
        async def ask() -> Answer:
            return await app.async_client(place.name).ask(question, **words)

        return ask

    looks = _SOURCE if place.kind != "convai" else _SOURCE[:1]
    return Board(place.name, [Panel(title, asking(name, words), every) for title, name, words, every in looks])


def _account(settings: Settings, wanted: str | None) -> PlatformSettings | None:
    """The account that is meant, by its name or by its platform's; without a word, the only one beside a warehouse."""
    if wanted is None:
        alone = len(settings.platforms) == 1 and len(settings.sources) == 1
        return settings.platforms[0] if alone and isinstance(settings.sources[0], SourceSettings) else None
    named = next((each for each in settings.platforms if each.name == wanted), None)
    word = wanted.replace("-", "_")
    if named is None and word in PLATFORMS and wanted not in {each.name for each in settings.sources}:
        return settings.platform(word)
    return named


Looks: TypeAlias = tuple[tuple[str, str, Mapping[str, object], float], ...]
_SOURCE: Looks = (
    ("Last hour", "summary", {"range": "last_1h"}, 30.0),
    ("Active sessions", "concurrency", {"range": "last_15m"}, 30.0),
    ("Newest errors", "errors", {"range": "last_1h", "limit": 10}, 30.0),
)
"""Of a warehouse: title, question, words and seconds; an account of Convai is asked for the first one only."""
_LOOKS: Mapping[str, Looks] = {
    "agent_studio": (
        ("Last hour", "calls_summary", {"range": "last_1h"}, REFRESH["/analytics/summary"]),
        ("Calls by hour", "calls_volume", {"range": "last_24h"}, REFRESH["/analytics/call-volume"]),
        ("Newest errors", "calls_errors", {"range": "last_1h", "limit": 10}, REFRESH["/analytics/errors"]),
        (
            "Providers",
            "calls_breakdown",
            {"range": "last_1h", "by": "provider"},
            REFRESH["/analytics/provider-latency"],
        ),
    ),
    "general_bots": (("Now", "bots_realtime", {}, 30.0),),
    "mavenoid": (
        ("Conversations, last 24 hours", "mavenoid_conversations", {"range": "last_24h"}, 60.0),
        ("Live support, last 24 hours", "mavenoid_support", {"range": "last_24h"}, 60.0),
    ),
    "studio_chat": (("Today", "studio_overview", {"range": "today"}, 60.0),),
}
"""By platform: title, tool, words, and the seconds after which the vendor recommends to ask again, or ours."""


def _platform(app: App, settings: Settings, account: PlatformSettings) -> Board:
    def asking(name: str, words: Mapping[str, object]) -> Callable[[], Awaitable[Answer]]:
        tool = find(name)
        assert isinstance(tool, VendorTool)
        several = len(app.accounts(account.platform)) > 1
        asked = {**words, **({"source": account.name} if several else {})}

        async def ask() -> Answer:
            return await tool.ask(app, asked, reveal=settings.reveal_personal_data)

        return ask

    panels = [Panel(title, asking(name, words), every) for title, name, words, every in _LOOKS[account.platform]]
    live = _listening(app, account) if account.platform == "agent_studio" else None
    return Board(account.name, panels, live)


def _listening(app: App, account: PlatformSettings) -> Live:
    stream = calls_stream()

    async def live(hear: Callable[[str, Json], None]) -> None:
        client = app.async_platform(account.platform, account.name)
        async for each in client.listen(stream.path):
            event = stream.read(each.name, each.data)
            hear(event.name, event.data)

    return live


def _screen(board: Board, now: Callable[[], datetime], *, once: bool) -> AbstractContextManager[Seen]:
    from talkscope.cli.screen import Screen

    return Screen(
        board.name, [panel.title for panel in board.panels], now, stream=board.live is not None and not once, stays=once
    )


def _lines(now: Callable[[], datetime]) -> AbstractContextManager[Seen]:
    return nullcontext(_Lines(now))


@dataclass(slots=True)
class _Lines:
    """A line of JSON for each thing there is to see."""

    now: Callable[[], datetime]

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None:
        told = {"error": answer.to_json()} if isinstance(answer, TalkscopeError) else answer.model_dump(mode="json")
        self._write({"at": iso(micros(self.now())), "panel": title, **told})

    def event(self, name: str, data: Json) -> None:
        self._write({"at": iso(micros(self.now())), "event": name, "data": data})

    def _write(self, value: object) -> None:
        click.echo(as_json(value, pretty=False).encode(), nl=False)
        sys.stdout.flush()
