"""Everything that went wrong in a window, each failure once, as SQL.

A failed span is a row. An error event is one, unless a failed span of the same service in the same interaction tells
the same. A failed interaction is one where neither does. So the rows of a service's spans are what `errors` by
processor counts, and each interaction that `errors` counts has a row at least. Warnings are rows of their own and
never errors.
"""

from __future__ import annotations

from talkscope.models.semantics import Filter
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Sql, Which, facts
from talkscope.warehouse.schema import ERROR_EVENT, FAILED
from talkscope.warehouse.store import Param

COLUMNS = (
    "t", "level", "service", "status", "code", "message", "provider", "model", "session_id", "interaction_id",
    "platform", "kind", "key",
)  # fmt: skip
_WARNING = "coalesce(level IN ('warning', 'warn'), false) OR starts_with(metric_name, 'warning.')"
_SERVICE = (
    "coalesce(processor, CASE WHEN starts_with(metric_name, 'error.') OR starts_with(metric_name, 'warning.')"
    " THEN nullif(split_part(metric_name, '.', 2), '') END)"
)
_SPEECH = ("asr", "stt")


def _folded(service: str) -> str:
    """A service's name as SQL, the same for all that mean one service."""
    return f"CASE lower({service}) WHEN 'stt' THEN 'asr' ELSE lower({service}) END"


# Where importers put what a component said when it failed.
_PATHS = ("message", "error_message", "status_message", "statusMessage", "error.message", "error")
_SAID = "coalesce({})".format(", ".join(f"nullif(json_extract_string(attributes, '$.{path}'), '')" for path in _PATHS))
_DAY = 86_400_000_000
_EVENT = ("platform", "key", "session_id", "interaction_id", "processor", "provider", "model", "status")
_EVENT_FIELDS = (*_EVENT, "error_code", "metric_name", "level", "message", "attributes")
_SAME_TURN = "f.platform = {0}.platform AND f.interaction_id = {0}.interaction_id"


def failures(
    ask: Ask,
    window: Window,
    filters: tuple[Filter, ...],
    *,
    level: str = "error",
    service: str | None = None,
    code: str | None = None,
    search: str | None = None,
) -> Sql:
    """The rows of COLUMNS, in no order; `level` is error, warning or all, `search` a part of the message."""
    which = Which(window, filters)
    parts: list[Sql] = []
    if level != "warning":
        parts += [_spans(ask, which), _events(ask, which), _turns(ask, which)]
    if level != "error":
        parts.append(_warnings(ask, which))
    text = " UNION ALL ".join(f"SELECT {', '.join(COLUMNS)} FROM ({part.text})" for part in parts)
    params: list[Param] = [value for part in parts for value in part.params]
    conditions: list[str] = []
    if service is not None:
        word = service.strip().lower()
        names = _SPEECH if word in _SPEECH else (word,)
        conditions.append(f"lower(service) IN ({', '.join('?' * len(names))})")
        params += names
    if code is not None:
        conditions.append("lower(code) = lower(?)")
        params.append(code.strip())
    if search:
        conditions.append("contains(lower(message), lower(?))")
        params.append(search)
    return Sql(f"SELECT * FROM ({text}) WHERE {' AND '.join(conditions) or 'true'}", params)


def _failed_spans(ask: Ask, window: Window) -> str:
    """The failed spans of turns about the window: a turn's parts may lie on either side of its end."""
    near = Window(window.start - _DAY, window.end + _DAY)
    return (
        f"(SELECT platform, interaction_id, {_folded('processor')} AS service FROM {ask.snapshot.table('spans', near)}"
        f" WHERE t >= {near.start} AND t < {near.end} AND interaction_id IS NOT NULL AND {FAILED})"
    )


def _error_events(ask: Ask, window: Window) -> str:
    """The error events of turns about the window."""
    near = Window(window.start - _DAY, window.end + _DAY)
    return (
        f"(SELECT platform, interaction_id, {_folded(_SERVICE)} AS service, t, error_code,"
        f" coalesce(message, {_SAID}) AS message FROM {ask.snapshot.table('events', near)}"
        f" WHERE t >= {near.start} AND t < {near.end} AND interaction_id IS NOT NULL AND {ERROR_EVENT})"
    )


def _spans(ask: Ask, which: Which) -> Sql:
    """Failed spans; what they do not say of the failure is taken from an event that tells the same."""
    rows = facts(
        ask, "spans", which,
        ["platform", "key", "session_id", "interaction_id", "processor", "provider", "model", "status", "error_code",
         "attributes", "bad"],
    )  # fmt: skip
    told = (
        "SELECT platform, interaction_id, service, arg_min(message, t) AS message, arg_min(error_code, t) AS error_code"
        f" FROM {_error_events(ask, which.window)} GROUP BY ALL"
    )
    return Sql(
        "SELECT s.t, 'error' AS level, s.processor AS service, s.status, coalesce(s.error_code, f.error_code) AS code,"
        f" coalesce({_SAID.replace('attributes', 's.attributes')}, f.message) AS message, s.provider, s.model,"
        f" s.session_id, s.interaction_id, s.platform, 'span' AS kind, s.key FROM ({rows.text}) s LEFT JOIN ({told}) f"
        f" ON {_SAME_TURN.format('s')} AND f.service = {_folded('s.processor')} WHERE s.bad",
        rows.params,
    )


def _event(level: str) -> str:
    return (
        f"t, {level} AS level, {_SERVICE} AS service, status, error_code AS code,"
        f" coalesce(message, {_SAID}) AS message, provider, model, session_id, interaction_id, platform,"
        " 'event' AS kind, key"
    )


def _events(ask: Ask, which: Which) -> Sql:
    """Error events that no failed span tells: neither one of the same service, nor any where they name no service."""
    rows = facts(ask, "events", which, _EVENT_FIELDS)
    columns = _event("'error'")
    return Sql(
        f"SELECT e.* FROM (SELECT {columns} FROM ({rows.text}) WHERE {ERROR_EVENT}) e ANTI JOIN"
        f" {_failed_spans(ask, which.window)} f ON {_SAME_TURN.format('e')}"
        f" AND (coalesce({_folded('e.service')}, 'interaction') IN (f.service, 'interaction', 'turn'))",
        rows.params,
    )


def _turns(ask: Ask, which: Which) -> Sql:
    """Failed interactions without a failed span and without an error event: nothing else tells of them."""
    rows = facts(
        ask, "turns", which,
        ["platform", "key", "session_id", "interaction_id", "status", "failure_stage", "provider", "model",
         "error_code", "attributes", "bad"],
    )  # fmt: skip
    return Sql(
        "SELECT i.t, 'error' AS level, i.failure_stage AS service, i.status, i.error_code AS code,"
        f" {_SAID.replace('attributes', 'i.attributes')} AS message, i.provider, i.model, i.session_id,"
        f" i.interaction_id, i.platform, 'interaction' AS kind, i.key FROM ({rows.text}) i"
        f" ANTI JOIN {_failed_spans(ask, which.window)} f ON {_SAME_TURN.format('i')}"
        f" ANTI JOIN {_error_events(ask, which.window)} g"
        " ON g.platform = i.platform AND g.interaction_id = i.interaction_id WHERE i.bad",
        rows.params,
    )


def _warnings(ask: Ask, which: Which) -> Sql:
    rows = facts(ask, "events", which, _EVENT_FIELDS)
    columns = _event("coalesce(level, 'warning')")
    return Sql(f"SELECT {columns} FROM ({rows.text}) WHERE {_WARNING}", rows.params)
