"""`talkscope doctor` about accounts of platforms, over servers that keep the vendors' contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from talkscope import settings
from talkscope.cli.doctor import Finding, examine
from talkscope.cli.group import Surroundings
from tests.vendors import agent_studio, general_bots, mavenoid, studio_chat
from tests.vendors.agent_studio_world import make_tenant
from tests.vendors.mavenoid_world import make_world
from tests.vendors.serving import served
from tests.vendors.studio_chat.asking import PROJECT

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)


def looked_at(home: Path, name: str, variables: Mapping[str, str], *, offline: bool = False) -> Finding:
    """What doctor finds out about one source; nothing of a key is in what it says about any."""
    told = settings.read({"TALKSCOPE_WAREHOUSE": str(home / "warehouse"), **variables})
    findings = examine(Surroundings(settings=lambda: told, now=lambda: NOW), offline=offline)
    for finding in findings:
        keys = [value for variable, value in variables.items() if variable.endswith(("KEY", "TOKEN"))]
        assert not any(key in f"{finding}" for key in keys)
        if finding.about == f"source {name}":
            return finding
    raise AssertionError(f"nothing about {name}")


def test_a_studio_chat_account_that_answers_is_well(tmp_path: Path) -> None:
    with served(studio_chat.server(conversations=3)) as url:
        variables = {"STUDIO_API_TOKEN": studio_chat.KEY, "STUDIO_API_URL": url, "STUDIO_PROJECT_ID": PROJECT.id}
        finding = looked_at(tmp_path, "studio_chat", variables)
    assert finding.state == "ok"
    assert "Studio Chat at 127.0.0.1 answers" in finding.says
    assert "STUDIO_API_TOKEN" in finding.says


def test_a_studio_chat_account_without_a_project_is_told_what_to_set(tmp_path: Path) -> None:
    finding = looked_at(tmp_path, "studio_chat", {"STUDIO_API_TOKEN": "sbs_made_up"})
    assert (finding.state, "STUDIO_PROJECT_ID" in finding.do) == ("problem", True)


def test_an_account_that_is_asked_by_default_is_a_problem_that_hides_no_other(tmp_path: Path) -> None:
    variables = {"STUDIO_API_TOKEN": "sbs_made_up", "TALKSCOPE_SOURCE": "studio_chat"}
    told = settings.read({"TALKSCOPE_WAREHOUSE": str(tmp_path), **variables})
    findings = examine(Surroundings(settings=lambda: told, now=lambda: NOW), offline=True)
    found = {each.about: each for each in islice(findings, 4)}
    assert (found["settings"].state, "talkscope sync" in found["settings"].do) == ("problem", True)
    assert [*found][2:] == ["source warehouse", "source studio_chat"]


def test_a_key_that_is_refused_is_a_problem_that_says_how_keys_look(tmp_path: Path) -> None:
    with served(studio_chat.server(conversations=3)) as url:
        variables = {"STUDIO_API_TOKEN": "sbs_unknown", "STUDIO_API_URL": url, "STUDIO_PROJECT_ID": PROJECT.id}
        finding = looked_at(tmp_path, "studio_chat", variables)
    assert finding.state == "problem"
    assert "sbs_" in finding.do


def test_an_agent_studio_account_that_answers_is_well(tmp_path: Path) -> None:
    with served(agent_studio.agent_studio(make_tenant(NOW))) as url:
        finding = looked_at(
            tmp_path, "agent_studio", {"AGENT_STUDIO_API_KEY": agent_studio.KEY, "AGENT_STUDIO_URL": url}
        )
    assert finding.state == "ok"


@pytest.mark.parametrize(("has", "answers"), [("planned", "realtime/active"), ("published", "analytics/dashboard")])
def test_a_general_bots_server_is_asked_what_it_has(tmp_path: Path, has: str, answers: str) -> None:
    key = general_bots.token("admin", "Admin")
    with served(general_bots.server(has)) as url:
        finding = looked_at(tmp_path, "general_bots", {"GENERAL_BOTS_TOKEN": key, "GENERAL_BOTS_URL": url})
    assert finding.state == "ok"
    assert answers in finding.says


def test_the_sample_token_of_mavenoid_is_a_problem_for_its_answers_are_dummy_data(tmp_path: Path) -> None:
    with served(mavenoid.mavenoid(make_world(NOW, conversations=5))) as url:
        own = looked_at(tmp_path, "mavenoid", {"MAVENOID_API_TOKEN": mavenoid.TOKEN, "MAVENOID_API_URL": url})
        sample = looked_at(tmp_path, "mavenoid", {"MAVENOID_API_TOKEN": mavenoid.SAMPLE_TOKEN, "MAVENOID_API_URL": url})
    assert own.state == "ok"
    assert sample.state == "problem"
    assert "dummy data" in sample.says
    assert "MAVENOID_API_TOKEN" in sample.do


def test_nobody_is_asked_offline(tmp_path: Path) -> None:
    finding = looked_at(tmp_path, "mavenoid", {"MAVENOID_API_TOKEN": "ma_made_up"}, offline=True)
    assert (finding.state, "not asked" in finding.says) == ("note", True)


FILE = """source = "calls"
[sources.calls]
path = "calls \\"of\\" ü😀\\u007f"
[sources.hosted]
platform = "convai"
[sources.first]
platform = "studio_chat"
project_id = "p"
[sources.second]
platform = "studio_chat"
key_env = "SECOND"
url = "http://127.0.0.1:9"
"""
ACCOUNT = {"STUDIO_API_TOKEN": "sbs_made_up", "STUDIO_PROJECT_ID": "p", "STUDIO_API_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        (ACCOUNT, ""),
        ({"CONVAI_API_KEY": "ck_made_up"}, ""),
        ({"TALKSCOPE_URL": "http://127.0.0.1:9", "TALKSCOPE_ALLOW_SIDE_EFFECTS": "1", "TALKSCOPE_THREADS": "2"}, ""),
        ({"CONVAI_API_KEY": "ck_1", "STUDIO_API_TOKEN": "sbs_1", "SECOND": "sbs_2", "TALKSCOPE_DEADLINE": "2.5"}, FILE),
    ],
)
@pytest.mark.parametrize("only", [True, False])
def test_the_server_is_started_with_the_settings_that_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], file: str, only: bool
) -> None:
    given: list[settings.Settings] = []

    class Started:
        def tools(self) -> list[str]:
            return ["get_summary"]

    @contextmanager
    def session(environment: Mapping[str, str], *, patience: float) -> Iterator[Started]:
        assert patience > 0
        given.append(settings.read(environment))
        yield Started()

    monkeypatch.setattr("talkscope.server.session.session", session)
    config = tmp_path / "config.toml"
    config.write_text(file, encoding="utf-8")
    told = settings.read(variables, config=config)
    around = Surroundings(settings=lambda: told, now=lambda: NOW)
    folder = tmp_path / "warehouse" if only else None
    list(examine(around, folder, offline=True))
    assert given == [around.settings_for(folder)]
