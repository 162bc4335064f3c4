"""A report as Markdown, for where no page can be shown: figures, tables, and the charts in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from talkscope.jobs.report.content import Figures, Part, Picture, Report, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def markdown(report: Report) -> str:
    """The report; whatever others wrote stands in it as text."""
    lines = [f"# {plain(report.title)}", ""]
    if report.generated:
        lines += ["**Generated demo data.**", ""]
    lines += [f"- {plain(name)}: {plain(text)}" for name, text in report.about]
    for section in report.sections:
        lines += ["", f"## {plain(section.title)}", ""]
        for part in section.parts:
            lines += [*_part(part), ""]
        lines += [f"- {plain(note)}" for note in section.notes]
    return "\n".join([*lines, "", plain(report.footer)]) + "\n"


def plain(text: str) -> str:
    """Text that means nothing to Markdown but itself."""
    return _SPECIAL.sub(r"\\\1", text)


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, Figures):
        head = ["figure", "value", "change", part.beside]
        rows = [[each.label, each.value, each.change, each.before] for each in part.items]
        if part.beside != "before":
            head, rows = [head[0], head[1], head[3]], [[row[0], row[1], row[3]] for row in rows]
        yield from _rows(head, rows, frozenset())
    elif isinstance(part, Table):
        if part.caption:
            yield plain(part.caption)
            yield ""
        yield from _rows(part.head, part.rows, part.numeric)
    elif isinstance(part, Picture):
        yield plain(part.drawing.summary)
    else:
        yield plain(part.text)


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> Iterator[str]:
    yield f"| {' | '.join(map(plain, head))} |"
    yield f"|{'|'.join('---:' if place in numeric else '---' for place in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(map(plain, row))} |"
