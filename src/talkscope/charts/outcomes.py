"""How sessions ended, as bars of shares and rates: a panel for each figure, all on one scale from 0 to 100 %.

A figure that spreads over labels is one bar a group, cut into its labels; by itself it is a bar a label. What a share
is out of stands beside its bar, and where there is nothing to share it says so, which is not 0 %.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, room, theme, words
from talkscope.models.answers import Answer, Cell
from talkscope.models.outcomes import OUTCOMES
from talkscope.models.text import clean

if TYPE_CHECKING:
    import altair as alt

_FIGURES = frozenset({"character_name", "measure", "label", "value", "count", "n"})
_MOST = 8
"""Panels of one chart; what is left out is named."""
_NAMES, _CAP, _STEP, _SAID, _TICKED = 240, 80, 22, 8, 3
_ALL, _NONE, _NOTHING, _OTHERS = "all sessions", "(none)", "no data", "other labels"
_REST = re.compile(r"other \(\d+ labels?\)")


def shares(measures: Sequence[str]) -> list[str]:
    """Those of the measures that can be drawn: fractions."""
    return [each for each in measures if OUTCOMES[each].unit == "fraction"]


def draw(answer: Answer, *, notes: Sequence[str] = ()) -> Drawing:
    """The fractions of an answer on outcomes, in its order.

    Args:
        answer: Rows by group, measure and label, each with a value, a count and n.
        notes: Lines for the subtitle.
    """
    found = _panels(answer)
    by = (_by(answer) or "").removesuffix("_id").replace("_", " ")
    heading = f"{_named([each.measure for each in found])}{f' by {by}' if by else ''}"
    more = [_small(each.measure) for each in found[_MOST:]]
    told = words.subtitle(answer, *([f"Not shown: {', '.join(more)}"] if more else []), *notes, n_of="sessions")
    panels = found[:_MOST]
    if not any(bar.n for each in panels for bar in each.bars):
        return empty(title=heading, subtitle=told)
    series = [Series(each.columns(), {"panel": index}) for index, each in enumerate(panels)]
    return finished(_marks(panels), series, title=heading, subtitle=told, summary=_summary(answer, heading, panels))


@dataclass(frozen=True, slots=True)
class _Bar:
    """One figure: the row it stands in, the part of the row that it is, its value and what it is out of."""

    row: str
    part: str
    value: float | None
    count: float
    n: int

    @property
    def text(self) -> str:
        """What it says in words: 72 % · n 120."""
        return f"{words.figure(self.value, 'fraction')} · n {self.n:,}" if self.value is not None else _NOTHING


@dataclass(slots=True)
class _Panel:
    """One measure: its bars, and whether those of one row are parts of one whole."""

    measure: str
    parts: bool
    bars: list[_Bar] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        """The rows in their order."""
        return list(dict.fromkeys(bar.row for bar in self.bars))

    def columns(self) -> Mapping[str, list[Cell]]:
        """Each bar's cells; what a row says beside its bar is said by the first of its parts."""
        first: set[str] = set()
        beside: list[Cell] = []
        for bar in self.bars:
            whole = f"n {bar.n:,}" if bar.n else _NOTHING
            beside.append("" if bar.row in first else whole if self.parts else bar.text)
            first.add(bar.row)
        return {
            "row": [bar.row for bar in self.bars],
            "part": [bar.part for bar in self.bars],
            "value": [bar.value for bar in self.bars],
            "text": [bar.text for bar in self.bars],
            "count": [bar.count for bar in self.bars],
            "n": [bar.n for bar in self.bars],
            "beside": beside,
            "at": [self.end(bar) for bar in self.bars],
            "place": [self.places.index(bar.part) for bar in self.bars],
        }

    @property
    def places(self) -> list[str]:
        """The parts in the order in which every row has them: the most frequent first."""
        counts: Counter[str] = Counter()
        for bar in self.bars:
            counts[bar.part] += int(bar.count)
        return sorted(counts, key=lambda part: (-counts[part], part))

    def labelled(self) -> _Panel:
        """The panel with each bar in a row named by its group and label; long names of groups leave room for labels."""
        parts = [f" · {bar.part}" if bar.part != _NOTHING else "" for bar in self.bars]
        if not any(parts):
            return self
        left = max(_NAMES - max(map(room.width, parts)), _NAMES / 3)
        names = dict(zip(self.rows, room.apart((room.cut(row, left) for row in self.rows), left), strict=True))
        bars = [replace(bar, row=names[bar.row] + part) for bar, part in zip(self.bars, parts, strict=True)]
        return replace(self, bars=bars)

    def folded(self) -> _Panel:
        """The panel with the rarest parts as one, where there are more parts than colours."""
        there = [part for part in self.places if part != _NOTHING]
        if len(there) <= len(theme.SERIES):
            return self
        kept = [part for part in there if not _REST.fullmatch(part)][: len(theme.SERIES) - 1]
        found: list[_Bar] = []
        for row in self.rows:
            mine = [bar for bar in self.bars if bar.row == row]
            rest = [bar for bar in mine if bar.part not in (*kept, _NOTHING)]
            found += [bar for bar in mine if bar not in rest]
            if rest:
                value, count = sum(bar.value or 0 for bar in rest), sum(bar.count for bar in rest)
                found.append(_Bar(row, _OTHERS, value, count, rest[0].n))
        return replace(self, bars=found)

    def end(self, bar: _Bar) -> float:
        """Where the bar's row ends."""
        return float(bar.n > 0) if self.parts else bar.value or 0.0


