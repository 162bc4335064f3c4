"""Studio Chat's tools about what is set up, about tests of assistants, and about topics."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import fmean
from typing import Any

import anyio
import pytest

from talkscope.errors import InvalidArgument, Json, NotFound, NotSupported, UnknownName
from talkscope.tools import toolset
from talkscope.tools.studio_chat import topics
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching, reaching
from tests.vendors import studio_chat
from tests.vendors.studio_chat.asking import PROJECT, WORLD

TOOLS = toolset("studio_chat")
ALLOWED = Manner(answer_tokens=10_000, allow_side_effects=True)
REVEALED = Manner(answer_tokens=10_000, reveal_personal_data=True)
SUPPORT = [each for each in PROJECT.playbooks if each.name == "Support desk"]
WEEK = [
    each for each in PROJECT.conversations
    if each.last_at >= studio_chat.NOW - timedelta(days=7) and each.scored and each.signals
]  # fmt: skip


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are asked for; none is made."""
    asked: list[float] = []

    async def pause(seconds: float) -> None:
        asked.append(seconds)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(topics, "sleep", pause)
    return asked


def test_only_two_tools_change_something() -> None:
    assert [tool.name for tool in TOOLS if not tool.read_only] == ["studio_analyze", "studio_topics_start"]


def _facts(studio: Reaching, **words: Any) -> dict[str, Any]:
    return {row["field"]: row["value"] for row in studio.rows("studio_config", **words)}


def test_assistants_are_listed_with_their_versions(studio: Reaching) -> None:
    rows = {row["assistant"]: row for row in studio.rows("studio_config")}
    assert set(rows) == {"Support desk", "Sales guide", "Orders"}
    assert (rows["Support desk"]["base_id"], rows["Support desk"]["version"]) == (SUPPORT[0].base_id, 3)
    every = studio.rows("studio_config", include_deleted=True)
    assert {row["assistant"]: row["deleted"] for row in every}["Retired"] == "yes"


def test_an_assistant_has_instructions_versions_and_deployments(studio: Reaching) -> None:
    assert _facts(studio, kind="assistant", name="support desk")["instructions"] == SUPPORT[2].content
    second = _facts(studio, kind="assistant", name="Support desk", version=2)
    assert (second["version"], second["instructions"]) == (2, SUPPORT[1].content)
    assert _facts(studio, kind="assistant", name=SUPPORT[0].id)["version"] == 1
    versions = studio.rows("studio_config", kind="versions", name="Support desk")
    assert {row["version_number"] for row in versions} == {1, 2, 3}
    deployed = studio.rows("studio_config", kind="deployments", name="Support desk")
    assert [row["version"] for row in deployed] == [1, 2, 3]
    (active,) = studio.rows("studio_config", kind="active", name="Support desk")
    assert active["version_id"] == SUPPORT[2].id


def test_settings_that_were_never_made_are_null(studio: Reaching) -> None:
    assert _facts(studio, kind="settings", name="Support desk")["disabled"] == "no"
    shaped = studio.tool("studio_config", kind="settings", name="Orders")
    assert {row[1] for row in shaped.structured["rows"]} == {None}
    assert any("never set" in note or "ever set" in note for note in shaped.structured["meta"]["notes"])


def test_knowledge_bases_and_their_items(studio: Reaching) -> None:
    rows = {row["title"]: row for row in studio.rows("studio_config", kind="knowledge_bases", include_deleted=True)}
    assert {title: row["type"] for title, row in rows.items()} == {base.title: base.kind for base in PROJECT.bases}
    intercom = next(base for base in PROJECT.bases if base.kind == "INTERCOM")
    listed = studio.rows("studio_config", kind="knowledge_base", name="intercom")
    assert sum(row["field"] == "article" for row in listed) == len(intercom.items)
    item, title = intercom.items[0]
    assert _facts(studio, kind="item", name="intercom", item_id=item)["title"] == title
    with pytest.raises(InvalidArgument, match="item"):
        studio.tool("studio_config", kind="item", name="intercom")


def test_an_assistant_stands_once_beside_a_knowledge_base_that_its_versions_use(studio: Reaching) -> None:
    rows = studio.rows("studio_config", kind="knowledge_bases")
    used = [row["used_by"].split(", ") for row in rows if row["used_by"]]
    assert any("Support desk" in each for each in used)
    assert all(len(set(each)) == len(each) for each in used)


@pytest.mark.parametrize("kind", ["assistant", "versions", "settings"])
def test_the_assistants_are_listed_once_to_find_one(studio: Reaching, kind: str) -> None:
    studio.tool("studio_config", kind=kind, name="Orders")
    assert len(studio.paths) == 2


