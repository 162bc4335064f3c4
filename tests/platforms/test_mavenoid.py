"""Mavenoid, met through the client: what its calls send, what its answers mean, and everything odd about both."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_overloads

import httpx
import pytest
from pydantic import SecretStr

from talkscope import Client
from talkscope.errors import (
    AuthenticationError,
    BadAnswer,
    BadRequest,
    InvalidArgument,
    NotFound,
    RateLimited,
    ServerError,
    TalkscopeError,
    UnknownName,
    UsageError,
    ValidationError,
)
from talkscope.flow import Call, Manners, Policy, query
from talkscope.platforms import mavenoid
from talkscope.platforms.access import Limit
from talkscope.platforms.mavenoid import ACCESS, CALLS, calls, meaning, models

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "openapi" / "platforms" / "mavenoid.json").read_text(encoding="utf-8")
)
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    ways["get"]["operationId"]: (place, ways["get"]) for place, ways in CONTRACT["paths"].items()
}
FIELDS = {
    "assistant_conversations": calls.CONVERSATION_FIELDS,
    "live_support_sessions": calls.SESSION_FIELDS,
    "agent_availabilities": calls.AVAILABILITY_FIELDS,
}
# The token that the vendor's page prints for everybody, in parts so that nothing takes it for a secret of ours.
PARTS = ("ma", "15prljrk6", "uvsb2u6aknvutrr6cvtu9t43odabsdd0o2vg")
SAMPLE = "_".join(PARTS)


def examples(name: str) -> dict[str, Any]:
    held = OPERATIONS[name][1]["responses"]["200"]["content"]["application/json"]["examples"]
    return {word: each["value"] for word, each in held.items()}


EXAMPLES = [
    (name, word, each["x-request"])
    for name, (_, operation) in OPERATIONS.items()
    for word, each in operation["responses"]["200"]["content"]["application/json"]["examples"].items()
]


def answered(
    call: Call[Any], body: object, status: int = 200, manners: Manners | None = None
) -> tuple[Any, httpx.Request]:
    """What the call gives when the service answers so, and the request that it took."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    with Client(
        str(ACCESS.url), transport=httpx.MockTransport(answer), policy=Policy(attempts=1), manners=manners
    ) as client:
        return client.send(call), asked[0]


def failing(call: Call[Any], status: int, body: object = None, manners: Manners | None = None) -> TalkscopeError:
    with pytest.raises(TalkscopeError) as caught:
        answered(call, body, status, manners)
    return caught.value


def asked_for(request: str) -> Call[Any]:
    """The call for a request as the document prints it."""
    url = httpx.URL(f"https://host{request}")
    name = next(name for name, (place, _) in OPERATIONS.items() if place == url.path)
    return CALLS[name](**dict(url.params))


def test_every_operation_of_the_contract_is_a_call_and_takes_its_parameters() -> None:
    assert set(CALLS) == set(OPERATIONS)
    for call in CALLS.values():
        assert set(inspect.signature(call).parameters) == {"days", "group_by"}


def test_every_field_to_group_by_is_the_contracts() -> None:
    for name, (_, operation) in OPERATIONS.items():
        parameter = operation["parameters"][0]["$ref"].rpartition("/")[2]
        known = CONTRACT["components"]["parameters"][parameter]["schema"]["items"]["enum"]
        assert list(FIELDS[name]) == [field for field in known if field != "agent-email"]


@pytest.mark.parametrize(("name", "word", "request_"), EXAMPLES)
def test_the_documents_own_requests_are_sent_as_printed_and_their_answers_read_whole(
    name: str, word: str, request_: str
) -> None:
    told = examples(name)[word]
    rows, sent = answered(asked_for(request_), told)
    assert str(sent.url).replace("%2C", ",") == f"https://analytics-api.mavenoid.com/v1{request_}"
    assert sent.method == "GET"
    assert len(rows) == len(told)
    for row, as_told in zip(rows, told, strict=True):
        read = row.model_dump(mode="json", exclude_unset=True)
        for field, value in as_told.items():
            ours = "resolution_label" if field == "resolution" else field
            if field.endswith(("_at", "_timestamp")):
                padded = value.replace("T9:", "T09:")
                assert getattr(row, ours) == datetime.fromisoformat(padded)
            elif (field, value) != ("label", "") and field != "status":
                assert read[ours] == value, field


