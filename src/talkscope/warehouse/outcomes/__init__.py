"""What is counted of how sessions ended: outcomes, their labels, ratings, conversions, and who came back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from talkscope.errors import InvalidArgument
from talkscope.insights.outcomes import Tally
from talkscope.models.outcomes import DAYS_UNTIL_RECONTACT, LABELS
from talkscope.models.records import micros
from talkscope.warehouse.ask import cell
from talkscope.warehouse.figures import MOST_GROUPS
from talkscope.warehouse.outcomes.facts import LABEL_OF, SCORED, Chosen, Group
from talkscope.warehouse.outcomes.known import Known, known
from talkscope.warehouse.rows import Sql
from talkscope.warehouse.store import Out, Param
from talkscope.warehouse.traces import whole_number

__all__ = ["Chosen", "Counting", "Group", "Known", "known"]

RATED = frozenset({"csat", "dsat", "rating", "rating_mean"})
CONVERTED = frozenset({"conversions", "conversion_value"})
RECONTACTED = "recontacted_within_7d"
_WEEK = DAYS_UNTIL_RECONTACT * 86_400_000_000


def _yes(name: str) -> str:
    """Whether what is stored as JSON says so: a time when it was does; no, and False as a text, do not."""
    return f"lower(trim({name}, '\"')) NOT IN ('false', 'no', '0', '0.0', '')"


_SENT = _yes("winback_sent")
_COUNTS = {
    "outcomes": "count(*)",
    "handed": "count(*) FILTER (h)",
    "kept": "count(*) FILTER (NOT h)",
    "handoff_known": "count(h)",
    "resolved": "count(*) FILTER (resolution = 'resolved')",
    "closed": "count(*) FILTER (resolution <> 'open')",
    "scored": f"count(*) FILTER ({SCORED})",
    "sent": f"count(*) FILTER ({_SENT})",
    "sent_known": "count(winback_sent)",
    "answered": f"count(*) FILTER ({_SENT} AND {_yes('winback_answered')})",
    "answered_known": f"count(winback_answered) FILTER ({_SENT})",
    "converted": f"count(*) FILTER ({_SENT} AND {_yes('winback_converted')})",
    "converted_known": f"count(winback_converted) FILTER ({_SENT})",
}


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted, of which sessions."""

    chosen: Chosen
    measures: Collection[str]
    known: Known

    def tallies(self) -> Mapping[Group, Tally]:
        """The counts of each group that has any."""
        found: defaultdict[Group, Tally] = defaultdict(Tally)
        outcomes = self.chosen.outcomes()
        self._count(outcomes, found)
        if labels := [name for name in LABELS if name in self.measures]:
            self._label(outcomes, labels, found)
        if "response_rate" in self.measures:
            self._ask(outcomes, found)
        if RATED & set(self.measures):
            self._rate(found)
        if CONVERTED & set(self.measures):
            self._convert(outcomes, found)
        if RECONTACTED in self.measures:
            self._follow(outcomes, found)
        return found

    def _rows(self, sql: str, params: Sequence[Param]) -> Iterator[tuple[Out, ...]]:
        rows = self.chosen.ask.snapshot.fetch(f"{sql} LIMIT {MOST_GROUPS + 1}", params)
        if len(rows) > MOST_GROUPS:
            raise InvalidArgument(
                f"The question makes more than {MOST_GROUPS:,} groups.",
                hint="Filter, ask a shorter window, or group by something coarser.",
            )
        return iter(rows)

    def _counted(self, counts: Mapping[str, str], rows: Sql, found: defaultdict[Group, Tally]) -> None:
        sql = f"SELECT g, {', '.join(counts.values())} FROM ({rows.text}) GROUP BY g"
        for group, *numbers in self._rows(sql, rows.params):
            known = dict(zip(counts, map(whole_number, numbers), strict=True))
            found[cell(group)].counts.update(known)

    def _count(self, outcomes: Sql, found: defaultdict[Group, Tally]) -> None:
        self._counted(_COUNTS, outcomes, found)

    def _label(self, outcomes: Sql, names: Sequence[str], found: defaultdict[Group, Tally]) -> None:
        """All labels in one pass: parallel lists are unnested side by side."""
        measures = ", ".join(f"'{name}'" for name in names)
        labels = ", ".join(LABEL_OF[name] for name in names)
        sql = (
            f"SELECT g, m, label, count(*) FROM (SELECT g, unnest([{measures}]) AS m, unnest([{labels}]) AS label"
            f" FROM ({outcomes.text})) WHERE label IS NOT NULL GROUP BY g, m, label"
        )
        for group, measure, label, n in self._rows(sql, outcomes.params):
            # What a platform says of resources is stored as JSON.
            name = str(orjson.loads(str(label))) if measure == "resources" else str(label)
            found[cell(group)].labels.setdefault(str(measure), {})[name] = whole_number(n)

    def _ask(self, outcomes: Sql, found: defaultdict[Group, Tally]) -> None:
        """Sessions known not to be handed over whose end user was asked for a rating, and those that gave one."""
        asking = sorted(self.known.asking)
        rated = f"SELECT platform, session_id FROM {self.chosen.ask.snapshot.table('ratings')}"
        rows = (
            f"SELECT g, rating IS NOT NULL OR (platform, session_id) IN ({rated}) AS rated FROM ({outcomes.text})"
            f" WHERE NOT h AND platform IN ({', '.join('?' * len(asking)) or 'NULL'})"
        )
        counts = {"asked": "count(*)", "answering": "count(*) FILTER (rated)"}
        self._counted(counts, Sql(rows, [*outcomes.params, *asking]), found)

    def _rate(self, found: defaultdict[Group, Tally]) -> None:
        ratings = self.chosen.ratings()
        sql = f"SELECT g, rating_scale, rating, count(*) FROM ({ratings.text}) GROUP BY ALL"
        for group, scale, rating, n in self._rows(sql, ratings.params):
            known = None if scale is None else float(str(scale))
            found[cell(group)].ratings.setdefault(known, {})[float(str(rating))] = whole_number(n)

    def _convert(self, outcomes: Sql, found: defaultdict[Group, Tally]) -> None:
        sql = f"SELECT g, platform, count(*) FROM ({outcomes.text}) WHERE NOT h GROUP BY g, platform"
        for group, platform, n in self._rows(sql, outcomes.params):
            found[cell(group)].deflected[str(platform)] = whole_number(n)
        made = self.chosen.conversions()
        sql = f"SELECT g, platform, metric, count(DISTINCT session_id) FROM ({made.text}) GROUP BY g, platform, metric"
        for group, platform, metric, n in self._rows(sql, made.params):
            found[cell(group)].converting[str(platform), str(metric)] = whole_number(n)
        sql = (
            f"SELECT g, platform, metric, unit, count(DISTINCT session_id), sum(value) FROM ({made.text})"
            " WHERE value IS NOT NULL GROUP BY g, platform, metric, unit"
        )
        for group, platform, metric, unit, n, total in self._rows(sql, made.params):
            of = (str(platform), str(metric), None if unit is None else str(unit))
            found[cell(group)].values[of] = (whole_number(n), float(str(total)))

    def _follow(self, outcomes: Sql, found: defaultdict[Group, Tally]) -> None:
        """Sessions of known end users whose days after the end lie before the newest record, and who came back then."""
        ask = self.chosen.ask
        sessions = ask.snapshot.table("sessions")
        newest = ask.snapshot.extent
        until = min(micros(ask.now), newest[1] if newest else 0)
        rows = (
            f"SELECT g, over + {_WEEK} <= {until} AS past, EXISTS (FROM {sessions} n"
            f" WHERE n.end_user_id = b.end_user_id AND n.t >= b.over AND n.t < b.over + {_WEEK}"
            " AND NOT (n.platform = b.platform AND n.session_id = b.session_id)) AS back"
            " FROM (SELECT r.g, r.platform, r.session_id, r.end_user_id, coalesce(s.end_t, s.last_t) AS over"
            f" FROM ({outcomes.text}) r JOIN {sessions} s ON s.platform = r.platform AND s.session_id = r.session_id"
            " WHERE r.end_user_id IS NOT NULL) b"
        )
        counts = {
            "followed": "count(*) FILTER (past)",
            "recontacted": "count(*) FILTER (past AND back)",
            "too_recent": "count(*) FILTER (NOT past)",
        }
        self._counted(counts, Sql(rows, outcomes.params), found)
