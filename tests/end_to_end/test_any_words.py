"""Whatever a model says, it gets an answer or an error that says what to do: never a failure of the service."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from talkscope.models.buckets import GRAINS
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.window import RANGES
from tests.server.wire import Wire

CALLS = 100
USAGE = {
    "invalid_argument", "unknown_argument", "unknown_name", "invalid_range", "ambiguous_name", "not_found",
    "empty_query", "query_too_wide",
}  # fmt: skip
JUNK: list[object] = [
    None, True, 0, -1, 1e308, "", "x" * 5_000, "\ud800", "\u202e", [], {}, [[]], [None], "=", "a=b=c", "../x", "p95",
    "2026-01-01T00:00:00+25:00", "9999-12-31", "0001-01-01", '["p95"]', '{"a":1}', "WyJ4Il0", 500, 0.15,
    ["channel=voice"],
]  # fmt: skip
NAMES = [*MEASURES, "turn_p95", "uniqueSessions", "p95Value"]


def likely(random: Random, word: str) -> object:
    """A value that the word may well have."""

    def some(names: list[str], most: int, least: int = 1) -> list[str]:
        return random.sample(names, random.randint(least, most))

    dimensions = list(DIMENSIONS)
    makers: dict[str, Callable[[], object]] = {
        "range": lambda: random.choice(RANGES),
        "timezone": lambda: random.choice(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        "filters": lambda: [f"{name}{random.choice(['=', '!='])}{random.choice(['', 'voice', 'llm'])}"
                            for name in some(dimensions, 2, 0)],
        "measures": lambda: some(NAMES, 4),
        "measure": lambda: random.choice(NAMES),
        "group_by": lambda: random.choice([some(dimensions, 2), random.choice(dimensions), "overall"]),
        "granularity": lambda: random.choice(GRAINS),
        "limit": lambda: random.randint(1, 60),
        "metric_name": lambda: random.choice(["voice.user_to_bot_latency", "llm.ttfb", "none"]),
        "metric_name_prefix": lambda: random.choice(["error.", "llm."]),
        "sort": lambda: random.choice(["recent", "longest", "slowest", "errors", "p95"]),
        "by": lambda: random.choice(["processor", "provider", "model", "character_id"]),
        "percentile": lambda: random.choice(["p50", "p95"]),
        "session_id": lambda: random.choice(["failing", "none"]),
        "query": lambda: {
            "measures": some(NAMES, 3, 0),
            "dimensions": some(dimensions, 2, 0),
            "order": {random.choice([*NAMES, *dimensions, "eventTime"]): random.choice(["asc", "desc"])},
            "filters": [{"member": random.choice([*NAMES, *dimensions]), "values": ["1"],
                         "operator": random.choice(["equals", "notEquals", "contains", "gt", "set", "inDateRange"])}],
            "timeDimensions": [{"dimension": "SessionMetrics.eventTime", "granularity": random.choice(["day", "month"]),
                                "dateRange": ["2026-03-01", "2026-04-30"]}],
        },
    }  # fmt: skip
    return makers.get(word, lambda: random.choice(JUNK))()


@pytest.mark.parametrize("seed", range(8))
def test_any_words_get_an_answer_or_an_error_that_says_what_to_do(server: Wire, seed: int):
    random = Random(seed)
    tools = {
        tool["name"]: list(tool["inputSchema"]["properties"])
        for tool in server.request("tools/list")["result"]["tools"]
    }
    # Charts ask what the other tools ask, and drawing takes its time.
    often = [1 if name.startswith("chart_") else 3 for name in tools]
    answered = 0
    for _ in range(CALLS):
        [name] = random.choices(list(tools), often)
        words: dict[str, Any] = {
            word: likely(random, word) if random.random() < 0.95 else random.choice(JUNK)
            for word in tools[name]
            if random.random() < 0.5
        }
        if "start_time" in tools[name] and random.random() < 0.7:
            words |= {"start_time": "2026-03-01", "end_time": "2026-04-30"}
            for token in ("range", "current_range", "baseline_range"):
                words.pop(token, None)
        result = server.call(name, **words)["result"]
        if not result.get("isError"):
            answered += 1
            continue
        error = result["_meta"]["talkscope/error"]
        assert error["code"] in USAGE, (name, words, error)
        assert error["message"]
        assert error["hint"], (name, words, error)
    assert answered > CALLS / 10
