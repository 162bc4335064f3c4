"""Live support: times and percentiles, sessions by status, availability and occupancy, against plain counting."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from talkscope.errors import InvalidArgument, UnknownName
from talkscope.models.answers import Answer
from tests.charts.drawn import checked, rows, title
from tests.tools.fakes import Manner, call
from tests.warehouse.questions.loaded import Loaded, Record, column
from tests.warehouse.questions.plainly import (
    END,
    START,
    WINDOW,
    Kept,
    assistants,
    at,
    inside,
    near,
    sessions,
    spread,
    when,
)

TIMES = ("queue_ms", "first_response_ms", "chat_ms")
AGENTS = ("ada@shop.example", "bo@shop.example", "cy@shop.example", None)
TALKS = sessions(random.Random(5), 60)
Pick = Callable[[Record], Sequence[object]]


def chats(rng: random.Random) -> list[Record]:
    """Sessions with agents: some wait, some nobody took, some were handed on, two belong to sessions unknown here."""
    found: list[Record] = []
    for index in range(90):
        session = rng.choice(TALKS)
        agent = rng.choice(AGENTS)
        queue = rng.choice([0.0, rng.lognormvariate(9, 1)])
        taken = agent is not None and rng.random() < 0.9
        found.append(
            {
                "type": "live_support",
                "platform": session["platform"],
                "session_id": session["session_id"] if index % 30 else f"nobody-knows-{index}",
                "live_support_id": f"l{index}",
                "start_time": at(rng.uniform(4, 32)),
                "agent_id": agent,
                "agent_group": None if agent is None else "second" if agent == AGENTS[2] else "first",
                "status": rng.choice(["RESOLVED", "Transferred", "ACTIVE"]) if taken else "WAITING_FOR_AGENT",
                "resolution": rng.choice(["Refund sent", None]) if taken else None,
                "queue_ms": round(queue, 3) if taken else None,
                "first_response_ms": round(queue * 1.5, 3) if taken and index % 7 else None,
                "chat_ms": round(queue + rng.uniform(0, 900_000), 3) if taken else None,
            }
        )
    return found


def shifts(rng: random.Random) -> list[Record]:
    """Stretches of availability: whole ones, ones that the window cuts at either end or both, and open ones."""
    spans: list[tuple[float, float | None]] = [
        (7, 9), (5, 7), (29, 31), (2, 33), (3, 5.9), (30, 31), (12, 12), (20, None), (8, None), (4, None), (10, 11.5),
    ]  # fmt: skip
    found: list[Record] = []
    for agent in AGENTS[:3]:
        for index, (start, end) in enumerate(spans):
            shifted = start + rng.random() / 10 if end != start else start
            length = None if end is None and index == 8 else 1.25 if end is None else end - shifted
            found.append(
                {
                    "type": "availability",
                    "platform": "mavenoid",
                    "agent_id": agent,
                    "agent_group": rng.choice(["first", None]),
                    "availability_id": f"{agent}/{index}",
                    "start_time": at(shifted),
                    "end_time": None if end is None else at(max(end, shifted)),
                    "duration_ms": None if length is None else max(0.0, length * 3_600_000),
                    "active_ms": rng.choice([None, rng.uniform(0, 3_600_000), rng.uniform(0, 3_600_000)]),
                }
            )
    return found


CHATS, SHIFTS = chats(random.Random(6)), shifts(random.Random(7))
BY_ID = {(each["platform"], each["session_id"]): each for each in TALKS}
NEWEST = max(when(each) for each in (*TALKS, *CHATS, *SHIFTS))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    made = Kept(tmp_path_factory.mktemp("live") / "w", [*TALKS, *CHATS, *SHIFTS])
    yield made
    made.close()


def of_session(name: str) -> Pick:
    return lambda chat: [BY_ID.get((chat["platform"], chat["session_id"]), {}).get(name)]


PICKS: Mapping[str, Pick] = {
    "agent": lambda chat: [chat["agent_id"]],
    "agent_group": lambda chat: [chat["agent_group"]],
    "platform": lambda chat: [chat["platform"]],
    "status": lambda chat: [str(chat["status"]).lower()],
    "resolution": lambda chat: [chat["resolution"]],
    "channel": of_session("channel"),
    "language": of_session("language"),
    "assistant": lambda chat: (
        assistants(BY_ID[known]) if (known := (chat["platform"], chat["session_id"])) in BY_ID else [None]
    ),
}


def overlap(shift: Record, opens: str = "", closes: str = "") -> tuple[float, bool, bool]:
    """Milliseconds inside the window; whether the stretch lies in it; whether its whole length is known."""
    first, last = (datetime.fromisoformat(opens), datetime.fromisoformat(closes)) if opens else (START, END)
    start = when(shift)
    length = shift["duration_ms"]
    if shift["end_time"] is not None:
        end = when(shift, "end_time")
    elif isinstance(length, float):
        end = start + timedelta(milliseconds=length)
    else:
        end = max(start, NEWEST)
    known = shift["end_time"] is not None or length is not None
    ms = (min(end, last) - max(start, first)) / timedelta(milliseconds=1)
    return ms, start >= first and end <= last, known


def availability(found: Sequence[Record]) -> dict[str, list[object]]:
    """The rows of some stretches: n, missing, then the six figures."""
    seen = [(each, *overlap(each)) for each in found]
    seen = [each for each in seen if each[1] > 0]
    if not seen:
        return {}
    whole = [
        (float(str(shift["active_ms"])), ms)
        for shift, ms, within, known in seen
        if within and known and shift["active_ms"] is not None
    ]
    missing = len(seen) - len(whole)
    busy, free = sum(active for active, _ in whole), sum(ms for _, ms in whole)
    return {
        "agents": [len({each[0]["agent_id"] for each in seen}), None, *[None] * 6],
        "availability_ms": [len(seen), 0, *spread([ms for _, ms, _, _ in seen])],
        "active_ms": [len(whole), missing, *spread([active for active, _ in whole])],
        "occupancy": [len(whole), missing, busy / free if free else None, *[None] * 5],
    }


def expected(found: Sequence[Record], stretches: Sequence[Record]) -> dict[str, list[object]]:
    """Every figure of some sessions and stretches."""
    rows: dict[str, list[object]] = {"sessions": [len(found), None, *[None] * 6]}
    if found:
        for name in TIMES:
            known = [float(str(each[name])) for each in found if each[name] is not None]
            rows[name] = [len(known), len(found) - len(known), *spread(known)]
    return rows | availability(stretches)


def told(answer: Answer, *keys: object, by: int = 1) -> dict[str, list[Any]]:
    """The rows of one group, by metric, those of single statuses left out."""
    at_metric = answer.columns.index("metric")
    lone = answer.columns[at_metric + 1] == "status"
    found = [row for row in answer.rows if row[:by] == list(keys)] if keys else answer.rows
    return {str(row[at_metric]): row[at_metric + 1 + lone :] for row in found if not (lone and row[at_metric + 1])}


def same(found: Mapping[str, list[Any]], wanted: Mapping[str, list[object]]) -> None:
    assert [*found] == [*wanted]
    for name, cells in wanted.items():
        near(found[name], cells)


HELD = [each for each in CHATS if inside(each)]


def test_every_figure_is_what_counting_gives(kept: Kept) -> None:
    answer = kept.ask("live_support", **WINDOW)
    same(told(answer), expected(HELD, SHIFTS))
    assert answer.meta.n == len(HELD)
    statuses = [str(each["status"]).lower() for each in HELD]
    found = {row[1]: row[2] for row in answer.rows if row[0] == "sessions" and row[1] is not None}
    assert found == {name: statuses.count(str(name)) for name in found}
    assert set(found) == set(statuses)


@pytest.mark.parametrize("by", PICKS)
def test_groups_are_what_counting_each_gives(kept: Kept, by: str) -> None:
    answer = kept.ask("live_support", group_by=by, limit=100, **WINDOW)
    groups = {key for each in HELD for key in PICKS[by](each)}
    stretched = {"agent": "agent_id", "agent_group": "agent_group", "platform": "platform"}.get(by)
    if stretched:
        groups |= {each[stretched] for each in SHIFTS}
    assert {row[0] for row in answer.rows} == groups
    for key in groups:
        mine = [each for each in HELD if key in PICKS[by](each)]
        free = [each for each in SHIFTS if stretched and each[stretched] == key]
        wanted = expected(mine, free)
        if by == "agent":
            wanted.pop("agents", None)
        same(told(answer, key), wanted)
    assert any("Availability is left out" in note for note in answer.meta.notes) == (stretched is None)
    if by == "assistant":
        assert answer.columns[:2] == ["character_id", "character_name"]
        assert any("several assistants" in note for note in answer.meta.notes)
    assert answer.meta.n == len(HELD)


def test_filters_choose_by_the_sessions_own_words_and_those_of_the_conversation(kept: Kept) -> None:
    answer = kept.ask("live_support", filters=["status=RESOLVED", "status=transferred", "channel!=web"], **WINDOW)
    mine = [
        each
        for each in HELD
        if str(each["status"]).lower() in ("resolved", "transferred") and PICKS["channel"](each) != ["web"]
    ]
    assert 0 < len(mine) < len(HELD)
    same(told(answer), expected(mine, []))
    assert "agents" not in column(answer, "metric")
    only = kept.ask("live_support", filters=["agent=ada@shop.example"], **WINDOW)
    ada = [[each for each in some if each["agent_id"] == AGENTS[0]] for some in (HELD, SHIFTS)]
    same(told(only), expected(*ada))
    flow = kept.ask("live_support", filters=["assistant=Flow f2"], measures="sessions", **WINDOW)
    assert flow.meta.n == len([each for each in HELD if "f2" in PICKS["assistant"](each)])


def test_what_is_beyond_the_limit_is_one_group_worked_out_from_its_records(kept: Kept) -> None:
    answer = kept.ask("live_support", group_by="agent", limit=1, **WINDOW)
    first, *_ = column(answer, "agent")
    others = [[each for each in some if each["agent_id"] != first] for some in (HELD, SHIFTS)]
    wanted = expected(*others)
    wanted.pop("agents")
    same(told(answer, "other (3 groups)"), wanted)
    assert any(note.startswith("1 of 4 groups are shown") for note in answer.meta.notes)


def test_beyond_the_limit_a_session_with_several_assistants_counts_once(kept: Kept) -> None:
    answer = kept.ask("live_support", group_by="assistant", limit=1, **WINDOW)
    first = answer.rows[0][0]
    others = [each for each in HELD if {*PICKS["assistant"](each)} - {first}]
    assert sum(len({*PICKS["assistant"](each)} - {first}) for each in others) > len(others)
    same(told(answer, "other (3 groups)"), expected(others, []))


def test_what_is_nowhere_is_named_by_what_was_asked_for(warehouse: Callable[..., Loaded]) -> None:
    nobody = warehouse([{"type": "session", "session_id": "s", "start_time": at(9)}])
    free = nobody.ask("live_support", measures=["agents", "occupancy"], **WINDOW)
    assert any(note.startswith("This warehouse holds no availability:") for note in free.meta.notes)
    busy = nobody.ask("live_support", **WINDOW)
    assert any(note.startswith("This warehouse holds no sessions with live agents:") for note in busy.meta.notes)


def test_the_answer_says_what_the_window_cuts_and_what_is_still_going_on(kept: Kept) -> None:
    notes = " ".join(kept.ask("live_support", **WINDOW).meta.notes)
    seen = [each for each in SHIFTS if overlap(each)[0] > 0]
    cut = [each for each in seen if not overlap(each)[1]]
    still = [each for each in seen if each["end_time"] is None]
    assert f"The window cuts {len(cut)} of {len(seen)} stretches" in notes
    assert f"Stretches without an end yet, {len(still)} of {len(seen)}, count up to the newest record" in notes
    assert "where they say no length, else as long as it says" in notes


def test_an_open_stretch_never_lasts_beyond_now(kept: Kept) -> None:
    nine = datetime.fromisoformat(at(9))
    answer = kept.ask("live_support", start_time=at(8.9), end_time=at(11), measures="availability_ms", now=nine)
    still = [each for each in SHIFTS if each["end_time"] is None and when(each) < nine and each["duration_ms"] is None]
    over = [each for each in SHIFTS if each["end_time"] is not None and overlap(each, at(8.9), at(11))[0] > 0]
    wanted = [360_000.0 for _ in still] + [overlap(each, at(8.9), at(11))[0] for each in over]
    assert len(still) == 3
    near(told(answer)["availability_ms"], [len(wanted), 0, *spread(wanted)])


def test_words_that_do_not_fit_are_refused_with_what_would(kept: Kept) -> None:
    with pytest.raises(UnknownName, match="queue_ms"):
        kept.ask("live_support", measures="queue_msec", **WINDOW)
    with pytest.raises(UnknownName) as caught:
        kept.ask("live_support", group_by="agent_grup", **WINDOW)
    assert caught.value.details["nearest"] == "agent_group"
    with pytest.raises(UnknownName, match="processor"):
        kept.ask("live_support", filters=["processor=llm"], **WINDOW)
    with pytest.raises(InvalidArgument, match="agent, agent_group or platform"):
        kept.ask("live_support", measures="occupancy", group_by="channel", **WINDOW)


def test_no_data_is_no_zero(kept: Kept) -> None:
    answer = kept.ask("live_support", start_time="2020-01-01", end_time="2020-01-02")
    assert (answer.rows, answer.meta.n) == ([], 0)
    assert any("No data in this window" in note for note in answer.meta.notes)


def test_the_tool_shows_agents_that_are_asked_for_and_masks_no_less_elsewhere(kept: Kept) -> None:
    shaped = call("get_live_support", kept.asker(), Manner(), group_by=["agent"], measures=["queue_ms"], **WINDOW)
    assert AGENTS[0] in shaped.text
    assert shaped.structured["untrusted"] == ["agent"]
    assert "chat_ms includes the queue" in shaped.structured["meta"]["basis"]
    other = call("get_live_support", kept.asker(), Manner(), group_by=["resolution"], **WINDOW)
    assert "Refund sent" in other.text


def test_the_chart_draws_times_sessions_hours_and_occupancy(kept: Kept) -> None:
    from talkscope.charts.drawing import Drawing

    def drawn(**words: object) -> Drawing:
        shaped = call("chart_live_support", kept.asker(), Manner(), **{**WINDOW, **words})
        return Drawing(shaped.structured["spec"], shaped.structured["summary"])

    drawing = drawn()
    wanted = expected(HELD, [])
    assert [row["label"] for row in rows(drawing)] == ["queue", "first response", "chat, queue included"]
    longest = max(float(str(wanted[name][5])) for name in TIMES)
    size, unit = (60_000, "(min)") if longest >= 600_000 else (1_000, "(s)") if longest >= 10_000 else (1, "(ms)")
    assert unit in str(drawing.spec)
    for row, name in zip(rows(drawing), TIMES, strict=True):
        near([row["p50"], row["p95"]], [round(float(str(wanted[name][at])) / size, 3) for at in (3, 5)])
    assert f"n {wanted['queue_ms'][0]}" in checked(drawing)
    drawing = drawn(group_by=["agent"], measure="occupancy")
    assert title(drawing) == "Occupancy of agents by agent"
    assert AGENTS[0] in checked(drawing)
    for row in rows(drawing):
        mine = availability([each for each in SHIFTS if each["agent_id"] == row["label"]])
        near([row["occupancy"]], [mine["occupancy"][2]])
    assert sum(row["sessions"] for row in rows(drawn(measure="sessions"))) == len(HELD)
    hours = rows(drawn(measure="availability_ms", group_by=["platform"]))[0]["hours"]
    near([hours], [float(str(availability(SHIFTS)["availability_ms"][7])) / 3_600_000])
    assert drawn(start_time="2020-01-01", end_time="2020-01-02").summary.startswith("No data")
