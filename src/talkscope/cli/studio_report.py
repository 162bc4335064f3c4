"""`talkscope report studio-chat`: the analyses that the vendor's document describes, as one page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from talkscope.cli.group import Surroundings, surroundings
from talkscope.cli.show import as_csv, placed
from talkscope.cli.words import OneOf
from talkscope.errors import InvalidArgument, Json, NotSupported
from talkscope.models import files
from talkscope.models.answers import Answer, Meta
from talkscope.models.text import so_many
from talkscope.models.window import RANGES, Window, resolve

if TYPE_CHECKING:
    from talkscope.jobs.studio_report import Facts, Made, Recipe
    from talkscope.models.safe import Masking
    from talkscope.settings import Settings

NAME = "studio-chat"
_PLATFORM = "studio_chat"
_RANGE = "last_7d"
_FORMS = {".md": "md", ".csv": "csv", ".html": "html", ".htm": "html", ".pdf": "pdf"}
_HELP = """Report on a Studio Chat account, or on conversations exported from it.

A RECIPE is one section; without any all are made: {recipes}.

Every rate is told with its n. With --from nothing is asked of the platform, and what an export cannot tell is said.

\b
Example:
  talkscope report studio-chat --range last_month -o month.html
  talkscope report studio-chat csat dsat --start 2026-05-01 --end 2026-06-01 -o csat.md
  talkscope report studio-chat --from may.json -o may.csv"""


class _Studio(click.Command):
    """The report on a Studio Chat account, whose recipes are listed in its help."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, with the recipes."""
        from talkscope.jobs.studio_report import RECIPES

        self.help = _HELP.format(recipes=", ".join(RECIPES))
        super().format_help_text(ctx, formatter)