def _by(answer: Answer) -> str | None:
    return next((each for each in answer.columns if each not in _FIGURES), None)


def _panels(answer: Answer) -> list[_Panel]:
    by = _by(answer)
    names, labels = _names(answer, by), _labels(answer)
    panels: dict[str, _Panel] = {}
    for row in answer.records():
        measure = str(row["measure"])
        known = OUTCOMES.get(measure)
        if known is None or known.unit != "fraction":
            continue
        panel = panels.setdefault(measure, _Panel(measure, by is not None and known.kind == "shares"))
        group = names[row[by], row.get("character_name")] if by else ""
        label = labels[row["label"]] if row["label"] is not None else ""
        value, count, n = row["value"], row["count"], row["n"]
        panel.bars.append(
            _Bar(
                group or label or _ALL,
                label or _NOTHING,
                float(value) if isinstance(value, int | float) else None,
                float(count) if isinstance(count, int | float) else 0,
                n if isinstance(n, int) else 0,
            )
        )
    return [each.folded() if each.parts else each.labelled() if by else each for each in panels.values()]


def _names(answer: Answer, by: str | None) -> dict[tuple[Cell, Cell], str]:
    """What each group is called; ids tell apart those of one name."""
    if by is None:
        return {}
    keys = dict.fromkeys((row[by], row.get("character_name")) for row in answer.records())
    plain = {
        key: clean(str(key[0] if key[1] is None else key[1]), _CAP) if key != (None, None) else _NONE for key in keys
    }
    often = Counter(plain.values())
    told = (
        name if often[name] == 1 else f"{name} ({_NONE if key[0] is None else clean(str(key[0]), _CAP)})"
        for key, name in plain.items()
    )
    return dict(zip(plain, room.apart(told, _NAMES), strict=True))


def _labels(answer: Answer) -> dict[Cell, str]:
    """What each label is called: two may be alike in their first characters."""
    every = dict.fromkeys(row["label"] for row in answer.records() if row["label"] is not None)
    return dict(zip(every, room.apart((clean(str(each), _CAP) for each in every), _NAMES), strict=True))


def _named(measures: Sequence[str]) -> str:
    """The measures in a row, the first three of many."""
    if not measures:
        return "Outcomes"
    names = [words.name(measures[0]), *(_small(each) for each in measures[1:])]
    return words.listing(names) if len(names) < 4 else f"{', '.join(names[:3])} and more"


def _small(measure: str) -> str:
    """A measure's name inside a sentence."""
    name = words.name(measure)
    return name if name.isupper() else name[:1].lower() + name[1:]


def _marks(panels: Sequence[_Panel]) -> alt.VConcatChart | alt.LayerChart:
    import altair as alt

    longest = max(room.width(row, 11) for each in panels for row in each.rows)
    names = min(_NAMES, longest)
    wide = round(max(theme.WIDTH + 60 - names, 320))
    ends = [(each.end(bar), bar.text) for each in panels for bar in each.bars]
    far = max(1.0, room.stretched([*ends, (1.0, "")], wide))
    full = max(1.0, *(end for end, _ in ends))
    drawn = []
    for index, each in enumerate(panels):
        ticks: Sequence[float] = [quarter / 4 for quarter in range(int(full * 4) + 1)] if full <= _TICKED else []
        last = each is panels[-1]
        axis = alt.Axis(
            format="~%",
            values=list(ticks) or alt.Undefined,
            grid=True,
            title=None,
            labels=last,
            ticks=last,
            domain=last,
        )
        x = alt.X("value:Q", scale=alt.Scale(domain=[0, far], nice=False), axis=axis)
        drawn.append(_panel(each, index, x, names).properties(width=wide))
    if len(drawn) == 1:
        return drawn[0]
    several: alt.VConcatChart = alt.vconcat(*drawn, spacing=14).resolve_scale(color="independent")
    return several


