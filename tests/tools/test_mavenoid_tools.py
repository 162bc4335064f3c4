from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import anyio
import pytest

from talkscope import tools
from talkscope.client import AsyncClient
from talkscope.errors import InvalidArgument, InvalidRange, RateLimited, UnknownName
from talkscope.flow import Clock, Policy
from talkscope.platforms import platform
from talkscope.platforms.mavenoid.meaning import RESOLVED
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching, reaching
from tests.vendors.engine import Reply, Vendor
from tests.vendors.mavenoid import SAMPLE_TOKEN, TOKEN, make_world, mavenoid
from tests.vendors.mavenoid_world import NEVER_TAKEN, Session

NOW = datetime(2026, 5, 5, 16, 20, tzinfo=UTC)
WORLD = make_world(NOW, conversations=400)
OPEN = Manner(answer_tokens=10_000, reveal_personal_data=True)
LENGTHS = {"queue_ms": "queue_duration_ms", "first_response_ms": "first_response_ms", "chat_ms": "chat_duration_ms"}


class Time:
    """A clock that only sleeping moves, shared by a client and its server."""

    def __init__(self) -> None:
        self.now = 1_000.0

    async def asleep(self, seconds: float) -> None:
        until = self.now + seconds
        # Others, and the server, get on meanwhile.
        await anyio.sleep(0.001 if seconds < 1 else 0)
        self.now = max(self.now, until)


def _client(reached: Reaching, time: Time, policy: Policy | None = None) -> None:
    account, found = reached.settings.platforms[0], platform("mavenoid")
    assert account.key is not None
    header, key = found.access.header(account.key)
    clock = Clock(monotonic=lambda: time.now, wall=lambda: time.now, asleep=time.asleep)
    reached.clients[account.name] = AsyncClient(
        account.url, key=key, key_header=header, manners=found.manners, clock=clock, policy=policy
    )


@pytest.fixture(scope="module")
def vendor() -> Vendor:
    return mavenoid(WORLD)


@pytest.fixture(scope="module")
def opened(vendor: Vendor) -> Iterator[tuple[Reaching, Time]]:
    time = Time()
    with reaching(vendor, "mavenoid", key=TOKEN, now=NOW) as reached:
        _client(reached, time)
        yield reached, time


@pytest.fixture
def asked(opened: tuple[Reaching, Time], vendor: Vendor) -> Iterator[Reaching]:
    reached, time = opened
    time.now += 100
    vendor.forget()
    yield reached
    vendor.answer_as_before()


def _figures(asked: Reaching, name: str, **words: Any) -> dict[str, tuple[Any, Any, Any]]:
    return {row["measure"]: (row["value"], row["share"], row["n"]) for row in asked.rows(name, **words)}


def _close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-5, abs=1e-3)


def _percentile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    place = (len(ordered) - 1) * part
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


@pytest.mark.parametrize("words", [{"range": "last_24h"}, {}, {"days": 30}, {"days": 120}], ids=str)
def test_headlines_of_conversations_are_counted_from_the_rows(asked: Reaching, words: dict[str, Any]) -> None:
    days = words.get("days") or (1 if words else 7)
    found = WORLD.last(days, WORLD.conversations)
    told = _figures(asked, "mavenoid_conversations", **words)
    n = len(found)
    assert told["conversations"] == (n, None, n)
    for status in ("OPEN", "RESOLVED", "ESCALATED"):
        count = sum(one.status == status for one in found)
        assert told[status.lower()] == (count, _close(count / n), n)
    resolved, over = told["resolved"][0], told["resolved"][0] + told["escalated"][0]
    assert told["resolution_rate"] == (_close(resolved / over if over else None), None, over)
    assert told["with_live_support"][0] == sum(bool(one.sessions) for one in found)
    assert told["with_search"][0] == sum(one.search[0] is not None for one in found)
    rated = [one.rating for one in found if one.rating is not None]
    assert told["rated"] == (len(rated), _close(len(rated) / n), n)
    for rating in (1, 2, 3, 4):
        share = _close(rated.count(rating) / len(rated)) if rated else None
        assert told[f"rating_{rating}"] == (rated.count(rating), share, len(rated))
    assert told["rating_mean"] == (_close(fmean(rated)) if rated else None, None, len(rated))
    assert asked.calls[-1].params[-1] == ("days", str(days))
    assert RESOLVED in asked.tool("mavenoid_conversations", **words).structured["meta"]["notes"]


