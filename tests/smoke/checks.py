"""What a host relies on, asked in one protocol era: who the server is, what it lists, and an answer of each tool."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from tests.smoke.inspector import Inspect, Seen

ERAS = {"legacy": "2025-11-25", "modern": "2026-07-28", "auto": "2026-07-28"}
"""Inspector's names of the eras, and the version that server and client must agree on."""
TOOL_ERROR = 5
"""Inspector's exit code for an answer that is an error."""
BURST = 20
"""Calls of one tool over one connection, ten at a time."""

WORDS: Mapping[str, Mapping[str, object]] = {
    "get_timeseries": {"measures": ["p95", "count"], "granularity": "day"},
    "get_breakdown": {"measures": ["p95", "count"], "group_by": ["provider", "model"]},
    "list_sessions": {"sort": "slowest", "limit": 5},
    "query": {"query": {"measures": ["SessionMetrics.count"], "timeDimensions": [{"dateRange": "last_7d"}]}},
}
"""Arguments beside the window, where a tool has no good ones by itself."""
UNTOLD = frozenset({"get_live_support", "get_resource_usage"})
"""Tools about what made-up telemetry does not tell: their answer says so, and has no rows."""
_FIRST = ("list_sessions", "explain_slow_session")  # the others are asked about what these find


@dataclass(frozen=True)
class Check:
    """What was looked at, and what is wrong with it; nothing when it is as it should be."""

    what: str
    fault: str = ""


def checks(inspect: Inspect, era: str, expected: Sequence[str]) -> Iterator[Check]:
    """Every check of an era, one after the other.

    Args:
        inspect: Puts requests to the server.
        era: One of ERAS.
        expected: The names of the tools that must be listed, in their order.
    """
    opened = inspect(era, "initialize")
    yield Check("initialize", _opening(opened, ERAS[era]))
    found = inspect(era, "tools/list", "--strict")
    yield Check("tools/list --strict", listing(found, expected))
    listed = {str(tool.get("name")): tool for tool in found.result.get("tools", [])}
    known: dict[str, object] = {"range": "last_7d"}
    yield from _calls(inspect, era, listed, known)
    seen = inspect(era, "tools/call", *_call("get_summary", {"rnage": "last_7d"}))
    yield Check("tools/call get_summary with a misspelt word", _refusal(seen, "range"))
    burst = ("--load", "--load-requests", str(BURST), "--load-concurrency", "10")
    yield Check(
        f"tools/call get_summary, {BURST} at once",
        _burst(inspect(era, "tools/call", *_call("get_summary", {"range": "last_7d"}), *burst)),
    )
    capabilities = opened.result.get("capabilities") or {}
    if "prompts" in capabilities:
        yield from _prompts(inspect, era, known)
    if "resources" in capabilities:
        yield from _resources(inspect, era)


def _opening(seen: Seen, version: str) -> str:
    agreed = seen.result.get("protocolVersion")
    if _failed(seen):
        return _failed(seen)
    if agreed != version:
        return f"agreed on {agreed}, not {version}"
    if (seen.result.get("serverInfo") or {}).get("name") != "talkscope" or not seen.result.get("instructions"):
        return "the server does not say who it is and how to use it"
    return ""


def listing(seen: Seen, expected: Sequence[str]) -> str:
    """Faults of any severity in what a model sees, and errors in the rest."""
    findings = [
        f"{each.get('toolName')} {finding['schema']}.{finding['path']}: {finding['issue']}"
        for each in seen.envelope.get("schemaFindings", [])
        for finding in each["findings"]
        if finding["severity"] == "error" or finding["schema"] != "outputSchema"
    ]
    if findings:
        return "; ".join(findings)
    names = [tool.get("name") for tool in seen.result.get("tools", [])]
    return _failed(seen) or ("" if names == list(expected) else f"listed {names}")


def _calls(
    inspect: Inspect, era: str, listed: Mapping[str, Mapping[str, Any]], known: dict[str, object]
) -> Iterator[Check]:
    """Call each tool; the ids that answers tell are added to what is known, for the tools that require one."""
    for name in [*(each for each in _FIRST if each in listed), *(each for each in listed if each not in _FIRST)]:
        words, unknown = _words(name, listed[name].get("inputSchema", {}), known)
        if unknown:
            yield Check(f"tools/call {name}", _unknown(unknown))
            continue
        seen = inspect(era, "tools/call", *_call(name, words))
        yield Check(f"tools/call {name}", _answer(seen, listed[name].get("outputSchema"), untold=name in UNTOLD))
        known.update(_found(seen.result.get("structuredContent") or {}))


