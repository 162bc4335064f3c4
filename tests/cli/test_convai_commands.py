"""The command line of the Convai project, row by row: what its users type works here, and ends as they expect."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from talkscope.cli.group import Surroundings, run
from talkscope.contract import QUESTIONS, understand
from talkscope.errors import error_for
from talkscope.settings import AccountSettings, AnySource, Settings
from tests.cli.asking import NOW, PLAIN, Noting

KEY = "ck_live_made_up_for_tests"
FILTER = {"filters": ["character_id=c-1"]}


@pytest.mark.parametrize(
    ("line", "question", "words"),
    [
        ("summary", "summary", {}),
        ("summary --range last_7d", "summary", {"range": "last_7d"}),
        ("summary --character-id c-1", "summary", FILTER),
        ("timeseries --measure p95Value", "timeseries", {"measures": ["p95Value"]}),
        ("timeseries --measure p50_value --measure p95", "timeseries", {"measures": ["p50_value", "p95"]}),
        (
            "timeseries --measure count --metric-name llm.ttfb",
            "timeseries",
            {"measures": ["count"], "metric_name": "llm.ttfb"},
        ),
        ("timeseries --granularity minute", "timeseries", {"granularity": "minute"}),
        ("timeseries --granularity hour --range last_1h", "timeseries", {"granularity": "hour", "range": "last_1h"}),
        ("timeseries --character-id c-1", "timeseries", FILTER),
        ("timeseries --group-by voice_provider", "timeseries", {"group_by": ["voice_provider"]}),
        ("sessions", "sessions", {"limit": 20}),
        ("sessions --limit 5", "sessions", {"limit": 5}),
        ("sessions --range last_30d --sort slowest", "sessions", {"range": "last_30d", "sort": "slowest", "limit": 20}),
        ("sessions --sort longest --character-id c-1", "sessions", {"sort": "longest", "limit": 20, **FILTER}),
        ("session s-1", "session", {"session_id": "s-1"}),
        ("interaction i-1", "interaction", {"interaction_id": "i-1"}),
        # What that command line lacks.
        ("breakdown --measure p95 --group-by provider", "breakdown", {"measures": ["p95"], "group_by": ["provider"]}),
        ("catalog", "catalog", {}),
        ("regressions --range last_24h", "regressions", {"current_range": "last_24h"}),
        ('query {"measures":["SessionMetrics.count"]}', "query", {"query": {"measures": ["SessionMetrics.count"]}}),
    ],
)
def test_what_is_typed_there_is_understood_here(line: str, question: str, words: dict[str, object]) -> None:
    app = Noting()
    assert app.run(*line.split()) == 0
    assert app.asked == [(question, words)]
    understand(QUESTIONS[question].params, words)


@pytest.mark.parametrize("words", [("summary", "--pretty"), ("--pretty", "summary")])
def test_pretty_is_indented_json_before_and_after_the_command(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert Noting().run(*words) == 0
    out = capsys.readouterr().out
    assert out.startswith('{\n  "columns"')
    assert json.loads(out) == PLAIN.model_dump(mode="json")


def test_without_it_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting().run("summary") == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--api-key", KEY, "--base-url", "http://127.0.0.1:9/v1/analytics", "summary"),
        ("summary", "--api-key", KEY, "--base-url", "http://127.0.0.1:9/v1/analytics"),
        (f"--api-key={KEY}", "--base-url=http://127.0.0.1:9/v1/analytics", "summary"),
        (f"--api-key={KEY}", "summary", "--base-url", "http://127.0.0.1:9/v1/analytics"),
    ],
)
def test_a_key_and_an_address_are_taken_before_and_after_the_command_and_the_key_is_not_repeated(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    app = Noting()
    seen: list[AnySource] = []

    def opened(settings: Settings) -> Noting:
        seen.extend(settings.sources)
        return app

    assert run(words, around=Surroundings(settings=Settings, app=opened, now=lambda: NOW)) == 0  # type: ignore[arg-type]
    [account] = seen
    assert isinstance(account, AccountSettings)
    assert account.key == SecretStr(KEY)
    assert account.url.startswith("http://127.0.0.1:9/v1/analytics")
    said = capsys.readouterr()
    assert "process list" in said.err
    assert KEY not in said.out + said.err


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("summary", "-h"), ("--pretty", "summary", "--help")])
def test_help_and_version_end_with_0(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting().run(*words) == 0
    assert capsys.readouterr().out


def test_a_failure_is_one_line_with_its_code_and_status_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting(error_for(404, "not_found", "No such session.", hint="")).run("session", "s-1") == 1
    assert capsys.readouterr().err == "error: not_found (HTTP 404): No such session.\n"
    assert Noting(error_for(402, "plan_required", "No plan.", hint="")).run("summary") == 1
    assert capsys.readouterr() == ("", "error: plan_required (HTTP 402): No plan.\n")


@pytest.mark.parametrize(
    "words",
    [
        ("sumary",),
        ("summary", "--rnage", "last_7d"),
        ("summary", "--range", "last_day"),
        ("session",),
        ("sessions", "--limit", "0"),
        ("--pretty",),
        ("--base-url",),
        ("--nonsense", "summary"),
    ],
)
def test_words_that_make_no_command_are_one_line_and_end_with_2(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    app = Noting()
    assert app.run(*words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: usage: ")
    assert said.err.count("\n") == 1
    assert app.asked == []