def test_keys_to_other_services_are_never_shown(studio: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    tool: dict[str, Json] = {
        "id": "t1", "name": "lookup", "method": "GET", "retries": 3, "api_key": "sk-live-1",
        "headers": [{"name": "X-Secret", "value": "sk-live-2"}], "config": {"auth_token": "sk-live-3", "timeout": 5},
    }  # fmt: skip
    studio.instead(monkeypatch, "/api-tools", [tool])
    shaped = studio.tool("studio_config", REVEALED, kind="api_tools")
    assert "sk-live" not in shaped.text
    (row,) = studio.rows("studio_config", kind="api_tools")
    assert (row["method"], row["retries"], row["api_key"]) == ("GET", 3, "[hidden: 9 characters]")
    assert '"timeout": 5' in row["config"]


def test_texts_that_are_cut_are_said_to_be(studio: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    long = SUPPORT[2].content + " Be kind." * 40
    playbook: dict[str, Json] = {"id": "p", "base_id": "b", "name": "Orders", "version_number": 3, "content": long}
    studio.instead(monkeypatch, f"/playbooks/{SUPPORT[2].id}", playbook)
    shaped = studio.tool("studio_config", kind="assistant", name="Support desk")
    (note,) = (each for each in shaped.structured["meta"]["notes"] if "cut" in each)
    assert "200 characters" in note
    assert "talkscope fetch studio-chat" in note
    assert "notes" not in studio.tool("studio_config", kind="assistants").structured["meta"]


def test_an_error_repeats_no_personal_data_of_the_service(studio: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, Json] = {"user": "ada@example.com", "retry_after": 3}
    refusal = NotFound("Nobody is called ada@example.com.", hint="Call +49 170 1234567.", code="gone", details=said)
    studio.instead(monkeypatch, "/schedule", refusal)
    with pytest.raises(NotFound) as caught:
        studio.tool("studio_config", kind="schedule")
    error = caught.value
    assert (error.code, error.status, error.details["retry_after"]) == ("gone", 404, 3)
    told = f"{error.message} {error.hint} {error.details}"
    assert "ada@" not in told
    assert "1234567" not in told
    assert "email:" in error.message
    with pytest.raises(NotFound, match="ada@example.com"):
        studio.tool("studio_config", REVEALED, kind="schedule")


def test_tools_hours_and_projects(studio: Reaching) -> None:
    rows = studio.rows("studio_config", kind="api_tools")
    assert [row["name"] for row in rows] == [tool.name for tool in PROJECT.tools]
    assert _facts(studio, kind="api_tool", name="start_refund")["method"] == "POST"
    hours = _facts(studio, kind="schedule")
    assert hours["timezone"] == "America/Argentina/Buenos_Aires"
    assert "09:00" in hours["monday"]
    assert "2026-05-01" in hours["override"]
    assert _facts(studio, kind="project")["personality_tone"] == PROJECT.tone
    assert [row["id"] for row in studio.rows("studio_config", kind="projects")] == [each.id for each in WORLD.projects]


def test_a_kind_that_needs_a_name_says_so_and_names_the_nearest(studio: Reaching) -> None:
    with pytest.raises(InvalidArgument, match="Which one"):
        studio.tool("studio_config", kind="versions")
    with pytest.raises(InvalidArgument) as caught:
        studio.tool("studio_config", kind="playbooks")
    assert "assistants" in caught.value.message
    with pytest.raises(UnknownName) as unknown:
        studio.tool("studio_config", kind="assistant", name="Suport desk")
    assert "Support desk" in unknown.value.hint


def test_runs_of_tests_are_paged_and_a_run_is_told_by_case(studio: Reaching) -> None:
    shaped = studio.tool("studio_evals", assistant="Support desk", page_size=10, page=3)
    assert shaped.structured["meta"]["n"] == len(PROJECT.runs)
    assert len(shaped.structured["rows"]) == len(PROJECT.runs) - 20
    first = studio.rows("studio_evals", assistant="Support desk")[0]
    run = next(each for each in PROJECT.runs if each.id == first["id"])
    assert first["score"] == pytest.approx(fmean(run.scores.values()), abs=1e-3)
    rows = studio.rows("studio_evals", show="run", run_id=run.id)
    scores = {row["case_id"]: row["value"] for row in rows if row["field"] == "score" and row["case_id"]}
    assert scores == {case: pytest.approx(score) for case, score in run.scores.items()}


def test_cases_of_tests_and_their_yaml(studio: Reaching) -> None:
    mine = [case for case in PROJECT.cases if case.base_id == SUPPORT[0].base_id]
    rows = studio.rows("studio_evals", show="cases", assistant="Support desk")
    assert [row["input"] for row in rows] == [case.input for case in mine]
    on = studio.rows("studio_evals", show="cases", assistant="Support desk", enabled_only=True)
    assert len(on) == sum(case.enabled for case in mine)
    shaped = studio.tool("studio_evals", show="yaml", assistant="Support desk")
    assert shaped.structured["rows"][0] == ["cases:"]
    assert "line" in shaped.structured["untrusted"]
    assert any("eval-cases-yaml" in note for note in shaped.structured["meta"]["notes"])
    with pytest.raises(InvalidArgument, match="Which assistant"):
        studio.tool("studio_evals")


def test_topics_are_started_only_where_that_is_allowed_and_then_told(studio: Reaching, waits: list[float]) -> None:
    none = studio.tool("studio_topics")
    assert none.structured["rows"] == []
    assert any("no analysis" in note for note in none.structured["meta"]["notes"])
    with pytest.raises(NotSupported, match="off"):
        studio.tool("studio_topics_start")
    assert studio.calls == []
    rows = studio.rows("studio_topics_start", ALLOWED)
    assert waits == [1.0, 2.0, 4.0]
    counts = Counter(each.signals.intent for each in WEEK if each.signals)
    assert {row["topic"]: row["conversations"] for row in rows} == counts
    for row in rows:
        about = [each for each in WEEK if each.signals and each.signals.intent == row["topic"]]
        assert row["share"] == pytest.approx(len(about) / len(WEEK), abs=1e-5)
        assert row["n"] == len(WEEK)
        assert row["handoff_rate"] == pytest.approx(sum(each.handoff for each in about) / len(about), abs=1e-5)
    assert studio.rows("studio_topics") == rows
    again = studio.tool("studio_topics_start", ALLOWED)
    assert any("one a day" in note for note in again.structured["meta"]["notes"])
    _one_topic(studio, rows[0]["topic"])


def _one_topic(studio: Reaching, name: str) -> None:
    about = [each for each in WEEK if each.signals and each.signals.intent == name]
    moods = studio.rows("studio_topics", show="moods", topic=name)
    assert {row["sentiment"]: row["conversations"] for row in moods} == Counter(
        each.signals.sentiment for each in about if each.signals
    )
    words: dict[str, Any] = {"show": "conversations", "topic": name.upper()}
    shaped = studio.tool("studio_topics", **words)
    assert [row[1] for row in shaped.structured["rows"]] == [each.id for each in about]
    first = about[0].messages[0].content
    assert first not in shaped.text
    assert first.split()[0] in studio.tool("studio_topics", REVEALED, **words).text
    with pytest.raises(UnknownName):
        studio.tool("studio_topics", topic="refund of an ordr")


def test_a_job_that_is_not_done_when_the_time_is_up_is_told_as_it_is(studio: Reaching, waits: list[float]) -> None:
    (row,) = studio.rows("studio_topics_start", ALLOWED, tags=["billing"], wait_sec=2)
    assert (row["status"], row["progress"]) == ("running", 0.8)
    assert sum(waits) == 2
    (later,) = studio.rows("studio_topics", job_id=row["job_id"])
    assert later["status"] == "completed"
    told = studio.rows("studio_topics", analysis_id=later["analysis_id"])
    tagged = [each for each in WEEK if "billing" in each.tags]
    assert sum(each["conversations"] for each in told) == len(tagged)
    assert studio.rows("studio_topics", tags=["billing"]) == told
    with pytest.raises(NotFound):
        studio.tool("studio_topics", job_id="job-99")


def test_a_job_that_fails_is_no_error(studio: Reaching, waits: list[float]) -> None:
    shaped = studio.tool("studio_topics_start", ALLOWED, tags=["nobody-has-this"])
    (row,) = [dict(zip(shaped.structured["columns"], row, strict=True)) for row in shaped.structured["rows"]]
    assert row["status"] == "failed"
    assert waits
    assert any("no conversations" in note for note in shaped.structured["meta"]["notes"])


def test_assistants_narrow_topics_in_the_plural(studio: Reaching) -> None:
    studio.tool("studio_topics", assistant=["Orders", "Sales guide"])
    bases = dict.fromkeys(
        each.base_id for name in ("Orders", "Sales guide") for each in PROJECT.playbooks if each.name == name
    )
    assert dict(studio.calls[-1].params)["playbook_base_ids"] == ",".join(bases)


def test_an_account_without_a_project_is_told_what_to_set() -> None:
    with (
        reaching(studio_chat.server(), "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW) as reached,
        pytest.raises(NotSupported) as caught,
    ):
        reached.tool("studio_overview")
    assert "STUDIO_PROJECT_ID" in caught.value.hint
