"""Every parameter of every operation of openapi/, and values: as given, on the wire, and as the contract reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from talkscope.platforms import NAMES, convai, platform
from talkscope.platforms.agent_studio import call_stream, calls_stream
from tests.vendors.contract import Contract, Operation, Parameter

Spelling: TypeAlias = tuple[object, str, object]
"""What a call is given, how it stands on the wire, and what the contract reads there."""

ANALYTICS = Path(__file__).parents[2] / "openapi" / "analytics.json"
TEXT = "é ü/&=+?#%"
UUID = "0b4ab2cb-5ab4-4e3b-9a3a-0cbd5ab0e4a1"

V1 = {
    "v1_summary": "summary",
    "v1_timeseries": "timeseries",
    "v1_breakdown": "breakdown",
    "v1_sessions": "list_sessions",
    "v1_session": "get_session",
    "v1_interaction": "get_interaction",
    "v1_catalog": "catalog",
    "v1_regression": "regression_detection",
    "v1_query": "query_cube",
}
# Words of the hosted service that its document lists in prose and not as enums.
WORDS: dict[str, list[str]] = {
    "measure": "count unique_sessions unique_turns unique_end_users error_count avg_value p50_value p95_value "
    "p99_value turn_p50 turn_p95 turn_p99 turn_max".split(),
    "group_by": "processor provider voice_provider model character_id app_key experience_id session_id status "
    "metric_name metric_type error_code".split(),
    "segment": "end_to_end_turn_latency neuro_sync_turn_summary custom_latency_metrics user_bot_latency_metrics "
    "smart_turn_metrics stt_metrics vad_metrics tts_metrics llm_metrics".split(),
    "processor": "asr vad stt llm knowledge_bank memory tts neurosync transport dynamic_context moderation "
    "emotion".split(),
    "status": "ok error timeout cancelled".split(),
}
# Dimensions that the vendor's own client has no alias for, and sends as they are.
RAW = {"session_id": "sessionId", "error_code": "errorCode"}
REGRESSIONS: dict[str, list[str]] = {
    "measure": ["voice.user_to_bot_latency", "llm.ttfb"],
    "group_by": "overall app_key character_id experience_id provider voice_provider model".split(),
    # A baseline has to be longer than what is compared with it.
    "baseline_range": ["last_7d", "last_30d"],
    "current_range": ["last_15m", "last_1h", "last_6h", "last_24h"],
}
MEMBER = "SessionMetrics.model"
COUNT = {"measures": ["SessionMetrics.count"]}
OPERATORS = "equals notEquals contains notContains gt gte lt lte set notSet inDateRange notInDateRange".split()
# Bodies, by operation and field: what the call is given beside its field, and the values that go out as they are.
BODIES: dict[tuple[str, str], dict[str, tuple[dict[str, Any], list[Any]]]] = {
    ("studio_chat", "conversation_batch"): {
        "conversation_ids": ({}, [["conv-1", "a,b", TEXT], [f"conv-{each}" for each in range(50)]]),
    },
    ("studio_chat", "generate_trending_topics"): {
        "playbook_base_ids": ({}, [["def-456", TEXT]]),
        "tags": ({}, [["billing"], ["billing", TEXT]]),
    },
    ("general_bots", "create_report"): {
        name: (
            {"type": "engagement", "start_date": "2025-01-01", "end_date": "2025-01-31", "format": "pdf"},
            values,
        )
        for name, values in {
            "type": "engagement usage conversations performance compliance custom".split(),
            "start_date": ["2025-01-01", "2025-01-01T12:00:00Z"],
            "end_date": ["2025-01-31", "2025-01-31T12:00:00Z"],
            "format": "pdf csv xlsx json html".split(),
        }.items()
    },
    ("general_bots", "query_dashboards"): {"body": ({}, [{"question": TEXT, "rows": [1, None]}, {}])},
    ("convai", "query_cube"): {
        "measures": ({}, [["SessionMetrics.count", "SessionMetrics.p95Value", "SessionMetrics.uniqueSessions"]]),
        "dimensions": ({}, [["SessionMetrics.model", "SessionMetrics.characterId", "SessionMetrics.metricName"]]),
        "segments": ({}, [["SessionMetrics.llm"]]),
        "filters": (COUNT, [[{"member": MEMBER, "operator": each, "values": [TEXT]}] for each in OPERATORS]),
        "timeDimensions": (
            COUNT,
            [
                [{"dimension": "SessionMetrics.eventTime", "granularity": "day", "dateRange": "last 30 days"}],
                [{"dimension": "SessionMetrics.eventTime", "dateRange": "last_30d"}],
                [{"dimension": "SessionMetrics.eventTime", "dateRange": ["2026-05-01", "2026-05-04"]}],
            ],
        ),
        "limit": (COUNT, [1, 5_000]),
        "order": (COUNT, [{"SessionMetrics.count": "desc"}, {MEMBER: "asc"}]),
    },
}  # fmt: skip


@cache
def contract(name: str) -> Contract:
    """The contract of a platform; of Convai's, the nine routes alone."""
    if name != "convai":
        return Contract(name)
    document = json.loads(ANALYTICS.read_text(encoding="utf-8"))
    routes = {
        where.removeprefix("/v1/analytics"): item
        for where, item in document["paths"].items()
        if any(said["operationId"] in V1 for said in item.values())
    }
    return Contract({**document, "paths": routes, "servers": [{"url": "https://analytics.example/v1/analytics"}]})


