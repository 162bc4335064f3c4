"""`make e2e`, proven against `talkscope serve` with the demo's telemetry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

import talkscope
from talkscope.errors import RateLimited
from talkscope.jobs.demo import generate
from tests.api.service.serving import add_key, serving
from tests.questions.asked import Asking, Question, every
from tests.questions.run import ask_all, main
from tests.questions.service import Address, Pace, Service

FIGURE = re.compile(r"^(.{38}) (\S+(?: \S+)?)\s+(\d+)\s+([\d,]*)")


@dataclass
class Live:
    """A server with a month's worth of demo, and keys of two plans."""

    url: str
    business: str
    free: str
    empty: str


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    generate(folder / "telemetry", now=datetime.now(UTC), days=8, sessions_per_day=12)
    assert talkscope.ingest(
        sorted((folder / "telemetry").glob("*.ndjson")), warehouse=folder / "root" / "accounts" / "ada"
    ).ok
    business = add_key(folder, "ada", "--plan", "business", "--per-minute", "0")
    free = add_key(folder, "ada", "--plan", "free", "--per-minute", "0", "--per-month", "0")
    empty = add_key(folder, "bob", "--plan", "business", "--per-minute", "0")
    with serving(folder) as served:
        yield Live(served.url, business, free, empty)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]):
    def run(*words: str, **env: str) -> tuple[int, str, dict[str, tuple[str, int, str]]]:
        code = main(words, env)
        text = "".join(capsys.readouterr())
        rows = {
            found[1].strip(): (found[2], int(found[3]), found[4])
            for found in map(FIGURE.match, text.splitlines())
            if found
        }
        return code, text, rows

    return run


@pytest.mark.parametrize("face", ["as the hosted API", "as a Talkscope service"])
def test_every_question_is_answered_by_a_service_with_telemetry(live: Live, told, face: str):
    env = (
        {"CONVAI_ANALYTICS_BASE_URL": f"{live.url}/v1/analytics", "CONVAI_API_KEY": live.business}
        if face == "as the hosted API"
        else {"TALKSCOPE_URL": live.url, "TALKSCOPE_API_KEY": live.business}
    )
    code, text, rows = told(**env)
    assert code == 0, text
    assert live.business not in text
    assert list(rows) == [question.says for question in every()]
    composed = face == "as the hosted API"
    assert {says: row[0] for says, row in rows.items() if row[0] not in ("ok", "none")} == (
        {"where the time goes": "not offered"} if composed else {}
    )
    assert rows["account usage summary"][1] == 1
    assert (rows["why the slowest session was slow"][1] > 1) is composed


def test_what_the_plan_does_not_include_passes_and_is_said(live: Live, told):
    code, text, rows = told("--url", f"{live.url}/v1/analytics", "--only", "re", CONVAI_API_KEY=live.free)
    assert code == 0, text
    assert rows["a restricted query"][0] == rows["regressions against the week"][0] == "plan"
    assert "needs the plan business (HTTP 403)" in text


def test_a_service_without_telemetry_fails_unless_that_is_allowed(live: Live, told):
    words = ("--url", live.url, "--only", "session")
    code, _, rows = told(*words, TALKSCOPE_API_KEY=live.empty)
    assert (code, rows["recent sessions"][0]) == (1, "no data")
    code, _, rows = told(*words, "--allow-empty", TALKSCOPE_API_KEY=live.empty)
    assert (code, rows["recent sessions"][0]) == (0, "none")


def test_a_key_that_is_refused_fails_and_is_not_shown(live: Live, told):
    code, text, rows = told("--url", live.url, "--only", "summary", TALKSCOPE_API_KEY="tsk_not_this_one")
    assert code == 1
    assert {row[0] for row in rows.values()} == {"FAILED"}
    assert "not_this_one" not in text


def test_nothing_to_ask_and_no_key_are_said_in_a_line(told):
    assert told()[:2] == (2, told(CONVAI_API_KEY="")[1])
    code, text, _ = told("--url", "https://talkscope.example.com")
    assert code == 2
    assert text.startswith("e2e: ")
    assert "http" in told("--url", "http://talkscope.example.com", TALKSCOPE_API_KEY="k")[1]


def test_requests_keep_their_distance(live: Live):
    time, waits = [100.0], []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))
        time[0] += seconds

    pace = Pace(6.5, clock=lambda: time[0], sleep=sleep)
    with Service(Address.chosen(live.url, {"TALKSCOPE_API_KEY": live.business}), pace) as service:
        questions = [each for each in every() if each.says in ("account usage summary", "metrics catalog")]
        rows = list(ask_all(questions, Asking(service, "last_7d"), allow_empty=False))
    assert [row.status for row in rows] == ["ok", "ok"]
    assert waits == [0.0, 6.5]


def test_a_rate_limit_is_waited_for_once(live: Live):
    waits: list[float] = []
    limits = [RateLimited("Slower.", details={"retry_after": 65.0})]

    def ask(asking: Asking) -> int:
        if limits:
            raise limits.pop()
        return 3

    with Service(Address.chosen(live.url, {"TALKSCOPE_API_KEY": live.business}), Pace(0)) as service:
        put = [Question("patience", ask)]
        [row] = ask_all(put, Asking(service, "last_7d"), allow_empty=False, sleep=waits.append)
        limits += [RateLimited("Slower.", details={"retry_after": 65.0})] * 2
        [again] = ask_all(put, Asking(service, "last_7d"), allow_empty=False, sleep=waits.append)
    assert (row.status, row.n, waits) == ("ok", 3, [65.0, 65.0])
    assert again.status == "FAILED"


def test_a_service_that_is_not_there_fails_every_question(told):
    code, text, rows = told("--url", "http://127.0.0.1:9", "--only", "health", TALKSCOPE_API_KEY="k")
    assert code == 1, text
    assert {row[0] for row in rows.values()} == {"FAILED"}
