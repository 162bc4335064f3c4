"""`talkscope chart KIND`: a question drawn, as a picture, a page or the Vega-Lite spec that both are made of."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from talkscope.charts import save
from talkscope.charts.drawing import Drawing, theme
from talkscope.cli import COMMANDS
from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.meanings import SAYS, WITHOUT, retold
from talkscope.cli.show import Page, as_json, placed
from talkscope.cli.words import OneOf, Place, kebab, options, source_options, words
from talkscope.contract import Question, understand
from talkscope.models import files
from talkscope.models.answers import Answer
from talkscope.models.safe import whole
from talkscope.models.text import clean, so_many
from talkscope.tools import RECORD_TOOLS, TOOLS
from talkscope.tools.chart import Chart

if TYPE_CHECKING:
    from talkscope.client import AsyncClient

A = TypeVar("A", bound=Answer)

KINDS: Mapping[str, Chart] = {tool.kind: tool for tool in (*TOOLS, *RECORD_TOOLS) if isinstance(tool, Chart)}
ALIASES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "waterfall": ("interaction", {}),
    "p95-over-time": ("timeseries", {"measures": ["p95"]}),
    "component-breakdown": ("breakdown", {"measures": ["p95"], "group_by": ["processor"]}),
    "session-timeline": ("session", {}),
}
"""The Convai command line's names: the kind that each is, and the words that it sets where they are not given."""
_EXAMPLES: Mapping[str, str] = {
    "timeseries": "--measure sessions,interactions --granularity day --range last_30d -o usage.png",
    "latency": "--range last_7d --threshold-ms 3000 -o latency.svg",
    "breakdown": "--measure p95 --group-by provider --processor llm -o providers.png",
    "reliability": "--range last_30d -o reliability.html",
    "interaction": "INTERACTION_ID -o turn.png",
    "session": "SESSION_ID -o session.html",
    "sessions": "--range last_7d -o sessions.png",
    "concurrency": "--range today --timezone Europe/Berlin -o concurrency.pdf",
    "outcomes": "--group-by tag --range last_30d -o outcomes.png",
    "live_support": "--group-by agent --range last_7d -o agents.png",
    "resources": "--kind api_tool --range last_7d -o tools.png",
    "errors": "--range last_7d -o errors.png",
}
_SAYS: Mapping[str, Mapping[str, str]] = {
    "latency": {
        "kind": "Lines in a band, or a heatmap of days and hours.",
        "threshold_ms": "A line at so many milliseconds, and how often it was passed.",
    },
    "live_support": {"group_by": SAYS["support"]["group_by"], "measure": "What is drawn; without it the three times."},
    **{kind: SAYS[kind] for kind in ("outcomes", "resources")},
    "errors": {name: SAYS["errors"][name] for name in ("service", "level", "search")},
}
_FORMS = (".png", ".svg", ".pdf", ".html", ".json")
_FLAGS = frozenset({"--pretty"})
_ID = "_id"
_NAMED = "named"