def call_named(name: str, operation: str) -> Callable[..., Any]:
    """The function that makes the call of an operation."""
    streams: dict[str, Callable[..., Any]] = {"calls_stream": calls_stream, "call_stream": call_stream}
    if name == "convai":
        made: Callable[..., Any] = getattr(convai, V1[operation])
        return made
    return streams[operation] if operation in streams else platform(name).calls[operation]


@dataclass(frozen=True)
class Case:
    """One parameter of one operation; `id` is what `docs/coverage.md` calls it by."""

    platform: str
    operation: Operation
    name: str

    @property
    def called(self) -> str:
        """What the operation is called in talkscope."""
        return V1.get(self.operation.id, self.operation.id)

    @property
    def id(self) -> str:
        return f"{self.platform}-{self.called}-{self.name}"


def body_fields(name: str, operation: Operation) -> Mapping[str, Any]:
    """The fields of the request's body, with their schemas."""
    if "requestBody" not in operation.said:
        return {}
    declared = contract(name)
    body = declared.resolve(operation.said["requestBody"])["content"]["application/json"]
    return declared.resolve(body["schema"]).get("properties", {})


def cases() -> Iterator[Case]:
    for name in (*NAMES, "convai"):
        for operation in contract(name).operations.values():
            for parameter in operation.parameters:
                yield Case(name, operation, parameter.name)
            fields = body_fields(name, operation)
            if "requestBody" in operation.said:
                for field in fields or ["body"]:
                    yield Case(name, operation, field)


CASES = list(cases())


def spellings(case: Case, parameter: Parameter) -> list[Spelling]:
    """What the call is given, how it stands on the wire, and what the contract reads there."""
    schema = contract(case.platform).resolve(parameter.schema)
    if case.platform == "convai":
        words = REGRESSIONS if case.called == "regression_detection" else WORDS
        if case.name in words:
            sent = {word: RAW.get(word, word) for word in words[case.name]}
            return [(word, wire, wire) for word, wire in sent.items()]
    if "array" in parameter.types:
        return lists(contract(case.platform).resolve(schema["items"]))
    if "enum" in schema:
        return [(word, word, word) for word in schema["enum"]]
    if "boolean" in parameter.types:
        return [(True, "true", True), (False, "false", False)]
    if "number" in parameter.types:
        return [(each, str(each), each) for each in (float(schema["minimum"]), 0.25, float(schema["maximum"]))]
    if "integer" in parameter.types:
        most = schema.get("maximum", 1_000)
        return [(each, str(each), each) for each in (schema["minimum"], schema["minimum"] + 1, most)]
    return texts(parameter, schema)


def lists(items: Mapping[str, Any]) -> list[Spelling]:
    """One text with commas, whichever way the list is given."""
    known: Sequence[str] = items.get("enum", ["billing", TEXT])
    # Two spellings of one field: the first is sent.
    aliases = {"agent-email": "agent_email"}
    told = [([each], aliases.get(each, each), [aliases.get(each, each)]) for each in known]
    # Fields that collide are never sent together.
    together = [each for each in known if each not in {"week", "month", *aliases}]
    return [*told, (together, ",".join(together), together), (",".join(together), ",".join(together), together)]


def texts(parameter: Parameter, schema: Mapping[str, Any]) -> list[Spelling]:
    form = schema.get("format")
    if schema.get("contentMediaType") == "application/json":
        tree = {"AND": ["billing", {"NOT": TEXT}]}
        wire = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
        return [(tree, wire, tree), (wire, wire, tree)]
    if form == "uuid":
        return [(UUID, UUID, UUID)]
    if form == "date":
        return [(each, "2026-04-07", "2026-04-07") for each in ("2026-04-07", date(2026, 4, 7))]
    instant, day = "2026-04-07T08:09:10Z", "2026-04-07"
    if form == "date-time" or parameter.schema.get("$ref", "").endswith("/Moment"):
        return [(each, instant, instant) for each in (instant, datetime(2026, 4, 7, 8, 9, 10, tzinfo=UTC))]
    if parameter.schema.get("$ref", "").endswith("/IsoTime"):
        return [(day, day, day), (date(2026, 4, 7), day, day), (instant, instant, instant)]
    pattern = schema.get("pattern", "")
    told = ["ticket_type_id:67", f"url:{TEXT}"] if ":" in pattern else [TEXT, "abc-123"]
    return [(each, each, each) for each in told]