@pytest.mark.parametrize("name", sorted(CALLS))
def test_days_come_last_in_the_query_because_the_vendor_counts_by_them(name: str) -> None:
    for group_by in FIELDS[name]:
        call = CALLS[name](days=30, group_by=[group_by])
        assert call.params == (("group_by", group_by), ("days", "30"))
    assert CALLS[name](group_by=None, days=120).params == (("days", "120"),)


def test_the_last_day_and_longer_windows_count_against_limits_of_their_own() -> None:
    stated = [Limit(each["limit"], each["per-seconds"]) for each in CONTRACT["x-rate-limit"]["buckets"]]
    day, longer = mavenoid.assistant_conversations(days=1), mavenoid.assistant_conversations(days=2)
    grouped = mavenoid.live_support_sessions(days=1, group_by="date")
    asked: list[Call[Any]] = [day, longer, grouped]
    assert [mavenoid.PLATFORM.manners.limits[mavenoid.bucket(call)] for call in asked] == [*stated, stated[0]]
    assert stated == [Limit(60, 60), Limit(10, 60)]


def test_a_request_whose_days_do_not_come_last_counts_against_the_smaller_limit() -> None:
    misplaced: Call[Any] = Call("/agent-availabilities.json", lambda rows: rows, query({"days": 1, "group_by": "date"}))
    assert mavenoid.bucket(misplaced) == mavenoid.bucket(mavenoid.agent_availabilities(days=120))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (InvalidArgument, {"days": 0}),
        (InvalidArgument, {"days": 121}),
        (InvalidArgument, {"days": True}),
        (InvalidArgument, {"days": 1.0}),
        (InvalidArgument, {"days": None}),
        (InvalidArgument, {"days": "a"}),
        (InvalidArgument, {"days": 1, "group_by": ""}),
        (InvalidArgument, {"days": 1, "group_by": []}),
        (InvalidArgument, {"days": 1, "group_by": [1]}),
        (InvalidArgument, {"days": 1, "group_by": 1}),
        (InvalidArgument, {"days": 1, "group_by": "date,date"}),
        (UnknownName, {"days": 1, "group_by": "hour"}),
        (UnknownName, {"days": 1, "group_by": "date,flow"}),
    ],
)
@pytest.mark.parametrize("name", sorted(CALLS))
def test_words_that_the_service_cannot_take_are_refused_with_a_hint_before_sending(
    kind: type[UsageError], asked: dict[str, Any], name: str
) -> None:
    if asked.get("group_by") == "":
        kind = UnknownName
    with pytest.raises(kind) as caught:
        CALLS[name](**asked)
    assert caught.value.hint


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("units", ["date,week", "date,month", "month,week", "date,week,month"])
def test_two_calendar_units_are_refused_because_their_dates_would_share_a_field(name: str, units: str) -> None:
    with pytest.raises(InvalidArgument, match="share one field"):
        CALLS[name](days=2, group_by=units)


def test_fields_of_one_call_are_not_those_of_another() -> None:
    with pytest.raises(UnknownName):
        mavenoid.assistant_conversations(days=1, group_by="agent_email")
    with pytest.raises(UnknownName):
        mavenoid.agent_availabilities(days=1, group_by="agent_group_name")


def test_single_records_and_groups_are_typed_apart() -> None:
    for call in (mavenoid.assistant_conversations, mavenoid.live_support_sessions, mavenoid.agent_availabilities):
        assert len({each.__annotations__["return"] for each in get_overloads(call)}) == 2
    single: Call[list[models.LiveSupportSession]] = mavenoid.live_support_sessions(days=1)
    grouped: Call[list[models.SessionGroup]] = mavenoid.live_support_sessions(days=1, group_by=("date", "status"))
    error = failing(single, 200, examples("live_support_sessions")["by_date_and_agent"])
    assert isinstance(error, BadAnswer)
    error = failing(grouped, 200, examples("live_support_sessions")["individual"])
    assert isinstance(error, BadAnswer)


def conversation(**told: object) -> Any:
    row = {**examples("assistant_conversations")["individual"][0], **told}
    rows, _ = answered(mavenoid.assistant_conversations(days=1), [row])
    return rows[0]


@pytest.mark.parametrize(
    ("told", "status", "by"),
    [
        ("OPEN", "OPEN", None),
        ("RESOLVED", "RESOLVED", None),
        ("resolved", "RESOLVED", None),
        ("escalated", "ESCALATED", None),
        ("self_service_resolution", "RESOLVED", "self_service"),
        ("live_support_resolution", "RESOLVED", "live_support"),
        ("SELF_SERVICE_RESOLUTION", "RESOLVED", "self_service"),
        ("Paused", "PAUSED", None),
    ],
)
def test_both_ways_of_writing_a_status_are_read_alike_and_new_ones_are_kept(
    told: str, status: str, by: str | None
) -> None:
    assert (conversation(status=told).status, conversation(status=told).resolved_by) == (status, by)
    rows, _ = answered(mavenoid.assistant_conversations(days=1, group_by="status"), [{"status": told, "count": 3}])
    assert (rows[0].status, rows[0].resolved_by, rows[0].count) == (status, by, 3)