@pytest.mark.parametrize("days", [7, 60])
def test_headlines_of_live_support_are_counted_from_the_rows(asked: Reaching, days: int) -> None:
    found = WORLD.last(days, WORLD.sessions)
    told = _figures(asked, "mavenoid_support", days=days)
    n = len(found)
    assert told["sessions"] == (n, None, n)
    for status in {one.status for one in found}:
        assert told[status.lower()][0] == sum(one.status == status for one in found)
    assert sum(value for name, (value, share, _) in told.items() if name in _STATUSES and share is not None) == n
    assert told["agents"][0] == len({one.agent for one in found if one.agent})
    for measure, field in LENGTHS.items():
        known = [length for one in found if (length := getattr(one, field)) is not None]
        assert told[f"{measure}_mean"] == (_close(fmean(known)), None, len(known))
        assert told[f"{measure}_p50"][0] == _close(_percentile(known, 0.5))
        assert told[f"{measure}_p95"][0] == _close(_percentile(known, 0.95))
        assert told[f"{measure}_max"][0] == max(known)
        assert told[f"{measure}_sum"][0] == sum(known)
    ratings = {one.conversation: one.rating for one in found}
    rated = [rating for rating in ratings.values() if rating is not None]
    assert told["rated"] == (len(rated), _close(len(rated) / len(ratings)), len(ratings))
    assert told["rating_mean"][0] == _close(fmean(rated))


_STATUSES = {status.lower() for status in (*NEVER_TAKEN, "RESOLVED", "ACTIVE", "TRANSFERRED", "INACTIVITY_TIMEOUT")}


def test_headlines_of_availability_are_counted_from_the_rows(asked: Reaching) -> None:
    found = WORLD.last(30, WORLD.availabilities)
    told = _figures(asked, "mavenoid_availability", range="last_30d")
    available, active = sum(one.duration_ms for one in found), sum(one.active_ms for one in found)
    assert told["stretches"][0] == len(found)
    assert told["agents"][0] == len({one.agent for one in found})
    assert told["still_available"][0] == sum(one.end is None for one in found)
    assert (told["available_ms"][0], told["active_ms"][0]) == (available, active)
    assert told["active_share"] == (_close(active / available), None, len(found))


def test_zeros_of_sessions_that_nobody_took_are_no_durations(asked: Reaching, vendor: Vendor) -> None:
    row: dict[str, Any] = {
        "assistant_conversation_id": "F1", "assistant_conversation_created_at": "2026-05-05T9:00:00.000Z",
        "created_at": "2026-05-05T09:00:00.000Z", "updated_at": "2026-05-05T09:01:00.000Z", "agent_email": None,
        "agent_group_name": None, "queue_duration_ms": 0, "first_response_ms": 0, "chat_duration_ms": 0,
        "status": "NO_AGENT_CAPACITY", "resolution_label": None, "debrief_labels": [], "debrief_summary": "",
        "feedback_rating": None,
    }  # fmt: skip
    vendor.answer_with("live_support_sessions", Reply([row]), checked=False)
    told = _figures(asked, "mavenoid_support")
    assert told["no_agent_capacity"] == (1, 1, 1)
    assert {told[name] for name in told if name.startswith(("queue_ms", "chat_ms"))} == {(None, None, 0)}
    going_on = {**row, "status": "ACTIVE", "queue_duration_ms": 5}
    vendor.answer_with("live_support_sessions", Reply([going_on]), checked=False)
    told = _figures(asked, "mavenoid_support")
    assert (told["queue_ms_mean"], told["chat_ms_mean"]) == ((5, None, 1), (None, None, 0))


def test_a_window_without_rows_has_nulls_and_no_shares() -> None:
    with reaching(mavenoid(make_world(NOW, conversations=0, days=0)), "mavenoid", key=TOKEN, now=NOW) as asked:
        for name, first in (
            ("mavenoid_conversations", "conversations"),
            ("mavenoid_support", "sessions"),
            ("mavenoid_availability", "stretches"),
        ):
            told = _figures(asked, name)
            assert told[first] == (0, None, 0)
            assert {share for _, share, _ in told.values()} == {None}
        assert _figures(asked, "mavenoid_conversations")["rating_mean"] == (None, None, 0)
        assert asked.rows("mavenoid_conversations", group_by="status") == []


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _monday(at: datetime) -> str:
    return _day(at - timedelta(days=at.weekday()))


def _first(at: datetime) -> str:
    return _day(at.replace(day=1))


