from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from mcp_types import Completion, CompletionArgument, CompletionContext, PromptReference

from talkscope.contract import Question
from talkscope.errors import ConnectionFailed
from talkscope.models.answers import Answer
from talkscope.models.window import RANGES
from talkscope.server import completions
from talkscope.server.completions import Completions
from tests.server.conftest import Host
from tests.tools.fakes import Fake, Manner, meta

ADDRESS = {"type": "ref/resource", "uri": "talkscope://catalog/{kind}/{name}"}


def _prompt(name: str) -> dict[str, str]:
    return {"type": "ref/prompt", "name": name}


def _offered(host: Host, ref: Mapping[str, str], name: str, typed: str = "", **others: str) -> list[str]:
    context = {"context": {"arguments": others}} if others else {}
    result = host.result("completion/complete", ref=ref, argument={"name": name, "value": typed}, **context)
    found: list[str] = result["completion"]["values"]
    assert len(found) <= 100
    return found


def test_ranges_components_and_numbers_are_offered_by_their_beginning(host: Host):
    assert _offered(host, _prompt("usage_summary"), "range") == list(RANGES)
    assert _offered(host, _prompt("usage_summary"), "range", "LAST_3") == ["last_30d"]
    assert _offered(host, _prompt("provider_comparison"), "component", "t") == ["tts", "transport"]
    assert "3000" in _offered(host, _prompt("aggregate_latency_distribution"), "thresholdMs")


def test_recent_sessions_turns_and_characters_are_offered(host: Host):
    sessions = _offered(host, _prompt("why_was_this_session_slow"), "session_id", range="last_7d")
    answer = host.result("tools/call", name="list_sessions", arguments={"range": "last_7d", "limit": 5})
    told = answer["structuredContent"]
    assert sessions[:5] == [row[told["columns"].index("session_id")] for row in told["rows"]]
    turns = _offered(host, _prompt("trace_explanation"), "interactionId")
    assert turns
    for turn in (turns[0], turns[-1]):
        shown = host.result("tools/call", name="get_interaction", arguments={"interaction_id": turn})
        assert not shown.get("isError")
    assert _offered(host, _prompt("trace_explanation"), "interaction_id", turns[-1]) == [turns[-1]]
    assert "char_ada" in _offered(host, _prompt("p95_latency_trend"), "character_id", "char")


def test_metrics_dimensions_and_measures_are_offered_for_the_catalogs_address(host: Host):
    assert _offered(host, ADDRESS, "kind") == ["measure", "dimension", "metric"]
    assert "voice.user_to_bot_latency" in _offered(host, ADDRESS, "name", "voice.", kind="metric")
    assert _offered(host, ADDRESS, "name", "cha", kind="dimension") == ["channel", "character_id"]
    assert _offered(host, ADDRESS, "name", "p9", kind="measure") == ["p90", "p95", "p99"]
    assert {"p95", "processor"} <= {*_offered(host, ADDRESS, "name", "p")}


@pytest.mark.parametrize(
    ("ref", "name", "told"),
    [
        (_prompt("usage"), "range", "usage_summary"),
        (_prompt("usage_summary"), "rang", "Did you mean 'range'"),
        ({"type": "ref/resource", "uri": "talkscope://nothing/{x}"}, "x", "talkscope://catalog/{kind}/{name}"),
        (ADDRESS, "names", "'name'"),
    ],
)
def test_what_cannot_be_completed_is_refused_with_what_can(host: Host, ref: Any, name: str, told: str):
    error = host.error("completion/complete", ref=ref, argument={"name": name, "value": ""})
    assert error["code"] == -32602
    assert told in error["message"]


def test_an_unknown_kind_is_refused(host: Host):
    argument = {"name": "name", "value": ""}
    context = {"arguments": {"kind": "metrics"}}
    error = host.error("completion/complete", ref=ADDRESS, argument=argument, context=context)
    assert "measure, dimension, metric" in error["message"]


# What the source does


def _complete(asking: Completions, prompt: str, name: str, typed: str = "", **others: str) -> Completion:
    async def ask() -> Completion:
        ref = PromptReference(type="ref/prompt", name=prompt)
        context = CompletionContext(arguments=others) if others else None
        return await asking(ref, CompletionArgument(name=name, value=typed), context)

    return anyio.run(ask)


def _ids(count: int) -> Answer:
    return Answer(columns=["session_id"], rows=[[f"s-{each}"] for each in range(count)], meta=meta())


def test_a_source_that_cannot_be_reached_completes_nothing():
    def gone(name: str, words: Mapping[str, object]) -> Answer:
        raise ConnectionFailed("Nothing answered.")

    offered = _complete(Completions(Fake(gone), Manner()), "why_was_this_session_slow", "session_id")
    assert (offered.values, offered.has_more) == ([], False)


def test_a_source_that_hangs_completes_nothing(monkeypatch: pytest.MonkeyPatch):
    class Hanging(Fake):
        async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
            await anyio.sleep_forever()
            raise AssertionError

    monkeypatch.setattr(completions, "_PATIENCE", 0.01)
    assert _complete(Completions(Hanging(), Manner()), "trace_explanation", "interaction_id").values == []


def test_a_hundred_sessions_are_offered_and_there_may_be_more():
    offered = _complete(Completions(Fake(lambda *_: _ids(100)), Manner()), "why_was_this_session_slow", "session_id")
    assert len(offered.values) == 100
    assert (offered.total, offered.has_more) == (None, True)


def test_a_source_is_asked_once_while_a_word_is_typed_and_again_later():
    now = [0.0]
    fake = Fake(lambda *_: _ids(3))
    asking = Completions(fake, Manner(), lambda: now[0])
    typing = [_complete(asking, "why_was_this_session_slow", "session_id", typed) for typed in ("", "s-", "s-2")]
    assert typing[-1].values == ["s-2"]
    assert len(fake.asked) == 1
    now[0] = 31.0
    _complete(asking, "why_was_this_session_slow", "session_id")
    assert len(fake.asked) == 2


def test_sessions_are_looked_for_in_the_window_that_was_chosen():
    fake = Fake(lambda *_: _ids(1))
    _complete(Completions(fake, Manner()), "why_was_this_session_slow", "session_id", range="last_30d")
    assert fake.asked == [(None, "sessions", {"range": "last_30d", "limit": 100})]


def test_a_window_without_sessions_offers_the_last_that_there_are():
    def answering(name: str, words: Mapping[str, object]) -> Answer:
        if "start_time" in words:
            return _ids(2)
        extent = {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z", "timezone": "UTC"}
        return Answer(columns=["session_id"], rows=[], meta=meta(extent=extent))

    fake = Fake(answering)
    assert _complete(Completions(fake, Manner()), "why_was_this_session_slow", "session_id").values == ["s-0", "s-1"]
    assert fake.asked[-1][2] == {"start_time": "2020-01-01T00:00:00Z", "limit": 100}


def test_an_id_that_would_be_masked_or_cleaned_is_not_offered():
    ids = ["s-1", "jane@example.com", "two\nlines", "s-1"]
    answer = Answer(columns=["session_id"], rows=[[each] for each in ids], meta=meta())
    fake = Fake(lambda *_: answer)
    assert _complete(Completions(fake, Manner()), "why_was_this_session_slow", "session_id").values == ["s-1"]
    revealing = Completions(fake, Manner(reveal_personal_data=True))
    assert "jane@example.com" in _complete(revealing, "why_was_this_session_slow", "session_id").values