def test_what_nobody_set_is_null_in_every_field_and_what_was_grouped_by_is_known_even_so() -> None:
    empty = conversation(label="", feedback_comments=None, feedback_rating=None, touchpoint_name=None)
    assert (empty.label, empty.feedback_comments, empty.feedback_rating, empty.touchpoint_name) == (
        None,
        "",
        None,
        None,
    )
    fields = "label,latest_live_support_session_status,feedback_rating"
    told = [{"label": "", "latest_live_support_session_status": None, "feedback_rating": None, "count": 2}]
    rows, _ = answered(mavenoid.assistant_conversations(days=9, group_by=fields), told)
    assert rows[0].model_fields_set == {*fields.split(","), "count"}
    assert rows[0].model_dump(exclude_unset=True) == dict.fromkeys(fields.split(",")) | {"count": 2}


def test_a_touchpoint_may_be_missing_and_an_id_is_a_text() -> None:
    row = dict(examples("assistant_conversations")["individual"][0])
    del row["touchpoint_name"]
    rows, _ = answered(mavenoid.assistant_conversations(days=1), [row])
    assert (rows[0].touchpoint_name, rows[0].id) == (None, "F1246")


@pytest.mark.parametrize("name", ["agent_email", "agent-email"])
def test_the_agent_is_read_under_both_of_its_names_and_asked_for_by_the_first(name: str) -> None:
    call = mavenoid.agent_availabilities(days=2, group_by=["date", name])
    told = [{"date": "2023-05-03", name: "a@b.example", "duration_ms_sum": 8, "active_duration_ms_sum": 4}]
    rows, sent = answered(call, told)
    assert sent.url.params["group_by"] == "date,agent_email"
    assert (rows[0].agent_email, rows[0].date, rows[0].agent_count) == ("a@b.example", date(2023, 5, 3), None)
    assert "agent_email" in rows[0].model_fields_set


def test_a_service_that_refuses_agent_email_is_asked_for_agent_dash_email() -> None:
    call = mavenoid.agent_availabilities(days=2, group_by="date,agent_email")
    for status, kind in ((400, BadRequest), (422, ValidationError)):
        error = failing(call, status)
        assert isinstance(error, kind)
        again = mavenoid.respelled(error, call)
        assert again is not None
        assert again.params == (("group_by", "date,agent-email"), ("days", "2"))
        assert mavenoid.respelled(error, again) is None
        assert mavenoid.respelled(error, mavenoid.agent_availabilities(days=2, group_by="date")) is None
        assert mavenoid.respelled(error, mavenoid.live_support_sessions(days=2, group_by="agent_email")) is None
    assert mavenoid.respelled(failing(call, 500), call) is None


def session(without: tuple[str, ...] = (), **told: object) -> Any:
    row = {**examples("live_support_sessions")["individual"][0], **told}
    rows, _ = answered(
        mavenoid.live_support_sessions(days=1), [{name: value for name, value in row.items() if name not in without}]
    )
    return rows[0]


def test_a_resolution_is_read_under_both_of_its_names() -> None:
    assert session().resolution_label == "worked"
    assert session(without=("resolution",), resolution_label="refund").resolution_label == "refund"
    assert session(without=("resolution",), resolution_label=None).resolution_label is None


def test_a_session_that_nobody_took_has_no_durations() -> None:
    waiting = session(
        status="WAITING_FOR_AGENT", queue_duration_ms=None, chat_duration_ms=None, agent_email=None, debrief_labels=None
    )
    assert (waiting.queue_duration_ms, waiting.first_response_ms, waiting.chat_duration_ms) == (None, None, None)
    assert (waiting.agent_email, waiting.feedback_rating, waiting.debrief_labels) == (None, None, ())
    assert session(status="TRANSFERRED").status == "TRANSFERRED"


