"""Vendors that answer badly in every way there is, asked by every tool of every platform."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest

from talkscope import tools
from talkscope.errors import TalkscopeError
from talkscope.tools.general_bots import reports
from talkscope.tools.studio_chat import topics
from talkscope.tools.tool import Shaped, refused
from tests.hosted.hostile import Ill
from tests.tools import hostile_vendors as hostile
from tests.tools.hostile_vendors import MARK, TENANT, Ended, Spoil, Vendors
from tests.tools.vendor_questions import by_platform

QUESTIONS = by_platform(TENANT, wait_sec=50)
KEYS = tuple(hostile.keys().values())
# Controls, what turns lines round, what is not seen, tags, and halves of letters.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
LONGEST_ERROR = 1_600
PLATFORMS = pytest.mark.parametrize("platform", tools.TOOLSETS)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no tool that waits for a vendor take any time."""

    async def pause(seconds: float) -> None:
        assert seconds >= 0
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(topics, "sleep", pause)
    monkeypatch.setattr(reports, "sleep", pause)


@cache
def _validator(name: str) -> Any:
    tool = tools.find(name)
    return jsonschema.Draft202012Validator(tool.output_schema())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)
    if isinstance(value, dict):
        yield from value


def _wrong(ended: Ended, tokens: int) -> Iterator[str]:
    """What an answer or an error must not be."""
    if ended.error is not None:
        yield from _wrong_error(ended.error)
    if ended.answer is not None:
        yield from (f"off its schema: {each.message[:200]}" for each in _validator(ended.tool.name).iter_errors(
            ended.answer.structured
        ))  # fmt: skip
        yield from _wrong_answer(ended.answer, tokens)


def _wrong_error(error: TalkscopeError) -> Iterator[str]:
    shaped = refused(error)
    # Infinity and NaN are no JSON.
    told = json.dumps([shaped.structured, error.to_json()], allow_nan=False)
    if len(shaped.text) > LONGEST_ERROR:
        yield f"an error of {len(shaped.text)} characters"
    if any(map(UNSAFE.search, [shaped.text, *_texts(shaped.structured)])):
        yield f"unsafe characters in an error: {shaped.text[:100]!r}"
    if any(key in told + shaped.text for key in KEYS):
        yield "the key is in an error"


