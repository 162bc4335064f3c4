from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from talkscope.errors import DeadlineExceeded, NotFound
from talkscope.models.answers import Answer, ConcurrencyAnswer, ExplainAnswer
from talkscope.tools.tool import refused, tokens
from tests.tools.fakes import ASKING, NEEDED, Fake, Manner, call, meta, plain, rows_of


def _sizes(shaped):
    return tokens(shaped.text), tokens(orjson.dumps(shaped.structured))


def test_both_forms_of_an_answer_say_the_same():
    shaped = call("get_breakdown")
    context, header, *rows = shaped.text.splitlines()
    assert shaped.structured["columns"] == header.split("\t") == ["processor", "p95", "n"]
    assert shaped.structured["rows"] == [["llm", 812.346, 40], ["tts", None, 0]]
    assert rows == ["llm\t812.346\t40", "tts\t\t0"]
    for said in ("source: warehouse", "2026-05-04T00:00:00Z to 2026-05-05T00:00:00Z (UTC, last_24h)", "n: 7", "p95 ms"):
        assert said in context


def test_what_is_unknown_is_left_out_of_meta_and_null_in_rows():
    shaped = call("get_session", session_id="s-1")
    assert None not in shaped.structured["meta"].values()
    assert "end_time" not in shaped.structured["session"]
    assert shaped.structured["rows"][1][1] is None


def test_what_stands_above_the_rows_is_in_the_text_too():
    assert "verdict: llm took 80 % of the turn." in call("explain_slow_session").text
    assert "peak: 3" in call("get_concurrency").text


def test_an_answer_without_facts_still_counts_them():
    shaped = call("get_summary", Fake(lambda name, words: plain(name, [], n=0, notes=["Nothing matches."])))
    assert shaped.structured["meta"]["n"] == 0
    assert shaped.structured["meta"]["notes"] == ["Nothing matches."]
    assert "Nothing matches." in shaped.text


def test_numbers_have_no_more_digits_than_they_mean():
    rows = [["a", 1234.56789, 1], ["b", 0.0123456789, 2], ["c", 3.0, 3], ["d", float("nan"), 4], ["e", 10**30, 5]]
    shaped = call("get_breakdown", Fake(lambda name, words: plain(name, rows)))
    assert [row[1] for row in shaped.structured["rows"]] == [1234.568, 0.012346, 3.0, None, None]
    assert shaped.text.splitlines()[-5:] == ["a\t1234.568\t1", "b\t0.012346\t2", "c\t3\t3", "d\t\t4", "e\t\t5"]


@pytest.mark.parametrize("tool", [tool.name for tool in ASKING])
@pytest.mark.parametrize("budget", [200, 1_000, 4_000, 10_000, 99_999])
def test_no_answer_is_longer_than_its_budget(tool: str, budget: int):
    fake = Fake(lambda name, words: plain(name, rows_of(3_000)))
    shaped = call(tool, fake, Manner(budget), **NEEDED.get(tool, {}))
    text, structured = _sizes(shaped)
    assert max(text, structured) <= min(budget, 10_000)
    assert text + structured <= 10_000
    assert "raise" in shaped.text or "rows fit into" in shaped.text


def test_an_answer_with_giant_words_around_its_rows_keeps_to_its_budget():
    def giant(name: str, words: Mapping[str, object]) -> Answer:
        turns = [f"turn-{index}" for index in range(5_000)]
        more = {
            "notes": ["x" * 5_000] * 50,
            "basis": "y" * 50_000,
            "units": {f"u{index}": "ms" for index in range(999)},
        }
        return ExplainAnswer(
            columns=["c" * 9_000] * 20, rows=[["z" * 9_000] * 20] * 50, meta=meta(**more), verdict="v" * 9_000,
            slower_without_spans=turns,
        )  # fmt: skip

    for budget in (200, 1_000, 4_000):
        assert max(_sizes(call("explain_slow_session", Fake(giant), Manner(budget)))) <= budget