def test_an_hour_of_one_digit_is_an_hour() -> None:
    stretch = {
        "agent_email": "a@b.example",
        "start_timestamp": "2023-05-03T9:00:00.000Z",
        "end_timestamp": None,
        "duration_ms": 10,
        "active_duration_ms": 0,
    }
    rows, _ = answered(mavenoid.agent_availabilities(days=30), [stretch])
    assert rows[0].start_timestamp == datetime(2023, 5, 3, 9, tzinfo=UTC)
    assert rows[0].end_timestamp is None
    assert session(created_at="2023-05-03T9:00:00.5+02:00").created_at == datetime(2023, 5, 3, 7, 0, 0, 500_000, UTC)
    assert session(created_at="2023-05-03T19:00:00").created_at == datetime(2023, 5, 3, 19, tzinfo=UTC)


def test_agents_are_counted_only_where_rows_are_not_by_agent() -> None:
    by_date, _ = answered(
        mavenoid.agent_availabilities(days=2, group_by="date"), examples("agent_availabilities")["by_date"]
    )
    by_agent, _ = answered(
        mavenoid.agent_availabilities(days=2, group_by="date,agent_email"),
        examples("agent_availabilities")["by_date_and_agent"],
    )
    assert [row.agent_count for row in by_date] == [2, 2]
    assert [row.agent_count for row in by_agent] == [None, None]
    # The document's two agents have the sums of one; they are given as they came.
    assert {row.duration_ms_sum for row in (*by_date, *by_agent)} == {28_800_000}


def test_the_commas_after_the_last_row_that_the_document_prints_are_no_json() -> None:
    rows = json.dumps(examples("assistant_conversations")["individual"])
    error = failing(mavenoid.assistant_conversations(days=30), 200, (rows[:-1] + ",]").encode())
    assert isinstance(error, BadAnswer)


def figures(*told: dict[str, object]) -> list[Any]:
    rows, _ = answered(mavenoid.live_support_sessions(days=2, group_by="date"), list(told))
    return rows


def durations(name: str, most: float | None, mean: float | None, total: float | None) -> dict[str, object]:
    return {f"{name}_ms_max": most, f"{name}_ms_mean": mean, f"{name}_ms_sum": total}


def test_groups_are_put_together_by_weighted_means_longest_of_longest_and_sums_of_sums() -> None:
    rows = figures(
        {
            "date": "2023-05-01",
            "count": 1,
            **durations("queue_duration", 100, 100, 100),
            **durations("chat_duration", 5, 5, 5),
        },
        {
            "date": "2023-05-02",
            "count": 3,
            **durations("queue_duration", 40, 20, 60),
            **durations("chat_duration", None, None, None),
        },
    )
    whole = mavenoid.merged(rows)
    assert (whole.count, whole.date) == (4, None)
    assert (whole.queue_duration_ms_max, whole.queue_duration_ms_mean, whole.queue_duration_ms_sum) == (100, 40, 160)
    assert (whole.chat_duration_ms_max, whole.chat_duration_ms_mean, whole.chat_duration_ms_sum) == (5, 5, 5)
    assert whole.first_response_ms_mean is whole.first_response_ms_max is whole.first_response_ms_sum is None


def test_means_are_weighted_by_the_sessions_that_have_one_where_sum_and_mean_tell_how_many() -> None:
    # Five of the first ten waited in vain, and have no first response.
    rows = figures(
        {"count": 10, **durations("first_response", 300, 100, 500), **durations("chat_duration", 9, 9, 100)},
        {"count": 10, **durations("first_response", 300, 200, 2_000), **durations("chat_duration", 9, 5, 50)},
    )
    whole = mavenoid.merged(rows)
    assert whole.first_response_ms_mean == pytest.approx(2_500 / 15)
    assert whole.chat_duration_ms_mean == 7
    assert [mavenoid.disagreements(row) for row in rows] == [("chat_duration_ms",), ()]


def test_nothing_put_together_is_nothing() -> None:
    whole = mavenoid.merged([])
    assert (whole.count, whole.queue_duration_ms_mean) == (0, None)
    assert mavenoid.merged(figures({"count": 0, **durations("queue_duration", 0, 0, 0)})).queue_duration_ms_mean is None


def test_sums_that_no_number_of_sessions_explains_are_told() -> None:
    call = mavenoid.live_support_sessions(days=2, group_by="agent_email,date")
    rows, _ = answered(call, examples("live_support_sessions")["by_date_and_agent"])
    assert [mavenoid.disagreements(row) for row in rows] == [("first_response_ms",)] * 2
    assert mavenoid.notes(call, rows) == (meaning.CUT_SHORT, meaning.SUMS.format("first_response_ms"))
    rounded = figures({"count": 3, **durations("queue_duration", 4, 3, 10), **durations("chat_duration", 1, None, 2)})
    assert mavenoid.disagreements(rounded[0]) == ()


