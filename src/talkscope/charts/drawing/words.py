"""Titles, subtitles, axes and key figures in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from talkscope.charts.drawing import theme
from talkscope.models.answers import Answer, Cell, WindowMeta
from talkscope.models.semantics import MEASURES
from talkscope.models.text import clean

NO_DATA = "No data in this window"
_LINE = 118
_NAMES = {
    "avg": "Mean",
    "max": "Maximum",
    "end_users": "End users",
    "error_rate": "Error rate",
    "cost_usd": "Cost",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "handoff_rate": "Handoff rate",
    "deflection_rate": "Deflection rate",
    "csat": "CSAT",
    "dsat": "DSAT",
    "recontacted_within_7d": "Recontacted within 7 days",
    "mean_ms": "Mean time",
    "total_ms": "Total time",
}


def name(measure: str) -> str:
    """A measure as people write it: P95, Error rate, Sessions."""
    if measure in _NAMES:
        return _NAMES[measure]
    if measure.startswith("turn_"):
        return f"Turn {name(measure.removeprefix('turn_'))}"
    return measure.upper() if measure[:1] == "p" and measure[1:].isdigit() else measure.replace("_", " ").capitalize()


def listing(parts: Sequence[str]) -> str:
    """One, two and three."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def several(measures: Sequence[str]) -> str:
    """Measures in one phrase: Sessions, error rate and P95."""
    names = [name(each) for each in measures]
    return listing([names[0], *(each if each[1:2].isdigit() else each[:1].lower() + each[1:] for each in names[1:])])


def unit(answer: Answer, measure: str) -> str:
    """The unit of a measure's column: as the answer says, else as the measure's own declaration has it."""
    known = MEASURES.get(measure)
    return answer.meta.units.get(measure) or (known.unit if known else "")


def axis_title(title: str, of: str) -> str:
    """What an axis shows, with its unit where it is not said by the title itself."""
    shown = {"fraction": "%", "USD": "US$", "end users": ""}.get(of, of)
    return title if not shown or shown.lower() in title.lower() else f"{title} ({shown})"


def form(of: str) -> str:
    """The number format of a unit, for axes and tooltips."""
    return {"fraction": ",.3~%", "USD": "$,.4~f"}.get(of, theme.NUMBERS)


def figure(value: Cell, of: str) -> str:
    """A number with its unit in words; an unknown one says so."""
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    if of == "fraction":
        percent = value * 100
        return f"{percent:,.0f} %" if abs(percent) >= 100 else f"{percent:.3g} %"
    if of == "USD":
        return f"US$ {value:,.4g}"
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.3g}"
    return f"{number} {of}" if of and of != "rows" else number


def basis(answer: Answer) -> str:
    """What latencies are of, in few words: user-to-bot latency, span durations, or a metric by its name."""
    said = (answer.meta.basis or "").removesuffix(", as the service measures them")
    return {
        "user-to-bot latency of interactions": "user-to-bot latency",
        "durations of leaf spans": "span durations",
        "durations of components in turns": "component durations",
    }.get(said, said)


def noun(answer: Answer) -> str:
    """What n counts, where the answer says it: interactions, spans or values."""
    first = next((MEASURES[each] for each in answer.columns if each in MEASURES), None)
    if first is None or first.family not in ("latency", "volume"):
        return ""
    if first.family == "volume":
        return "" if first.unit == "rows" else first.unit
    of = basis(answer)
    known = {"user-to-bot latency": "interactions", "span durations": "spans", "component durations": "spans"}
    return known.get(of, "values" if of.startswith("values of ") else "")


def count(number: Cell, noun: str) -> str:
    """So many of something: 1 error, 2 errors."""
    shown = f"{number:,}" if isinstance(number, int | float) else "an unknown number of"
    return f"{shown} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """How long something lasts, as people say it: 0.2 s, 75 s, 12 min 3 s, 3 h 5 min."""
    if seconds < 120:
        return f"{seconds:.3g} s" if seconds < 99.5 else f"{seconds:.0f} s"
    whole = round(seconds)
    large, small, names = (whole // 60, whole % 60, ("min", "s"))
    if whole >= 7_200:
        large, small, names = (whole // 3_600, whole % 3_600 // 60, ("h", "min"))
    return f"{large:,} {names[0]} {small} {names[1]}" if small else f"{large:,} {names[0]}"


def about(window: WindowMeta) -> str:
    """A window in words: from, to, and the zone."""
    return f"{when(window.start)} to {when(window.end)} ({window.timezone})"


def subtitle(answer: Answer, *more: str, n_of: str = "") -> list[str]:
    """What a chart is about: window and zone, grain, n, then notes of its own, on lines that fit."""
    meta = answer.meta
    parts = [about(meta.window)] if meta.window else []
    if meta.granularity:
        parts.append(f"by {meta.granularity}")
    parts.append(f"n = {meta.n:,}{' ' + n_of if n_of else ''}")
    if meta.generated:
        parts.append("generated demo data")
    return lines(" · ".join(parts), *more)


def lines(*texts: str) -> list[str]:
    """The texts one below the other, on lines that fit; empty ones are left out."""
    return [line for text in texts for line in textwrap.wrap(text, _LINE)]


def only(filters: Sequence[str]) -> list[str]:
    """The filters that were asked for, in words for the subtitle; nothing without any."""
    return [f"only {', '.join(clean(each, 80) for each in filters)}"] if filters else []


def when(text: str) -> str:
    """A time to the minute, without the offset that the zone's name says."""
    return text[:16].replace("T", " ")