def test_an_answer_that_was_cut_says_how_much_and_how_to_get_the_rest():
    shaped = call("get_interaction", Fake(lambda name, words: plain(name, rows_of(3_000))), interaction_id="i-1")
    kept = len(shaped.structured["rows"])
    assert 100 < kept < 3_000
    assert f"{kept} of 3000 rows fit" in shaped.structured["meta"]["notes"][-1]
    assert "SDK" in shaped.text.splitlines()[0]


def test_a_page_that_does_not_fit_is_asked_again_shorter_so_that_its_cursor_leads_on():
    def page(name: str, words: Mapping[str, object]) -> Answer:
        limit = int(str(words.get("limit", 25)))
        return plain(name, rows_of(limit, text="name-{}-" + "x" * 150), next_cursor=f"after-{limit - 1}")

    fake = Fake(page)
    shaped = call("list_sessions", fake, limit=100)
    rows = shaped.structured["rows"]
    assert 20 < len(rows) < 100
    assert shaped.structured["meta"]["next_cursor"] == f"after-{len(rows) - 1}"
    assert rows[-1][0].startswith(f"name-{len(rows) - 1}-")
    assert "Shortened from 100" in shaped.text
    assert len(fake.asked) == 2


def test_groups_that_do_not_fit_are_folded_by_asking_for_fewer():
    def groups(name: str, words: Mapping[str, object]) -> Answer:
        limit = int(str(words["limit"]))
        rows = rows_of(limit, text="name-{}-" + "x" * 150)
        return plain(name, [*rows, ["other (many groups)", 1.0, 1]])

    shaped = call("get_breakdown", Fake(groups), limit=500)
    assert shaped.structured["rows"][-1][0] == "other (many groups)"


@pytest.mark.parametrize("tool", ["get_timeseries", "get_concurrency"])
def test_the_grain_is_chosen_before_asking_from_the_budget(tool: str):
    wide, narrow = Fake(), Fake()
    call(tool, wide, Manner(8_000))
    call(tool, narrow, Manner(1_000))
    assert 400 < wide.asked[0][2]["max_rows"] < 1_000
    assert 10 < narrow.asked[0][2]["max_rows"] < 100


def test_more_measures_leave_room_for_fewer_rows():
    few, many = Fake(), Fake()
    call("get_timeseries", few, measures=["p95"])
    call("get_timeseries", many, measures=["p50", "p95", "p99", "count"], group_by=["provider"])
    assert many.asked[0][2]["max_rows"] < few.asked[0][2]["max_rows"]


def test_many_levels_of_concurrency_are_told_as_ranges_that_sum_up():
    levels = {str(level): 10.0 for level in range(500)}

    def busy(name: str, words: Mapping[str, object]) -> Answer:
        return ConcurrencyAnswer(columns=["bucket"], rows=[], meta=meta(), peak=499, time_at_level=levels)

    told = call("get_concurrency", Fake(busy)).structured["time_at_level"]
    assert len(told) <= 24
    assert sum(told.values()) == pytest.approx(5_000)


def test_an_error_says_what_happened_and_what_to_do():
    shaped = refused(NotFound("No session 'x'.", details={"known": ["a"]}))
    assert shaped.failed
    assert (
        shaped.text == "NotFound [404] not_found: No session 'x'. Check the id; list_sessions shows the ids there are."
    )
    assert shaped.structured == {
        "error": {
            "type": "NotFound",
            "code": "not_found",
            "message": "No session 'x'.",
            "hint": "Check the id; list_sessions shows the ids there are.",
            "details": {"known": ["a"]},
        }
    }


def test_an_error_is_short_whatever_it_carries():
    error = DeadlineExceeded("m" * 100_000, hint="h" * 100_000, details={"list": ["x" * 9_000] * 900})
    assert max(_sizes(refused(error))) < 4_000