@pytest.mark.parametrize(("unit", "name"), [("date", _day), ("week", _monday), ("month", _first)])
def test_dates_come_in_order_and_those_that_the_window_cuts_are_marked(
    asked: Reaching, unit: str, name: Callable[[datetime], str]
) -> None:
    counts = Counter(name(one.at) for one in WORLD.last(45, WORLD.conversations))
    rows = asked.rows("mavenoid_conversations", days=45, group_by=unit)
    assert [(row["date"], row["count"]) for row in rows] == sorted(counts.items())
    edges = {name(NOW - timedelta(days=45)), name(NOW)}
    assert {row["date"] for row in rows if row["partial"] == "yes"} == edges & set(counts)
    assert {row["partial"] for row in rows} <= {"yes", "no"}


@pytest.mark.parametrize(
    ("field", "of"),
    [
        ("flow_name", lambda one: one.flow),
        ("touchpoint_name", lambda one: one.touchpoint),
        ("status", lambda one: one.status),
        ("label", lambda one: one.label or None),
        ("lang_code", lambda one: one.language),
        ("feedback_rating", lambda one: one.rating),
        ("latest_live_support_session_status", lambda one: one.sessions[-1].status if one.sessions else None),
        (
            "latest_live_support_session_resolution_label",
            lambda one: one.sessions[-1].label if one.sessions else None,
        ),
    ],
)
def test_conversations_are_counted_by_every_field(asked: Reaching, field: str, of: Callable[[Any], Any]) -> None:
    counts = Counter(of(one) for one in WORLD.last(30, WORLD.conversations))
    rows = asked.rows("mavenoid_conversations", days=30, group_by=field)
    assert {row[field]: row["count"] for row in rows} == counts
    assert [row["count"] for row in rows] == sorted(counts.values(), reverse=True)


def test_statuses_of_groups_mean_the_same_however_they_are_spelled() -> None:
    with reaching(mavenoid(WORLD, sloppy=True), "mavenoid", key=TOKEN, now=NOW) as asked:
        found = WORLD.last(30, WORLD.conversations)
        rows = asked.rows("mavenoid_conversations", days=30, group_by="status")
        by_whom = Counter(
            (one.status, None if one.status != "RESOLVED" else "live_support" if one.sessions else "self_service")
            for one in found
        )
        assert {(row["status"], row["resolved_by"]): row["count"] for row in rows} == by_whom
        told = _figures(asked, "mavenoid_support", days=30)
        assert told["sessions"][0] == len(WORLD.last(30, WORLD.sessions))
        assert told["first_response_ms_mean"] == (None, None, 0)


def _statistics(found: list[Session]) -> dict[str, float | None]:
    told: dict[str, float | None] = {"count": len(found)}
    for name, field in LENGTHS.items():
        known = [length for one in found if (length := getattr(one, field)) is not None]
        told[f"{name}_mean"] = fmean(known) if known else None
        told[f"{name}_max"] = max(known, default=None)
        told[f"{name}_sum"] = sum(known) if known else None
    return told


@pytest.mark.parametrize(
    ("field", "of"),
    [
        ("agent_email", lambda one: one.agent),
        ("agent_group_name", lambda one: one.group),
        ("status", lambda one: one.status),
        ("resolution_label", lambda one: one.label),
        ("feedback_rating", lambda one: one.rating),
        ("date", lambda one: _day(one.at)),
    ],
)
def test_live_support_has_nine_figures_by_every_field(asked: Reaching, field: str, of: Callable[[Any], Any]) -> None:
    groups: dict[Any, list[Session]] = {}
    for one in WORLD.last(30, WORLD.sessions):
        groups.setdefault(of(one), []).append(one)
    rows = asked.rows("mavenoid_support", days=30, group_by=[field])
    assert {row[field] for row in rows} == set(groups)
    for row in rows:
        assert row["disagree"] is None
        for name, value in _statistics(groups[row[field]]).items():
            assert row[name] == _close(value), (row[field], name)


def test_an_agents_address_is_shown_where_it_is_grouped_by_and_hidden_in_single_rows(asked: Reaching) -> None:
    agents = {one.agent for one in WORLD.last(7, WORLD.availabilities)}
    assert {row["agent_email"] for row in asked.rows("mavenoid_availability", group_by="agent-email")} == agents
    grouped = asked.tool("mavenoid_support", group_by="date,agent_email").structured
    assert "@help.example" in str(grouped["rows"])
    assert "agent_email" in grouped["untrusted"]
    for name in ("mavenoid_support", "mavenoid_availability"):
        assert "@" not in str(asked.tool(name, rows=True).structured), name
        assert "@help.example" in str(asked.tool(name, OPEN, rows=True).structured), name


