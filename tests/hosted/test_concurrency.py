"""A hosted account's sessions active at once: the warehouse's where the list is whole, else a bound that is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from talkscope.errors import BadAnswer, NotSupported
from talkscope.models.answers import ConcurrencyAnswer
from tests.hosted.accounts import Hosted
from tests.hosted.conftest import NOW

Make = Callable[..., Hosted]
TIMES = (NOW, "2026-03-28T13:02:00+00:00", "2026-03-30T07:41:00.5+00:00", "2026-10-25T23:00:00+00:00")
WINDOW = {"effectiveRange": {"startTime": "2026-03-28T00:00:00Z", "endTime": "2026-03-29T00:00:00Z"}}


def ask(asked: Callable[..., Any], **words: Any) -> ConcurrencyAnswer:
    answer = asked("concurrency", **words)
    assert isinstance(answer, ConcurrencyAnswer)
    return answer


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("range", ["last_1h", "last_6h", "last_24h", "last_7d", "last_30d"])
@pytest.mark.parametrize("words", [{}, {"granularity": "day", "timezone": "Europe/Berlin"}, {"granularity": "hour"}])
def test_levels_are_the_warehouses(account: Hosted, time: str, range: str, words: dict[str, Any]):
    account.at(time)
    got, truth = ask(account.ask, range=range, **words), ask(account.truth, range=range, **words)
    assert [row[0] for row in got.rows] == [row[0] for row in truth.rows]
    # The service's durations, which stand for ends that were never recorded, are to the millisecond: one session of the
    # scenario reaches into an hour by less.
    peaks = [(mine[1], own[1]) for mine, own in zip(got.rows, truth.rows, strict=True) if mine[1] != own[1]]
    assert peaks in ([], [(3, 4)])
    means = [row[2] for row in truth.rows]
    assert [row[2] for row in got.rows] == pytest.approx(means, abs=0.0001)
    assert (got.columns, got.meta.units, got.meta.window) == (truth.columns, truth.meta.units, truth.meta.window)
    assert (got.peak, got.peak_at, got.meta.n) == (truth.peak, truth.peak_at, truth.meta.n)
    assert got.mean == pytest.approx(truth.mean, abs=0.00001)
    assert got.time_at_level == pytest.approx(truth.time_at_level, abs=0.001)
    assert got.meta.granularity == truth.meta.granularity
    assert str(got.meta.covers).startswith("all ")


@pytest.mark.parametrize("filter", ["character_id=char-a", "app_key=app-1"])
def test_levels_of_a_part_are_the_warehouses(account: Hosted, filter: str):
    words: dict[str, Any] = {"range": "last_7d", "filters": [filter]}
    account.at("2026-03-31T00:00:00+00:00")
    got, truth = ask(account.ask, **words), ask(account.truth, **words)
    assert (got.rows, got.peak, got.meta.n) == (truth.rows, truth.peak, truth.meta.n)


def listed(*sessions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"sessions": list(sessions), "meta": WINDOW, **more}


def one(name: str, start: str | None, end: str | None = None, **more: Any) -> dict[str, Any]:
    times = {"startTime": start and f"2026-03-28T{start}Z", "endTime": end and f"2026-03-28T{end}Z"}
    return {"sessionId": name, **times, **more}


def test_a_list_that_the_budget_ends_is_a_lower_bound_and_says_so(faked: Make):
    def endless(path: str, params: Mapping[str, str]) -> dict[str, Any]:
        number = int(params.get("cursor", "0"))
        return listed(one(f"s{number}", "10:00:00", "11:00:00"), nextCursor=str(number + 1))

    account = faked(endless, budget=6)
    answer = ask(account.ask)
    assert (answer.peak, answer.meta.n, answer.meta.requests, len(account.watched.seen)) == (6, 6, 6, 6)
    assert answer.meta.covers == (
        "the 6 most recent of the window's sessions: the request budget of 6 was reached: the peak is at least 6, and"
        " so is every level"
    )


def test_a_session_on_two_pages_counts_once(faked: Make):
    pages = {
        "": listed(one("a", "10:00:00", "11:00:00"), nextCursor="two"),
        "two": listed(one("a", "10:00:00", "11:30:00"), one("b", "10:30:00", durationSec=3_600)),
    }
    answer = ask(faked(lambda _, params: pages[params.get("cursor", "")]).ask)
    assert (answer.peak, answer.peak_at, answer.meta.n) == (2, "2026-03-28T10:30:00Z", 2)
    assert answer.time_at_level == {"0": 86_400 - 5_400, "1": 3_600, "2": 1_800}
    assert any(note.startswith("1 sessions came on two pages") for note in answer.meta.notes)


def test_a_long_session_without_a_fact_in_the_window_is_looked_for(faked: Make):
    old = {"sessionId": "old", "startTime": "2026-03-20T00:00:00Z", "endTime": "2026-04-05T00:00:00Z"}
    short = [one(f"s{number}", "01:00:00", "01:00:05") for number in range(99)]

    def reply(path: str, params: Mapping[str, str]) -> dict[str, Any]:
        if params["range"] == "last_30d":
            assert params["sort"] == "longest"
            return listed(old, *short, nextCursor="more")
        return listed(one("a", "10:00:00", "11:00:00"))

    answer = ask(faked(reply).ask)
    assert (answer.peak, answer.meta.n) == (2, 2)
    assert answer.meta.covers == "all 1 sessions of the window, and 1 that began before it"
    assert any("Others lasted 5 s at most" in note for note in answer.meta.notes)
    alone = ask(faked(reply, budget=1).ask)
    assert alone.peak == 1
    assert any("no request was left to look for them" in note for note in alone.meta.notes)


def test_sessions_at_no_time_or_of_no_length_are_left_out_and_named(faked: Make):
    sessions = [one("a", None, "11:00:00"), one("b", "11:00:00", "10:00:00"), one("c", "10:00:00"), one("d", None)]
    answer = ask(faked(lambda *_: listed(*sessions)).ask)
    assert (answer.peak, answer.peak_at, answer.mean, answer.meta.n) == (0, None, 0, 0)
    assert answer.time_at_level == {"0": 86_400}
    assert any(note.startswith("2 sessions of no length") for note in answer.meta.notes)
    assert any(note.startswith("2 sessions have no start") for note in answer.meta.notes)


def test_a_session_longer_than_time_itself_is_active_to_the_end(faked: Make):
    answer = ask(faked(lambda *_: listed(one("a", "12:00:00", durationSec=1e29))).ask)
    assert answer.time_at_level == {"0": 43_200, "1": 43_200}


@pytest.mark.parametrize(
    "reply",
    [
        {"sessions": [one("a", "10:00:00")], "meta": {"effectiveRange": {"startTime": "0001-01-01T00:00:00Z",
                                                                       "endTime": "9999-12-31T00:00:00Z"}}},
        listed({"sessionId": "a", "startTime": "0001-01-01T00:00:00Z"}),
        listed({"sessionId": "a", "startTime": "9999-12-31T23:59:59Z"}),
        listed(one("a", "10:00:00", durationSec=-5)),
        listed(one("a", "10:00:00", durationSec=1e300)),
    ],
)  # fmt: skip
def test_times_that_cannot_be_are_a_bad_answer(faked: Make, reply: dict[str, Any]):
    with pytest.raises(BadAnswer):
        ask(faked(lambda *_: reply).ask)


def test_a_list_that_goes_round_is_a_bad_answer(faked: Make):
    account = faked(lambda _, params: listed(nextCursor="a" if params.get("cursor") == "b" else "b"))
    with pytest.raises(BadAnswer):
        ask(account.ask)
    assert len(account.watched.seen) == 3


@pytest.mark.parametrize(
    "words", [{"filters": ["channel=voice"]}, {"start_time": "2026-03-01"}, {"range": "last_week"}]
)
def test_what_the_service_cannot_be_asked_is_refused(account: Hosted, words: dict[str, Any]):
    with pytest.raises(NotSupported) as refused:
        account.ask("concurrency", **words)
    assert refused.value.hint
    assert account.watched.seen == []
