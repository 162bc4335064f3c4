"""General Bots, met through the client: planned routes, routes there are, and servers that lack either."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from inspect import signature
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from talkscope import Client
from talkscope.errors import (
    AnswerTooLarge,
    AuthenticationError,
    BadAnswer,
    BadRequest,
    ConnectionFailed,
    InvalidArgument,
    InvalidRange,
    NotFound,
    NotSupported,
    PlanInsufficient,
    ServerError,
    TalkscopeError,
    UnknownName,
    UsageError,
)
from talkscope.flow import Call, Policy, query
from talkscope.platforms import general_bots
from talkscope.platforms.general_bots import ACCESS, CALLS, PROBES, ROUTES, checks, meaning
from talkscope.platforms.general_bots.found import AGGREGATIONS, METRICS
from talkscope.platforms.general_bots.reports import MEDIA_TYPES, TYPES

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "openapi" / "platforms" / "general_bots.json").read_text(encoding="utf-8")
)
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), place, operation)
    for place, ways in CONTRACT["paths"].items()
    for method, operation in ways.items()
}
BOT = "7f1c2a34-5b6d-4e8f-9a0b-1c2d3e4f5a6b"
JANUARY: Any = {"type": "engagement", "start_date": "2025-01-01", "end_date": "2025-01-31", "format": "pdf"}
WORDS: dict[str, dict[str, Any]] = {
    "create_report": JANUARY,
    "report": {"report_id": "r/1"},
    "metric": {"name": "api.calls"},
    "query_dashboards": {"question": {"metric": "x"}},
}
WINDOWED = [
    "usage", "daily_usage", "monthly_usage", "conversations", "conversation_volume", "conversation_duration",
    "conversation_resolution", "engagement", "retention", "satisfaction",
]  # fmt: skip
INSIGHTS = [name for name, route in ROUTES.items() if route.path.startswith("/api/insights/")]
DASHBOARD: dict[str, Any] = {
    "total_users": 10,
    "active_users": 4,
    "total_messages": 100,
    "total_sessions": 20,
    "storage_used_gb": 1.5,
    "api_calls_per_minute": 2.0,
    "error_rate": 0.1,
    "response_time_p95": 250.0,
    "charts": [{"title": "Load", "chart_type": "line", "labels": ["0"], "datasets": [
        {"label": "Messages", "data": [4.0], "color": "#fff"}]}],
}  # fmt: skip


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: Any = CONTRACT
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def asking(name: str) -> Call[Any]:
    return CALLS[name](**WORDS.get(name, {}))


def answered(call: Call[Any], body: object, status: int = 200) -> tuple[Any, httpx.Request]:
    """What the call gives when the server answers so, and the request that it took."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    with Client(str(ACCESS.url), transport=httpx.MockTransport(answer), policy=Policy(attempts=1)) as client:
        return client.send(call), asked[0]


def refused(call: Call[Any], status: int, body: object = b"") -> TalkscopeError:
    """The error of that answer, as the platform means it."""
    with pytest.raises(TalkscopeError) as caught:
        answered(call, body, status)
    return general_bots.explained(caught.value, call)


def test_every_operation_of_the_contract_is_a_call_and_every_call_one_of_its_operations() -> None:
    assert set(CALLS) == set(OPERATIONS) == set(ROUTES)
    assert sum(route.planned for route in ROUTES.values()) == 15


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_call_takes_the_parameters_of_its_operation_and_goes_to_its_place(name: str) -> None:
    method, place, operation = OPERATIONS[name]
    body = {"question"} if name == "query_dashboards" else set(JANUARY) if name == "create_report" else set()
    parameters = {resolved(each)["name"] for each in operation.get("parameters", [])}
    assert set(signature(CALLS[name]).parameters) == parameters | body
    call = asking(name)
    assert (call.method, call.path) == (method, place.replace("{report_id}", "r%2F1"))
    assert call.read_only is not operation["x-side-effects"]
    assert general_bots.route_of(call) is ROUTES[name]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_roles_and_availability_are_those_of_the_contract(name: str) -> None:
    operation, route = OPERATIONS[name][2], ROUTES[name]
    stated = operation["x-required-roles"]
    assert list(route.roles) == stated.get("any_of", [])
    assert route.required_role == stated.get("required_role")
    assert route.planned is (operation["tags"] == ["planned"])


