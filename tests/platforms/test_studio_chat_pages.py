"""Following pages, batching messages, and waiting for trending topics of Studio Chat."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest

from talkscope.errors import APIError, BadAnswer, DeadlineExceeded, ServerError, TalkscopeError
from talkscope.flow import Call, Wait
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.calls.insights import Answered, Steps
from tests.platforms.studio_chat import CONTRACT, Service, call, made

ANALYSIS = {"id": "a1", "topics": [{"name": "Refunds", "conversation_count": 3}]}
RUNNING = {"id": "j1", "status": "running", "progress": 40, "progress_message": "Grouping"}
DONE = {"id": "j1", "status": "completed", "progress": 100, "analysis_id": "a1"}
NONE, PENDING = {"status": "none", "analysis": None}, {"status": "pending"}
READY = {"status": "completed", "analysis": ANALYSIS}
STARTED = {"job_id": "j1", "status": "pending"}
TABLES = [
    # name, prefix of limit and offset, list, total, rows of a page by default
    ("conversations", "", "conversations", "total", 20, "Conversation"),
    ("conversation_summaries", "", "conversations", "total", 50, "ConversationSummary"),
    ("api_tool_usage", "", "recent", None, 50, "ApiToolCall"),
    ("toolkit_usage", "", "recent", None, 50, "ToolkitCall"),
    ("skill_usage", "", "recent", None, 50, "SkillLoad"),
    ("csat_analytics", "ratings_", "ratings", None, 10, "CsatRating"),
    ("conversion_analytics", "events_", "events", "total_events_filtered", 25, "ConversionEvent"),
]


class Table(Service):
    """Serves pages of so many rows, and never more than `cap` a page."""

    def __init__(self, table: tuple[str, str, str, str | None, int, str], rows: int, cap: int = 500) -> None:
        super().__init__({})
        self.name, self._prefix, self._list, self._total, self._size, schema = table
        operation = CONTRACT["components"]["schemas"]
        self._row = made(operation[schema], "full")
        answer = {"csat_analytics": "CsatAnalytics", "conversion_analytics": "ConversionAnalytics"}.get(self.name)
        usage = {"api_tool_usage": "ApiToolUsage", "toolkit_usage": "ToolkitUsage", "skill_usage": "SkillUsage"}
        page = {"conversations": "ConversationPage", "conversation_summaries": "ConversationSummaryPage"}
        self._rest = made(operation[answer or usage.get(self.name) or page[self.name]], "full")
        self.rows, self._cap = rows, cap

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        asked = request.url.params
        limit = min(int(asked.get(f"{self._prefix}limit", self._size)), self._cap)
        offset = int(asked.get(f"{self._prefix}offset", 0))
        found = [self._row] * max(0, min(limit, self.rows - offset))
        total = {self._total: self.rows} if self._total else {}
        return httpx.Response(200, json=self._rest | total | {self._list: found, "is_configured": True})

    def count(self, **words: object) -> list[int]:
        """The rows of each page."""
        return [len(getattr(page, self._list)) for page in self.pages(call(self.name, **words))]


@pytest.mark.parametrize("table", TABLES, ids=[each[0] for each in TABLES])
def test_pages_are_followed_to_the_last_row(table: tuple[str, str, str, str | None, int, str]) -> None:
    limit, offset, size, has_total = f"{table[1]}limit", f"{table[1]}offset", table[4], table[3] is not None
    assert Table(table, 2 * size + 1).count() == [size, size, 1]
    assert Table(table, 7).count(**{limit: 3}) == [3, 3, 1]
    assert Table(table, 7).count(**{limit: 3, offset: 2}) == [3, 2]
    assert Table(table, 0).count() == [0]
    # Where the total is told, a full last page is known to be the last.
    assert Table(table, 6).count(**{limit: 3}) == ([3, 3] if has_total else [3, 3, 0])


def test_pages_that_a_service_makes_shorter_than_asked_are_not_taken_for_the_last() -> None:
    assert Table(TABLES[0], 7, cap=2).count(limit=100) == [2, 2, 2, 1]


def test_a_call_can_be_followed_twice() -> None:
    table = Table(TABLES[2], 5)
    asked = call("api_tool_usage", limit=2)
    for _ in range(2):
        table.requests.clear()
        assert len(table.pages(asked)) == 3
        assert [each.url.params.get("offset") for each in table.requests] == [None, "2", "4"]


def test_the_total_of_an_answer_that_shrinks_while_pages_are_read_ends_them() -> None:
    page = made(CONTRACT["components"]["schemas"]["ConversationPage"], "full") | {"total": 9}
    service = Service(page, page | {"conversations": []})
    assert len(service.pages(call("conversations", limit=1))) == 2


def test_test_runs_are_counted_by_pages() -> None:
    pages = [{"items": [{"id": str(n)}], "total": 3, "page": n, "page_size": 1, "total_pages": 3} for n in (1, 2, 3)]
    service = Service(*pages)
    assert [page.items[0].id for page in service.pages(studio_chat.eval_runs("b", page_size=1))] == ["1", "2", "3"]
    assert [each.url.params.get("page") for each in service.requests] == [None, "2", "3"]
    empty = Service({"items": [], "total": 0, "page": 1, "page_size": 10, "total_pages": 0})
    assert len(empty.pages(studio_chat.eval_runs("b"))) == 1


# Batches


def test_conversations_are_fetched_fifty_a_call_each_once_and_in_their_order() -> None:
    ids = [f"c{each}" for each in range(120)]
    calls = studio_chat.conversation_batches("p", [*ids, *ids[:30]])
    asked: list[Any] = [each.body for each in calls]
    assert [len(each["conversation_ids"]) for each in asked] == [50, 50, 20]
    assert [each for body in asked for each in body["conversation_ids"]] == ids
    assert {(each.method, each.read_only, each.deadline) for each in calls} == {("POST", True, 60.0)}
    assert studio_chat.conversation_batches("p", []) == ()


def test_an_interrupted_fetch_asks_for_nothing_twice() -> None:
    ids = [f"c{each}" for each in range(120)]
    calls = studio_chat.conversation_batches("p", ids, have=ids[:60])
    asked: list[Any] = [each.body for each in calls]
    assert [each for body in asked for each in body["conversation_ids"]] == ids[60:]
    assert studio_chat.conversation_batches("p", ids, have=ids) == ()


def test_conversations_that_a_batch_leaves_out_are_told() -> None:
    batch = Service({"conversations": [{"conversation_id": "b"}]}).send(studio_chat.conversation_batch("p", ["a", "b"]))
    assert studio_chat.absent(["a", "b"], batch) == ("a",)


# Trending topics


def walk(service: Service, steps: Steps) -> tuple[models.TrendingTopicsAnalysis | None, list[float]]:
    """What the steps come to, and the pauses that they made."""
    pauses: list[float] = []
    answer: Answered = None
    error: TalkscopeError | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as done:
            found: models.TrendingTopicsAnalysis | None = done.value
            return found, pauses
        answer, error = None, None
        if isinstance(step, Wait):
            pauses.append(step.seconds)
            continue
        try:
            answer = cast("Answered", service.send(cast("Call[object]", step)))
        except TalkscopeError as failed:
            error = failed


def asked(service: Service) -> list[str]:
    return [str(each.url.path).rpartition("trending-topics/")[2] for each in service.requests]


def test_topics_are_generated_polled_with_progress_and_read() -> None:
    told: list[tuple[str, float | None, str | None]] = []
    service = Service(NONE, STARTED, {**RUNNING, "status": "pending", "progress": 0}, RUNNING, DONE, ANALYSIS)
    steps = studio_chat.trending_topics(
        "p",
        tags="billing",
        playbook_base_ids=["b1", "b2"],
        generate=True,
        told=lambda job: told.append((job.status, job.progress, job.progress_message)),
    )
    found, pauses = walk(service, steps)
    assert found is not None
    assert (found.id, found.topics[0].name) == ("a1", "Refunds")
    assert asked(service) == ["status", "generate", "job/j1", "job/j1", "job/j1", "analysis/a1"]
    assert dict(service.requests[0].url.params) == {"playbook_base_ids": "b1,b2", "tags": "billing"}
    assert service.requests[1].content == b'{"playbook_base_ids":["b1","b2"],"tags":["billing"]}'
    assert told == [("pending", 0, "Grouping"), ("running", 40, "Grouping"), ("completed", 100, None)]
    assert pauses == [1.0, 2.0]


def test_an_analysis_that_is_at_hand_is_the_answer() -> None:
    service = Service(READY)
    found, pauses = walk(service, studio_chat.trending_topics("p", generate=True))
    assert (found is not None, asked(service), pauses) == (True, ["status"], [])


def test_nothing_is_generated_unless_that_is_allowed() -> None:
    service = Service(NONE)
    assert walk(service, studio_chat.trending_topics("p"))[0] is None
    assert asked(service) == ["status"]
    service = Service(READY)
    found, _ = walk(service, studio_chat.trending_topics("p", renew=True))
    assert (found is not None, asked(service)) == (True, ["status"])


def test_a_second_analysis_of_a_day_is_refused_and_the_first_is_the_answer() -> None:
    service = Service(READY, (409, "exists"), READY)
    found, _ = walk(service, studio_chat.trending_topics("p", generate=True, renew=True))
    assert found is not None
    assert asked(service) == ["status", "generate", "status"]


def test_an_analysis_that_somebody_else_started_is_waited_for() -> None:
    service = Service(PENDING, PENDING, READY)
    found, pauses = walk(service, studio_chat.trending_topics("p"))
    assert (found is not None, asked(service), pauses) == (True, ["status"] * 3, [1.0, 2.0])
    service = Service({**PENDING, "job_id": "j1"}, DONE, ANALYSIS)
    found, _ = walk(service, studio_chat.trending_topics("p"))
    assert (found is not None, asked(service)) == (True, ["status", "job/j1", "analysis/a1"])
    service = Service(NONE, (409, "exists"), PENDING, READY)
    found, _ = walk(service, studio_chat.trending_topics("p", generate=True))
    assert (found is not None, asked(service)) == (True, ["status", "generate", "status", "status"])


def test_a_job_that_fails_or_ends_without_an_analysis_is_an_error() -> None:
    with pytest.raises(ServerError) as caught:
        walk(Service(NONE, STARTED, {**RUNNING, "status": "failed"}), studio_chat.trending_topics("p", generate=True))
    assert caught.value.code == "job_failed"
    with pytest.raises(BadAnswer):
        walk(Service(NONE, STARTED, {**DONE, "analysis_id": None}), studio_chat.trending_topics("p", generate=True))


def test_any_other_refusal_to_generate_is_an_error() -> None:
    with pytest.raises(APIError) as caught:
        walk(Service(NONE, (404, "no such project")), studio_chat.trending_topics("p", generate=True))
    assert caught.value.status == 404


def test_patience_ends_and_pauses_grow_no_longer_than_ten_seconds() -> None:
    service = Service(NONE, STARTED, RUNNING)
    steps = studio_chat.trending_topics("p", generate=True, patience=40.0)
    with pytest.raises(DeadlineExceeded) as caught:
        walk(service, steps)
    assert "goes on" in caught.value.hint
    # Once at first, and once after each pause of 1, 2, 4, 8, 10, 10 and 5 seconds.
    assert asked(service).count("job/j1") == 8
