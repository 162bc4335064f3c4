"""`talkscope export`: every flag reaches the platform, and every form of the file says the same."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import pytest

from talkscope.jobs.pull.conversations import COLUMNS, SEED_COLUMNS
from tests.cli.running import here
from tests.vendors import studio_chat
from tests.vendors.engine import Reply, served
from tests.vendors.mavenoid import TOKEN, make_world, mavenoid
from tests.vendors.studio_chat import StudioChat

Run = Callable[..., CompletedProcess[str]]
WINDOW = ("--start", "2026-01-01", "--end", "2026-06-01")


@pytest.fixture(scope="module")
def vendor() -> Iterator[tuple[StudioChat, str]]:
    made = studio_chat.server(conversations=30)
    with served(made) as url:
        yield made, url


@pytest.fixture
def studio(vendor: tuple[StudioChat, str]) -> Iterator[StudioChat]:
    vendor[0].forget()
    yield vendor[0]
    vendor[0].answer_as_before()


@pytest.fixture
def export(vendor: tuple[StudioChat, str], tmp_path: Path) -> Run:
    def run(*words: str) -> CompletedProcess[str]:
        return here(
            "export", "studio-chat", *words, home=tmp_path, STUDIO_API_TOKEN=studio_chat.KEY,
            STUDIO_PROJECT_ID=studio_chat.MAIN, STUDIO_API_URL=vendor[1],
        )  # fmt: skip

    return run


def test_every_flag_reaches_the_platform(export: Run, studio: StudioChat, tmp_path: Path) -> None:
    flags = {
        "--playbook-id": ("playbook_id", "p-1"), "--playbook-base-id": ("playbook_base_id", "b-1"),
        "--inbox-id": ("inbox_id", "i-1"), "--tags": ("tags", "billing,refund"), "--handoff": ("has_handoff", "false"),
        "--winback": ("has_winback", "true"), "--search": ("search", "wa:"),
        "--sentiment": ("sentiment", "negative,neutral"), "--resources": ("resources", "irrelevant"),
        "--sentiment-shift": ("sentiment_shift", "degraded"),
        "--deflection-quality": ("deflection_quality", "actioned,no_response"),
        "--handoff-reason": ("handoff_reason", "frustration"), "--recontact-risk": ("recontact_risk", "high"),
        "--skill-name": ("skill_name", "refund-process"), "--min-messages": ("min_messages", "0"),
        "--max-messages": ("max_messages", "9"), "--sort-by": ("sort_by", "message_count"),
        "--sort-order": ("sort_order", "asc"), "--batch-size": ("limit", "7"),
    }  # fmt: skip
    given = [word for flag, (_, value) in flags.items() for word in (flag, value)]
    done = export(*WINDOW, *given, "-o", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    window = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}
    assert dict(studio.seen[0].pairs) == dict(flags.values()) | window


def test_a_flag_alone_means_yes_and_a_time_keeps_its_offset(export: Run, studio: StudioChat, tmp_path: Path) -> None:
    words = ["--start", "2026-04-01T00:00:00-03:00", "--end", "2026-05-01", "--handoff", "-o", str(tmp_path / "o.json")]
    assert export(*words).returncode == 0
    sent = dict(studio.seen[0].pairs)
    assert sent == {
        "limit": "100", "has_handoff": "true", "start_date": "2026-04-01T00:00:00-03:00",
        "end_date": "2026-05-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--start", "2026-01-01", "-o", "x.json"), 2, "--end"),
        ((*WINDOW, "-o", "x.json", "--sentiment", "negativ"), 1, "Did you mean 'negative'?"),
        ((*WINDOW, "-o", "x.json", "--batch-size", "101"), 2, "--batch-size"),
        ((*WINDOW, "-o", "x.docx"), 1, "--format"),
        ((*WINDOW,), 2, "--output"),
        (("csat-analytics", "--tags", "a", "-o", "x.json"), 2, "--param"),
        (("csat-analitics", "-o", "x.json"), 1, "Did you mean 'csat-analytics'?"),
        (("generate-trending-topics", "-o", "x.json"), 2, "change something"),
    ],
)
def test_words_that_make_no_export_are_refused_before_anything_is_sent(
    export: Run, studio: StudioChat, words: tuple[str, ...], code: int, says: str
) -> None:
    done = export(*words)
    assert (done.returncode, studio.count()) == (code, 0)
    assert says in done.stderr


def test_every_form_holds_the_same_conversations(export: Run, studio: StudioChat, tmp_path: Path) -> None:
    files = {form: tmp_path / f"out.{form}" for form in ("json", "ndjson", "csv", "parquet")}
    for file in files.values():
        done = export(*WINDOW, "--messages", "-o", str(file))
        assert done.returncode == 0, done.stderr
    rows = json.loads(files["json"].read_bytes())["conversations"]
    assert [json.loads(line) for line in files["ndjson"].read_bytes().splitlines()] == rows
    table = list(csv.DictReader(io.StringIO(files["csv"].read_text(encoding="utf-8"))))
    assert list(table[0]) == [*COLUMNS, "messages", "citations"]
    assert [row["conversation_id"] for row in table] == [row["conversation_id"] for row in rows]
    assert [row["tags"] for row in table] == [", ".join(row["tags"]) for row in rows]
    assert [json.loads(row["messages"]) for row in table] == [row["messages"] for row in rows]
    assert {row["has_handoff"] for row in table} == {"true", "false"}
    read = duckdb.sql(
        f"SELECT conversation_id, tags, has_handoff, message_count, epoch_us(last_message_at), avg_response_latency_ms,"
        f" messages, typeof(last_message_at), typeof(winback_sent_at) FROM '{files['parquet']}'"
    ).fetchall()
    assert [(row[0], row[1], row[2], row[3], json.loads(row[6])) for row in read] == [
        (row["conversation_id"], row["tags"], row["has_handoff"], row["message_count"], row["messages"]) for row in rows
    ]
    world = {each.id: each for each in studio.studio.world.projects[0].conversations}
    assert [row[4] for row in read] == [round(world[row[0]].last_at.timestamp() * 1e6) for row in read]
    assert all(isinstance(row[5], float) for row in read)
    assert {row[7:] for row in read} == {("TIMESTAMP WITH TIME ZONE",) * 2}


def test_csv_begins_with_the_columns_of_the_vendors_own_export(export: Run, studio: StudioChat, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    assert export(*WINDOW, "--format", "csv", "--search", "nobody", "-o", str(file)).returncode == 0
    columns = (
        "conversation_id inbox_name playbook_name playbook_version playbooks_info message_count first_message_at"
        " last_message_at first_user_message last_assistant_message has_handoff has_error tags skills"
        " avg_response_latency_ms sentiment_label sentiment_reason resources_label resources_reason summary model"
    ).split()
    assert [*SEED_COLUMNS] == columns
    assert len(columns) == 21
    assert file.read_text(encoding="utf-8").strip().split(",")[:22] == [*columns, "user_intent"]


def test_text_that_a_spreadsheet_would_run_is_quoted_unless_it_is_to_be_raw(
    export: Run, studio: StudioChat, tmp_path: Path
) -> None:
    texts = ["=1+1", "+49 30", "-2", "@sum(a1)", "\tx", "fine", "\u202eflipped", "a\x1b[2Jb"]
    rows = [
        {"conversation_id": str(place), "summary": text, "tags": ["=x", "y"], "message_count": -3}
        for place, text in enumerate(texts)
    ]
    page = {"conversations": rows, "total": len(rows), "limit": 100, "offset": 0}
    studio.answer_with("conversations", Reply(page), checked=False)
    table = {}
    for name, words in {"safe": (), "raw": ("--raw",)}.items():
        file = tmp_path / f"{name}.csv"
        done = export(*WINDOW, "-o", str(file), *words)
        assert done.returncode == 0, done.stderr
        table[name] = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert [row["summary"] for row in table["raw"]] == texts
    safe = ["'=1+1", "'+49 30", "'-2", "'@sum(a1)", "'\tx", "fine", "flipped", "a[2Jb"]
    assert [row["summary"] for row in table["safe"]] == safe
    assert {(row["tags"], row["message_count"]) for row in table["safe"]} == {("'=x, y", "-3")}


def test_another_calls_rows_are_exported_by_the_same_means(export: Run, studio: StudioChat, tmp_path: Path) -> None:
    window = ("-p", "start_date=2026-01-01", "-p", "end_date=2026-06-01")
    project = studio.studio.world.projects[0]
    done = export("csat-analytics", *window, "-p", "ratings_limit=2", "-o", str(tmp_path / "ratings.json"))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "ratings.json").read_bytes())
    rated = [each for each in project.conversations if each.rating]
    assert len(found["ratings"]) == found["total_exported"] == len(rated) > 2
    assert (
        export("eval_runs", "-p", f"base_id={project.runs[0].base_id}", "-o", str(tmp_path / "r.ndjson")).returncode
        == 0
    )
    assert len((tmp_path / "r.ndjson").read_bytes().splitlines()) == len(project.runs)
    several = export("conversation-analytics", *window, "-o", str(tmp_path / "a.csv"))
    assert several.returncode == 1
    assert "by_playbook, by_tag, time_series" in several.stderr
    named = export("conversation-analytics", *window, "--rows", "by_tag", "-o", str(tmp_path / "a.csv"))
    assert named.returncode == 0, named.stderr
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("tag,")


def test_a_platform_without_pages_is_exported_whole(tmp_path: Path) -> None:
    world = make_world(now=studio_chat.NOW, conversations=40)
    with served(mavenoid(world)) as url:
        env = {"MAVENOID_API_TOKEN": TOKEN, "MAVENOID_API_URL": url}
        for name in ("s.csv", "s.parquet", "s.json"):
            done = here("export", "mavenoid", "live-support-sessions", "-p", "days=120", "-o", str(tmp_path / name),
                        home=tmp_path, **env)  # fmt: skip
            assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "s.json").read_bytes())["rows"]
    assert len(rows) == len(world.last(120, world.sessions)) > 0
    table: list[Any] = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text(encoding="utf-8"))))
    assert [row["agent_email"] or None for row in table] == [row["agent_email"] for row in rows]
    kinds = {
        name: kind for name, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM '{tmp_path / 's.parquet'}'").fetchall()
    }
    assert (kinds["created_at"], kinds["chat_duration_ms"], kinds["debrief_labels"]) == (
        "TIMESTAMP WITH TIME ZONE", "BIGINT", "VARCHAR[]",
    )  # fmt: skip


def test_the_help_names_the_calls_and_every_flag(export: Run, tmp_path: Path) -> None:
    said = export("--help").stdout
    assert all(flag in said for flag in ("--sentiment-shift", "--recontact-risk", "--batch-size", "T00:00:00Z"))
    assert "provider-latency" in here("export", "agent-studio", "--help", home=tmp_path).stdout
    wrong = here("export", "studiochat", home=tmp_path)
    assert "Did you mean 'studio-chat'?" in wrong.stderr