class Kinds(click.Group):
    """The kinds of chart as commands, each made when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The kinds, without their other names."""
        return [kind.replace("_", "-") for kind in KINDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command that draws that kind."""
        kind, preset = ALIASES.get(cmd_name, (cmd_name.replace("-", "_"), {}))
        return _command(cmd_name, KINDS[kind], preset) if kind in KINDS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options before the kind count as if they stood after it."""
        if not args:
            raise click.UsageError(f"Which chart? There are: {', '.join(KINDS)}.", ctx)
        kind = 0
        while kind < len(args) and args[kind].startswith("--") and args[kind] != "--help":
            kind += 1 if args[kind] in _FLAGS or "=" in args[kind] else 2
        return super().parse_args(ctx, [*args[kind : kind + 1], *args[:kind], *args[kind + 1 :]])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The kind that the arguments begin with; `chart_timeseries` and `p95_over_time` find theirs."""
        word = args[0].lower().replace("-", "_").removeprefix("chart_")
        names = {name.replace("-", "_"): name for name in (*KINDS, *ALIASES)}
        if word not in names:
            close = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
            hint = f"Did you mean {names[close[0]]!r}?" if close else f"There are: {', '.join(names.values())}."
            raise click.UsageError(f"There is no chart {clean(args[0], 60)!r}. {hint}", ctx)
        name = names[word]
        return super().resolve_command(ctx, [name.replace("_", "-"), *args[1:]])


def command(name: str) -> click.Command:
    """The group `chart`."""
    also = ", ".join(f"{alias} ({kind})" for alias, (kind, _) in ALIASES.items())
    return Kinds(
        name,
        help="Draw a question's answer: a picture or a page with -o, the Vega-Lite spec without.\n\n"
        "\b\nExample:\n  talkscope chart latency --range last_7d -o latency.png",
        epilog=f"The names of the Convai command line are known too: {also}.",
        short_help=COMMANDS[name].says,
        subcommand_metavar="KIND [OPTIONS]",
        options_metavar="",
        no_args_is_help=False,
    )


def _command(name: str, chart: Chart, preset: Mapping[str, object]) -> click.Command:
    def callback(**given: object) -> None:
        _chart(chart, preset, given)

    return click.Command(
        name,
        callback=callback,
        params=[*_words(chart, preset), *_delivery(), *source_options()],
        help=f"{chart.title}.\n\n\b\nExample:\n  talkscope chart {name} {_EXAMPLES.get(chart.kind, '-o chart.png')}",
        short_help=chart.title,
    )


def _words(chart: Chart, preset: Mapping[str, object]) -> list[click.Parameter]:
    """The chart's words as options; an id may also be given without its option's name."""
    one = next((name for name, field in chart.params.model_fields.items() if field.is_required()), None)
    question = "support" if chart.kind == "live_support" else chart.kind
    found = [
        each
        for each in options(chart.params, positional=one, defaults=preset, without=WITHOUT.get(question, ()))
        if each.name not in chart.hidden and each.name != one
    ]
    retold(found, _SAYS.get(chart.kind, {}))
    if one is None:
        return found
    spellings = [kebab(one), kebab(one.removesuffix(_ID)), _NAMED]
    named = click.Option(spellings, metavar="ID", help="The id, given by name.")
    return [click.Argument([one], required=False), named, *found]


def _delivery() -> list[click.Parameter]:
    return [
        click.Option(
            ["--output", "-o"],
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            metavar="FILE",
            help=f"Write to a file; {', '.join(_FORMS)} name the form. Without it, the spec goes to stdout.",
        ),
        click.Option(["--theme"], type=OneOf(["light", "dark"]), help="Light or dark.  [default: light]"),
        click.Option(
            ["--scale"],
            type=click.FloatRange(0.2, 8),
            help="Pixels of a .png for each of the chart's.  [default: 2]",
        ),
        click.Option(["--pretty"], is_flag=True, help="The spec's JSON, indented."),
    ]


def _chart(chart: Chart, preset: Mapping[str, object], given: dict[str, object]) -> None:
    around = surroundings(click.get_current_context())
    output, shade, scale = given.pop("output"), given.pop("theme"), given.pop("scale")
    pretty = bool(given.pop("pretty"))
    write = _writer(output, shade=shade, scale=scale, pretty=pretty)
    place = Place.of(given)
    _put_id(chart, given)
    asked = {**preset, **words(chart.params, given)}
    understand(chart.params, asked)
    drawing = anyio.run(_drawn, around, place, chart, asked)
    if shade is not None:
        drawing = Drawing(theme.themed(drawing.spec, "dark" if shade == "dark" else "light"), drawing.summary)
    write(drawing)


def _put_id(chart: Chart, given: dict[str, object]) -> None:
    """The id under its own name, whichever way it was given."""
    one = next((name for name in given if name.endswith(_ID) and name in chart.params.model_fields), None)
    if one is None:
        return
    ids = {value for value in (given[one], given.pop(_NAMED)) if value is not None}
    what = one.removesuffix(_ID)
    if len(ids) != 1:
        raise click.UsageError(f"Which {what}? Give one id." if ids else f"Which {what}? Give its id.")
    given[one] = ids.pop()


async def _drawn(around: Surroundings, place: Place, chart: Chart, asked: dict[str, object]) -> Drawing:
    settings = place.settings(around)
    async with around.app(settings) as app:
        client: AsyncClient = app.async_client(place.source)

        async def ask(question: Question[A], /, **said: object) -> A:
            answer = await client.ask(question, **{name: value for name, value in said.items() if value is not None})
            mask = str if settings.reveal_personal_data else app.masking(place.source).mask
            return whole(answer, mask, chart.bare)

        return await chart.draw(ask, asked)


def _writer(output: object, *, shade: object, scale: object, pretty: bool) -> Callable[[Drawing], None]:
    """What writes the drawing, once the options have been held against each other."""
    if not isinstance(output, Path):
        form = ".json"
    else:
        form = ".html" if output.suffix.lower() == ".htm" else output.suffix.lower()
    if form not in _FORMS:
        raise click.UsageError(f"{output} names no form of chart: it ends in {', '.join(_FORMS)}.")
    if scale is not None and form != ".png":
        raise click.UsageError("--scale is for .png: the other forms have no pixels.")
    if shade is not None and form == ".html":
        raise click.UsageError("--theme is not for .html: a page follows its reader's light or dark.")
    if pretty and form != ".json":
        raise click.UsageError("--pretty is for the spec: leave it out, or write to a .json file.")
    if not isinstance(output, Path):
        return lambda drawing: Page("json").write(as_json(drawing.spec, pretty=pretty))
    placed(output)

    def write(drawing: Drawing) -> None:
        if form == ".json":
            files.write(output, as_json(drawing.spec, pretty=pretty).encode())
        else:
            save(drawing, output, title=_title(drawing), scale=scale if isinstance(scale, float) else 2.0)
        click.echo(f"Written: {output} ({so_many(output.stat().st_size, 'byte')})", err=True)

    return write


def _title(drawing: Drawing) -> str:
    title = drawing.spec.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    return text if isinstance(text, str) else "Chart"