def _words(name: str, schema: Mapping[str, Any], known: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """A tool's arguments: its own, a window, and what it requires; and the required ones that nobody knows."""
    words = dict(WORDS.get(name, {}))
    required = list(schema.get("required", []))
    wanted = [*required, *(word for word in ("range", "session_id") if word in schema.get("properties", {}))]
    # A session has its own window.
    for word in [word for word in wanted if word != "range" or "session_id" not in wanted]:
        if word in known:
            words.setdefault(word, known[word])
    return words, [word for word in required if word not in words]


def _unknown(words: Sequence[str]) -> str:
    return f"this test knows no value for {', '.join(words)}"


def _found(structured: Mapping[str, Any]) -> dict[str, object]:
    """The ids that an answer tells, so that the next tool can be asked about them."""
    heads: dict[str, object] = {}
    columns, rows = structured.get("columns", []), structured.get("rows", [])
    cells = dict(zip(columns, rows[0], strict=True)) if rows else {}
    for word in ("session_id", "interaction_id"):
        value = (structured.get("interaction") or {}).get(word) or cells.get(word)
        if value:
            heads[word] = value
    return heads


def _answer(seen: Seen, schema: Mapping[str, Any] | None, *, untold: bool = False) -> str:
    """Inspector holds structured content against the schema too; it must be there, and say something."""
    if _failed(seen):
        return _failed(seen)
    if seen.result.get("isError"):
        return f"an error: {_text(seen)[:300]}"
    if not _text(seen):
        return "no text"
    structured = seen.result.get("structuredContent")
    if schema is None:
        return ""
    try:
        jsonschema.validate(structured, schema)
    except jsonschema.ValidationError as error:
        return f"structured content is off its schema: {error.message[:300]}"
    if untold and structured and not structured.get("rows"):
        return "" if (structured.get("meta") or {}).get("notes") else "no rows, and no word about why"
    return "" if structured and structured.get("rows") else "no rows"


def _refusal(seen: Seen, word: str) -> str:
    """An error reaches the model as the tool's own words, not as a client's complaint about them."""
    if seen.code != TOOL_ERROR or seen.result.get("isError") is not True:
        return f"no error of the tool: {seen.said or _text(seen)[:300]}"
    return "" if word in _text(seen) else f"the error does not name {word}: {_text(seen)[:300]}"


def _burst(seen: Seen) -> str:
    told = seen.result
    return _failed(seen) or (
        "" if told.get("ok") == BURST else f"{told.get('ok')} of {BURST}: {json.dumps(told)[:300]}"
    )


def _prompts(inspect: Inspect, era: str, known: Mapping[str, object]) -> Iterator[Check]:
    seen = inspect(era, "prompts/list")
    prompts = seen.result.get("prompts")
    yield Check("prompts/list", _list(seen, prompts))
    for prompt in prompts or ():
        required = [str(word["name"]) for word in prompt.get("arguments") or () if word.get("required")]
        unknown = [word for word in required if word not in known]
        if unknown:
            yield Check(f"prompts/get {prompt['name']}", _unknown(unknown))
            continue
        given = [f"{word}={known[word]}" for word in required]
        options = ("--prompt-name", str(prompt["name"]), *(("--prompt-args", *given) if given else ()))
        got = inspect(era, "prompts/get", *options)
        said = _failed(got) or ("" if got.result.get("messages") else "no messages")
        yield Check(f"prompts/get {prompt['name']}", said)


def _resources(inspect: Inspect, era: str) -> Iterator[Check]:
    seen = inspect(era, "resources/list")
    resources = seen.result.get("resources")
    yield Check("resources/list", _list(seen, resources))
    for resource in resources or ():
        got = inspect(era, "resources/read", "--uri", str(resource["uri"]))
        said = _failed(got) or ("" if got.result.get("contents") else "no contents")
        yield Check(f"resources/read {resource['uri']}", said)
    templates = inspect(era, "resources/templates/list")
    yield Check("resources/templates/list", _list(templates, templates.result.get("resourceTemplates")))


def _list(seen: Seen, found: object) -> str:
    return _failed(seen) or ("" if isinstance(found, list) else "no list")


def _failed(seen: Seen) -> str:
    return "" if seen.code == 0 else f"exit {seen.code}: {seen.said[:500]}"


def _text(seen: Seen) -> str:
    return "\n".join(part.get("text", "") for part in seen.result.get("content", []) if isinstance(part, dict))


def _call(name: str, words: Mapping[str, object]) -> tuple[str, ...]:
    return ("--tool-name", name, "--tool-args-json", json.dumps(words))


def missing(made: Collection[Check], tools: Sequence[str]) -> list[str]:
    """The tools that nothing was asked of: a smoke test that lists nothing must not pass."""
    asked = {check.what for check in made}
    return [name for name in tools if f"tools/call {name}" not in asked]