def test_the_routes_that_tell_servers_apart_are_those_of_the_contract() -> None:
    for word, name in PROBES.items():
        assert f"{ROUTES[name].method} {ROUTES[name].path}" == CONTRACT["x-probe"][word]


def test_words_that_can_be_chosen_are_those_of_the_contract() -> None:
    parameters = CONTRACT["components"]["parameters"]
    assert list(checks.PERIODS) == parameters["Period"]["schema"]["enum"] == ["today", "week", "month", "year"]
    assert list(checks.GROUPS) == parameters["GroupBy"]["schema"]["enum"] == ["hour", "day", "week", "month"]
    assert list(checks.INSIGHT_PERIODS) == parameters["InsightPeriod"]["schema"]["enum"]
    assert list(AGGREGATIONS) == parameters["Aggregation"]["schema"]["enum"]
    assert list(METRICS) == parameters["MetricName"]["x-known-values"]
    asked = CONTRACT["components"]["schemas"]["ReportRequest"]["properties"]
    assert set(TYPES) == {"engagement", *asked["type"]["anyOf"][1]["enum"]}
    assert list(MEDIA_TYPES) == asked["format"]["enum"]
    assert set(MEDIA_TYPES.values()) == set(OPERATIONS["report"][2]["responses"]["200"]["content"])


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ({"start_date": "2025-01-01", "end_date": date(2025, 1, 31)}, "start_date=2025-01-01&end_date=2025-01-31"),
        ({"start_date": "2025-01-01T00:00:00+0200"}, "start_date=2025-01-01T00%3A00%3A00%2B0200"),
        ({"end_date": datetime(2025, 1, 1, 12, tzinfo=UTC)}, "end_date=2025-01-01T12%3A00%3A00%2B00%3A00"),
        ({"days": 7, "group_by": "day"}, "days=7&group_by=day"),
        ({"days": "7"}, "days=7"),
        ({"period": "year", "group_by": "month", "bot_id": BOT, "user_id": BOT.upper()},
         f"period=year&group_by=month&bot_id={BOT}&user_id={BOT.upper()}"),
    ],
)  # fmt: skip
def test_what_is_asked_of_planned_routes_goes_over_the_wire_as_documented(
    name: str, words: dict[str, Any], sent: str
) -> None:
    _, request = answered(CALLS[name](**words), {"data": []})
    assert request.url.query.decode() == sent


