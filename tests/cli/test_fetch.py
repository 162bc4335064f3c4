"""`talkscope fetch`: a call by its name or a path as it is, answered with the platform's own JSON."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

import talkscope
from talkscope import api
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse import questions
from talkscope.warehouse.store import DuckStore, Stop
from tests.cli.running import here
from tests.vendors import agent_studio, general_bots, mavenoid, studio_chat
from tests.vendors.engine import Reply, Vendor, served

Fetch = Callable[..., CompletedProcess[str]]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MAIN, KEY = studio_chat.MAIN, studio_chat.KEY


class V1:
    """The v1 API over a small warehouse, in the place of the hosted one."""

    base = ""

    def __init__(self, folder: Path) -> None:
        begun = [(NOW - timedelta(minutes=place)).isoformat() for place in range(1, 6)]
        records = [{"type": "session", "session_id": f"s-{at}", "start_time": at, "end_time": at} for at in begun]
        assert talkscope.ingest(records, warehouse=folder).ok
        self.store = DuckStore(folder, threads=1)
        self.faults: list[str] = []
        self.app = api.build(self.answer, clock=lambda: NOW)

    def answer(self, name: str, asked: Asked, stop: Stop) -> Answer:
        return questions.answer(name, asked, store=self.store, now=NOW, stop=stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def vendors() -> dict[str, Vendor]:
    return {
        "STUDIO_API": studio_chat.server(conversations=30),
        "AGENT_STUDIO": agent_studio.agent_studio(agent_studio.make_tenant(now=datetime.now(UTC), calls=40)),
        "GENERAL_BOTS": general_bots.server("both", of=general_bots.world(60)),
        "MAVENOID_API": mavenoid.mavenoid(mavenoid.make_world(now=NOW, conversations=40)),
    }


@pytest.fixture(scope="module")
def accounts(vendors: Mapping[str, Vendor], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    hosted = V1(tmp_path_factory.mktemp("hosted") / "warehouse")
    with ExitStack() as stack:
        urls = {f"{name}_URL": stack.enter_context(served(vendor)) for name, vendor in vendors.items()}
        url = stack.enter_context(served(hosted))
        yield {
            **urls, "STUDIO_API_TOKEN": KEY, "STUDIO_PROJECT_ID": MAIN, "AGENT_STUDIO_API_KEY": agent_studio.KEY,
            "GENERAL_BOTS_TOKEN": general_bots.token("admin", "Admin"), "MAVENOID_API_TOKEN": mavenoid.TOKEN,
            "CONVAI_API_KEY": "ck_test_0123456789", "CONVAI_ANALYTICS_BASE_URL": f"{url}/v1/analytics",
        }  # fmt: skip
    hosted.store.close()


@pytest.fixture
def fetch(accounts: Mapping[str, str], vendors: Mapping[str, Vendor], tmp_path: Path) -> Iterator[Fetch]:
    for vendor in vendors.values():
        vendor.forget()

    def run(*words: str, stdin: str = "", **more: str) -> CompletedProcess[str]:
        return here("fetch", *words, home=tmp_path, stdin=stdin, **{**accounts, **more})

    yield run
    for vendor in vendors.values():
        vendor.answer_as_before()


def told(done: CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


HEADERS: Mapping[str, Mapping[str, str]] = {
    "STUDIO_API": {"x-api-key": KEY},
    "AGENT_STUDIO": {"x-api-key": agent_studio.KEY},
    "GENERAL_BOTS": {"authorization": f"Bearer {general_bots.token('admin', 'Admin')}"},
    "MAVENOID_API": {"authorization": f"Bearer {mavenoid.TOKEN}"},
}
PROJECT = f"/projects/{MAIN}"


@pytest.mark.parametrize(
    ("account", "words", "path"),
    [
        ("MAVENOID_API", "mavenoid assistant-conversations --param group_by=flow_name,status --param days=1",
         "/assistant-conversations.json?group_by=flow_name,status&days=1"),
        ("MAVENOID_API", "mavenoid agent_availabilities -p days=120 -p group_by=date,agent-email",
         "/agent-availabilities.json?group_by=date,agent_email&days=120"),
        ("MAVENOID_API", "mavenoid /live-support-sessions.json --params days=2 group_by=date",
         "/live-support-sessions.json?group_by=date&days=2"),
        ("MAVENOID_API", "mavenoid /v1/live-support-sessions.json?days=120", "/live-support-sessions.json?days=120"),
        ("AGENT_STUDIO", "agent-studio provider-latency", "/analytics/provider-latency"),
        ("AGENT_STUDIO", "agent_studio error-logs -p service=llm -p limit=3", "/analytics/errors?service=llm&limit=3"),
        ("GENERAL_BOTS", "general-bots usage", "/api/v1/analytics/usage"),
        ("GENERAL_BOTS", "general-bots daily-usage --param days=7", "/api/v1/analytics/usage/daily?days=7"),
        ("GENERAL_BOTS", "general-bots active-sessions", "/api/v1/analytics/realtime/active"),
        ("GENERAL_BOTS", "general-bots /api/analytics/dashboard", "/api/analytics/dashboard"),
        ("STUDIO_API", "studio-chat conversation-analytics --params start_date=2026-04-01 end_date=2026-05-01",
         f"{PROJECT}/conversations/analytics?start_date=2026-04-01T00:00:00Z&end_date=2026-05-01T00:00:00Z"),
        ("STUDIO_API", "studio-chat conversations -p tags=billing,refund -p has_handoff=true -p min_messages=0",
         f"{PROJECT}/conversations?has_handoff=true&tags=billing,refund&min_messages=0"),
        ("STUDIO_API", f"studio-chat /projects/{MAIN}/analytics/toolkits --params param_filter=order:a=b limit=5",
         f"{PROJECT}/analytics/toolkits?param_filter=order:a%3Db&limit=5"),
        ("STUDIO_API", "studio-chat /projects/{project}/conversations/summaries --params limit=2 sentiment=negative",
         f"{PROJECT}/conversations/summaries?limit=2&sentiment=negative"),
        ("STUDIO_API", "studio-chat playbook-settings -p playbook_id=unknown-to-all", ""),
    ],
)  # fmt: skip
def test_the_answer_is_the_platforms_own(
    fetch: Fetch, vendors: Mapping[str, Vendor], accounts: Mapping[str, str], account: str, words: str, path: str
) -> None:
    done = fetch(*words.split())
    if not path:
        assert done.returncode == 1
        assert done.stderr.startswith("error: not_found (HTTP 404): ")
        return
    expected = httpx.get(accounts[f"{account}_URL"] + path, headers=HEADERS[account], trust_env=False)
    assert expected.status_code == 200, expected.text
    assert told(done) == expected.json()
    ours, plain = vendors[account].seen
    assert (ours.path, set(ours.pairs)) == (plain.path, set(plain.pairs))


def test_mavenoid_reads_days_at_the_end_wherever_it_was_said(fetch: Fetch, vendors: Mapping[str, Vendor]) -> None:
    told(fetch("mavenoid", "/assistant-conversations.json", "--params", "days=1", "group_by=status"))
    told(fetch("mavenoid", "assistant-conversations", "--params", "days=1", "group_by=status"))
    assert [one.pairs[-1] for one in vendors["MAVENOID_API"].seen] == [("days", "1")] * 2


def test_what_our_models_do_not_know_is_not_lost(fetch: Fetch, vendors: Mapping[str, Vendor]) -> None:
    odd = {"conversations": [{"id": 3, "new_field": 12345678901234567890123}], "total": "many"}
    vendors["STUDIO_API"].answer_with("conversations", Reply(json.dumps(odd).encode()), checked=False)
    assert told(fetch("studio-chat", "conversations")) == odd
    assert told(fetch("studio-chat", "/projects/{project}/conversations")) == odd


@pytest.mark.parametrize(
    "words",
    [
        ("conversations", "-p", "limit=7"),
        ("/projects/{project}/conversations", "--params", "limit=7", "sort_order=desc"),
        ("conversation-summaries", "-p", "limit=7"),
    ],
)
def test_all_pages_come_as_one_document(fetch: Fetch, vendors: Mapping[str, Vendor], words: tuple[str, ...]) -> None:
    found = told(fetch("studio-chat", *words, "--all"))
    vendor = vendors["STUDIO_API"]
    assert isinstance(vendor, studio_chat.StudioChat)
    every = sorted(
        vendor.studio.world.projects[0].conversations, key=lambda each: (each.last_at, each.id), reverse=True
    )
    assert [row["conversation_id"] for row in found["conversations"]] == [each.id for each in every]
    assert (found["total"], found["limit"], found["offset"]) == (30, 30, 0)
    assert vendor.count() == 5


def test_pages_that_follow_each_other_come_as_one_document_too(
    fetch: Fetch, vendors: Mapping[str, Vendor], tmp_path: Path
) -> None:
    vendor = vendors["STUDIO_API"]
    assert isinstance(vendor, studio_chat.StudioChat)
    project = vendor.studio.world.projects[0]
    runs = told(fetch("studio-chat", "eval-runs", "-p", f"base_id={project.runs[0].base_id}", "--all"))
    assert [row["id"] for row in runs["items"]] == [run.id for run in project.runs]
    assert (runs["total_pages"], runs["page_size"]) == (1, len(project.runs))
    file = tmp_path / "errors.json"
    done = fetch(
        "agent-studio", "error-logs", "-p", "period=30d", "-p", "limit=5", "--all", "-o", str(file), "--pretty"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_bytes())
    assert len({row["id"] for row in found["items"]}) == found["total"] > 5
    assert file.read_text(encoding="utf-8").startswith('{\n  "total"')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sessions = told(fetch("convai", "sessions", "-p", "limit=2", "-p", "range=last_24h", "--all"))
    assert len({row["sessionId"] for row in sessions["sessions"]}) == 5
    assert sessions["nextCursor"] is None


def test_convais_calls_are_fetched_by_either_name_and_by_path(fetch: Fetch) -> None:
    by_name = told(fetch("convai", "summary", "-p", "range=last_24h"))
    assert by_name == told(fetch("convai", "/summary", "-p", "range=last_24h"))
    assert by_name["sessions"] == 5
    first = told(fetch("convai", "list-sessions", "-p", "limit=1"))["sessions"][0]
    assert (
        told(fetch("convai", "get-session", "-p", f"session_id={first['sessionId']}"))["sessionId"]
        == first["sessionId"]
    )
    cube = {"measures": ["SessionMetrics.count"], "timeDimensions": [
        {"dimension": "SessionMetrics.eventTime", "dateRange": "last 24 hours"}]}  # fmt: skip
    for call in ("query", "/v1/analytics/query"):
        words = ("-X", "POST") if call.startswith("/") else ()
        assert "data" in told(fetch("convai", call, "--body", json.dumps(cube), *words))
    for word, says in {"rnge=last_24h": "Did you mean 'range'?", "limit=many": "limit must be a number"}.items():
        assert says in fetch("convai", "sessions", "-p", word).stderr


def test_a_post_that_only_reads_runs(fetch: Fetch, vendors: Mapping[str, Vendor], tmp_path: Path) -> None:
    vendor = vendors["STUDIO_API"]
    assert isinstance(vendor, studio_chat.StudioChat)
    body = {"conversation_ids": [each.id for each in vendor.studio.world.projects[0].conversations[:2]]}
    (tmp_path / "body.json").write_text(json.dumps(body), encoding="utf-8")
    path = "/projects/{project}/conversations/batch"
    by_path = told(fetch("studio-chat", path, "-X", "POST", "--body", json.dumps(body)))
    assert [row["conversation_id"] for row in by_path["conversations"]] == body["conversation_ids"]
    assert by_path == told(fetch("studio-chat", path, "--method", "POST", "--body", f"@{tmp_path / 'body.json'}"))
    assert by_path == told(fetch("studio-chat", "conversation-batch", "--body", "-", stdin=json.dumps(body)))
    ids = ",".join(body["conversation_ids"])
    if "," not in "".join(body["conversation_ids"]):
        assert by_path == told(fetch("studio-chat", "conversation-batch", "-p", f"conversation_ids={ids}"))
    for call in ("query-dashboards", "/api/dashboards/query"):
        assert told(fetch("general-bots", call, "--body", '{"query": "all"}')) is not None


@pytest.mark.parametrize(
    "words",
    [
        ("studio-chat", "analyze-conversation", "-p", "conversation_id={id}"),
        ("studio-chat", "/projects/{project}/conversations/{id}/metrics/analyze", "-X", "POST"),
        ("general-bots", "create-report", "--body",
         '{"type": "usage", "start_date": "2026-04-01", "end_date": "2026-05-01", "format": "csv"}'),
        ("general-bots", "/api/v1/analytics/reports", "-X", "POST", "--body",
         '{"type": "usage", "start_date": "2026-04-01", "end_date": "2026-05-01", "format": "csv"}'),
    ],
)  # fmt: skip
def test_what_may_change_something_needs_to_be_allowed(
    fetch: Fetch, vendors: Mapping[str, Vendor], words: tuple[str, ...]
) -> None:
    vendor = vendors["STUDIO_API"]
    assert isinstance(vendor, studio_chat.StudioChat)
    known = next(each.id for each in vendor.studio.world.projects[0].conversations if "/" not in each.id)
    words = tuple(word.replace("{id}", known) for word in words)
    refused = fetch(*words)
    assert refused.returncode == 1
    assert "TALKSCOPE_ALLOW_SIDE_EFFECTS=1" in refused.stderr
    assert sum(each.count() for each in vendors.values()) == 0
    told(fetch(*words, TALKSCOPE_ALLOW_SIDE_EFFECTS="1"))


def test_one_answer_goes_into_a_file_of_its_owner_and_is_indented_where_that_is_asked_for(
    fetch: Fetch, tmp_path: Path
) -> None:
    words, file = ("studio-chat", "conversations", "-p", "limit=2"), tmp_path / "page.json"
    plain = told(fetch(*words))
    for option, begins in ((), '{"'), (("--pretty",), '{\n  "'):
        done = fetch(*words, *option, "-o", str(file))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        text = file.read_text(encoding="utf-8")
        assert (json.loads(text), text.startswith(begins)) == (plain, True)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_document_goes_into_a_file_as_it_came(fetch: Fetch, vendors: Mapping[str, Vendor], tmp_path: Path) -> None:
    asked = ("--body", '{"type": "usage", "start_date": "2026-04-01", "end_date": "2026-05-01", "format": "csv"}')
    report = told(fetch("general-bots", "create-report", *asked, TALKSCOPE_ALLOW_SIDE_EFFECTS="1"))
    for _ in range(3):
        told(fetch("general-bots", "report", "-p", f"report_id={report['id']}"))
    words = ("general-bots", "document", "-p", f"report_id={report['id']}", "-p", "format=csv")
    assert fetch(*words).returncode == 2
    done = fetch(*words, "-o", str(tmp_path / "r.csv"))
    assert done.returncode == 0, done.stderr
    assert b"," in (tmp_path / "r.csv").read_bytes()
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("studiochat", "conversations"), 1, "Did you mean 'studio-chat'?"),
        (("studio-chat", "convrsations"), 1, "Did you mean 'conversations'?"),
        (("mavenoid", "agent_availability"), 1, "Did you mean 'agent-availabilities'?"),
        (("studio-chat", "conversations", "-p", "sentimant=x"), 1, "Did you mean 'sentiment'?"),
        (("studio-chat", "conversations", "-p", "limit"), 2, "not NAME=VALUE"),
        (("studio-chat", "conversations", "--params", "limit=1", "sentiment"), 2, "'sentiment' is not"),
        (("studio-chat", "conversations", "-p", "limit=1", "-p", "limit=2"), 1, "given twice"),
        (("studio-chat", "conversation"), 1, "conversation_id is missing"),
        (("studio-chat", "conversations", "-X", "POST"), 1, "is a GET"),
        (("studio-chat", "/projects/{project}/conversations", "--method", "GET", "--body", "{}"), 1, "no body"),
        (("studio-chat", "/projects//conversations"), 1, "may not be set"),
        (("studio-chat", "/projects/../account"), 1, "part that is none"),
        (("studio-chat", "/projects/%2e%2e/account"), 1, "part that is none"),
        (("studio-chat", "conversations", "--body", "{"), 1, "not JSON"),
        (("mavenoid", "assistant-conversations"), 1, "days is missing"),
        (("mavenoid", "assistant-conversations", "-p", "days=121"), 1, "from 1 to 120"),
        (("agent-studio", "summary", "--all"), 1, "Fetch it instead"),
    ],
)
def test_words_that_make_no_call_are_refused(fetch: Fetch, words: tuple[str, ...], code: int, says: str) -> None:
    done = fetch(*words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stdout == ""


def test_a_platform_without_a_call_lists_its_calls_with_their_parameters(fetch: Fetch) -> None:
    done = fetch("mavenoid")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("assistant-conversations  ")
    assert lines[1] == "    days* group_by"


def test_an_account_that_is_not_set_is_said(tmp_path: Path) -> None:
    assert "STUDIO_API_TOKEN" in here("fetch", "studio-chat", "projects", home=tmp_path).stderr
    assert "CONVAI_API_KEY" in here("fetch", "convai", "catalog", home=tmp_path).stderr
    alone = here("fetch", "studio-chat", "conversations", home=tmp_path, STUDIO_API_TOKEN="sbs_1")
    assert "STUDIO_PROJECT_ID" in alone.stderr


def test_a_refusal_says_its_status_and_the_sample_token_its_worth(fetch: Fetch) -> None:
    refused = fetch("studio-chat", "projects", STUDIO_API_TOKEN="sbs_nobody")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: unauthorized (HTTP 401): ")
    assert "sbs_nobody" not in refused.stderr
    dummy = fetch("mavenoid", "assistant-conversations", "-p", "days=1", MAVENOID_API_TOKEN=mavenoid.SAMPLE_TOKEN)
    assert dummy.returncode == 0
    assert "Note: " in dummy.stderr
    assert "dummy" in dummy.stderr
