"""A report as one page of HTML: its charts are drawn in it, and nothing is loaded or run when it is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib import resources
from typing import TypeAlias

from talkscope.charts.drawing import theme
from talkscope.errors import Json
from talkscope.jobs.report.content import Figure, Figures, Part, Picture, Report, Section, Table

Draw: TypeAlias = Callable[[dict[str, Json]], str]
"""Draws a chart's spec as SVG."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SHORT, _LONG = 18, 60
_ARROWS = {"worse": "▲ worse", "better": "▼ better", "plain": ""}
_OWN_IDS = re.compile(r'(\bid="|url\(#|href="#)')
_PROLOGUE = re.compile(r"^\s*(?:<\?xml[^>]*\?>|<!DOCTYPE[^>]*>|\s)*")


def html(report: Report, draw: Draw) -> str:
    """The page, complete in itself: no script, no link to anywhere, for light and dark screens and for paper."""
    title = escape(report.title)
    body = "".join(_pieces(report, draw))
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<style>\n{style}{_dark()}</style></head>\n<body>\n{body}</body></html>\n"
    )


def _pieces(report: Report, draw: Draw) -> Iterator[str]:
    badge = '<span class="badge">generated demo data</span>' if report.generated else ""
    about = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in report.about)
    yield f"<header><h1>{escape(report.title)} {badge}</h1><dl>{about}</dl></header>\n<main>\n"
    count = 0
    for section in report.sections:
        yield f'<section id="{_anchor(section.title)}"><h2>{escape(section.title)}</h2>\n'
        for part in section.parts:
            count += 1
            yield _part(part, draw, f"c{count}-") + "\n"
        yield _notes(section) + "</section>\n"
    yield f"</main>\n<footer>{escape(report.footer)}</footer>\n"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _notes(section: Section) -> str:
    if not section.notes:
        return ""
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in section.notes)}</ul>'


def _part(part: Part, draw: Draw, prefix: str) -> str:
    if isinstance(part, Figures):
        return f'<div class="figures">{"".join(_figure(each) for each in part.items)}</div>'
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        return _picture(part, draw, prefix)
    return f'<p class="{part.tone}">{escape(part.text)}</p>'


def _figure(figure: Figure) -> str:
    word = _ARROWS[figure.trend]
    change = f'<span class="change {figure.trend}">{escape(figure.change)} {word}</span>' if figure.change else ""
    return (
        f'<div class="figure"><span class="label">{escape(figure.label)}</span>'
        f'<span class="value">{escape(figure.value)}</span>{change}'
        f'<span class="before">{escape(figure.before)}</span></div>'
    )


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        drawn = (
            f"<{tag}{_side(cell, place in table.numeric)}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells)
        )
        return f"<tr>{''.join(drawn)}</tr>"

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    rows = "".join(row(each, "td") for each in table.rows)
    head = row(table.head, "th")
    return f'<div class="wide"><table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _side(cell: str, numeric: bool) -> str:
    """How a cell stands: numbers to the right, short words on one line, sentences with room."""
    if numeric:
        return ' class="number"'
    return ' class="short"' if len(cell) <= _SHORT else ' class="long"' if len(cell) > _LONG else ""


def _picture(part: Picture, draw: Draw, prefix: str) -> str:
    told = escape(part.drawing.summary)
    drawn = inline(draw(part.drawing.spec), prefix)
    return f"<figure>{drawn}<details><summary>In words</summary><p>{told}</p></details></figure>"


def inline(svg: str, prefix: str) -> str:
    """The picture as a part of a page: its own ids begin with the prefix, for a page holds several pictures."""
    return _OWN_IDS.sub(lambda found: found[1] + prefix, _PROLOGUE.sub("", svg))


def _dark() -> str:
    """How charts change on a dark screen: each colour of the light theme becomes the dark theme's."""
    pairs = dict(_differing(theme.config("light"), theme.config("dark")))
    rules = [
        f'figure svg [{paint}="{light}"]{{{paint}:{dark}}}'
        for light, dark in pairs.items()
        for paint in ("fill", "stroke")
    ]
    return f"@media screen and (prefers-color-scheme: dark){{{''.join(rules)}}}\n"


def _differing(light: Json, dark: Json) -> Iterator[tuple[str, str]]:
    if isinstance(light, dict) and isinstance(dark, dict):
        for name in light:
            yield from _differing(light[name], dark[name])
    elif isinstance(light, str) and isinstance(dark, str) and light != dark:
        yield light, dark
