"""`talkscope demo`: a month of made-up telemetry, the headline questions asked of a real server, each one checked."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from talkscope.cli.group import surroundings
from talkscope.cli.show import as_json, grid, shown
from talkscope.jobs.demo.checks import QUESTIONS, Asking
from talkscope.jobs.demo.reading import Check, Reading
from talkscope.models.answers import Cell
from talkscope.models.text import clean

if TYPE_CHECKING:
    from talkscope.jobs.demo.incidents import Kind
    from talkscope.jobs.demo.truth import Truth
    from talkscope.server.session import Session

_ROWS = 8
_FIGURES = 3
_ENOUGH = 100
"""Sessions a day among which every planted incident shows; among fewer one may drown in chance."""


@click.command(short_help="Made-up telemetry, real answers, each one checked")
@click.option("--keep", is_flag=True, help="Leave the warehouse, and print the entry for an MCP host that opens it.")
@click.option("--days", type=click.IntRange(8, 366), default=30, show_default=True, help="Days of telemetry.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed makes other telemetry.")
@click.option("--sessions-per-day", type=click.IntRange(1, 2_000), default=120, show_default=True, help="Its size.")
@click.pass_context
def _demo(context: click.Context, keep: bool, days: int, seed: int, sessions_per_day: int) -> None:
    """Fill a throw-away warehouse with made-up telemetry, ask the first questions over MCP, and check each answer.

    The truth is worked out from the records without the warehouse. Ends with 1 when an answer differs from it.
    """
    from talkscope.jobs.demo import generate

    began = time.monotonic()
    with _folder(keep) as folder:
        click.echo(f"Making {days} days of telemetry …")
        truth = generate(
            folder / "telemetry",
            now=surroundings(context).now().replace(microsecond=0),
            days=days,
            seed=seed,
            sessions_per_day=sessions_per_day,
        )
        click.echo(", ".join(f"{count:,} {kind}s" for kind, count in truth.records.items()) + ", all made up.")
        warehouse = _load(folder)
        missed, figures = _ask_all(folder, warehouse, truth, enough=sessions_per_day >= _ENOUGH)
        if keep:
            _tell_hosts(warehouse)
    seconds = time.monotonic() - began
    click.echo(f"\n{len(QUESTIONS)} questions, {figures} figures checked, {missed} wrong, in {seconds:.0f} s.")
    context.exit(1 if missed else 0)


def command(name: str) -> click.Command:
    """The command `demo`."""
    _demo.name = name
    return _demo


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A folder of its own: the same each time when it is kept, else one that is gone afterwards."""
    if not keep:
        with tempfile.TemporaryDirectory(prefix="talkscope-demo-", ignore_cleanup_errors=True) as place:
            yield Path(place)
        return
    kept = platformdirs.user_data_path("talkscope", appauthor=False) / "demo"
    # Ours alone: an older demo would mix with this one.
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    yield kept


def _load(folder: Path) -> Path:
    from talkscope.jobs.ingest import ingest

    warehouse = folder / "warehouse"
    files = sorted((folder / "telemetry").glob("*.ndjson"))
    ingest(files, warehouse=warehouse, generated=True)
    return warehouse


def _ask_all(folder: Path, warehouse: Path, truth: Truth, *, enough: bool) -> tuple[int, int]:
    """Ask every question, and return how many figures were wrong, of how many.

    Without `enough` sessions an incident that does not show is told, and is no wrong figure.
    """
    from talkscope.server.session import session

    # An empty file, so that the user's own sources stay out of the demo.
    config = folder / "config.toml"
    config.touch()
    missed = figures = 0
    seen: list[tuple[Kind, Check]] = []
    with session({"TALKSCOPE_WAREHOUSE": str(warehouse), "TALKSCOPE_CONFIG": str(config)}) as asked:
        click.echo(f"A server has started, with {len(asked.tools())} tools.")
        for asking in QUESTIONS:
            checks, incidents = _ask(asked, asking, truth)
            seen += incidents
            figures += len(checks)
            missed += sum(not check.holds for check in checks)
    click.echo("\n── What was planted, and does it show?")
    for incident in truth.incidents:
        click.echo(f"   {incident.says}")
        for check in (check for kind, check in seen if kind == incident.kind):
            if check.holds or enough:
                figures += 1
                missed += not check.holds
                click.echo(f"   {_line(check)}")
            else:
                click.echo(f"   – {check.what}: does not show among so few sessions")
    return missed, figures


def _ask(asked: Session, asking: Asking, truth: Truth) -> tuple[list[Check], list[tuple[Kind, Check]]]:
    """Ask one question and show its answer; its checks, and those of the incidents that it shows."""
    arguments = asking.arguments(truth)
    click.echo(f"\n── {asking.question}")
    click.echo(f"   {asking.tool}({', '.join(f'{key}={json.dumps(value)}' for key, value in arguments.items())})")
    heard = asked.call(asking.tool, arguments)
    if heard.failed:
        click.echo(f"   The tool failed: {clean(heard.text, 500)}")
        return [Check("an answer", "one", "an error", False)], []
    read = Reading(heard.structured)
    _show(read, asking.peak)
    checks = asking.checks(truth, read)
    wrong = [check for check in checks if not check.holds]
    for check in wrong[:5] or checks[:_FIGURES]:
        click.echo(f"   {_line(check)}")
    click.echo(f"   {len(checks) - len(wrong)} of {len(checks)} figures are as the records have them.")
    planted = {incident.kind: incident for incident in truth.incidents}
    return checks, [(kind, shows(truth, planted[kind], read)) for kind, shows in asking.shows.items()]


def _show(read: Reading, peak: str | None) -> None:
    verdict = read.inner("verdict")
    if isinstance(verdict, str):
        click.echo(f"   {clean(verdict, 500)}")
    excerpt = read.excerpt(_ROWS, peak)
    rows: list[list[Cell]] = [[_cell(row.get(name)) for name in read.columns] for row in excerpt]
    if rows:
        drawn = grid(read.columns, rows, {}, margin=3)
        click.echo("".join(f"   {line}\n" for line in drawn.splitlines()), nl=False)
    if len(read.rows) > len(rows):
        click.echo(f"   ({len(rows)} of {len(read.rows)} rows)")


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _line(check: Check) -> str:
    mark = "✓" if check.holds else "✗"
    return f"{mark} {check.what}: expected {shown(check.expected)}, got {shown(_cell(check.got))}"


def _tell_hosts(warehouse: Path) -> None:
    from talkscope.server.session import host_entry

    entry = {"mcpServers": {"talkscope-demo": host_entry(warehouse)}}
    click.echo(f"\nThe warehouse stays in {warehouse}. For Claude Desktop and other MCP hosts:\n")
    click.echo(as_json(entry, pretty=True), nl=False)