@pytest.mark.parametrize(
    ("name", "words", "sent"),
    [
        ("metric", {"name": "api.calls", "window_minutes": 5, "aggregation": "p95"},
         "name=api.calls&window_minutes=5&aggregation=p95"),
        ("daily_insights", {"period": "weekly"}, "period=weekly"),
        ("insight_trends", {"start_date": "2025-01-01", "end_date": "2025-01-01"},
         "start_date=2025-01-01&end_date=2025-01-01"),
        ("active_sessions", {"bot_id": BOT}, f"bot_id={BOT}"),
        ("realtime", {"user_id": BOT}, f"user_id={BOT}"),
    ],
)  # fmt: skip
def test_what_is_asked_of_the_other_routes_goes_over_the_wire_as_documented(
    name: str, words: dict[str, Any], sent: str
) -> None:
    _, request = answered(CALLS[name](**words), {"metric": "api.calls", "value": 1})
    assert request.url.query.decode() == sent


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize(
    "words",
    [
        {"days": 7, "period": "week"},
        {"days": 7, "start_date": "2025-01-01"},
        {"period": "week", "end_date": "2025-01-01"},
        {"days": 7, "period": "week", "start_date": "2025-01-01", "end_date": "2025-01-31"},
    ],
)
def test_two_selectors_of_time_are_refused_because_no_document_says_which_wins(
    name: str, words: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument, match="Several selectors of time"):
        CALLS[name](**words)


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        (InvalidArgument, lambda: CALLS["usage"](days=0)),
        (InvalidArgument, lambda: CALLS["usage"](days=True)),
        (InvalidArgument, lambda: CALLS["usage"](start_date="01.02.2025")),
        (InvalidArgument, lambda: CALLS["usage"](start_date="2025-02-30")),
        (InvalidArgument, lambda: CALLS["usage"](start_date="2025-01-01T25:00")),
        (InvalidArgument, lambda: CALLS["usage"](end_date=20250101)),
        (InvalidRange, lambda: CALLS["usage"](start_date="2025-02-01", end_date="2025-01-31T00:00:00Z")),
        (UnknownName, lambda: CALLS["usage"](period="quarter")),
        (UnknownName, lambda: CALLS["usage"](period="weekly")),
        (UnknownName, lambda: CALLS["usage"](group_by="year")),
        (UnknownName, lambda: CALLS["usage"](group_by="bot_id")),
        (InvalidArgument, lambda: CALLS["usage"](bot_id="bot")),
        (InvalidArgument, lambda: CALLS["realtime"](user_id=BOT[:-1])),
        (UnknownName, lambda: CALLS["insight_apps"](period="week")),
        (InvalidArgument, lambda: CALLS["insight_apps"](period="weekly", start_date="2025-01-01")),
        (InvalidArgument, lambda: CALLS["metric"](name=" ")),
        (InvalidArgument, lambda: CALLS["metric"](name="x", window_minutes=0)),
        (UnknownName, lambda: CALLS["metric"](name="x", aggregation="mean")),
        (InvalidArgument, lambda: CALLS["report"](report_id="")),
        (InvalidArgument, lambda: CALLS["query_dashboards"](question=[])),
        (UnknownName, lambda: CALLS["create_report"](**{**JANUARY, "type": "engagements"})),
        (UnknownName, lambda: CALLS["create_report"](**{**JANUARY, "format": "docx"})),
        (InvalidArgument, lambda: CALLS["create_report"](**{**JANUARY, "start_date": None})),
        (InvalidRange, lambda: CALLS["create_report"](**{**JANUARY, "start_date": "2025-02-01"})),
    ],
)
def test_words_that_the_server_cannot_take_are_refused_before_sending(
    kind: type[UsageError], ask: Callable[[], object]
) -> None:
    with pytest.raises(kind) as caught:
        ask()
    assert caught.value.hint or caught.value.message.endswith("no id.")


def test_the_fields_that_the_documents_own_scripts_read_are_read_and_all_others_kept() -> None:
    usage, _ = answered(general_bots.usage(), {"total_conversations": 12, "active_users": 3, "minutes": 9})
    assert (usage.total_conversations, usage.active_users) == (12, 3)
    assert usage.model_dump()["minutes"] == 9
    days, _ = answered(
        general_bots.daily_usage(days=7), {"data": [{"date": "2025-01-01", "conversations": 5, "x": [1]}]}
    )
    assert [(day.date, day.conversations) for day in days.data] == [("2025-01-01", 5)]
    assert days.data[0].model_dump()["x"] == [1]
    now, _ = answered(general_bots.realtime(), {"active_sessions": 2, "messages_per_minute": 1.5})
    assert (now.active_sessions, now.messages_per_minute) == (2, 1.5)


def test_a_figure_that_did_not_come_is_none_and_never_another_one() -> None:
    usage, _ = answered(general_bots.usage(), {"conversations": 12})
    assert (usage.total_conversations, usage.active_users) == (None, None)
    active, _ = answered(general_bots.active_sessions(), {"sessions": 4})
    assert active.active_sessions is None


@pytest.mark.parametrize("body", [{"active_sessions": 4}, {"count": 4}])
def test_active_sessions_are_counted_under_either_name(body: object) -> None:
    active, _ = answered(general_bots.active_sessions(), body)
    assert active.active_sessions == 4


