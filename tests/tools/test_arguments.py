from __future__ import annotations

import pytest

from talkscope.errors import InvalidArgument, UnknownName
from talkscope.tools import find
from tests.tools.fakes import Fake, call


def test_a_word_that_is_not_known_is_refused_with_the_nearest_before_anything_is_asked():
    fake = Fake()
    with pytest.raises(UnknownName) as caught:
        call("get_breakdown", fake, group_bye="provider")
    assert "Did you mean 'group_by'?" in caught.value.hint
    assert caught.value.code == "unknown_argument"
    assert fake.asked == []


def test_a_word_that_the_tool_sets_itself_is_not_known():
    with pytest.raises(UnknownName):
        call("get_timeseries", max_rows=5)


def test_a_tool_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(UnknownName) as caught:
        find("get_latency_brakdown")
    assert "get_latency_breakdown" in caught.value.hint


def test_the_word_that_one_host_adds_to_every_call_is_dropped():
    fake = Fake()
    call("get_summary", fake, wait_for_previous=True, range="last_7d")
    assert fake.asked == [(None, "summary", {"range": "last_7d"})]


@pytest.mark.parametrize("spelled", ['["p95","count"]', "p95,count", ["p95", "count"]])
def test_a_list_may_come_as_text(spelled):
    fake = Fake()
    call("get_breakdown", fake, measure=spelled, group_by="provider")
    assert fake.asked[0][2] == {"measures": ["p95", "count"], "group_by": ["provider"]}


def test_an_object_may_come_as_text():
    fake = Fake()
    call("query", fake, query='{"measures": ["SessionMetrics.count"], "limit": 3}')
    assert fake.asked[0][2] == {"query": {"measures": ["SessionMetrics.count"], "limit": 3}}


def test_an_unknown_word_inside_the_query_is_refused():
    with pytest.raises(InvalidArgument):
        call("query", query={"measure": ["SessionMetrics.count"]})


def test_nothing_is_said_for_a_word_that_is_null():
    fake = Fake()
    call("get_summary", fake, range=None, source=None)
    assert fake.asked == [(None, "summary", {})]


def test_a_source_that_is_named_is_asked():
    fake = Fake(sources=["production", "staging"])
    call("get_summary", fake, source="staging")
    assert fake.asked[0][0] == "staging"


def test_a_source_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(UnknownName) as caught:
        call("get_summary", Fake(sources=["production", "staging"]), source="stagin")
    assert "staging" in caught.value.hint


def test_a_value_that_does_not_fit_is_refused_without_repeating_it():
    with pytest.raises(InvalidArgument) as caught:
        call("list_sessions", limit="ck_live_secret")
    assert "ck_live_secret" not in str(caught.value)
    assert "limit" in caught.value.message


def test_an_id_is_needed_where_there_is_nothing_to_ask_without_one():
    with pytest.raises(InvalidArgument) as caught:
        call("get_session")
    assert "session_id" in caught.value.message