def _wrong_answer(answer: Shaped, tokens: int) -> Iterator[str]:
    found: Any = answer.structured
    told = json.dumps(found, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    if max(len(told.encode()), len(answer.text.encode())) > tokens * 4:
        yield f"{len(told)} and {len(answer.text)} characters for {tokens} tokens"
    if any(key in told + answer.text for key in KEYS):
        yield "the key is in the answer"
    if any(map(UNSAFE.search, _texts(found))) or UNSAFE.search(re.sub("[\t\n]", "", answer.text)):
        yield "unsafe characters in the answer"
    rows, columns, untrusted = found["rows"], found["columns"], found.get("untrusted", ())
    if any(len(row) != len(columns) for row in rows):
        yield "rows that are not as wide as there are columns"
    context, *lines = answer.text.split("\n")
    if not context.startswith("# source: ") or len(lines) != 1 + len(rows) or lines[0] != "\t".join(columns):
        yield "a text that does not say what the structured content says"
    for place, column in enumerate(columns):
        if column not in untrusted and any(MARK in str(row[place]) for row in rows):
            yield f"the column {column} holds text from outside, and is not named"
    if any(MARK in text for text in _texts({**found, "rows": []})):
        yield f"instructions of the vendor's stand outside of the rows: {found['meta']} {columns}"


async def _asked(
    vendors: Vendors, platform: str, question: tuple[str, Any], spoil: Spoil, tokens: int, *, reveal: bool
) -> tuple[str, list[str]]:
    """How a question ended, and what is wrong with that."""
    name, words = question
    ended = await vendors.ask(platform, name, words, spoil, reveal=reveal, tokens=tokens)
    about = f"{name} {words} ({spoil.__qualname__.partition('.')[0]}): "
    return type(ended.error).__name__ if ended.error else "answered", [about + each for each in _wrong(ended, tokens)]


@PLATFORMS
def test_whatever_a_vendor_answers_a_tool_gives_an_answer_or_an_error_of_ours(platform: str) -> None:
    chance = random.Random(20260505)
    ways = (hostile.anyhow, hostile.anyhow, hostile.renamed, hostile.disguised, hostile.swollen, hostile.miscounted)
    endings: Counter[str] = Counter()
    wrong: list[str] = []

    async def storm() -> None:
        async with hostile.hostile() as vendors:
            for question in QUESTIONS[platform]:
                for way in ways:
                    tokens, reveal = chance.choice((300, 1_500, 4_000, 10_000)), chance.random() < 0.7
                    ended, faults = await _asked(
                        vendors, platform, question, way(chance), tokens, reveal=reveal
                    )  # fmt: skip
                    endings[ended] += 1
                    wrong.extend(faults)

    anyio.run(storm)
    assert wrong == []
    assert endings.total() == len(ways) * len(QUESTIONS[platform])
    # Neither is everything refused, nor does everything pass.
    assert endings["answered"] > endings.total() / 4
    assert endings["BadAnswer"] > endings.total() / 20


def test_every_tool_is_among_those_that_are_asked_six_hundred_times() -> None:
    assert {name for every in QUESTIONS.values() for name, _ in every} == {
        tool.name for platform in tools.TOOLSETS for tool in tools.toolset(platform)
    }
    assert 6 * sum(map(len, QUESTIONS.values())) >= 600


@PLATFORMS
def test_instructions_in_a_text_of_a_vendor_stand_only_in_columns_that_are_called_untrusted(platform: str) -> None:
    chance = random.Random(7)
    wrong: list[str] = []
    seen: Counter[bool] = Counter()

    async def injections() -> None:
        async with hostile.hostile() as vendors:
            for question in QUESTIONS[platform]:
                bodies: list[bytes] = []

                def looked(right: bytes, bodies: list[bytes] = bodies) -> Ill:
                    bodies.append(right)
                    return hostile.as_is(right)

                await vendors.ask(platform, *question, looked)
                shapes = sorted({each for body in bodies for each in hostile.shapes(body)}, key=str)
                for shape in chance.sample(shapes, -(-len(shapes) // 2)):
                    ended = await vendors.ask(platform, *question, hostile.injected(chance, only=shape), tokens=10_000)
                    seen[ended.answer is not None] += 1
                    faults = () if ended.answer is None else _wrong_answer(ended.answer, 10_000)
                    wrong.extend(f"{question}, {shape}: {fault}" for fault in faults)

    anyio.run(injections)
    assert wrong == []
    assert seen[True] > 10


@pytest.mark.parametrize(
    ("name", "words", "field"),
    [
        ("studio_overview", {"show": "trend"}, "time_granularity"),
        ("studio_conversions", {"metric": "sales", "show": "trend"}, "value_label"),
        ("studio_conversions", {}, "slug"),
        ("studio_kb_items", {"knowledge_base": "intercom"}, "title"),
        ("calls_errors", {}, "level"),
        ("calls_errors", {}, "service"),
    ],
)
def test_of_what_a_vendor_calls_things_only_words_stand_in_sentences_of_ours(
    name: str, words: dict[str, Any], field: str
) -> None:
    changed: list[int] = []

    def spoiled(value: Any) -> Any:
        if isinstance(value, list):
            return [spoiled(each) for each in value]
        if not isinstance(value, dict):
            return value
        changed.extend([1] * isinstance(value.get(field), str))
        return {key: hostile.INJECTED if key == field else spoiled(each) for key, each in value.items()}

    def spoil(right: bytes) -> Ill:
        return hostile.as_is(json.dumps(spoiled(json.loads(right))).encode())

    async def ask() -> Ended:
        async with hostile.hostile() as vendors:
            platform = tools.find(name).platform
            window = {"range": "last_30d"}
            return await vendors.ask(platform, name, {**window, **words}, spoil, tokens=10_000)

    ended = anyio.run(ask)
    assert ended.answer is not None, ended.error
    assert changed
    assert list(_wrong(ended, 10_000)) == []


@pytest.mark.parametrize(
    ("platform", "name", "words"),
    [
        ("studio_chat", "studio_config", {"kind": "projects", "limit": 2_000}),
        ("agent_studio", "calls_breakdown", {"by": "provider"}),
        ("general_bots", "bots_usage", {"group_by": "day"}),
        ("mavenoid", "mavenoid_support", {"days": 30, "rows": True, "limit": 500}),
    ],
)
def test_a_list_of_thousands_is_cut_at_the_budget_and_the_answer_says_so(
    platform: str, name: str, words: dict[str, Any]
) -> None:
    def many(right: bytes) -> Ill:
        root = json.loads(right)
        rows = root if isinstance(root, list) else next(each for each in root.values() if isinstance(each, list))
        rows.extend(rows[:1] * 3_000)
        return hostile.as_is(json.dumps(root).encode())

    async def ask() -> Ended:
        async with hostile.hostile() as vendors:
            return await vendors.ask(platform, name, words, many, tokens=1_000)

    ended = anyio.run(ask)
    assert ended.answer is not None, ended.error
    found: Any = ended.answer.structured
    assert list(_wrong(ended, 1_000)) == []
    assert 0 < len(found["rows"]) < 500
    assert any("rows fit into 1000 tokens" in note for note in found["meta"]["notes"])


def test_what_no_vendor_can_have_counted_is_refused_and_a_figure_that_json_cannot_say_is_null() -> None:
    def counting(figure: int) -> Spoil:
        return lambda right: hostile.as_is(
            json.dumps([{**each, "call_count": figure} for each in json.loads(right)]).encode()
        )

    async def ask(figure: int) -> Ended:
        async with hostile.hostile() as vendors:
            return await vendors.ask("agent_studio", "calls_breakdown", {"by": "provider"}, counting(figure))

    refusal = anyio.run(ask, 10**30).error
    assert refusal is not None
    assert (type(refusal).__name__, refusal.message) == ("BadAnswer", "The service counts more than can be counted.")
    told = anyio.run(ask, -5).answer
    assert told is not None
    assert {row[2] for row in told.structured["rows"]} == {-5}  # type: ignore[index]
