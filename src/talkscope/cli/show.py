"""How an answer is shown: a table for people, JSON and CSV for programs; text from outside is made safe for each."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from talkscope.errors import InvalidArgument
from talkscope.models import files
from talkscope.models.answers import (
    NEXT_PAGE,
    Answer,
    Cell,
    ConcurrencyAnswer,
    ExplainAnswer,
    Meta,
    SessionAnswer,
    TurnAnswer,
)
from talkscope.models.text import clean, escaped, sheet_cell, so_many

if TYPE_CHECKING:
    from talkscope.models.records import RecordType

Form: TypeAlias = Literal["table", "csv", "json", "pretty"]
MISSING = "–"
_SHORT = 3  # letters of a unit that a title has room for
_BRIEF = {"milliseconds": "ms", "seconds": "s", "sec": "s"}
_PAGED = re.compile(rf"^{NEXT_PAGE}\.$|: {NEXT_PAGE}(?=\.$)", re.IGNORECASE)
_ENDLESS = 100_000  # columns of a page that is no terminal: nothing is cut or folded there


@dataclass(frozen=True, slots=True)
class Page:
    """Where an answer goes and in which form; `raw` leaves CSV cells as they are."""

    form: Form
    output: Path | None = None
    raw: bool = False

    @staticmethod
    def of(*, table: bool, csv: bool, pretty: bool, json: bool, output: Path | None, raw: bool) -> Page:
        """The page that the options ask for: a table on a terminal, else JSON; a file by how its name ends."""
        asked: dict[Form, bool] = {"table": table, "csv": csv, "pretty": pretty, "json": json}
        named = [form for form, wanted in asked.items() if wanted]
        if len(named) > 1:
            raise click.UsageError(f"{' and '.join(f'--{form}' for form in named)} exclude each other.")
        if named:
            return Page(named[0], output, raw)
        if output is not None:
            endings: dict[str, Form] = {".csv": "csv", ".txt": "table", ".json": "pretty"}
            return Page(endings.get(output.suffix.lower(), "json"), output, raw)
        return Page("table" if on_terminal() else "json", None, raw)

    @staticmethod
    def taken(given: dict[str, object]) -> Page:
        """The page that the options of `page_options` ask for; what they took is taken out of `given`."""
        output = given.pop("output")
        on = {name: bool(given.pop(f"as_{name}")) for name in ("table", "json", "pretty", "csv", "raw")}
        return Page.of(**on, output=output if isinstance(output, Path) else None)

    def give(self, answer: Answer) -> None:
        """Write the answer to the file, or to stdout."""
        if self.form == "table":
            self.write(table(answer, wide=self.output is not None))
        elif self.form == "csv":
            self.write(as_csv(answer, raw=self.raw))
        else:
            self.write(as_json(answer.model_dump(mode="json"), pretty=self.form == "pretty"))

    def write(self, text: str) -> None:
        """Write the text as UTF-8; a file is replaced."""
        data = text.encode()
        if self.output is None:
            # As bytes, since a pipe's own encoding may know fewer characters.
            click.echo(data, nl=False)
        else:
            files.write(self.output, data)


def placed(output: Path) -> Path:
    """The file, when there is a folder for it: asked before anything else is. Raises InvalidArgument."""
    folder = output.absolute().parent
    if not folder.is_dir():
        raise InvalidArgument(f"There is no folder {clean(str(output.parent))}.", hint="Make it, or name another.")
    return output


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def as_json(value: object, *, pretty: bool) -> str:
    """The value as JSON and a line end; what a terminal would obey is written as escapes, which mean the same."""
    layout: tuple[int | None, tuple[str, str]] = (2, (",", ": ")) if pretty else (None, (",", ":"))
    text = json.dumps(value, ensure_ascii=False, indent=layout[0], separators=layout[1])
    return escaped(text) + "\n"


def as_csv(answer: Answer, *, raw: bool = False) -> str:
    """The rows as CSV with a header; text that a spreadsheet would run as a formula gets a leading `'`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_csv_cell(name, raw) for name in answer.columns])
    writer.writerows([_csv_cell(cell, raw) for cell in row] for row in answer.rows)
    return text.getvalue()


def _csv_cell(cell: Cell, raw: bool) -> Cell:
    return sheet_cell(cell, raw=raw) if isinstance(cell, str) else cell


def table(answer: Answer, *, wide: bool = False) -> str:
    """A line on what was asked, the rows as a table, and the notes that belong to them."""
    parts = [context(answer.meta)]
    parts += _said(answer)
    if answer.rows:
        parts.append(grid(answer.columns, answer.rows, answer.meta.units, wide=wide))
        parts += _units(answer)
    else:
        parts.append("No rows.")
    parts += [f"Note: {clean(note, 1_000)}" for note in _notes(answer.meta)]
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


def context(meta: Meta) -> str:
    """One line on what the figures are about."""
    told = [clean(meta.source) + (" (generated demo data)" if meta.generated else "")]
    if meta.window is not None:
        token = f"{meta.window.range}, " if meta.window.range else ""
        told.append(f"{meta.window.start} to {meta.window.end} ({token}{meta.window.timezone})")
    if meta.granularity:
        told.append(f"by {meta.granularity}")
    told.append(f"n {meta.n:,}")
    if meta.freshness:
        told.append(f"newest record {meta.freshness}")
    return clean(" · ".join(told), 600)