def test_a_server_that_knows_the_agents_field_by_its_other_name_is_understood() -> None:
    with reaching(mavenoid(WORLD, agent_field="agent-email"), "mavenoid", key=TOKEN, now=NOW) as asked:
        agents = {one.agent for one in WORLD.last(7, WORLD.availabilities)}
        assert {row["agent_email"] for row in asked.rows("mavenoid_availability", group_by="agent_email")} == agents


def test_availability_adds_up_and_agents_are_counted_only_where_they_are_not_told_apart(asked: Reaching) -> None:
    found = WORLD.last(7, WORLD.availabilities)
    shaped = asked.tool("mavenoid_availability", group_by="date").structured
    rows = [dict(zip(shaped["columns"], row, strict=True)) for row in shaped["rows"]]
    for row in rows:
        day = [one for one in found if _day(one.at) == row["date"]]
        assert row["agent_count"] == len({one.agent for one in day})
        assert row["available_ms"] == sum(one.duration_ms for one in day)
        assert row["active_share"] == _close(sum(one.active_ms for one in day) / row["available_ms"])
    assert sum(row["available_ms"] for row in rows) == sum(one.duration_ms for one in found)
    assert any("do not add up" in note for note in shaped["meta"]["notes"])
    assert "agent_count" not in asked.tool("mavenoid_availability", group_by="agent_email").structured["columns"]


def test_the_smallest_groups_are_one_row_whose_means_are_weighted_by_their_sessions(asked: Reaching) -> None:
    groups: dict[Any, list[Session]] = {}
    for one in WORLD.last(60, WORLD.sessions):
        groups.setdefault(one.status, []).append(one)
    kept = asked.rows("mavenoid_support", days=60, group_by="status", limit=2)
    assert [row["status"] for row in kept][-1] == "(other)"
    shown = {row["status"] for row in kept}
    rest = [one for status, found in groups.items() if status not in shown for one in found]
    for name, value in _statistics(rest).items():
        assert kept[-1][name] == _close(value), name
    folded = asked.rows("mavenoid_availability", days=60, group_by="date", limit=3)[-1]
    assert (folded["date"], folded["agent_count"]) == (None, None)
    counts = asked.rows("mavenoid_conversations", days=60, group_by="flow_name,status", limit=1)
    assert sum(row["count"] for row in counts) == len(WORLD.last(60, WORLD.conversations))


def test_figures_of_the_vendor_that_disagree_are_marked(asked: Reaching, vendor: Vendor) -> None:
    vendor.answer_with_example("live_support_sessions", "by_date_and_agent")
    shaped = asked.tool("mavenoid_support", days=2, group_by="date,agent_email").structured
    rows = [dict(zip(shaped["columns"], row, strict=True)) for row in shaped["rows"]]
    assert {row["disagree"] for row in rows} == {"first_response_ms"}
    assert any("sum is not what its mean and count make" in note for note in shaped["meta"]["notes"])


def test_single_rows_come_newest_first_without_what_is_about_people(asked: Reaching) -> None:
    found = sorted(WORLD.last(30, WORLD.conversations), key=lambda one: one.at, reverse=True)
    rows = asked.rows("mavenoid_conversations", days=30, rows=True, limit=5)
    assert [row["id"] for row in rows] == [one.id for one in found[:5]]
    assert [row["status"] for row in rows] == [one.status for one in found[:5]]
    shaped = asked.tool("mavenoid_conversations", days=30, rows=True, limit=5)
    assert "mail.example" not in shaped.text + str(shaped.structured)
    assert all(row["form_data"] == "[hidden: a value]" for row in rows)
    assert any(f"The newest 5 of {len(found)} rows" in note for note in shaped.structured["meta"]["notes"])
    shown = asked.rows("mavenoid_conversations", OPEN, days=30, rows=True, limit=5)
    assert "$customer-email" in shown[0]["form_data"]
    sessions = asked.rows("mavenoid_support", days=30, rows=True)
    assert len(sessions) == min(100, len(WORLD.last(30, WORLD.sessions)))
    assert {row["status"] for row in sessions} >= {"TRANSFERRED", "RESOLVED"}
    assert not any("Refund" in str(row["debrief_summary"]) for row in sessions)


