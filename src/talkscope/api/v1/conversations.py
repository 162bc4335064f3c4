"""The v1 routes about single conversations: sessions, one session, one interaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from talkscope import contract
from talkscope.api.v1.meaning import at, filters, maybe, meta, number, text, whole
from talkscope.api.work import MOST_ROWS, Work
from talkscope.models.answers import Cell, SessionAnswer
from talkscope.models.semantics import USER_TO_BOT
from talkscope.models.v1 import (
    ComponentSpan,
    InteractionAsked,
    InteractionTrace,
    SessionAsked,
    SessionDetail,
    SessionListResponse,
    SessionsAsked,
    SessionSummary,
    SessionTimelineEvent,
)

_PAGE = 500
Record = Mapping[str, Cell]


def sessions(work: Work, asked: SessionsAsked, ids: Mapping[str, str], now: datetime) -> SessionListResponse:
    """A page of sessions, their figures those of the range."""
    answer = work.words(
        contract.SESSIONS,
        range=asked.range,
        sort=asked.sort,
        limit=asked.limit,
        cursor=asked.cursor,
        filters=filters(asked),
    )
    found = [
        SessionSummary(
            session_id=str(row["session_id"]),
            character_id=text(row["character_id"]),
            app_key=text(row["app_key"]),
            experience_id=text(row["experience_id"]),
            start_time=at(row["start_time"]),
            end_time=at(row["end_time"]),
            duration_sec=number(row["duration_sec"]),
            interaction_count=whole(row["interactions"]),
            p95_end_to_end_ms=number(row["p95_ms"]),
            error_count=whole(row["errors"]),
        )
        for row in answer.records()
    ]
    return SessionListResponse(sessions=found, next_cursor=answer.meta.next_cursor, meta=meta(answer, now))


def session(work: Work, asked: SessionAsked, ids: Mapping[str, str], now: datetime) -> SessionDetail:
    """The whole session: one event a metric, in order of time."""
    pages = [work.words(contract.SESSION, session_id=ids["session_id"], limit=_PAGE)]
    held = len(pages[0].rows)
    while (cursor := pages[-1].meta.next_cursor) is not None and held < MOST_ROWS:
        pages.append(work.words(contract.SESSION, session_id=ids["session_id"], limit=_PAGE, cursor=cursor))
        held += len(pages[-1].rows)
    facts = pages[0].session
    return SessionDetail(
        session_id=facts.session_id,
        character_id=facts.character_id,
        app_key=facts.app_key,
        experience_id=facts.experience_id,
        start_time=at(facts.start_time),
        end_time=at(facts.end_time),
        events=[event for page in pages for event in _events(page)],
        meta=meta(pages[0], now, start=at(facts.start_time), end=at(facts.end_time)),
    )


def _events(page: SessionAnswer) -> list[SessionTimelineEvent]:
    return [event for row in page.records() for event in _metrics(row)]


def _metrics(row: Record) -> list[SessionTimelineEvent]:
    """The metrics that one fact of a timeline stands for."""
    name = text(row["name"])
    value, length = maybe(row["value"]), maybe(row["duration_ms"])
    match row["kind"]:
        case "interaction":
            return [_event(row, USER_TO_BOT, "UserBotLatencyMetricsData", value)]
        case "span":
            processor = name or "unknown"
            found = [_event(row, f"{processor}.processing", "ProcessingMetricsData", length, processor)]
            if value is not None:
                found.append(_event(row, f"{processor}.ttfb", "TTFBMetricsData", value, processor))
            return found
        case "outcome":
            return [_event(row, "session.outcome", None, value, status=name)]
    return [_event(row, name or "event", None, value)]


def _event(
    row: Record,
    name: str,
    kind: str | None,
    value: float | None,
    processor: str | None = None,
    status: str | None = None,
) -> SessionTimelineEvent:
    time = at(row["time"])
    assert time is not None
    attributes: dict[str, JsonValue] = {
        key: told for key in ("provider", "model") if (told := row.get(key)) is not None
    }
    return SessionTimelineEvent(
        event_time=time,
        metric_name=name,
        metric_type=kind,
        processor=processor,
        interaction_id=text(row["interaction_id"]),
        status=status or text(row["status"]),
        value=value,
        attributes=attributes or None,
    )


def interaction(work: Work, asked: InteractionAsked, ids: Mapping[str, str], now: datetime) -> InteractionTrace:
    """The interaction and its spans."""
    answer = work.words(contract.INTERACTION, interaction_id=ids["interaction_id"])
    turn = answer.interaction
    start = at(turn.start_time)
    assert start is not None
    # The application is the session's.
    home = work.words(contract.SESSION, session_id=f"{turn.platform}:{turn.session_id}", limit=1).session
    return InteractionTrace(
        interaction_id=turn.interaction_id,
        session_id=turn.session_id,
        character_id=turn.character_id,
        app_key=home.app_key,
        end_user_id=turn.end_user_id,
        interaction_type=turn.interaction_type,
        start_time=start,
        end_time=at(turn.end_time),
        total_duration_ms=number(turn.total_ms if turn.total_ms is not None else turn.latency_ms),
        terminal_status=turn.status,
        failure_stage=turn.failure_stage,
        spans=[_span(row, start) for row in answer.records() if row["kind"] == "span"],
        meta=meta(answer, now, start=start, end=at(turn.end_time)),
    )


def _span(row: Record, start: datetime) -> ComponentSpan:
    begins = start + timedelta(milliseconds=number(row["offset_ms"]))
    length = number(row["duration_ms"])
    processor = text(row["processor"])
    # What the contract has no field for: without it nobody could tell a parent from a neighbour.
    attributes: dict[str, JsonValue] = {"depth": whole(row["depth"])}
    if (ttfb := maybe(row["ttfb_ms"])) is not None:
        attributes["ttfbMs"] = ttfb
    return ComponentSpan(
        start_time=begins,
        end_time=begins + timedelta(milliseconds=length),
        duration_ms=length,
        processor=processor,
        provider=text(row["provider"]),
        model=text(row["model"]),
        status=text(row["status"]),
        error_code=text(row["error_code"]),
        metric_name=f"{processor}.processing" if processor else None,
        metric_type="ProcessingMetricsData",
        attributes=attributes,
    )