def test_active_sessions_that_come_as_a_mere_number_are_a_count() -> None:
    assert general_bots.active_sessions().parse(4).active_sessions == 4


OPEN = [
    name
    for name, (_, _, operation) in OPERATIONS.items()
    if "OpenAnswer" in json.dumps(resolved(operation["responses"]["200"]["content"]["application/json"]["schema"]))
]


@pytest.mark.parametrize("name", OPEN)
def test_answers_whose_shape_nobody_published_stay_what_they_are(name: str) -> None:
    for body in ({"rate": 0.5, "rows": [{"a": None}]}, [{"a": 1}], {}):
        answer, _ = answered(asking(name), body)
        assert answer == body


def test_a_question_to_the_dashboards_is_a_post_that_changes_nothing() -> None:
    _, request = answered(general_bots.query_dashboards({"metric": "x", "last": 5}), {})
    assert (request.method, json.loads(request.content)) == ("POST", {"metric": "x", "last": 5})


def test_a_metric_is_its_value_and_one_that_does_not_exist_is_not_found_although_the_status_is_200() -> None:
    found, _ = answered(general_bots.metric("api.calls"), {"metric": "api.calls", "value": 3, "timestamp": "now"})
    assert (found.metric, found.value, found.timestamp) == ("api.calls", 3.0, "now")
    error = refused(general_bots.metric("api.cals"), 200, {"error": "Metric not found", "metric": "api.cals"})
    assert isinstance(error, NotFound)
    assert error.code == "metric_not_found"
    assert "api.calls" in error.hint


def test_the_dashboard_and_live_support_are_read_with_everything_they_hold() -> None:
    dashboard, _ = answered(general_bots.dashboard(), {**DASHBOARD, "uptime": 5})
    assert dashboard.model_dump(mode="json") == {**DASHBOARD, "uptime": 5}
    stats = {
        "total_sessions_today": 9, "active_sessions": 2, "waiting_sessions": 1, "avg_wait_time_seconds": None,
        "avg_handle_time_seconds": 60.5, "agents_online": 3, "agents_on_break": 0, "satisfaction_avg": None,
    }  # fmt: skip
    support, _ = answered(general_bots.attendant_stats(), stats)
    assert support.model_dump(mode="json") == stats


def test_averages_of_no_live_support_are_none_although_the_server_may_say_0() -> None:
    averages = ("avg_wait_time_seconds", "avg_handle_time_seconds", "satisfaction_avg")
    counts = ("total_sessions_today", "active_sessions", "waiting_sessions", "agents_online", "agents_on_break")
    none, _ = answered(general_bots.attendant_stats(), dict.fromkeys(counts, 0) | dict.fromkeys(averages, 0.0))
    assert none.model_dump() == dict.fromkeys(counts, 0) | dict.fromkeys(averages)
    instant, _ = answered(general_bots.attendant_stats(), dict.fromkeys(counts, 1) | dict.fromkeys(averages, 0.0))
    assert instant.model_dump(include=set(averages)) == dict.fromkeys(averages, 0.0)
    # Perhaps that one is not of today: it is kept.
    older, _ = answered(
        general_bots.attendant_stats(), dict.fromkeys(counts, 0) | dict.fromkeys(averages, 0) | {"satisfaction_avg": 4}
    )
    assert (older.satisfaction_avg, older.avg_wait_time_seconds) == (4.0, None)


def test_no_call_asks_for_pages_of_html_whose_figures_are_made_up() -> None:
    fragments = {each.partition(" ")[2] for each in CONTRACT["x-left-out"]["HTML fragments"]["routes"]}
    assert [name for name in CALLS if asking(name).path in fragments] == []
    assert [name for name in CALLS if "/ui/" in asking(name).path] == []