def test_every_answer_says_its_window_its_n_and_its_units(asked: Reaching) -> None:
    for name in ("mavenoid_conversations", "mavenoid_support", "mavenoid_availability"):
        every: list[dict[str, Any]] = [{}, {"rows": True}, {"group_by": "date"}]
        for words in every:
            meta = asked.tool(name, days=3, **words).structured["meta"]
            assert meta["units"], (name, words)
            assert meta["n"] > 0, (name, words)
            assert meta["window"] == {"start": "2026-05-02T16:20:00Z", "end": "2026-05-05T16:20:00Z", "timezone": "UTC"}
    assert asked.tool("mavenoid_support").structured["meta"]["window"]["range"] == "last_7d"


@pytest.mark.parametrize(
    "words",
    [
        {"start_time": "2026-05-01"},
        {"end_time": "2026-05-01"},
        {"range": "today"},
        {"range": "last_1h"},
        {"timezone": "Europe/Berlin"},
    ],
    ids=str,
)
def test_other_windows_are_refused_with_what_there_is(asked: Reaching, words: dict[str, Any]) -> None:
    for name in ("mavenoid_conversations", "mavenoid_support", "mavenoid_availability"):
        with pytest.raises(InvalidRange, match="24 hours") as refused:
            asked.tool(name, **words)
        assert "talkscope sync mavenoid" in refused.value.hint
        listed: Any = tools.find(name).input_schema()
        assert not {"start_time", "end_time", "timezone"} & set(listed["properties"])
    assert asked.paths == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"days": 0}, InvalidArgument),
        ({"days": 121}, InvalidArgument),
        ({"days": 2, "range": "last_7d"}, InvalidArgument),
        ({"rows": True, "group_by": "date"}, InvalidArgument),
        ({"group_by": "agent_emial"}, UnknownName),
        ({"group_by": "date,week"}, InvalidArgument),
        ({"group_by": "date,date"}, InvalidArgument),
    ],
    ids=str,
)
def test_words_that_cannot_be_are_refused_before_anything_is_sent(
    asked: Reaching, vendor: Vendor, words: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        asked.tool("mavenoid_support", **words)
    assert vendor.count() == 0


def test_the_sample_tokens_dummy_data_are_called_so() -> None:
    with reaching(mavenoid(WORLD), "mavenoid", key=SAMPLE_TOKEN, now=NOW) as asked:
        notes = asked.tool("mavenoid_conversations").structured["meta"]["notes"]
        assert any("dummy data" in note for note in notes)


def _at_once(reached: Reaching, count: int, **words: object) -> list[Any]:
    """So many answers or errors, asked for at once."""
    found: list[Any] = []

    async def one(name: str) -> None:
        try:
            found.append(await tools.find(name).call(reached, words, Manner()))
        except RateLimited as error:
            found.append(error)

    async def all_of_them() -> None:
        names = ("mavenoid_conversations", "mavenoid_support", "mavenoid_availability")
        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, names[number % 3])

    reached.portal.call(all_of_them)
    return found


@pytest.mark.parametrize(("words", "most"), [({}, 10), ({"days": 1}, 60)], ids=["longer", "last day"])
def test_tools_asked_at_once_never_pass_the_vendors_limit(words: dict[str, Any], most: int) -> None:
    time = Time()
    vendor = mavenoid(WORLD, clock=lambda: time.now)
    with reaching(vendor, "mavenoid", key=TOKEN, now=NOW) as reached:
        _client(reached, time, Policy(turn=10_000))
        count = most * 2 + 5
        assert not any(isinstance(each, RateLimited) for each in _at_once(reached, count, **words))
        assert time.now >= 1_000 + 120
    assert [one.status for one in vendor.seen] == [200] * count
    assert vendor.limits is not None
    assert vendor.limits.refused == 0


def test_tools_beyond_the_limit_are_told_when_to_ask_again_and_nothing_is_sent() -> None:
    time = Time()
    vendor = mavenoid(WORLD, clock=lambda: time.now)
    with reaching(vendor, "mavenoid", key=TOKEN, now=NOW) as reached:
        _client(reached, time)
        found = _at_once(reached, 14)
        late = [each for each in found if isinstance(each, RateLimited)]
        assert [each.code for each in late] == ["limit_kept"] * 4
        assert all(30 < float(str(each.details["retry_after"])) <= 61 for each in late)
        assert all("nothing was sent" in each.hint for each in late)
    assert vendor.count() == 10
