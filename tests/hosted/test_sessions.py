"""The list of a hosted account's sessions, against the warehouse behind it and against services of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, NotSupported
from talkscope.models.answers import Answer
from tests.hosted.accounts import Hosted
from tests.hosted.conftest import NOW

SORTS = ("recent", "longest", "slowest", "errors")
TIMES = (NOW, "2026-03-30T05:11:09.25+00:00", "2026-10-25T17:03:09+00:00")
UNSAID = ("platform", "character_name", "channel", "end_user_id")
Make = Callable[..., Hosted]


def rows(answer: Answer) -> list[dict[str, Any]]:
    """The rows without what the hosted API does not say, 0.0 of a percentile being none."""
    found = [{name: cell for name, cell in row.items() if name not in UNSAID} for row in answer.records()]
    return [row | {"p95_ms": row["p95_ms"] or None} for row in found]


def in_order(pages: list[Answer], sort: str) -> list[dict[str, Any]]:
    """The rows of all pages; of equally many errors and one id, as three platforms have it, in some order."""
    found = [row for page in pages for row in rows(page)]
    if sort == "errors":
        found.sort(key=lambda row: (-row["errors"], row["session_id"], str(row)))
    return found


def every(ask: Callable[..., Answer], **words: Any) -> list[Answer]:
    """All pages."""
    pages = [ask("sessions", **words)]
    while (cursor := pages[-1].meta.next_cursor) is not None:
        pages.append(ask("sessions", cursor=cursor, **words))
    return pages


def listed(*sessions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"sessions": list(sessions), "meta": {}, **more}


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("range", "limit"), [("last_6h", 7), ("last_24h", 7), ("last_7d", 19)])
def test_all_pages_are_the_warehouses(account: Hosted, time: str, sort: str, range: str, limit: int):
    account.at(time)
    words = {"sort": sort, "range": range, "limit": limit, "timezone": "Europe/Berlin"}
    got, truth = every(account.ask, **words), every(account.truth, **words)
    assert in_order(got, sort) == in_order(truth, sort)
    assert [len(page.rows) for page in got] == [len(page.rows) for page in truth]
    assert {page.meta.n for page in got} == {page.meta.n for page in truth}
    assert got[0].columns == truth[0].columns
    assert got[0].meta.window == truth[0].meta.window
    assert got[0].meta.units == truth[0].meta.units
    assert all(row[1] == "convai" for page in got for row in page.rows)


@pytest.mark.parametrize("filter", ["character_id=char-a", "app_key=app-1", "experience_id=xp-1", "end_user_id=user-1"])
@pytest.mark.parametrize("sort", SORTS)
def test_a_filtered_list_is_the_warehouses(account: Hosted, sort: str, filter: str):
    words = {"sort": sort, "range": "last_30d", "limit": 100, "filters": [filter]}
    account.at("2026-04-10T00:00:00+00:00")
    got, truth = account.ask("sessions", **words), account.truth("sessions", **words)
    assert rows(got) == rows(truth)
    assert got.rows
    assert got.meta.covers == f"all {got.meta.n} sessions of the window"
    if filter.startswith("end_user_id"):
        assert {row["end_user_id"] for row in got.records()} == {"user-1"}


def test_a_page_says_what_it_covers_and_what_it_took(account: Hosted):
    answer = account.ask("sessions", range="last_7d", limit=5)
    assert answer.meta.covers == "a page of 5 sessions, recent first"
    assert (answer.meta.requests, answer.meta.source) == (1, "convai")
    assert answer.meta.next_cursor


def test_an_empty_window_says_what_to_do(account: Hosted):
    answer = account.at("2025-06-08T00:00:00+00:00").ask("sessions", filters=["character_id=Nobody"])
    assert (answer.rows, answer.meta.n) == ([], 0)
    assert any("by id and not by name" in note for note in answer.meta.notes)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"filters": ["channel=voice"]}, "unsupported_filter"),
        ({"filters": ["status=error"]}, "unsupported_filter"),
        ({"filters": ["app_key!=app-1"]}, "unsupported_filter"),
        ({"start_time": "2026-03-01"}, "unsupported_window"),
        ({"range": "yesterday"}, "unsupported_window"),
    ],
)
def test_what_the_service_cannot_list_is_refused_before_any_request(account: Hosted, words: dict[str, Any], code: str):
    with pytest.raises(NotSupported) as refused:
        account.ask("sessions", **words)
    assert refused.value.code == code
    assert refused.value.hint
    assert account.watched.seen == []


def test_by_errors_within_the_budget_or_not_at_all(faked: Make):
    def endless(path: str, params: Mapping[str, str]) -> dict[str, Any]:
        page = int(params.get("cursor", "0"))
        return listed({"sessionId": f"s{page}", "errorCount": page}, nextCursor=str(page + 1))

    account = faked(endless, budget=7)
    with pytest.raises(NotSupported) as refused:
        account.ask("sessions", sort="errors")
    assert (refused.value.code, refused.value.details) == ("request_budget", {"budget": 7})
    assert len(account.watched.seen) == 7


def test_sessions_that_come_on_two_pages_are_listed_once(faked: Make):
    pages = {
        "": listed({"sessionId": "a", "errorCount": 1}, {"sessionId": "b", "errorCount": 2}, nextCursor="two"),
        "two": listed({"sessionId": "b", "errorCount": 2}, {"sessionId": "c", "errorCount": 3}),
    }
    answer = faked(lambda _, params: pages[params.get("cursor", "")]).ask("sessions", sort="errors")
    assert [row[0] for row in answer.rows] == ["c", "b", "a"]
    assert any(note.startswith("1 sessions came on two pages") for note in answer.meta.notes)


def test_cursors_that_lead_back_are_a_bad_answer(faked: Make):
    same = faked(lambda _, params: listed({"sessionId": "a"}, nextCursor="one"))
    with pytest.raises(BadAnswer, match="leads nowhere"):
        same.ask("sessions", cursor="one")
    turning = faked(lambda _, params: listed(nextCursor="one" if params.get("cursor") == "two" else "two"))
    with pytest.raises(BadAnswer, match="twice"):
        turning.ask("sessions", sort="errors")


def test_a_cursor_of_another_list_is_refused(account: Hosted):
    for cursor in ("no cursor", "é", "WyJlcnJvcnMiXQ", "x" * 5_000):
        with pytest.raises(InvalidArgument):
            account.ask("sessions", sort="errors", cursor=cursor)


def test_a_service_that_says_little_gets_nulls(faked: Make):
    answer = faked(lambda *_: listed({"sessionId": "a"}, {"sessionId": "a"})).ask("sessions")
    assert answer.rows == [["a", "convai", None, None, 0.0, 0, 0, None, None, None, None, None, None, None]]
    assert (answer.meta.n, answer.meta.freshness) == (1, None)


def test_a_length_that_the_service_leaves_out_is_worked_out(faked: Make):
    start, end = "2026-03-28T10:00:00Z", "2026-03-28T10:00:09Z"
    answer = faked(lambda *_: listed({"sessionId": "a", "startTime": start, "endTime": end})).ask("sessions")
    assert answer.records()[0]["duration_sec"] == 9.0
    answer = faked(lambda *_: listed({"sessionId": "a", "startTime": end, "endTime": start})).ask("sessions")
    assert answer.records()[0]["duration_sec"] == 0.0


@pytest.mark.parametrize(
    "session",
    [
        {"startTime": "0001-01-01T00:00:00+14:00"},
        {"endTime": "9999-12-31T23:59:59Z"},
        {"durationSec": -1},
        {"durationSec": 1e300},
        {"interactionCount": -3},
        {"errorCount": 10**30},
        {"p95EndToEndMs": -0.5},
    ],
)
@pytest.mark.parametrize("sort", SORTS)
def test_figures_that_cannot_be_are_a_bad_answer(faked: Make, session: dict[str, Any], sort: str):
    account = faked(lambda *_: listed({"sessionId": "a", **session}))
    with pytest.raises(BadAnswer):
        account.ask("sessions", sort=sort, timezone="Pacific/Kiritimati")


def test_more_sessions_than_were_asked_for_are_a_bad_answer(faked: Make):
    account = faked(lambda *_: listed(*({"sessionId": str(number)} for number in range(30))))
    with pytest.raises(BadAnswer, match="at most 25"):
        account.ask("sessions")
