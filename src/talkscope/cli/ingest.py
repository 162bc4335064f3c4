"""`talkscope ingest`: loads files of telemetry into a warehouse, and tells what became of every record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkscope.cli import COMMANDS
from talkscope.cli.group import surroundings
from talkscope.cli.show import as_json, counted, on_terminal
from talkscope.cli.words import OneOf
from talkscope.models.records import RECORDS, RecordType
from talkscope.models.text import clean, so_many

if TYPE_CHECKING:
    from talkscope.jobs.ingest import Progress, Report

REFUSED = 3
_LISTED = 20
_COUNTS = {"loaded": "loaded", "changed": "changed", "present": "present before"}


def command(name: str) -> click.Command:
    """The command `ingest`."""
    return click.Command(
        name,
        callback=_ingest,
        params=[
            click.Argument(["paths"], nargs=-1, required=True, metavar="PATH..."),
            click.Option(["--format"], metavar="NAME", help="The files' format; without it, it is found out."),
            click.Option(["--type"], type=OneOf(list(RECORDS)), help="Type of records that do not say theirs."),
            click.Option(["--timezone"], metavar="ZONE", help="IANA zone of times that have no UTC offset."),
            click.Option(["--source"], metavar="NAME", help="Load into this configured source."),
            click.Option(
                ["--warehouse"],
                type=click.Path(path_type=Path, file_okay=False),
                metavar="FOLDER",
                help="Load into the warehouse in this folder; it is made where there is none.",
            ),
            click.Option(["--table", "as_table"], is_flag=True, help="The report as lines, also in a pipe."),
            click.Option(["--json", "as_plain"], is_flag=True, help="The report as JSON on one line."),
            click.Option(["--pretty", "as_pretty"], is_flag=True, help="The report as JSON, indented."),
        ],
        help="Load files, folders or - (stdin) into a warehouse: one commit, and again changes nothing.\n\n"
        "Ends with 0 when every record is in the warehouse, with 3 when some were refused; the rest is loaded.\n\n"
        "\b\nExample:\n  talkscope ingest calls.ndjson spans.csv.gz exports/ --warehouse calls",
        short_help=COMMANDS[name].says,
    )


def _ingest(
    paths: tuple[str, ...],
    format: str | None,
    type: RecordType | None,
    timezone: str | None,
    source: str | None,
    warehouse: Path | None,
    as_table: bool,
    as_plain: bool,
    as_pretty: bool,
) -> None:
    from talkscope.jobs.ingest import ingest

    context = click.get_current_context()
    if as_table + as_plain + as_pretty > 1:
        raise click.UsageError("--table, --json and --pretty exclude each other.", context)
    settings = surroundings(context).settings_for(warehouse)
    folder = settings.warehouse(source).path
    with _progress() as progress:
        report = ingest(
            list(paths),
            warehouse=folder,
            format=format,
            type=type,
            timezone=timezone,
            progress=progress,
            memory_limit=settings.memory_limit,
            threads=settings.threads,
            stdin=sys.stdin.buffer if "-" in paths else None,
        )
    if as_table or (on_terminal() and not as_plain and not as_pretty):
        click.echo(_lines(report, folder))
    else:
        told = {**asdict(report), "records": report.records, "warehouse": str(folder)}
        click.echo(as_json(told, pretty=as_pretty).encode(), nl=False)
    context.exit(0 if report.ok else REFUSED)


def _lines(report: Report, folder: Path) -> str:
    told = [f"{so_many(report.records, 'record')} from {_files(report)} into {folder}, in {report.seconds:.1f} s"]
    if report.types:
        told.append(counted({kind: asdict(of) for kind, of in report.types.items()}, _COUNTS))
    told += [f"Latency of interactions: {clean(basis)}" for basis in report.latency_bases]
    if report.refused_count:
        told.append(f"Refused, {report.refused_count:,} in all:")
        told += [f"  {_place(each.file, each.where)}: {clean(each.reason)}" for each in report.refused[:_LISTED]]
        more = report.refused_count - min(_LISTED, len(report.refused))
        if more:
            told.append(f"  … and {more:,} more; --json lists them.")
    return "\n".join(part.rstrip("\n") for part in told)


def _files(report: Report) -> str:
    return clean(report.files[0]) if len(report.files) == 1 else so_many(len(report.files), "file")


def _place(file: str, where: str) -> str:
    return f"{clean(file)}:{clean(where)}" if where else clean(file)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], object] | None]:
    """A bar on stderr where a person sees it, else nothing."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bars

    words = TextColumn("{task.description}", markup=False)
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    with Bars(words, BarColumn(), TaskProgressColumn(), console=console, transient=True) as bars:
        bar = bars.add_task("Reading", total=None)

        def tell(at: Progress) -> None:
            what = {"reading": f"Reading {clean(Path(at.file).name, 40)}", "waiting": "Waiting for another load"}
            says = what.get(at.stage, "Merging")
            bars.update(bar, description=f"{says}: {at.records:,} records", total=at.size, completed=at.position or 0)

        yield tell
