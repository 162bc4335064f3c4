"""What the commands that pull have in common: whose account, the pull itself with its bar, and what is said of it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from talkscope.cli.group import Surroundings
from talkscope.errors import Json, NotSupported, TalkscopeError
from talkscope.jobs.pull import AT_ONCE, MOST_AT_ONCE, asking, pull
from talkscope.models.text import clean, so_many
from talkscope.settings import AccountSettings, PlatformSettings, needed_key
from talkscope.settings.platforms import chosen

if TYPE_CHECKING:
    from talkscope.client import AsyncClient
    from talkscope.flow import AnyCall
    from talkscope.jobs.pull import Journal, Plan, Progress, Pulled
    from talkscope.settings import Settings


PLATFORMS = tuple(name.replace("_", "-") for name in asking.PLATFORMS)
"""The platforms that can be pulled from, as commands name them."""


class PlatformWord(click.Choice[str]):
    """A platform, in kebab or snake case; its name in snake case is what a command gets."""

    def __init__(self) -> None:
        super().__init__(PLATFORMS)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The platform's name. Raises UnknownName with the nearest."""
        return asking.platform_of(str(value))


def account_of(settings: Settings, platform: str, source: str | None) -> PlatformSettings:
    """The platform's account of that name, or the only one, Convai's included.

    Raises NotSupported where there is none, SourceNotChosen, UnknownName, or AuthenticationError without a key.
    """
    found = _convai(settings, source) if platform == "convai" else settings.platform(platform, source)
    needed_key(found)
    return found


def _convai(settings: Settings, source: str | None) -> PlatformSettings:
    accounts = [
        PlatformSettings(each.name, "convai", each.url, each.key, each.key_from)
        for each in settings.sources
        if isinstance(each, AccountSettings) and each.kind == "convai"
    ]
    if not accounts:
        raise NotSupported("No convai account is configured.", hint="Set CONVAI_API_KEY.")
    return chosen(accounts, "convai", source)


def project_of(account: PlatformSettings) -> str:
    """The project that calls of Studio Chat are about; empty where none is set, or the platform has none."""
    return account.also.get("project_id", "")


def what_of(account: PlatformSettings) -> dict[str, Json]:
    """Which account it is, without its key."""
    return {"platform": account.platform, "source": account.name, "url": account.url}


def account_options() -> list[click.Parameter]:
    """The option that says whose account is asked."""
    return [click.Option(["--source"], metavar="NAME", help="Which configured account of the platform is asked.")]


def paging_options() -> list[click.Parameter]:
    """The options of a pull."""
    return [
        click.Option(
            ["--concurrency"],
            type=click.IntRange(1, MOST_AT_ONCE),
            default=AT_ONCE,
            show_default=True,
            help="At most so many requests at once; the platform's limits are kept besides.",
        ),
        click.Option(
            ["--restart"], is_flag=True, help="Begin anew, where an interrupted run would go on from what it has."
        ),
    ]


@asynccontextmanager
async def reached(around: Surroundings, settings: Settings, account: PlatformSettings) -> AsyncIterator[AsyncClient]:
    """A client of the account that takes the time which a pull takes."""
    from talkscope.wiring import PATIENT

    async with around.app(settings) as app:
        if account.platform != "convai":
            yield app.async_platform(account.platform, account.name, policy=PATIENT)
            return
        from talkscope.client import AsyncClient
        from talkscope.platforms.convai import KEY_HEADER

        async with AsyncClient(account.url, key=account.key, key_header=KEY_HEADER, policy=PATIENT) as client:
            yield client


def pulled(
    around: Surroundings,
    settings: Settings,
    account: PlatformSettings,
    plan: Plan,
    journal: Journal,
    *,
    at_once: int,
) -> Pulled:
    """Pull everything into the journal, with a bar where a person sees it."""

    async def go(tell: Callable[[Progress], object]) -> Pulled:
        async with reached(around, settings, account) as client:
            return await pull(plan, client, journal, at_once=at_once, tell=tell)

    if len(journal):
        say([f"Going on with what began on {journal.begun}: {so_many(len(journal), 'part')} there already."])
    with bar() as tell:
        return anyio.run(go, tell)


@contextmanager
def lasting(journal: Journal) -> Iterator[None]:
    """Say on Ctrl-C and errors how to go on with what the journal holds."""
    try:
        yield
    except (KeyboardInterrupt, TalkscopeError, OSError):
        if len(journal):
            say([f"Kept: {so_many(len(journal), 'part')} in {journal.folder}. The same command goes on from there."])
        raise


def say(lines: Sequence[str]) -> None:
    """Tell a person, on stderr: stdout is for the answer."""
    for line in lines:
        click.echo(clean(line, 2_000), err=True)


def note(around: Surroundings, account: PlatformSettings, call: AnyCall, answer: object = None) -> None:
    """Say what the platform's figures are worth, on stderr."""
    if account.platform == "convai":
        return
    from talkscope.platforms import platform

    notes = platform(account.platform).notes(call, answer, account.key, around.now())
    say([f"Note: {each}" for each in notes])


def worth(around: Surroundings, account: PlatformSettings) -> None:
    """Say what all figures of the account are worth, on stderr: those of a sample token are dummies."""
    if account.platform != "convai":
        from talkscope.platforms import platform

        note(around, account, platform(account.platform).probes(account.also)[0])


def beside(output: Path) -> Path:
    """The folder of an output's journal."""
    return output.with_name(f"{output.name}.part")


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """The NAME=VALUE words as pairs; one that is none is refused."""
    told = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--param {clean(word, 60)!r} is not NAME=VALUE.")
        told.append((name.strip(), value))
    return told


def call_names(platform: str) -> str:
    """The calls of a platform, as they are named here."""
    return ", ".join(name.replace("_", "-") for name in asking.calls(platform))


def call_lines(platform: str) -> list[str]:
    """The calls of a platform: what each is for, and its parameters, a star at those it needs."""
    lines = []
    for name, make in asking.calls(platform).items():
        says = next(iter((make.__doc__ or "").strip().splitlines()), "").rstrip(".")
        lines.append(f"{name.replace('_', '-')}  {says}".rstrip())
        takes = {each: needed for each, needed in asking.words_of(platform, name).items() if each != "project_id"}
        if takes:
            lines.append(f"    {' '.join(f'{each}*' if needed else each for each, needed in takes.items())}")
    return lines


@contextmanager
def bar(doing: str = "Fetching") -> Iterator[Callable[[Progress], object]]:
    """A bar on stderr where a person sees it, else nothing."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    words = TextColumn("{task.description}", markup=False)
    with Bars(words, BarColumn(), TaskProgressColumn(), console=console, transient=True) as bars:
        task = bars.add_task(doing, total=None)

        def tell(at: Progress) -> None:
            bars.update(task, description=f"{doing}: {at.items:,}", total=at.known, completed=at.done)

        yield tell