def test_making_a_report_sends_the_documented_body_and_is_the_one_call_that_is_never_repeated() -> None:
    call = general_bots.create_report(**JANUARY)
    for status in (200, 202):
        report, request = answered(call, {"id": 7, "status": "Pending"}, status)
        assert (request.method, json.loads(request.content)) == ("POST", JANUARY)
        assert (report.id, report.state, report.done) == ("7", "pending", False)
    assert [name for name in CALLS if not asking(name).read_only] == ["create_report"]
    tries: list[str] = []

    def busy(request: httpx.Request) -> httpx.Response:
        tries.append(request.method)
        return httpx.Response(503)

    with Client(str(ACCESS.url), transport=httpx.MockTransport(busy), policy=Policy(first_wait=0)) as client:
        with pytest.raises(ServerError):
            client.send(call)
    assert tries == ["POST"]


@pytest.mark.parametrize(
    ("told", "state", "done"),
    [
        ({"status": "pending"}, "pending", False),
        ({"status": "COMPLETED"}, "completed", True),
        ({"status": " failed "}, "failed", True),
        ({"status": "rendering"}, "pending", False),
        ({"status": None}, "unstated", True),
        ({}, "unstated", True),
    ],
)
def test_a_report_is_done_when_it_ended_or_when_the_server_tells_of_no_states(
    told: dict[str, Any], state: str, done: bool
) -> None:
    report, _ = answered(general_bots.report("r1"), {"id": "r1", "pages": 3, **told})
    assert (report.state, report.done) == (state, done)
    assert report.model_dump()["pages"] == 3


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"data": rows}])
def test_reports_are_listed_bare_or_under_data_and_twenty_may_be_a_first_page(wrap: Callable[[object], object]) -> None:
    call = general_bots.reports()
    for many, said in ((2, ()), (20, (meaning.FIRST_PAGE,)), (21, ())):
        listed, _ = answered(call, wrap([{"id": number} for number in range(many)]))
        assert [report.id for report in listed] == [str(number) for number in range(many)]
        assert general_bots.notes(call, listed) == said


def test_a_reports_document_would_come_from_the_reports_own_route() -> None:
    found = general_bots.document("r/1", "csv")
    assert (found.path, found.media_type) == ("/api/v1/analytics/reports/r%2F1", "text/csv")
    unknown: Any = "docx"
    with pytest.raises(UnknownName):
        general_bots.document("r1", unknown)


PAGE = b"<!doctype html><title>General Bots</title>"
SINGLE = {"report"}


@pytest.mark.parametrize("name", sorted(set(CALLS) - SINGLE))
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, b'{"error":{"code":"nope","message":"No."}}'),
        (405, b""),
        (200, PAGE),
        (200, b"ok"),
        (200, b""),
    ],
)
def test_a_server_without_the_route_is_said_to_lack_it(name: str, status: int, body: bytes) -> None:
    error = refused(asking(name), status, body)
    route = ROUTES[name]
    assert type(error) is NotSupported
    assert error.message == f"{route.method} {route.path} is not available on this server."
    assert error.details == {"route": f"{route.method} {route.path}", "planned": route.planned}
    assert ("planned" in error.hint) is route.planned


@pytest.mark.parametrize("name", ["usage", "active_sessions", "dashboard"])
def test_json_that_is_not_what_was_promised_does_not_pass_for_a_missing_route(name: str) -> None:
    error = refused(asking(name), 200, [1])
    assert type(error) is BadAnswer
    call = Call(ROUTES[name].path, asking(name).parse, cap=10)
    assert isinstance(refused(call, 200, {"a": "b" * 50}), AnswerTooLarge)


def test_one_report_that_is_missing_is_not_found_and_one_that_is_no_json_may_be_the_document() -> None:
    call = general_bots.report("r1")
    missing = refused(call, 404)
    assert type(missing) is NotFound
    assert "reports" in missing.hint
    for body in (b"%PDF-1.7 \xff", PAGE):
        sent = refused(call, 200, body)
        assert type(sent) is BadAnswer
        assert (sent.code, sent.hint) == (meaning.DOCUMENT, "Download the report.")
    assert type(refused(call, 405)) is NotSupported


