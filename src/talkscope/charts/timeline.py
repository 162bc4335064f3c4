"""A session's timeline: its turns, components, events and outcome, each in a lane of its own, in the asked zone.

What lasts is a bar, what happens at an instant is a point. Errors have a lane, so that they are seen without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, room, theme, words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.lanes import ERRORS, FAILED, OUTCOME, TURNS, Fact, facts, lanes
from talkscope.models.answers import Cell, SessionAnswer
from talkscope.models.text import clean
from talkscope.models.window import zone_of

if TYPE_CHECKING:
    import altair as alt

NO_FACTS = "No data: no facts were recorded for this session"
_STATES = (*theme.STATUS, theme.NO_STATUS)
_STEP, _SIZE = 32, 17
_NAMES = 180
_MARGIN = 0.015
_QUIET = "#8b95a3"
_SAID = 5


def draw(answer: SessionAnswer, *, zone: str = "UTC") -> Drawing:
    """The timeline of a session answer.

    Args:
        answer: Facts in order of time, with offsets from the session's start; when it has more, the chart says so.
        zone: The zone of the axis.
    """
    timeline = _Timeline(answer, zone)
    told = timeline.subtitle()
    if not timeline.facts:
        return empty(title=timeline.title(), subtitle=told, summary=f"{NO_FACTS}. {timeline.said()}", text=NO_FACTS)
    base = f"{timeline.begins / 1_000:.3f}".rstrip("0").rstrip(".")
    return finished(
        timeline.marks(), timeline.series(), title=timeline.title(), subtitle=told, summary=timeline.summary(),
        steps=[
            {"calculate": f"{base}+datum.offset", "as": "time"},
            {"calculate": "datum.time+(datum.length||0)", "as": "until"},
            {"calculate": timeline.clock.wording("datum.time", seconds=True), "as": "when"},
        ],
    )  # fmt: skip


class _Timeline:
    """A session answer, taken apart: its facts, their lanes, and the time that the axis covers."""

    def __init__(self, answer: SessionAnswer, zone: str) -> None:
        self.answer, self.session, self.zone = answer, answer.session, zone
        self.facts = facts(answer.records())
        self.lanes = lanes(self.facts)
        self.begins = Clock(0, 1, zone).instant(self.session.start_time)
        self.lasts = (self.session.duration_sec or 0) * 1_000
        self.cut = len(self.facts) < answer.meta.n
        first = min([0.0, *(each.offset for each in self.facts)])
        # Where only the first facts are drawn, time goes on behind them.
        ends = [each.end for each in self.facts if not self.cut or each.lane != TURNS]
        last = max([first + 1, *ends, 0 if self.cut else self.lasts])
        margin = (last - first) * _MARGIN
        self.span = (first - margin, last + margin)
        self.clock = Clock(self._at(self.span[0]), self._at(self.span[1]), zone)
        self.names = min(_NAMES, max((room.width(each) for each in self.lanes), default=0)) + 12
        self.wide = round(theme.WIDTH + 60 - self.names)

    def _at(self, offset: float) -> int:
        return self.begins + round(offset * 1_000)

    def _pixels(self, offset: float) -> float:
        return (offset - self.span[0]) / (self.span[1] - self.span[0]) * self.wide

    def title(self) -> str:
        """The session, how long it took, and what was in it."""
        session = self.session
        parts = [f"Session {clean(session.session_id, 48)}"]
        parts += [] if session.duration_sec is None else [words.duration(session.duration_sec)]
        parts += [words.count(session.interactions, "interaction"), words.count(session.errors, "error")]
        return " · ".join(parts)

    def subtitle(self) -> list[str]:
        """Whose session it is and when it was; what is not drawn; how marks are read."""
        session = self.session
        zone = zone_of(self.zone).key
        start = session.start_time[:19].replace("T", " ")
        parts = [clean(session.character_name or session.character_id or "", 40), clean(session.channel or "", 20)]
        parts.append(f"started {start} ({zone})")
        total = self.answer.meta.n
        parts.append(f"first {len(self.facts):,} of {total:,} facts" if self.cut else words.count(total, "fact"))
        parts.append("generated demo data" if self.answer.meta.generated else "")
        notes = [each for each in self.answer.meta.notes if "rows in all" not in each]
        failed = any(each.state in FAILED for each in self.facts)
        legend = "cross: error or timeout" if failed else ""
        return words.lines(" · ".join(each for each in parts if each), *notes[:2], legend)

    def series(self) -> list[Series]:
        """The lanes' names, the session's edges, words beside points, and facts, those alike together."""
        lanes: dict[str, list[Cell]] = {"row": list(range(len(self.lanes))), "name": list(self.lanes)}
        made = [Series({**_NOTHING, **lanes}, {**_NO_FACTS, "part": "lane"})]
        edges: list[Cell] = [0] if self.cut or not self.lasts else [0, self._ms(self.lasts)]
        made.append(Series({**_NOTHING, "offset": edges}, {**_NO_FACTS, "part": "edge"}))
        told = self._told()
        if told:
            columns: dict[str, list[Cell]] = {
                "row": [self.lanes.index(each.lane) for each, _ in told],
                "offset": [self._ms(each.offset) for each, _ in told],
                "name": [each.name for each, _ in told],
                "value": [side for _, side in told],
            }
            made.append(Series({**_NOTHING, **columns}, {**_NO_FACTS, "part": "word"}))
        alike: dict[tuple[bool, str, str, str, str], list[Fact]] = {}
        for each in self.facts:
            key = (each.length is None, each.lane, each.state, each.name, each.made_by)
            alike.setdefault(key, []).append(each)
        return made + [self._alike(found) for found in alike.values()]

    def _alike(self, facts: Sequence[Fact]) -> Series:
        first = facts[0]
        columns: dict[str, list[Cell]] = {"offset": [self._ms(each.offset) for each in facts]}
        if first.length is not None:
            columns["length"] = [self._ms(each.length or 0) for each in facts]
        if any(each.value is not None for each in facts):
            columns["value"] = [each.value for each in facts]
        if first.lane == TURNS:
            columns["turn"] = [each.turn for each in facts]
        return Series(
            {**_NOTHING, **columns},
            {
                "part": "point" if first.length is None else "bar",
                "lane": self.lanes.index(first.lane),
                "state": first.state,
                "what": f"{first.name} · {first.made_by}" if first.made_by else first.name,
            },
        )

    def _ms(self, offset: float) -> float:
        """Whole milliseconds where a pixel is more than ten of them."""
        return round(offset) if self.span[1] - self.span[0] > 10 * self.wide else round(offset, 3)

    def _told(self) -> list[tuple[Fact, int]]:
        """The points whose names touch no other: right of them (1), or left of the last one (-1)."""
        told = []
        for lane in (ERRORS, OUTCOME):
            points = [each for each in self.facts if each.lane == lane and each.length is None]
            free = 0.0
            for each, after in zip(points, [*points[1:], None], strict=False):
                at, wide = self._pixels(each.offset), 9 + room.width(each.name, 11)
                if at + wide < (self.wide if after is None else self._pixels(after.offset) - 8):
                    told.append((each, 1))
                    free = at + wide
                elif after is None and at - wide > free:
                    told.append((each, -1))
                free = max(free, at + 8)
        return told

    def marks(self) -> alt.LayerChart:
        """The session's edges behind, then bars, points and words."""
        import altair as alt

        x = alt.X("time:T", scale=self.clock.scale(), axis=self.clock.axis())
        scale = alt.Scale(domain=list(range(len(self.lanes))), paddingInner=0, paddingOuter=0)
        lanes, beside = self._words()
        # Scales and axes are told once: layers share them.
        edges = alt.Chart().transform_filter("datum.part=='edge'")
        edge = edges.mark_rule(strokeDash=[4, 4], color=_QUIET).encode(x=x)
        lanes = lanes.encode(y=alt.Y("row:O", axis=None, scale=scale))
        drawn = [edge, lanes, *self._facts(), beside]
        return alt.LayerChart(layer=drawn, width=self.wide, height=len(self.lanes) * _STEP)

    def _facts(self) -> list[alt.Chart]:
        import altair as alt

        present = [state for state in _STATES if any(each.state == state for each in self.facts)]
        colours = [theme.STATUS.get(each, theme.UNKNOWN_STATUS) for each in present]
        legend = alt.Legend(title=None, symbolOpacity=1, symbolType="square")
        scale = alt.Scale(domain=present, range=colours)
        colour = alt.Color("state:N", scale=scale, legend=legend)
        stroke = alt.Stroke("state:N", legend=None, scale=scale)
        told = [
            alt.Tooltip("what:N", title="fact"),
            alt.Tooltip("when:N"),
            alt.Tooltip("offset:Q", format=",.3~f", title="after the start (ms)"),
            alt.Tooltip("length:Q", format=",.3~f", title="took (ms)"),
            alt.Tooltip("state:N", title="status"),
            alt.Tooltip("value:Q", format=",.3~f"),
            alt.Tooltip("turn:N", title="interaction"),
        ]
        facts = alt.Chart().encode(x=alt.X("time:T", title=None), y=alt.Y("lane:O", axis=None))
        bad = "indexof(['error','timeout'],datum.state)>=0"
        bars = facts.transform_filter("datum.part=='bar'")
        points = facts.transform_filter("datum.part=='point'")
        drawn = [
            # The outline shows what is shorter than a pixel too.
            bars.mark_bar(size=_SIZE, fillOpacity=0.75, strokeWidth=1, clip=True).encode(
                x2=alt.X2("until:T", title=None), color=colour, stroke=stroke, tooltip=told
            )
        ]
        if any(each.state in FAILED and each.length is not None for each in self.facts):
            above = bars.transform_filter(bad)
            cross = above.mark_point(
                shape="cross", angle=45, size=70, yOffset=-_SIZE / 2, filled=True, opacity=1, fill="#111827",
                stroke="#ffffff", strokeWidth=0.8,
            )  # fmt: skip
            drawn.append(cross)
        shape = alt.condition(bad, alt.value("cross"), alt.value("circle"))
        drawn.append(
            points.mark_point(filled=True, size=100, angle=45, opacity=0.85).encode(
                color=alt.Color("state:N"), shape=shape, tooltip=told
            )
        )
        return drawn

    def _words(self) -> tuple[alt.Chart, alt.Chart]:
        import altair as alt

        row = alt.Y("row:O", axis=None)
        lanes = alt.Chart().transform_filter("datum.part=='lane'").mark_text(align="left", limit=_NAMES)
        words = alt.Chart().transform_filter("datum.part=='word'")
        # `value` is the side of the point on which a word stands.
        beside = words.mark_text(
            align=alt.expr("datum.value<0?'right':'left'"), dx=alt.expr("9*datum.value"), fontSize=11
        )
        return (
            lanes.encode(x=alt.value(-round(self.names)), y=row, text="name:N"),
            beside.encode(x=alt.X("time:T", title=None), y=row, text="name:N"),
        )

    def said(self) -> str:
        """The session in words."""
        session = self.session
        lasted = "unknown" if session.duration_sec is None else words.duration(session.duration_sec)
        p95 = "unknown" if session.p95_ms is None else words.figure(session.p95_ms, "ms")
        return (
            f"Session {clean(session.session_id, 80)}, started {session.start_time}: duration {lasted},"
            f" {words.count(session.interactions, 'interaction')}, {words.count(session.errors, 'error')}, p95 {p95}."
        )

    def summary(self) -> str:
        """The session, what is drawn, its failures in order of time, and its slowest turn."""
        drawn = f"The first {len(self.facts)} of {self.answer.meta.n}" if self.cut else f"All {len(self.facts)}"
        said = [self.said(), f"{drawn} facts are drawn."]
        bad = [each for each in self.facts if each.state in FAILED]
        for each in bad[:_SAID]:
            when = words.duration(each.offset / 1_000)
            took = "" if each.length is None else f" after {words.figure(each.length, 'ms')}"
            said.append(f"{each.name} at {when}: {each.state}{took}.")
        if len(bad) > _SAID:
            said.append(f"{len(bad) - _SAID} more failures.")
        turns = [(each.value, each.turn) for each in self.facts if each.lane == TURNS]
        known = [(value, turn) for value, turn in turns if isinstance(value, int | float)]
        if known:
            value, turn = max(known)
            said.append(f"Slowest turn: {turn}, {words.figure(value, 'ms')}.")
        return " ".join(said)


_NOTHING: Mapping[str, list[Cell]] = {"row": [], "offset": [], "length": [], "name": [], "value": [], "turn": []}
_NO_FACTS: Mapping[str, Cell] = {"part": None, "lane": None, "state": None, "what": None}