def command() -> click.Command:
    """The command `report studio-chat`."""
    return _Studio(
        NAME,
        callback=_studio,
        params=[
            click.Argument(["recipes"], nargs=-1, metavar="[RECIPE]..."),
            click.Option(["--range"], type=OneOf(RANGES), help=f"The window.  [default: {_RANGE}]"),
            click.Option(
                ["--start", "--start-time", "start"], metavar="TIME",
                help="Instead of --range: last messages at or after this.",
            ),
            click.Option(
                ["--end", "--end-time", "end"], metavar="TIME", help="Last messages before this.  [default: now]"
            ),
            click.Option(["--timezone"], metavar="ZONE", default="UTC", help="Whose days they are.  [default: UTC]"),
            click.Option(["--playbook-base-id"], metavar="ID", help="Only this assistant, all its versions."),
            click.Option(["--tags"], metavar="TAG,TAG", help="Only conversations with all of these tags."),
            click.Option(["--metric"], multiple=True, metavar="SLUG", help="Only this conversion metric; repeat it."),
            click.Option(
                ["--from", "export"], type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
                help="Report on the conversations of this export, .json or .ndjson, and ask nothing.",
            ),
            click.Option(
                ["--save"], type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
                help="Keep the raw answers there, one file each; they hold personal data.",
            ),
            click.Option(
                ["--output", "-o"], type=click.Path(path_type=Path, dir_okay=False, writable=True), metavar="FILE",
                help="Where to write it; .md, .csv, .html and .pdf name the form. Without it, stdout.",
            ),
            click.Option(
                ["--format"], type=click.Choice(["md", "csv", "html", "pdf"]),
                help="Without it, by how the file's name ends; md on stdout.",
            ),
            click.Option(["--raw"], is_flag=True, help="CSV cells as they are: a spreadsheet may run formulas."),
            click.Option(["--title"], metavar="TEXT", help="Its heading."),
            click.Option(["--source"], metavar="NAME", help="Which configured account is asked."),
        ],
        help=_HELP.format(recipes="see --help"),
        short_help="A report on a Studio Chat account",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `talkscope report studio-chat` was told."""

    recipes: tuple[str, ...]
    range: str | None
    start: str | None
    end: str | None
    timezone: str
    playbook_base_id: str | None
    tags: str | None
    metric: tuple[str, ...]
    export: Path | None
    save: Path | None
    output: Path | None
    format: str | None
    raw: bool
    title: str | None
    source: str | None

    def form(self) -> str:
        """The form that is wanted. Raises UsageError."""
        named = _FORMS.get(self.output.suffix.lower()) if self.output else "md"
        form = self.format or named
        if form is None:
            raise click.UsageError("The file names no form: end it with .md, .csv, .html or .pdf, or give --format.")
        if form == "pdf" and self.output is None:
            raise click.UsageError("A PDF is written to a file: -o report.pdf.")
        return form

    def window(self, around: Surroundings) -> Window | None:
        """The window; None for all of an export."""
        if self.export is not None and self.range is self.start is self.end is None:
            return None
        return resolve(
            now=around.now(), range=self.range, start_time=self.start, end_time=self.end, timezone=self.timezone,
            default=_RANGE,
        )  # fmt: skip

    def told(self) -> tuple[str, ...]:
        """The tags."""
        return tuple(dict.fromkeys(each.strip() for each in (self.tags or "").split(",") if each.strip()))


def _studio(**given: object) -> None:
    from talkscope.jobs.report import printer
    from talkscope.jobs.studio_report import chosen, report

    asked = _Asked(**given)  # type: ignore[arg-type]
    around = surroundings(click.get_current_context())
    form, recipes, settings = asked.form(), chosen(asked.recipes), around.settings()
    if asked.output is not None:
        placed(asked.output)
    prints = printer() if form == "pdf" else None
    if asked.export is None:
        facts, mask = anyio.run(_asked_live, around, settings, asked, recipes)
    else:
        facts, mask = _read_export(around, settings, asked)
    reveal = settings.reveal_personal_data
    made = report(facts, recipes, mask=str if reveal else mask, reveal=reveal, title=asked.title)
    data = _written(made, form, prints, raw=asked.raw)
    if asked.output is None:
        click.echo(data, nl=False)
    else:
        files.write(asked.output, data)
        _tell(f"Written: {asked.output}")


def _tell(line: str) -> None:
    click.echo(line, err=True)


async def _asked_live(
    around: Surroundings, settings: Settings, asked: _Asked, recipes: dict[str, Recipe]
) -> tuple[Facts, Masking]:
    """The account's facts, and what masks their texts."""
    from talkscope.jobs.studio_report import Facts, Saved, Scope, gather
    from talkscope.wiring import PATIENT

    account = settings.platform(_PLATFORM, asked.source)
    project = account.also.get("project_id")
    if not project:
        raise NotSupported(f"The source {account.name} has no project.", hint="Set STUDIO_PROJECT_ID.")
    now, window = around.now(), asked.window(around)
    assert window is not None
    facts = Facts(Scope(window, asked.playbook_base_id, asked.told(), asked.metric), now, account.name)
    saved = Saved(asked.save) if asked.save is not None else None
    async with around.app(settings) as app:
        client = app.async_platform(_PLATFORM, account.name, policy=PATIENT)
        names = {need for recipe in recipes.values() for need in recipe.needs}
        keep: Callable[[str, Json], object] = saved.keep if saved else lambda _name, _json: None
        await gather(client, project, facts, names, progress=_tell, keep=keep)
        mask = app.masking(account.name).mask
    if saved:
        saved.done(now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        _tell(f"Saved: {so_many(len(saved.files), 'file')} in {saved.folder}")
    return facts, mask


def _read_export(around: Surroundings, settings: Settings, asked: _Asked) -> tuple[Facts, Masking]:
    """The facts of an export, and what masks their texts: as the account's own texts are, where there is one."""
    from talkscope.jobs.studio_report import Scope, exported
    from talkscope.models.masking import Mask, stored_key
    from talkscope.settings import private_folder

    told = {
        "--playbook-base-id": asked.playbook_base_id, "--metric": asked.metric, "--save": asked.save,
        "--source": asked.source,
    }  # fmt: skip
    odd = [name for name, value in told.items() if value]
    if odd:
        raise click.UsageError(f"{odd[0]} asks the platform, and --from does not: filter when you export.")
    assert asked.export is not None
    window = asked.window(around)
    try:
        facts = exported(asked.export, Scope(window) if window else None, tags=asked.told(), now=around.now())
    except UnicodeDecodeError:
        raise InvalidArgument(f"{asked.export.name} is not UTF-8.", hint="Give a file that was exported.") from None
    names = [each.name for each in settings.platforms if each.platform == _PLATFORM]
    folder = private_folder(names[0] if len(names) == 1 else _PLATFORM)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return facts, Mask(stored_key(folder)).mask


def _written(made: Made, form: str, printer: Callable[[str], bytes] | None, *, raw: bool) -> bytes:
    from talkscope.jobs.report import html, markdown
    from talkscope.jobs.studio_report import COLUMNS

    if form == "md":
        return markdown(made.report).encode()
    if form == "csv":
        rows = [list(row) for row in made.cells]
        answer = Answer(columns=list(COLUMNS), rows=rows, meta=Meta(source=_PLATFORM, n=len(rows)))
        return as_csv(answer, raw=raw).encode()
    page = html(made.report, _undrawn)
    return page.encode() if printer is None else printer(page)


def _undrawn(_: dict[str, Json]) -> str:
    raise AssertionError("this report holds no chart")