NOON = datetime(2023, 5, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unit", "days", "now", "dates"),
    [
        ("date", 2, NOON, {date(2023, 5, 15), date(2023, 5, 17)}),
        ("date", 1, NOON.replace(hour=0), set()),
        ("week", 7, NOON, {date(2023, 5, 8), date(2023, 5, 15)}),
        ("month", 1, NOON, {date(2023, 5, 1)}),
        ("month", 30, NOON, {date(2023, 4, 1), date(2023, 5, 1)}),
        ("date", 1, NOON + timedelta(hours=13), {date(2023, 5, 17), date(2023, 5, 18)}),
    ],
)
def test_a_rolling_window_cuts_its_first_and_last_date_short(
    unit: str, days: int, now: datetime, dates: set[date]
) -> None:
    assert mavenoid.partial(unit, days, now) == dates


def test_only_calendar_units_can_be_cut_short() -> None:
    with pytest.raises(InvalidArgument):
        mavenoid.partial("status", 1, NOON)


def test_calendar_groups_say_that_their_ends_are_cut_short() -> None:
    for unit in calls.CALENDAR:
        assert mavenoid.notes(mavenoid.agent_availabilities(days=2, group_by=unit)) == (meaning.CUT_SHORT,)
    assert mavenoid.notes(mavenoid.agent_availabilities(days=2)) == ()
    assert mavenoid.notes(mavenoid.assistant_conversations(days=2, group_by="status")) == ()


@pytest.mark.parametrize("key", [SAMPLE, f" {SAMPLE}\n", f"Bearer {SAMPLE}", SecretStr(SAMPLE)])
def test_the_documented_sample_token_is_known_by_its_hash_and_answers_with_it_say_so(key: str | SecretStr) -> None:
    assert mavenoid.is_sample(key)
    assert mavenoid.notes(mavenoid.assistant_conversations(days=1), key=key) == (meaning.SAMPLE,)


@pytest.mark.parametrize("key", ["", " ", "ma_mine", SAMPLE[:-1], SAMPLE.upper(), "\ud800"])
def test_any_other_token_is_ones_own(key: str) -> None:
    assert not mavenoid.is_sample(key)
    assert mavenoid.notes(mavenoid.assistant_conversations(days=1), key=key) == ()


def test_no_source_file_holds_the_sample_token() -> None:
    folder = Path(inspect.getfile(mavenoid)).parent
    assert [path.name for path in folder.glob("*.py") if SAMPLE[3:] in path.read_text(encoding="utf-8")] == []


def test_the_token_travels_as_a_bearer() -> None:
    name, value = ACCESS.header(SecretStr("ma_mine"))
    assert (name, value.get_secret_value()) == ("authorization", "Bearer ma_mine")


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, AuthenticationError, "ma_"),
        (429, RateLimited, "60 for days=1"),
        (404, NotFound, "with /v1"),
        (500, ServerError, ""),
    ],
)
def test_refusals_of_which_nothing_is_documented_are_typed_by_their_status(
    status: int, kind: type[TalkscopeError], hint: str
) -> None:
    call = mavenoid.assistant_conversations(days=30)
    error = failing(call, status, b"")
    told = mavenoid.explained(error, call)
    assert type(told) is kind
    assert hint in told.hint
    assert hint or told is error
    assert failing(call, status, b"", mavenoid.PLATFORM.manners).hint == told.hint


def test_fields_about_people_and_free_text_are_named_as_the_contract_marks_them() -> None:
    ours: dict[str, str] = {
        "AgentAvailabilityByAgent": "AvailabilityGroup",
        "LiveSupportSessionGroup": "SessionGroup",
    }
    for mark, named in (("x-personal-data", mavenoid.PERSONAL), ("x-untrusted-text", mavenoid.UNTRUSTED)):
        assert named == {
            f"{ours.get(model, model)}.{field.replace('-', '_')}"
            for model, schema in CONTRACT["components"]["schemas"].items()
            for field, said in schema.get("properties", {}).items()
            if said.get(mark)
        }
    for dotted in mavenoid.PERSONAL | mavenoid.UNTRUSTED:
        model, _, field = dotted.partition(".")
        kind: Any = getattr(models, model)
        assert field in kind.model_fields


def test_words_from_a_command_line_are_understood() -> None:
    ask: Callable[..., Call[object]] = CALLS["assistant_conversations"]
    assert ask(days="1", group_by="flow_name, status").params == (("group_by", "flow_name,status"), ("days", "1"))