def _panel(panel: _Panel, index: int, x: alt.X, names: float) -> alt.LayerChart:
    import altair as alt

    # Equal room for names keeps the zeros of all panels in one line.
    listed = alt.Axis(labelLimit=_NAMES, labelPadding=8, labelFontSize=12, minExtent=names, maxExtent=names + 16)
    y = alt.Y("row:N", sort=None, title=None, axis=listed, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.2))
    told = [
        alt.Tooltip("row:N", title="of"),
        *([alt.Tooltip("part:N", title="label")] if panel.parts else []),
        alt.Tooltip("text:N", title=words.name(panel.measure)),
        alt.Tooltip("count:Q", title="count"),
        alt.Tooltip("n:Q", title="out of"),
    ]
    bars = alt.Chart().mark_bar(cornerRadiusEnd=0 if panel.parts else 2)
    bars = bars.encode(x=x.stack("zero" if panel.parts else None), y=y, tooltip=told)
    if panel.parts:
        legend = alt.Legend(orient="top", offset=2, columns=6) if any(bar.n for bar in panel.bars) else None
        colour = alt.Color("part:N", sort=alt.EncodingSortField("place"), title=None, legend=legend)
        colour = _toned(colour, panel)
        # What has nothing to share is no part, and the legend does not name it: words stand in its row.
        bars = bars.transform_filter("datum.n>0").encode(color=colour, order=alt.Order("place:Q"))
    text = alt.Chart().mark_text(align="left", dx=5, fontSize=11.5)
    text = text.encode(x=alt.X("at:Q"), y=y, text="beside:N")
    title = alt.TitleParams(text=words.name(panel.measure), fontSize=13, anchor="start", frame="group", offset=6)
    layered: alt.LayerChart = alt.LayerChart(layer=[bars, text], height=len(panel.rows) * _STEP + 8, title=title)
    own: alt.LayerChart = layered.transform_filter(f"datum.panel=={index}")
    return own


_GOOD, _MIDDLING, _BAD = "#0072B2", "#9AA3B0", "#D55E00"
_TONES: Mapping[str, str] = {
    "positive": _GOOD, "neutral": _MIDDLING, "negative": _BAD,
    "improved": _GOOD, "stable": _MIDDLING, "degraded": _BAD,
    "low": _GOOD, "medium": _MIDDLING, "high": _BAD,
    "relevant": _GOOD, "partial": _MIDDLING, "irrelevant": _BAD,
}  # fmt: skip
"""Colours of labels that are better or worse than each other; other labels take those of series."""


def _toned(colour: alt.Color, panel: _Panel) -> alt.Color:
    """The colours of a panel whose labels are better or worse than each other; as they were for any other."""
    import altair as alt

    there = {bar.part for bar in panel.bars if bar.n}
    parts = [part for part in panel.places if part in there]
    if not parts or not set(parts) <= _TONES.keys():
        return colour
    scaled: alt.Color = colour.scale(alt.Scale(domain=parts, range=[_TONES[part] for part in parts]))
    return scaled


def _summary(answer: Answer, heading: str, panels: Sequence[_Panel]) -> str:
    """The first figures in words."""
    window = answer.meta.window
    said = [f"{heading}{f', {words.about(window)}' if window else ''}, n = {answer.meta.n:,} sessions."]
    every = [(panel, bar) for panel in panels for bar in panel.bars]
    for panel, bar in every[:_SAID]:
        about = [each for each in (bar.row if bar.row != _ALL else "", bar.part if panel.parts else "") if each]
        of = f", {' · '.join(about)}" if about else ""
        said.append(f"{words.name(panel.measure)}{of}: {bar.text}.")
    rest = len(every) - _SAID
    return " ".join([*said, f"{rest} more bars are in the chart."] if rest > 0 else said)
