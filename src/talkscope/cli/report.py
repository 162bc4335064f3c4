"""`talkscope report`: one page about a window, complete in itself, to be opened, printed or sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from talkscope.cli import COMMANDS, studio_report
from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.show import placed
from talkscope.cli.words import Place, options, source_options, words
from talkscope.contract import understand
from talkscope.models import files
from talkscope.models.questions import SummaryAsked

if TYPE_CHECKING:
    from talkscope.jobs.report import Report

_RANGE = "last_7d"
_FORMS = (".html", ".htm", ".pdf", ".md")
_HELP = """Write a report on a window: headline figures and how they changed, charts, the slowest sessions and what made
them slow, errors by component, and what got worse.

The page works offline and holds no script. A .pdf is printed by Chromium, Chrome or Edge, where one is installed.
`talkscope report studio-chat` reports on a Studio Chat account.

\b
Example:
  talkscope report --range last_7d -o report.html
  talkscope report --start-time 2026-05-01 --end-time 2026-06-01 --timezone Europe/Berlin -o may.pdf"""


def command(name: str) -> click.Command:
    """The command `report`, and below it the reports on platforms."""
    found = click.Group(
        name,
        callback=_report,
        invoke_without_command=True,
        subcommand_metavar=f"[{studio_report.NAME} …]",
        params=[
            click.Option(
                ["--output", "-o"], type=click.Path(path_type=Path, dir_okay=False, writable=True), metavar="FILE",
                help="Where to write it; .html, .pdf and .md name the form.",
            ),
            click.Option(["--title"], metavar="TEXT", help="Its heading."),
            *options(SummaryAsked, defaults={"range": _RANGE}),
            *source_options(),
        ],
        help=_HELP,
        short_help=COMMANDS[name].says,
    )  # fmt: skip
    found.add_command(studio_report.command())
    return found


def _report(output: Path | None, title: str | None, **given: object) -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is not None:
        if output is not None or title is not None or any(value not in (None, ()) for value in given.values()):
            raise click.UsageError(f"Put the options behind {studio_report.NAME}.")
        return
    from talkscope.jobs.report import printer

    around = surroundings(context)
    file = _file(output)
    place = Place.of(given)
    asked = words(SummaryAsked, given)
    if not {"range", "start_time", "end_time"} & asked.keys():
        asked["range"] = _RANGE
    understand(SummaryAsked, asked)
    prints = printer() if file.suffix.lower() == ".pdf" else None
    made = anyio.run(_made, around, place, asked, title)
    files.write(file, _written(made, file, prints))
    click.echo(f"Written: {file}", err=True)


def _file(output: Path | None) -> Path:
    told = "a report is written to a file: -o report.html, -o report.pdf or -o report.md."
    if output is None:
        raise click.UsageError(f"Where to? {told[0].upper()}{told[1:]}")
    if output.suffix.lower() not in _FORMS:
        raise click.UsageError(f"{output.name} names no form: {told}")
    return placed(output)


async def _made(around: Surroundings, place: Place, asked: dict[str, object], title: str | None) -> Report:
    from talkscope.jobs.report import report

    settings = place.settings(around)
    async with around.app(settings) as app:
        client = app.async_client(place.source)
        mask = str if settings.reveal_personal_data else app.masking(place.source).mask
        return await report(client, asked, now=around.now(), mask=mask, title=title, progress=_tell)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _written(made: Report, file: Path, printer: Callable[[str], bytes] | None) -> bytes:
    from talkscope.jobs.report import html, markdown

    if file.suffix.lower() == ".md":
        return markdown(made).encode()
    from talkscope.charts.rendering import Renderer

    with Renderer() as renderer:
        click.echo("Drawing …", err=True)
        page = html(made, lambda spec: renderer.render(spec, "svg").decode())
    return page.encode() if printer is None else printer(page)