def test_a_report_that_is_still_being_made_is_no_document_and_the_hint_says_which_call_tells() -> None:
    sent = refused(general_bots.document("r1", "pdf"), 200, {"id": "r1", "status": "pending"})
    assert (type(sent), sent.code) == (BadAnswer, "not_the_document")
    assert sent.hint == "Perhaps it is still being made, or is of another format. The call report tells its status."


@pytest.mark.parametrize("name", sorted(name for name, route in ROUTES.items() if route.planned))
def test_a_403_of_a_planned_route_names_the_role_that_it_needs(name: str) -> None:
    error = refused(asking(name), 403)
    role = "analytics_admin" if "report" in name else "analytics_viewer"
    assert isinstance(error, PlanInsufficient)
    assert error.details == {"roles": [role, "admin"], "required_role": role}
    assert f"{role}, admin" in error.hint
    assert "Moderator" in error.hint


def test_a_403_of_a_route_there_is_names_the_published_roles_or_none() -> None:
    known = refused(general_bots.dashboard(), 403, {"error": {"message": "No.", "details": {"have": "User"}}})
    assert known.details == {"have": "User", "roles": ["Admin", "SuperAdmin", "Moderator"], "required_role": None}
    unstated = refused(general_bots.goals(), 403)
    assert unstated.details == {"roles": [], "required_role": None}
    assert unstated.hint


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequest), (401, AuthenticationError), (500, ServerError)])
def test_other_refusals_stay_what_they_are(status: int, kind: type[TalkscopeError]) -> None:
    assert type(refused(general_bots.usage(), status)) is kind


def test_a_path_of_ones_own_is_explained_as_it_came() -> None:
    own = Call("/api/v1/analytics/other", lambda value: value, query({}))
    assert type(refused(own, 404)) is NotFound
    assert general_bots.notes(own) == ()


def test_where_nothing_answers_both_documented_ports_are_named() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    call = general_bots.usage()
    with Client(str(ACCESS.url), transport=httpx.MockTransport(nobody), policy=Policy(attempts=1)) as client:
        with pytest.raises(ConnectionFailed) as caught:
            client.send(call)
    told = general_bots.explained(caught.value, call)
    assert isinstance(told, ConnectionFailed)
    assert {each["url"] for each in CONTRACT["servers"]} == set(general_bots.ADDRESSES)
    assert all(address in told.hint for address in general_bots.ADDRESSES)
    assert general_bots.ADDRESSES[0] == ACCESS.url


def test_what_the_figures_are_not_is_said_beside_them() -> None:
    assert general_bots.notes(general_bots.dashboard()) == (meaning.SUMMED, meaning.FABRICATED, meaning.UNITS)
    assert general_bots.notes(general_bots.metric("users.total")) == (meaning.SUMMED,)
    assert general_bots.notes(general_bots.metric("users.total", aggregation="sum")) == (meaning.SUMMED,)
    assert general_bots.notes(general_bots.metric("api.duration_ms", aggregation="p95")) == ()
    assert general_bots.notes(general_bots.attendant_stats()) == (meaning.SCALE,)
    assert general_bots.notes(general_bots.satisfaction()) == (meaning.SCALE,)
    assert general_bots.notes(general_bots.conversation_resolution()) == (meaning.RATE,)
    assert general_bots.notes(general_bots.conversation_duration()) == (meaning.DURATION,)
    assert general_bots.notes(general_bots.usage()) == ()
    assert [general_bots.notes(CALLS[name]()) for name in INSIGHTS] == [(meaning.PLACEHOLDERS,)] * 8


def test_the_token_travels_as_a_bearer_and_no_limit_is_made_up() -> None:
    name, value = ACCESS.header(SecretStr("eyJ.x.y"))
    assert (name, value.get_secret_value()) == ("authorization", "Bearer eyJ.x.y")
    assert CONTRACT["x-rate-limit"]["documented"] is False
    assert general_bots.PLATFORM.manners.limits.get(general_bots.bucket(general_bots.usage())) is None
