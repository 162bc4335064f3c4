"""The facts that figures of outcomes are over, as SQL: each a SELECT with the group `g` of a session.

A session's outcome is its latest in the window, chosen before any filter. Ratings and conversions are facts of their
own time; where they are filtered or grouped by what only an outcome says, that is the outcome of their session in the
window, or else its latest of all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from talkscope.errors import InvalidArgument
from talkscope.models.outcomes import LABELS
from talkscope.models.semantics import Dimension, Filter
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import HANDED, Sql, Which, condition, facts, latest_outcomes, spread
from talkscope.warehouse.schema import COPIED

Group: TypeAlias = "str | int | float | None"

_SAID = ("resolution", "handoff_reason", "deflection_quality", "sentiment", "sentiment_shift", "recontact_risk")
_SPREAD = ("character_id", "tag")
_SESSION = ("platform", "session_id", *COPIED)
_WINBACK = ("winback_sent", "winback_answered", "winback_converted")

# A label is a text; what else a platform puts there is kept, and is none.
_RESOURCES = "CASE WHEN starts_with(resources, '\"') THEN resources END"
LABEL_OF = {name: name for name in LABELS} | {
    "resources": _RESOURCES,
    "handoff_reason": "CASE WHEN h IS DISTINCT FROM false THEN handoff_reason END",
    "deflection_quality": "CASE WHEN h IS DISTINCT FROM true THEN deflection_quality END",
}
"""The label of each measure, as SQL over `outcomes`."""
SCORED = f"coalesce({', '.join(name for name in _SAID if name != 'resolution')}, {_RESOURCES}) IS NOT NULL"
"""Whether an outcome has a label of a scoring, as SQL."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sessions that are asked about: in which window, passing which filters, by which dimension.

    `without` leaves out these groups and puts all others, each session once, into the group null.
    """

    ask: Ask
    window: Window
    filters: tuple[Filter, ...]
    by: Dimension | None = None
    without: Collection[Group] | None = None

    def __post_init__(self) -> None:
        """Refuse a dimension that outcomes have not."""
        named = [*([self.by] if self.by else []), *(each.dimension for each in self.filters)]
        strangers = [each.name for each in named if "outcome" not in each.scopes]
        if strangers:
            raise InvalidArgument(
                f"Outcomes have no {', '.join(strangers)}.",
                hint="Group or filter by dimensions of sessions or outcomes, such as channel, character_id or tag.",
            )

    def outcomes(self) -> Sql:
        """The outcome of each session; `h` says whether a person took over."""
        columns = [*_SAID, "platform", "session_id", "end_user_id", "handoff", "resources", "rating", *_WINBACK]
        sql = facts(self.ask, "outcomes", Which(self.window, self.filters), [*columns, *self._by()])
        listed = ", ".join([*columns, f"{HANDED} AS h"])
        return self._placed(Sql(f"SELECT {listed}, {self._value()} AS g FROM ({sql.text})", sql.params))

    def ratings(self) -> Sql:
        """The latest rating in the window of each session and scale, or what the outcome has where there is none."""
        columns = ", ".join([*_SESSION, "key", "rating", "rating_scale"])
        table = self.ask.snapshot.table
        given = (
            f"SELECT {columns} FROM {table('ratings', self.window)} WHERE {self._inside()} QUALIFY row_number()"
            " OVER (PARTITION BY platform, session_id, rating_scale ORDER BY t DESC, key DESC) = 1"
        )
        said = (
            f"SELECT {columns} FROM {latest_outcomes(self.ask, self.window)} o WHERE rating IS NOT NULL AND NOT EXISTS"
            f" (FROM {table('ratings')} r WHERE r.platform = o.platform AND r.session_id = o.session_id)"
        )
        return self._passing(f"{given} UNION ALL {said}", ("rating", "rating_scale"))

    def conversions(self) -> Sql:
        """The conversions in the window that name a session."""
        columns = ", ".join([*_SESSION, "key", "metric", "unit", "value"])
        table = self.ask.snapshot.table("conversions", self.window)
        return self._passing(
            f"SELECT {columns} FROM {table} WHERE {self._inside()} AND session_id IS NOT NULL",
            ("metric", "unit", "value"),
        )

    def nobodys(self) -> str:
        """The conversions in the window that name no session."""
        table = self.ask.snapshot.table("conversions", self.window)
        return f"SELECT * FROM {table} WHERE {self._inside()} AND session_id IS NULL"

    def _inside(self) -> str:
        return f"t >= {self.window.start} AND t < {self.window.end}"

    def _by(self) -> Sequence[str]:
        return [self.by.name] if self.by else []

    def _value(self) -> str:
        return self.by.name if self.by else "NULL"

    def _passing(self, rows: str, columns: Sequence[str]) -> Sql:
        """The rows that pass the filters, by group; what outcomes say comes from their session's."""
        named = {*self._by(), *(each.dimension.name for each in self.filters)}
        if named & {*_SAID, "tag"}:
            about = ", ".join(["platform", "session_id", "tags", *_SAID])
            rows = (
                f"SELECT f.*, o.* EXCLUDE (platform, session_id) FROM ({rows}) f LEFT JOIN ("
                f"SELECT {about} FROM {self.ask.snapshot.table('outcomes')} QUALIFY row_number() OVER ("
                f"PARTITION BY platform, session_id ORDER BY ({self._inside()}) DESC, t DESC, key DESC) = 1"
                ") o ON o.platform = f.platform AND o.session_id = f.session_id"
            )
        passing = condition(self.filters)
        value = self._value()
        if value == "tag" or (value == "character_id" and self.ask.has_participants()):
            value = spread(value)
        listed = ", ".join(["platform", "session_id", "key", *columns])
        return self._placed(Sql(f"SELECT {listed}, {value} AS g FROM ({rows}) WHERE {passing.text}", passing.params))

    def _placed(self, sql: Sql) -> Sql:
        """What the groups leave, each fact once; the rows as they are where no groups are left out."""
        if self.without is None:
            return sql
        same = " OR ".join("g IS NOT DISTINCT FROM ?" for _ in self.without)
        text = f"SELECT DISTINCT * EXCLUDE (g), NULL AS g FROM ({sql.text}) WHERE NOT ({same})"
        return Sql(text, [*sql.params, *self.without])