def _said(answer: Answer) -> list[str]:
    """What an answer says besides its rows."""
    if isinstance(answer, ExplainAnswer):
        return [clean(answer.verdict, 1_000)]
    if isinstance(answer, ConcurrencyAnswer):
        when = f" at {answer.peak_at}" if answer.peak_at else ""
        mean = f", {_number(answer.mean)} on average" if answer.mean is not None else ""
        return [f"At most {answer.peak:,} at once{when}{mean}."]
    facts: dict[str, Cell] = {}
    if isinstance(answer, SessionAnswer):
        facts = answer.session.model_dump()
    elif isinstance(answer, TurnAnswer):
        facts = answer.interaction.model_dump()
    if facts.pop("derived", False):
        facts["known"] = "by its facts only"
    told = [f"{name} {shown(value)}" for name, value in facts.items() if value is not None]
    return [" · ".join(told)] if told else []


def _notes(meta: Meta) -> list[str]:
    notes = [note for each in meta.notes if (note := _PAGED.sub("", each))]
    if meta.basis:
        notes.insert(0, f"Basis: {meta.basis}.")
    if meta.unknown_latency:
        notes.append(f"Left out, because their latency is not known: {so_many(meta.unknown_latency, 'turn')}.")
    if meta.next_cursor:
        notes.append(f"There is more: --cursor {meta.next_cursor}")
    return notes


def counted(types: Mapping[RecordType, Mapping[str, int]], columns: Mapping[str, str]) -> str:
    """What became of a load's records by type, each count under its name; those told twice where there are any."""
    named = dict(columns) | ({"again": "told twice"} if any(each["again"] for each in types.values()) else {})
    rows: list[list[Cell]] = [[kind, *(each[name] for name in named)] for kind, each in types.items()]
    return grid(["type", *named.values()], rows, {})


def grid(
    columns: list[str], rows: list[list[Cell]], units: dict[str, str], *, wide: bool = False, margin: int = 0
) -> str:
    """Columns and rows as a table, numbers on the right; rows too wide for the terminal become a list each."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    text = io.StringIO()
    terminal = on_terminal() and not wide
    width = shutil.get_terminal_size().columns - margin if terminal else _ENDLESS
    console = Console(file=text, width=width, force_terminal=terminal, markup=False, highlight=False, emoji=False)
    titles = [title(name, units) for name in columns]
    cells = [[*(measured(each, columns, units) for each in row[:1]), *map(shown, row[1:])] for row in rows]
    if terminal and _natural(titles, cells) > width:
        # Before a row becomes a list: what none of them has is left out, as the lists do.
        kept = [place for place in range(len(columns)) if not place or any(row[place] is not None for row in rows)]
        titles, cells = [titles[place] for place in kept], [[row[place] for place in kept] for row in cells]
        rows = [[row[place] for place in kept] for row in rows]
        if _natural(titles, cells, gap=1) > width:
            return _lists(titles, cells, _heads(rows))
    roomy = not terminal or _natural(titles, cells) <= width
    drawn = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, int(roomy), 0, 0)
    )
    for position, name in enumerate(titles):
        numeric = all(not isinstance(row[position], str) for row in rows)
        drawn.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def title(name: str, units: dict[str, str]) -> str:
    """A column's or a measure's name, with its unit where that is short and not plain from the name."""
    unit = _unit(name, units)
    return clean(name) + (f" ({clean(unit)})" if 0 < len(unit) <= _SHORT else "")


def measured(cell: Cell, columns: Sequence[str], units: dict[str, str]) -> str:
    """The first cell of a row, with the unit where it names the measure that the row is about."""
    return title(cell, units) if isinstance(cell, str) and cell not in columns else shown(cell)


def _unit(name: str, units: dict[str, str]) -> str:
    """The unit that a name does not say itself; empty where there is none."""
    unit = _BRIEF.get(units.get(name, ""), units.get(name, ""))
    said = {_BRIEF.get(word, word) for word in name.lower().split("_")}
    return "" if unit.lower() in said else unit


def _units(answer: Answer) -> list[str]:
    """The units that are too long for a title, a line each."""
    found: dict[str, list[str]] = {}
    measures = (cell for row in answer.rows for cell in row[:1] if isinstance(cell, str))
    for name in dict.fromkeys([*answer.columns, *measures]):
        unit = _unit(name, answer.meta.units)
        if len(unit) > _SHORT:
            found.setdefault(unit, []).append(name)
    return [clean(f"Unit of {', '.join(names)}: {unit}.", 600) for unit, names in found.items()]


def _natural(titles: list[str], cells: list[list[str]], gap: int = 2) -> int:
    """The columns of the terminal that the table would take, with so many between two of its own."""
    from rich.cells import cell_len

    return sum(max(cell_len(each[place]) for each in [titles, *cells]) + gap for place in range(len(titles))) - gap


def _heads(rows: list[list[Cell]]) -> int:
    """How many columns say what a row is about: those before the first that holds numbers, one at least."""
    numbers = (place for place in range(len(rows[0])) if any(isinstance(row[place], int | float) for row in rows))
    return max(1, next(numbers, 0))


def _lists(titles: list[str], cells: list[list[str]], heads: int) -> str:
    """Each row as a list of names and values, without what it lacks; what it is about is told, known or not."""
    size = max(len(name) for name in titles)
    blocks = []
    for row in cells:
        told = [(name, cell) for name, cell in zip(titles, row, strict=True)]
        told = [*told[:heads], *(each for each in told[heads:] if each[1] != MISSING)]
        blocks.append("\n".join(f"{name:<{size}}  {cell}" for name, cell in told))
    return "\n\n".join(blocks) + "\n"


def shown(cell: Cell) -> str:
    """A cell as people read it: one harmless line of text, a number with its thousands set apart, a dash for null."""
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        return clean(cell)
    return _number(cell)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    # A person reads six or seven figures of a number; JSON and CSV have all of them.
    size = abs(value)
    text = f"{value:,.{0 if size >= 100_000 else 1 if size >= 10_000 else 3}f}" if size >= 1 else f"{value:.6f}"
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".") or "0"
