from __future__ import annotations

from pathlib import Path

import pytest

from talkscope.cli import COMMANDS
from talkscope.cli.questions import ASKED
from talkscope.contract import QUESTIONS
from tests.cli.asking import Noting


@pytest.mark.parametrize(
    ("line", "question", "words"),
    [
        (
            "timeseries --measure p95Value --metric-name voice.user_to_bot_latency --granularity day --range last_30d",
            "timeseries",
            {
                "measures": ["p95Value"],
                "metric_name": "voice.user_to_bot_latency",
                "granularity": "day",
                "range": "last_30d",
            },
        ),
        (
            "sessions --range last_7d --sort slowest --limit 5 --pretty",
            "sessions",
            {"range": "last_7d", "sort": "slowest", "limit": 5},
        ),
        ("summary --range last_7d --pretty", "summary", {"range": "last_7d"}),
        ("interaction interaction_id_here --pretty", "interaction", {"interaction_id": "interaction_id_here"}),
        ("session s-1 --limit 20", "session", {"session_id": "s-1", "limit": 20}),
        ("explain", "explain", {}),
        ("explain s-1", "explain", {"session_id": "s-1"}),
        (
            "breakdown --measures p95,count --measure error_rate --group-by provider --group-by model",
            "breakdown",
            {"measures": ["p95", "count", "error_rate"], "group_by": ["provider", "model"]},
        ),
        (
            "breakdown --filter channel=voice --filters status!=ok --processor llm --processor tts",
            "breakdown",
            {"filters": ["channel=voice", "status!=ok", "processor=llm", "processor=tts"]},
        ),
        (
            "summary --character-id c --app-key a --experience-id e --end-user-id u --provider p --model m --status s",
            "summary",
            {
                "filters": [
                    "character_id=c", "app_key=a", "experience_id=e", "end_user_id=u", "provider=p", "model=m",
                    "status=s",
                ]
            },
        ),
        (
            "regressions --measures p95 --range last_24h --group-by provider --threshold 0.2",
            "regressions",
            {"measure": "p95", "current_range": "last_24h", "group_by": "provider", "threshold": 0.2},
        ),
        ("latency --by model --percentile P95", "latency", {"by": "model", "percentile": "p95"}),
        (
            "concurrency --start-time 2026-05-01 --end-time 2026-05-02 --timezone Europe/Berlin",
            "concurrency",
            {"start_time": "2026-05-01", "end_time": "2026-05-02", "timezone": "Europe/Berlin"},
        ),
        ("catalog --kind metric", "catalog", {"kind": "metric"}),
        ("get_latency_breakdown --range today", "latency", {"range": "today"}),
        ("list-sessions", "sessions", {"limit": 20}),
        ("support --group-by agent", "live_support", {"group_by": ["agent"]}),
        ("get_live_support --measure queue_ms,occupancy", "live_support", {"measures": ["queue_ms", "occupancy"]}),
        ("live-support --limit 3", "live_support", {"limit": 3}),
        ("get-resource-usage --by action --kind toolkit", "resources", {"by": "action", "kind": "toolkit"}),
        ("list_errors --service llm --level all", "errors", {"service": "llm", "level": "all"}),
        ("errors --granularity day --provider p", "errors", {"granularity": "day", "filters": ["provider=p"]}),
    ],
)  # fmt: skip
def test_a_command_asks_its_question_with_the_words_given_and_no_others(
    line: str, question: str, words: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    app = Noting()
    assert app.run(*line.split()) == 0, capsys.readouterr().err
    assert app.asked == [(question, words)]
    assert app.closed


def test_every_question_of_the_contract_is_a_command() -> None:
    asking = [name for name, entry in COMMANDS.items() if entry.module == "questions"]
    assert sorted(ASKED.get(name, name) for name in asking) == sorted(QUESTIONS)


def test_every_word_of_the_contract_is_an_option_or_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    for name, question in QUESTIONS.items():
        assert Noting().run(name, "--help") == 0
        told = capsys.readouterr().out
        for word in question.params.model_fields:
            assert f"--{word.replace('_', '-')}" in told or word.upper() in told, (name, word)


def test_a_query_is_taken_as_text_from_a_file_and_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"measures": ["SessionMetrics.count"]}'
    file = tmp_path / "query.json"
    file.write_text(text, encoding="utf-8")
    app = Noting()
    with file.open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert [app.run("query", text), app.run("query", f"@{file}"), app.run("query", "-")] == [0, 0, 0]
    assert app.asked == [("query", {"query": {"measures": ["SessionMetrics.count"]}})] * 3


def test_a_source_and_a_folder_choose_what_is_asked(tmp_path: Path) -> None:
    app = Noting()
    assert app.run("summary", "--source", "calls") == 0
    assert app.run("summary", "--warehouse", str(tmp_path)) == 0
    assert app.sources == ["calls", None]
    assert app.folders == [Path("w").absolute(), tmp_path]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sumary", "'summary'"),
        ("get_latency_brekdown", "'latency'"),
        ("summary --rnge last_7d", "'--range'"),
        ("summary --range last_8d", "'last_7d'"),
        ("sessions --limit 500", "1<=x<=100"),
        ("session", "SESSION_ID"),
        ("summary --csv --pretty", "exclude each other"),
        ("summary last_7d", "last_7d"),
    ],
)
def test_words_that_make_no_command_are_refused_with_the_nearest_in_one_line(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = Noting()
    assert app.run(*line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: usage: ")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert app.asked == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("query {", "invalid_argument"),
        ("query @nowhere.json", "os_error"),
    ],
)
def test_values_that_make_no_question_end_with_one_line_and_1(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = Noting()
    assert app.run(*line.split()) == 1
    assert capsys.readouterr().err.startswith(f"error: {told}: ")
    assert app.asked == []


def test_the_help_lists_every_command_but_the_hidden_one_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting().run("--help") == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in COMMANDS if name != "reference")
    assert "reference" not in told


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting().run() == 0
    assert "Questions:" in capsys.readouterr().out
