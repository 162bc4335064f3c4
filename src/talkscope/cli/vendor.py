"""Every question to a platform as a command: `talkscope studio overview` asks what the tool `studio_overview` asks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import anyio
import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.meanings import optioned, spoken
from talkscope.cli.show import Page, placed
from talkscope.cli.words import options, page_options, words
from talkscope.models.answers import Answer
from talkscope.models.text import clean
from talkscope.tools import TOOLSETS, toolset
from talkscope.tools.vendor import VendorTool

_PLATFORMS: Mapping[str, str] = {word: platform for platform, word in TOOLSETS.items()}
"""By command, which is how the tools' names begin: the platform."""

_POSITIONAL: Mapping[str, str] = {"studio_conversation": "ids", "calls_detail": "call_id", "studio_analyze": "ids"}


class _Questions(click.Group):
    """The questions to one platform."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            no_args_is_help=True,
            help=f"{COMMANDS[name].says}.\n\nWhat is about people is hidden unless TALKSCOPE_REVEAL_PERSONAL_DATA=1;"
            " `talkscope fetch` and `talkscope export` give everything as it is.",
            short_help=COMMANDS[name].says,
        )
        self._tools = {_word(name, tool): tool for tool in toolset(_PLATFORMS[name])}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The questions, in the order of the tools."""
        return list(self._tools)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command that asks that question."""
        tool = self._tools.get(cmd_name)
        return None if tool is None else _question(cmd_name, tool)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The question that the arguments begin with; one that there is not is refused with the nearest."""
        word = args[0].replace("_", "-")
        if word not in self._tools and not word.startswith("-"):
            close = difflib.get_close_matches(word, self._tools, n=1, cutoff=0.5)
            known = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(self._tools)}."
            raise click.UsageError(f"There is no question {clean(word, 60)!r}. {known}", ctx)
        args = [word, *args[1:]]
        return super().resolve_command(ctx, args)


def command(name: str) -> click.Command:
    """The command of a platform, with its questions."""
    return _Questions(name)


def _word(name: str, tool: VendorTool) -> str:
    return tool.name.removeprefix(f"{name}_").replace("_", "-")


def _question(name: str, tool: VendorTool) -> click.Command:
    def callback(**given: object) -> None:
        page = Page.taken(given)
        if page.output is not None:
            placed(page.output)
        source = given.pop("source")
        asked = {**words(tool.params, given), **({} if source is None else {"source": source})}
        page.give(_answer(surroundings(click.get_current_context()), tool, asked))

    says, others = _says(tool), toolset(tool.platform)
    commands = {each.name: f"`talkscope {each.name.replace('_', ' ', 1).replace('_', '-')}`" for each in others}
    return click.Command(
        name,
        callback=callback,
        params=[
            *options(tool.params, positional=_POSITIONAL.get(tool.name), says=spoken(says)),
            click.Option(["--source"], metavar="NAME", help="Which configured account is asked."),
            *page_options(),
        ],
        help=optioned(tool.description, says, commands),
        short_help=tool.title,
    )


def _says(tool: VendorTool) -> dict[str, str]:
    """What each word means, as the tool says it."""
    properties = tool.input_schema()["properties"]
    assert isinstance(properties, dict)
    return {name: str(each.get("description", "")) for name, each in properties.items() if isinstance(each, dict)}


def _answer(around: Surroundings, tool: VendorTool, asked: Mapping[str, object]) -> Answer:
    settings = around.settings()
    tool.permit(allowed=settings.allow_side_effects)

    async def ask() -> Answer:
        async with around.app(settings) as app:
            return await tool.ask(app, asked, reveal=settings.reveal_personal_data)

    return anyio.run(ask)
