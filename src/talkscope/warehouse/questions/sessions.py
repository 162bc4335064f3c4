"""Which sessions? Those with a fact in the window, with their in-window figures, paged by an opaque cursor."""

from __future__ import annotations

from dataclasses import dataclass

from talkscope.errors import InvalidArgument
from talkscope.models.answers import NEXT_PAGE, Answer, Cell
from talkscope.models.questions import SessionsAsked
from talkscope.models.semantics import Filter, Scope
from talkscope.models.window import Window, iso
from talkscope.warehouse import cursor
from talkscope.warehouse.ask import Ask, ms, platforms_of
from talkscope.warehouse.rows import Sql, condition
from talkscope.warehouse.schema import ERROR_EVENT, TABLES, TALK
from talkscope.warehouse.store import Out

COLUMNS = (
    "session_id", "platform", "start_time", "end_time", "duration_sec", "interactions", "errors", "p95_ms",
    "character_id", "character_name", "app_key", "experience_id", "channel", "end_user_id",
)  # fmt: skip
_ORDER = {"recent": "s.t", "longest": "duration", "slowest": "p95", "errors": "errors"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after this sort value and session, in the window of page one."""

    sort: str
    value: float | int | None
    session_id: str
    platform: str
    window: Window

    def cursor(self) -> str:
        """The place as opaque text."""
        return cursor.written([self.sort, self.value, self.session_id, self.platform], self.window)

    @classmethod
    def of(cls, words: str) -> Place:
        """The place that the text stands for, or InvalidArgument."""
        match cursor.read(words):
            case [str(sort), int() | float() | None as value, str(session_id), str(platform)], window if sort in _ORDER:
                return cls(sort, value, session_id, platform, window)
        raise cursor.strange()


def answer(asked: SessionsAsked, ask: Ask) -> Answer:
    """One row a session; figures count the window's facts, start, end and duration are the whole session's."""
    after = Place.of(asked.cursor) if asked.cursor else None
    if after is not None and after.sort != asked.sort:
        raise InvalidArgument(
            f"The cursor continues a list sorted by {after.sort}.", hint=f"Ask with sort={after.sort}."
        )
    window = after.window if after else ask.window(asked)
    filters = ask.filters(asked.filters)
    sql = _listed(ask, window, filters)
    count = ask.snapshot.fetch(f"SELECT count(*) FROM ({sql.text})", sql.params)[0][0]
    found = _page(ask, sql, asked.sort, asked.limit + 1, after)
    rows = [_row(row, window.zone) for row in found[: asked.limit]]
    following = None
    if len(found) > asked.limit:
        following = _place(found[asked.limit - 1], asked.sort, window).cursor()
    shown = f"{len(rows)} of {count} sessions, {asked.sort} first"
    return Answer(
        columns=list(COLUMNS),
        rows=rows,
        meta=ask.meta(
            n=int(str(count)),
            window=window,
            basis="interactions, errors and p95_ms (user-to-bot latency) count what starts in the window",
            units={"duration_sec": "s", "p95_ms": "ms"},
            next_cursor=following,
            platforms=platforms_of(filters),
            notes=[shown + (f": {NEXT_PAGE}." if following else ".")],
        ),
    )


def _listed(ask: Ask, window: Window, filters: tuple[Filter, ...]) -> Sql:
    """Sessions with any fact in the window, with their in-window figures."""
    scope: Scope = "turn"
    misfits = [each.dimension.name for each in filters if each.dimension.own not in (None, scope)]
    unknown = [each.dimension.name for each in filters if each.dimension.name not in TABLES["sessions"].columns]
    if misfits or unknown:
        raise InvalidArgument(
            f"Sessions have no {', '.join(misfits or unknown)}.",
            hint="Filter by a dimension of sessions, such as channel, character_id or status.",
        )
    inside = f"t >= {window.start} AND t < {window.end}"
    tables = {name: ask.snapshot.table(name, window) for name in TALK}
    seen = " UNION ".join(f"SELECT platform, session_id FROM {sql} WHERE {inside}" for sql in tables.values())
    turns = (
        "SELECT platform, session_id, count(*) AS turns, count(*) FILTER (failed) AS failed,"
        f" quantile_cont(latency_ms, 0.95) AS p95 FROM {tables['interactions']} WHERE {inside} GROUP BY ALL"
    )
    alone = (
        f"SELECT platform, session_id, count(*) AS alone FROM {tables['events']} WHERE {inside}"
        f" AND interaction_id IS NULL AND {ERROR_EVENT} GROUP BY ALL"
    )
    passing = condition(filters)
    return Sql(
        f"SELECT s.session_id, s.platform, s.t, s.end_t, (greatest(coalesce(s.end_t, s.last_t), s.t) - s.t) / 1e6"
        f" AS duration, coalesce(i.turns, 0) AS turns, coalesce(i.failed, 0) + coalesce(e.alone, 0) AS errors, i.p95,"
        f" s.character_id, s.character_name, s.app_key, s.experience_id, s.channel, s.end_user_id"
        f" FROM (SELECT * FROM {ask.snapshot.table('sessions')} WHERE {passing.text}) s"
        f" SEMI JOIN ({seen}) f ON f.platform = s.platform AND f.session_id = s.session_id"
        f" LEFT JOIN ({turns}) i ON i.platform = s.platform AND i.session_id = s.session_id"
        f" LEFT JOIN ({alone}) e ON e.platform = s.platform AND e.session_id = s.session_id",
        passing.params,
    )


def _page(ask: Ask, sql: Sql, sort: str, limit: int, after: Place | None) -> list[tuple[Out, ...]]:
    key = _ORDER[sort].removeprefix("s.")
    text, params = f"SELECT * FROM ({sql.text})", list(sql.params)
    if after is not None:
        later = "(session_id, platform) > (?, ?)"
        if after.value is None:
            text += f" WHERE {key} IS NULL AND {later}"
        else:
            text += f" WHERE {key} < ? OR {key} IS NULL OR ({key} = ? AND {later})"
            params += [after.value, after.value]
        params += [after.session_id, after.platform]
    text += f" ORDER BY {key} DESC NULLS LAST, session_id, platform LIMIT {limit}"
    return ask.snapshot.fetch(text, params)


def _place(row: tuple[Out, ...], sort: str, window: Window) -> Place:
    value = {"recent": row[2], "longest": row[4], "slowest": row[7], "errors": row[6]}[sort]
    number = value if isinstance(value, int | float) else None
    return Place(sort, number, str(row[0]), str(row[1]), window)


def _row(row: tuple[Out, ...], zone: str) -> list[Cell]:
    session_id, platform, start, end, duration, turns, errors, p95, *rest = row
    texts: list[Cell] = [str(value) if value is not None else None for value in rest]
    return [
        str(session_id),
        str(platform),
        iso(int(str(start)), zone),
        iso(int(str(end)), zone) if end is not None else None,
        ms(duration),
        int(str(turns)),
        int(str(errors)),
        ms(p95),
        *texts,
    ]
