"""A waterfall: one interaction's spans, where they truly lie in the turn.

Each span is a row, indented by its depth. Its bar is solid where it is the deepest span running, which is where the
turn's time goes, and light where it waits for its parts; time in which no span runs has a row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, room, theme, words
from talkscope.charts.drawing.path import Stretch, path
from talkscope.charts.drawing.spans import ms, span
from talkscope.models.answers import Cell, TurnAnswer
from talkscope.models.text import clean

if TYPE_CHECKING:
    import altair as alt

MOST_SPANS = 80
"""A picture with more rows is not read any more."""
NO_SPANS = "No data: no spans were recorded for this interaction"
_MOST_GAPS = 80
_NAMES = 260
_INDENT = 14
_STEP, _TIGHT, _SPACIOUS = 25, 18, 30
_RULE = "#8b95a3"
_STATES = (*theme.STATUS, theme.NO_STATUS)
_SAID = 4
_NO_SPAN = "(no span)"


def draw(answer: TurnAnswer, *, zone: str | None = None, most: int = MOST_SPANS) -> Drawing:
    """The waterfall of an interaction answer.

    Args:
        answer: Rows of kind span and gap, with offsets from the turn's start.
        zone: The zone in which its times are told.
        most: Spans to draw; those with the most time of their own, then the longest, stay.
    """
    fall = _Waterfall(answer, most)
    if not fall.spans:
        told = [*fall.subtitle(zone)[:1], "Only the interaction itself is known."]
        return empty(title=fall.title(), subtitle=told, summary=f"{NO_SPANS}. {fall.said()}", text=NO_SPANS)
    return finished(
        fall.marks(), fall.series(), title=fall.title(), subtitle=fall.subtitle(zone), summary=fall.summary(),
        steps=[{"calculate": "datum.offset+datum.length", "as": "end"}],
    )  # fmt: skip


class _Waterfall:
    """An interaction answer, taken apart: the spans that are drawn, the gaps, and how far the axis goes."""

    def __init__(self, answer: TurnAnswer, most: int) -> None:
        self.answer, self.turn = answer, answer.interaction
        records = answer.records()
        found = [span(each) for each in records if each["kind"] == "span"]
        self.gaps = [(ms(each["offset_ms"]), ms(each["duration_ms"])) for each in records if each["kind"] == "gap"]
        self.of = len(found)
        kept = sorted(range(self.of), key=lambda at: (-found[at].own, -found[at].length, at))[:most]
        self.pieces = path(
            [Stretch(each.offset, each.length, each.depth, each.own) for each in found], self.turn.total_ms or 0
        )
        self.spans = {at: replace(found[at], row=row) for row, at in enumerate(sorted(kept))}
        names = [room.width(each.name) + each.depth * _INDENT for each in self.spans.values()]
        self.names = min(_NAMES, max([*names, room.width(_NO_SPAN) if self.gaps else 0])) + 12
        self.wide = round(theme.WIDTH + 60 - self.names)
        self.start = min([0.0, *(each.offset for each in self.spans.values())])
        self.far = self._far()

    @property
    def rest(self) -> tuple[int, float, float, str]:
        """The row of the time without a span: its row, where its last gap begins and how long that is, and its text."""
        total = sum(length for _, length in self.gaps)
        text = f"{words.figure(round(total, 3), 'ms')} in {words.count(len(self.gaps), 'gap')}"
        return len(self.spans), *max(self.gaps, key=lambda gap: gap[0] + gap[1]), text

    def _far(self) -> float:
        ends = [(each.end, each.text) for each in self.spans.values()]
        if self.gaps:
            _, offset, length, text = self.rest
            ends.append((offset + length, text))
        far = room.stretched([*ends, (self.turn.total_ms or 0, "")], self.wide, start=self.start)
        return far if far > self.start else self.start + 1

    def title(self) -> str:
        """The interaction, how it ended, and its latency."""
        turn = self.turn
        parts = [f"Interaction {clean(turn.interaction_id, 48)}", clean(turn.status or "status unknown", 24)]
        parts.append("latency unknown" if turn.latency_ms is None else words.figure(turn.latency_ms, "ms"))
        return " · ".join(parts)

    def subtitle(self, zone: str | None) -> list[str]:
        """Whose turn it is and when it began; how bars are read."""
        turn = self.turn
        at = turn.start_time
        where = zone or ("UTC" if at.endswith("Z") else at[-6:])
        cut = len(self.spans) < self.of
        parts = [
            f"session {clean(turn.session_id, 40)}",
            f"started {at[:23].removesuffix('Z').replace('T', ' ')} ({where})",
            f"{f'{len(self.spans):,} of ' if cut else ''}{words.count(self.of, 'span')}",
        ]
        if turn.character_name or turn.character_id:
            parts.append(clean(turn.character_name or turn.character_id or "", 30))
        if self.answer.meta.generated:
            parts.append("generated demo data")
        return words.lines(" · ".join(parts), self._legend())

    def _legend(self) -> str:
        shown = self.spans.values()
        said = []
        if any(each.own < each.length for each in shown):
            said.append("solid: the deepest span running, where the turn's time goes; light: it waits or lies outside")
        if any(each.ttfb is not None for each in shown):
            said.append("triangle: first byte")
        return " · ".join(said)

    def series(self) -> list[Series]:
        """Spans by their state, the stretches of their own time, and the gaps."""
        made = []
        for state in _STATES:
            rows = [each for each in self.spans.values() if each.state == state]
            if rows:
                columns: dict[str, list[Cell]] = {
                    "row": [each.row for each in rows],
                    "offset": [each.offset for each in rows],
                    "length": [each.length for each in rows],
                    "self": [each.own for each in rows],
                    "ttfb": [each.ttfb for each in rows],
                    "name": [each.name for each in rows],
                    "text": [each.text for each in rows],
                    "depth": [each.depth for each in rows],
                }
                made.append(Series(columns, {"part": "span", "state": state}))
        for state in _STATES:
            parts = [
                (self.spans[at].row, offset, length)
                for at, offset, length in self.pieces
                if at in self.spans and self.spans[at].state == state
            ]
            if parts:
                made.append(_stretches("self", state, parts))
        gaps = sorted(sorted(self.gaps, key=lambda gap: -gap[1])[:_MOST_GAPS])
        if gaps:
            row, offset, length, text = self.rest
            made.append(_stretches("gap", "none", [(row, *gap) for gap in gaps]))
            cells: dict[str, list[Cell]] = {"row": [row], "offset": [offset], "length": [length], "name": [_NO_SPAN]}
            made.append(Series({**_NOTHING, **cells, "text": [text]}, {"part": "rest", "state": "none"}))
        if self.turn.total_ms is not None:
            made.append(_stretches("turn", "none", [(0, self.turn.total_ms, 0)]))
        return made

    def marks(self) -> alt.LayerChart:
        """Gaps behind, then bars, ticks and words."""
        import altair as alt

        rows = len(self.spans) + bool(self.gaps)
        step = _STEP if rows <= _SPACIOUS else _TIGHT
        axis = alt.Axis(title="ms since the turn's start", format=",~f", grid=True, tickCount=8)
        scale = alt.Scale(domain=[self.start, self.far], nice=False)
        scaled = alt.Scale(domain=list(range(rows)), paddingInner=0, paddingOuter=0)
        y = alt.Y("row:O", axis=None)
        spans = self._bars(y, round(step * 0.64))
        # Scales and axes are told once: layers share them.
        spans[0] = spans[0].encode(
            x=alt.X("offset:Q", scale=scale, axis=axis), y=alt.Y("row:O", axis=None, scale=scaled)
        )
        gaps = self._gaps(y, round(step * 0.5)) if self.gaps else []
        end = [] if self.turn.total_ms is None else self._end(self.turn.total_ms)
        return alt.LayerChart(layer=[*gaps, *spans, *end, *self._words(y)], width=self.wide, height=rows * step)

    def _bars(self, y: alt.Y, size: int) -> list[alt.Chart]:
        import altair as alt

        colour, scale = self._colour()
        told = [
            alt.Tooltip("name:N", title="span"),
            alt.Tooltip("text:N", title="took"),
            alt.Tooltip("offset:Q", format=",.3~f", title="starts at (ms)"),
            alt.Tooltip("self:Q", format=",.3~f", title="own time (ms)"),
            alt.Tooltip("ttfb:Q", format=",.3~f", title="first byte after (ms)"),
        ]
        spans = alt.Chart().transform_filter("datum.part=='span'")
        drawn = [
            # The outline shows spans without length too.
            spans.mark_bar(size=size, fillOpacity=0.3, strokeWidth=1.2).encode(
                x="offset:Q",
                x2="end:Q",
                y=y,
                color=colour,
                stroke=alt.Stroke("state:N", legend=None, scale=scale),
                tooltip=told,
            )
        ]
        own = alt.Chart().transform_filter("datum.part=='self'")
        drawn.insert(0, own.mark_bar(size=size).encode(x="offset:Q", x2="end:Q", y=y, color=alt.Color("state:N")))
        if any(each.ttfb is not None for each in self.spans.values()):
            first = spans.transform_filter("isValid(datum.ttfb)").transform_calculate(first="datum.offset+datum.ttfb")
            drawn.append(
                first.mark_point(
                    shape="triangle-down", size=42, yOffset=-size / 2 + 1, filled=True, color="#111827", opacity=1,
                    stroke="#ffffff", strokeWidth=1,
                ).encode(x="first:Q", y=y)
            )  # fmt: skip
        return drawn

    def _colour(self) -> tuple[alt.Color, alt.Scale]:
        import altair as alt

        present = [each for each in _STATES if any(span.state == each for span in self.spans.values())]
        scale = alt.Scale(domain=present, range=[theme.STATUS.get(each, theme.UNKNOWN_STATUS) for each in present])
        legend = alt.Legend(title=None, symbolOpacity=1, symbolType="square", offset=20)
        return alt.Color("state:N", scale=scale, legend=None if present == ["ok"] else legend), scale

    @staticmethod
    def _gaps(y: alt.Y, size: int) -> list[alt.Chart]:
        import altair as alt

        gaps = alt.Chart().transform_filter("datum.part=='gap'")
        told = [
            alt.Tooltip("length:Q", format=",.3~f", title="no span runs for (ms)"),
            alt.Tooltip("offset:Q", format=",.3~f", title="from (ms)"),
        ]
        behind = gaps.mark_rect(color=_RULE, opacity=0.16, stroke=_RULE, strokeOpacity=0.5, strokeWidth=0.5)
        bar = gaps.mark_bar(size=size, fillOpacity=0.35, color=_RULE, stroke=_RULE, strokeWidth=1)
        return [
            behind.encode(x="offset:Q", x2="end:Q"),
            bar.encode(x="offset:Q", x2="end:Q", y=y, tooltip=told),
        ]

    def _words(self, y: alt.Y) -> list[alt.Chart]:
        import altair as alt

        named = alt.Chart().transform_filter("datum.part=='span'||datum.part=='rest'")
        names = named.mark_text(align="left", limit=_NAMES, dx=alt.expr(f"{_INDENT}*(datum.depth||0)"))
        lengths = named.mark_text(align="left", dx=6, fontSize=11.5, limit=self.wide / 2)
        return [
            names.encode(x=alt.value(-round(self.names)), y=y, text="name:N"),
            lengths.encode(x="end:Q", y=y, text="text:N"),
        ]

    def _end(self, total: float) -> list[alt.Chart]:
        import altair as alt

        what = "latency" if self.turn.latency_ms is not None else "end"
        right = (total - self.start) > (self.far - self.start) / 2
        turn = alt.Chart().transform_filter("datum.part=='turn'")
        text = f"{what} {words.figure(total, 'ms')}"
        label = turn.mark_text(text=text, align="right" if right else "left", dx=3 if right else -3, dy=-8)
        return [
            turn.mark_rule(strokeDash=[5, 3], strokeWidth=1.5, color=_RULE).encode(x="offset:Q"),
            label.encode(x="offset:Q", y=alt.value(0)),
        ]

    def said(self) -> str:
        """The turn in words."""
        turn = self.turn
        latency = "unknown" if turn.latency_ms is None else words.figure(turn.latency_ms, "ms")
        return (
            f"Interaction {clean(turn.interaction_id, 80)} of session {clean(turn.session_id, 80)}, started"
            f" {turn.start_time}: status {clean(turn.status or 'unknown', 24)}, latency {latency}."
        )

    def summary(self) -> str:
        """The turn, the spans that took the most of it, the time without a span, and what failed."""
        total = self.turn.total_ms or 0
        said = [
            self.said(),
            f"{words.count(self.of, 'span')}{f', {len(self.spans)} drawn' if len(self.spans) < self.of else ''}.",
        ]
        most = sorted((each for each in self.spans.values() if each.own > 0), key=lambda each: -each.own)
        for each in most[:_SAID]:
            share = f" ({words.figure(each.own / total, 'fraction')} of the turn)" if total else ""
            said.append(f"{each.name}: {words.figure(each.own, 'ms')} of its own{share}.")
        if self.gaps:
            said.append(f"No span: {self.rest[-1]}.")
        failed = [each for each in self.spans.values() if each.state in ("error", "timeout")]
        if failed:
            said.append(f"Failed: {'; '.join(f'{each.name} ({each.text})' for each in failed[:_SAID])}.")
        return " ".join(said)


_NOTHING: Mapping[str, list[Cell]] = {
    "row": [], "offset": [], "length": [], "self": [], "ttfb": [], "name": [], "text": [], "depth": []
}  # fmt: skip


def _stretches(part: str, state: str, parts: Sequence[tuple[int, float, float]]) -> Series:
    columns: dict[str, list[Cell]] = {
        "row": [row for row, _, _ in parts],
        "offset": [offset for _, offset, _ in parts],
        "length": [length for _, _, length in parts],
    }
    return Series({**_NOTHING, **columns}, {"part": part, "state": state})
