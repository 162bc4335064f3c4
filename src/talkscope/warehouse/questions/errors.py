"""What went wrong? Failed spans, error events and failed interactions, each failure once, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkscope.models.answers import NEXT_PAGE, Cell, ErrorsAnswer
from talkscope.models.buckets import Grain, buckets, choose, coarsen, edges, label
from talkscope.models.questions import ErrorsAsked
from talkscope.models.semantics import Filter, measure
from talkscope.models.text import clean
from talkscope.models.window import Window, iso
from talkscope.warehouse import cursor
from talkscope.warehouse.ask import Ask, cell
from talkscope.warehouse.failures import COLUMNS, failures
from talkscope.warehouse.figures import Wanted, total
from talkscope.warehouse.own import chosen
from talkscope.warehouse.rows import Sql, Which, bucketed
from talkscope.warehouse.store import Out, Param

OWN = {
    "provider": "provider",
    "model": "model",
    "processor": "processor",
    "component": "processor",
    "status": "status",
    "error_code": "error_code",
    "interaction_id": "interaction_id",
    "interaction": "interaction_id",
    "interaction_type": "interaction_type",
}
"""The words that errors are filtered by, beside those of every session."""
_SHOWN = ("time", *COLUMNS[1:-1])
_ORDER = ("t", "kind", "platform", "key")
_SERVICES = 20
_SAID = 600
_MOST = 62
_NAMELESS = "(none)"
_BASIS = (
    "each failed span; each error event that no failed span of its service and interaction tells; each failed"
    " interaction with neither"
)


def answer(asked: ErrorsAsked, ask: Ask) -> ErrorsAnswer:
    """One row an error, newest first; with `granularity` one row a bucket and service, with how many there were."""
    after, window = _place(asked.cursor) if asked.cursor else (None, ask.window(asked))
    filters = chosen(ask, asked.filters, OWN)
    sql = failures(
        ask, window, filters, level=asked.level, service=asked.service, code=asked.code, search=asked.search
    )  # fmt: skip
    counts = _counts(ask, sql)
    services = _by(counts, 0)
    n = sum(counts.values())
    notes = _notes(ask, asked, window, filters, _by(counts, 1)) if n else []
    if asked.granularity is not None:
        return _over_time(ask, asked, window, sql, services, notes)
    found = _page(ask, sql, asked.limit + 1, after)
    next_cursor = None
    if len(found) > asked.limit:
        t, *later = (found[asked.limit - 1][COLUMNS.index(name)] for name in _ORDER)
        next_cursor = cursor.written([int(str(t)), *map(str, later)], window)
        notes.append(f"{NEXT_PAGE.capitalize()}.")
    return ErrorsAnswer(
        columns=list(_SHOWN),
        rows=[_row(row, window.zone) for row in found[: asked.limit]],
        by_service=_told(services),
        meta=ask.meta(n=n, window=window, basis=_basis(asked), next_cursor=next_cursor, notes=notes),
    )


def _basis(asked: ErrorsAsked) -> str:
    return {"error": _BASIS, "warning": "warnings, which are no errors", "all": f"{_BASIS}; and warnings"}[asked.level]


def _counts(ask: Ask, sql: Sql) -> dict[tuple[str | None, str], int]:
    """How many rows there are, by service and kind."""
    rows = ask.snapshot.fetch(f"SELECT service, kind, count(*) FROM ({sql.text}) GROUP BY 1, 2", sql.params)
    return {(None if name is None else str(name), str(kind)): int(str(count)) for name, kind, count in rows}


def _by(counts: Mapping[tuple[str | None, str], int], place: int) -> list[tuple[str | None, int]]:
    """The counts by the service or the kind alone, most first; those without a name last among equals."""
    found: dict[str | None, int] = {}
    for names, count in counts.items():
        found[names[place]] = found.get(names[place], 0) + count
    return sorted(found.items(), key=lambda each: (-each[1], each[0] is None, str(each[0])))


def _told(services: Sequence[tuple[str | None, int]]) -> dict[str, int]:
    """The largest services as they are shown; those that look the same count together."""
    found: dict[str, int] = {}
    for name, count in services[:_SERVICES]:
        shown = clean(name or _NAMELESS, 80)
        found[shown] = found.get(shown, 0) + count
    return found


def _place(words: str) -> tuple[tuple[int, str, str, str], Window]:
    """The row that a page begins after, and the window of page one."""
    match cursor.read(words):
        case [int(t), str(kind), str(platform), str(key)], window:
            return (t, kind, platform, key), window
    raise cursor.strange()


def _page(ask: Ask, sql: Sql, limit: int, after: tuple[int, str, str, str] | None) -> list[tuple[Out, ...]]:
    text = f"SELECT {', '.join(COLUMNS)} FROM ({sql.text})"
    params: list[Param] = list(sql.params)
    if after is not None:
        t, *later = after
        text += " WHERE t < ? OR (t = ? AND (kind, platform, key) > (?, ?, ?))"
        params += [t, t, *later]
    return ask.snapshot.fetch(f"{text} ORDER BY t DESC, kind, platform, key LIMIT {limit}", params)


def _row(row: Sequence[Out], zone: str) -> list[Cell]:
    t, *rest = row[:-1]
    cells: list[Cell] = [cell(value) for value in rest]
    said = COLUMNS.index("message") - 1
    cells[said] = clean(str(cells[said]), _SAID) if cells[said] is not None else None
    return [iso(int(str(t)), zone), *cells]


def _notes(
    ask: Ask, asked: ErrorsAsked, window: Window, filters: tuple[Filter, ...], kinds: Sequence[tuple[str | None, int]]
) -> list[str]:
    """What kinds of row there are, and how many errors that makes as other questions count them."""
    told = ", ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in kinds)
    notes = [f"By kind: {told}."]
    plain = asked.service is None and asked.code is None and not asked.search and asked.level == "error"
    if plain and all("turn" in each.dimension.scopes for each in filters):
        errors = total(ask, Wanted((measure("errors"),), Which(window, filters))).values["errors"]
        notes.append(
            f"get_summary counts {errors} errors here: failed interactions once each, and error events outside any."
        )
    return notes


def _over_time(
    ask: Ask,
    asked: ErrorsAsked,
    window: Window,
    sql: Sql,
    services: Sequence[tuple[str | None, int]],
    notes: list[str],
) -> ErrorsAnswer:
    """Every bucket with every service of the first `limit`, the others as one."""
    shown = [name for name, _ in services[: asked.limit]]
    names: list[str | None] = [
        *shown,
        *([f"other ({len(services) - len(shown)} services)"] * (len(services) > len(shown))),
    ]
    wanted: Grain = choose(window, _MOST)
    if asked.granularity is not None and asked.granularity != "auto":
        wanted = asked.granularity
    grain = coarsen(window, wanted, max(1, asked.max_rows // max(1, len(names))))
    if grain != wanted:
        notes.append(f"Granularity is {grain}, not {wanted}, to fit the answer.")
    cut = bucketed(window, grain)
    text = f"SELECT {cut.expression} AS b, service, count(*) FROM ({sql.text}) GROUP BY 1, 2"
    counts: dict[tuple[int, str | None], int] = {}
    for bucket, service, count in ask.snapshot.fetch(text, sql.params):
        name = None if service is None else str(service)
        place = cut.starts[int(str(bucket))], name if name in shown else names[-1]
        counts[place] = counts.get(place, 0) + int(str(count))
    starts = edges(window, grain)
    labels = {start: label(start, grain, window.zone) for start in starts}
    partial = [labels[s] for s, bucket in zip(starts, buckets(window, grain), strict=True) if bucket.partial]
    if partial:
        notes.append(f"Cut by the window: {', '.join(partial)}.")
    n = sum(count for _, count in services)
    return ErrorsAnswer(
        columns=["bucket", "service", "count"],
        rows=[[labels[start], name, counts.get((start, name), 0)] for start in starts for name in names],
        by_service=_told(services),
        meta=ask.meta(n=n, window=window, basis=_basis(asked), granularity=grain, notes=notes),
    )
