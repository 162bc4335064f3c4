"""A board on a terminal: each panel in as many lines as there is room for, drawn anew when something changes."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from talkscope.cli.group import told
from talkscope.cli.show import MISSING, as_json, grid, measured, shown, title
from talkscope.errors import Json, TalkscopeError
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean

_EVENTS = 20
_NOTES = 3
_SMALL = 30
_BARS = "▁▂▃▄▅▆▇█"
_NAMES = ("measure", "name", "metric")


class Screen:
    """What is seen of a board: its panels one below the other, and what its stream tells, where it has one.

    What `stays` is left on the terminal in the end; else it has a screen of its own, and is gone with that.
    """

    def __init__(
        self,
        name: str,
        panels: Sequence[str],
        now: Callable[[], datetime],
        *,
        stream: bool = False,
        stays: bool = False,
        console: Console | None = None,
    ) -> None:
        self._name, self._now, self._stream, self._stays = name, now, stream, stays
        self._panels: dict[str, Answer | TalkscopeError | None] = dict.fromkeys(panels)
        self._events: list[str] = []
        self._live = Live(Text(), console=console, screen=not stays, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None:
        """Show a panel's new answer, or why there is none."""
        self._panels[title] = answer
        self._draw()

    def event(self, name: str, data: Json) -> None:
        """Show an event of the stream, the newest first."""
        line = f"{self._now():%H:%M:%S} {clean(name, 40)} {clean(as_json(data, pretty=False), 400)}"
        self._events = [line, *self._events][:_EVENTS]
        self._draw()

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        drawn = Text("\n".join(self.lines(size.columns, size.lines)), no_wrap=True, overflow="ellipsis")
        drawn.highlight_regex(r"(?m)^──.*$", "bold")
        self._live.update(drawn, refresh=True)

    def lines(self, width: int, height: int) -> list[str]:
        """What the screen shows in so many columns and lines: every panel has its share of them."""
        parts = [(_heading(title, answer), _lines(answer, width)) for title, answer in self._panels.items()]
        if self._stream:
            parts.append(("Live", self._events or ["…"]))
        answers = [each for each in self._panels.values() if isinstance(each, Answer)]
        notes = [*dict.fromkeys(clean(note, 400) for each in answers for note in each.meta.notes)][
            : _NOTES if height > _SMALL else 1
        ]
        room = height - 1 - len(parts) - len(notes)
        ends = "" if self._stays else " (Ctrl-C ends)"
        told = [f"{clean(self._name, 60)}, {self._now():%Y-%m-%d %H:%M:%S} UTC{ends}"]
        for (heading, body), share in zip(parts, _shares([len(body) for _, body in parts], room), strict=True):
            told.append(f"── {heading} ".ljust(width, "─"))
            told += _cut(body, share)
        return [*told, *(f"Note: {note}" for note in notes)][:height]


def _heading(title: str, answer: Answer | TalkscopeError | None) -> str:
    if not isinstance(answer, Answer):
        return title
    age = answer.meta.age_sec
    return f"{title} · n {answer.meta.n:,}" + (f" · {age:.0f} s old" if age else "")


def _lines(answer: Answer | TalkscopeError | None, width: int) -> list[str]:
    """All that there is to say of a panel, a line each."""
    if answer is None:
        return ["…"]
    if isinstance(answer, TalkscopeError):
        return textwrap.wrap(told(answer), width) or [""]
    if not answer.rows:
        return ["No rows."]
    # What no row has would only take room.
    kept = [place for place in range(len(answer.columns)) if any(row[place] is not None for row in answer.rows)]
    columns = [answer.columns[place] for place in kept]
    rows = [[row[place] for place in kept] for row in answer.rows]
    if columns and columns[0] == "bucket" and not any(isinstance(cell, str) for row in rows for cell in row[1:]):
        return _trends([title(name, answer.meta.units) for name in columns], rows, width)
    if columns and columns[0] in _NAMES and "value" in columns:
        value = columns.index("value")
        units = answer.meta.units
        facts = (" ".join([measured(row[0], columns, units), *map(shown, row[1 : value + 1])]) for row in rows)
        return _flowing(list(facts), width)
    head, _rule, *body = grid(columns, rows, answer.meta.units, wide=True).splitlines()
    return [head, *body]


def _trends(columns: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> list[str]:
    """A line for each measure: its buckets as bars, the newest at the right, and its newest and largest value."""
    names = max(len(name) for name in columns[1:])
    newest = rows[-max(1, width - names - 30) :]
    told = [f"{shown(newest[0][0])} to {shown(newest[-1][0])}"]
    for place, name in enumerate(columns[1:], 1):
        values = [cell if isinstance(cell, int | float) else None for cell in (row[place] for row in newest)]
        most = max((value for value in values if value is not None), default=0)
        bars = "".join(" " if value is None else _bar(value, most) for value in values)
        told.append(f"{name:<{names}}  {bars}  now {shown(values[-1])}, most {shown(most)}")
    return told


def _bar(value: float, most: float) -> str:
    return _BARS[0] if most <= 0 or value <= 0 else _BARS[min(len(_BARS) - 1, int(value / most * (len(_BARS) - 1)))]


def _flowing(facts: Sequence[str], width: int) -> list[str]:
    """The facts one after the other, a fact never on two lines."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + 3 + len(fact) <= width:
            lines[-1] += f" · {fact}"
        else:
            lines.append(fact)
    return lines or [MISSING]


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """How many lines each part gets: one in turn, as long as it wants one and there is room."""
    given = [0] * len(wanted)
    while room > 0 and given != list(wanted):
        for place, want in enumerate(wanted):
            if given[place] < want and room > 0:
                given[place] += 1
                room -= 1
    return given


def _cut(lines: Sequence[str], room: int) -> list[str]:
    if len(lines) <= room:
        return list(lines)
    return [*lines[: room - 1], f"… {len(lines) - room + 1} more"] if room > 1 else list(lines[:room])
