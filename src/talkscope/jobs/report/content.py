"""What a report is made of, before it is a page: sections of figures, charts, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkscope.charts.drawing import Drawing

Trend: TypeAlias = Literal["better", "worse", "plain"]
Tone: TypeAlias = Literal["finding", "quiet", "refused"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure: what it is, its value, how it changed, and what it was before."""

    label: str
    value: str
    change: str = ""
    before: str = ""
    trend: Trend = "plain"


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline figures side by side; `beside` is what stands in the place of `before`."""

    items: Sequence[Figure]
    beside: str = "before"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart."""

    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `numeric` are the columns that are set to the right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Says:
    """A sentence: a finding, something to know, or why there is no answer."""

    text: str
    tone: Tone = "quiet"


Part: TypeAlias = "Figures | Picture | Table | Says"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a heading; `notes` belong to its figures."""

    title: str
    parts: Sequence[Part]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report: its title, what it is about in a few facts, and its sections."""

    title: str
    about: Sequence[tuple[str, str]]
    generated: bool
    sections: Sequence[Section]
    footer: str
