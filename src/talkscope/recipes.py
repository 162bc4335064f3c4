"""The recipes that Talkscope ships: prompts that answer a named question, and the pages that explain the words.

A prompt is a Markdown file of `recipes/prompts/`: a title, a sentence, a table of arguments and four sections, one of
which holds the text to paste. `{name}` in that text stands for an argument.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from talkscope.errors import InvalidArgument, InvalidRange, Json, TalkscopeError, UnknownArgument, nearest, unknown
from talkscope.models.text import clean
from talkscope.models.window import RANGES

PROMPTS: tuple[str, ...] = (
    "why_was_this_session_slow",
    "aggregate_latency_distribution",
    "p95_latency_trend",
    "component_bottlenecks",
    "trace_explanation",
    "error_rate_trends",
    "provider_comparison",
    "usage_summary",
)
"""The prompts' names, in their order; each is a file in `recipes/prompts/`, with hyphens."""
STUDIO_CHAT: tuple[str, ...] = (
    "studio_overview",
    "studio_signals",
    "studio_conversations",
    "studio_topics",
    "studio_resources",
    "studio_knowledge",
    "studio_csat",
    "studio_conversions",
)
"""Recipes for those who have the tools of Studio Chat: files like those of prompts, to be pasted."""
SECTIONS: tuple[str, ...] = ("Question", "Prompt to paste", "What the agent should do", "Follow-up")
"""What each recipe of a prompt consists of."""
COMPONENTS: tuple[str, ...] = (
    "llm", "tts", "asr", "stt", "vad", "knowledge_bank", "memory", "execute_tool", "moderation", "neurosync",
    "dynamic_context", "emotion", "transport",
)  # fmt: skip
"""The processors that a prompt can be asked about, those with most providers first."""
LONGEST = 200
"""Characters that an id in a prompt may have."""

_HERE = Path(__file__).parent
_HOUR_MS = 3_600_000
_MOST = 20
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_HOLE = re.compile(r"\{(\w+)\}")
_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_PASTE = re.compile(r"^## Prompt to paste\n+```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


class Unreadable(TalkscopeError):
    """A recipe or page that should have come with Talkscope is not there, or is not what it should be."""

    code = "recipe_unreadable"
    status = 500
    default_hint = "Install talkscope anew: its recipes and pages come with it."


@dataclass(frozen=True, slots=True)
class Argument:
    """What a prompt can be told: `default` is a value, `otherwise` the words that stand where none is given."""

    name: str
    meaning: str
    default: str = ""
    otherwise: str = ""

    @property
    def required(self) -> bool:
        """Whether the prompt cannot be had without it."""
        return not self.default and not self.otherwise


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt: what it is called, what it answers, what it can be told, and its text with `{holes}`."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    text: str

    def filled(self, given: Mapping[str, str]) -> str:
        """The text with the arguments in it, each checked; camelCase names do too, and an empty value is none.

        Raises:
            UnknownArgument: The prompt has no such argument.
            InvalidArgument: A value is missing, or is not one (InvalidRange for a range).
        """
        values = self._named(given)
        shown: dict[str, str] = {}
        for argument in self.arguments:
            value = clean(values.get(argument.name, ""), 10 * LONGEST)
            if not value and argument.required:
                raise InvalidArgument(
                    f"{argument.name} is missing.", hint=f"Give {argument.name}: {argument.meaning.lower()}."
                )
            check = _CHECKS[argument.name]
            shown[argument.name] = check(argument.name, value or argument.default) if value or argument.default else ""
        words = {argument.name: argument.otherwise for argument in self.arguments}
        return _HOLE.sub(lambda hole: shown[hole[1]] or words[hole[1]], self.text)

    def argument(self, name: str) -> Argument:
        """The argument of that name, however its words are joined. Raises UnknownArgument with the nearest."""
        plain = snake(name)
        for argument in self.arguments:
            if argument.name == plain:
                return argument
        known = [argument.name for argument in self.arguments]
        close = nearest(plain, known)
        listed: list[Json] = list(known)
        raise UnknownArgument(
            f"{self.name} has no argument {clean(name, 60)!r}.",
            hint=(f"Did you mean {close!r}? " if close else "") + f"Known: {', '.join(known)}.",
            details={"nearest": close, "known": listed},
        )

    def _named(self, given: Mapping[str, str]) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in given.items():
            own = self.argument(name).name
            if own in values:
                raise InvalidArgument(f"{own} is given twice.", hint=f"Give {own} once.")
            values[own] = value
        return values


def snake(name: str) -> str:
    """A name in lower case with underscores: `sessionId` and `session-id` are `session_id`."""
    return _CAMEL.sub(r"_\1", name).lower().replace("-", "_")


def prompt(name: str) -> Prompt:
    """The prompt of that name. Raises UnknownName with the nearest, Unreadable when its file is damaged."""
    plain = snake(name)
    if plain not in PROMPTS:
        raise unknown("prompt", clean(name, 60), PROMPTS)
    return _prompt(plain)


def prompts() -> Iterator[Prompt]:
    """Every prompt, in their order."""
    return map(_prompt, PROMPTS)


@cache
def _prompt(name: str) -> Prompt:
    return read(name, text_of(f"recipes/prompts/{name.replace('_', '-')}.md"))


def read(name: str, written: str) -> Prompt:
    """The prompt that a recipe's Markdown stands for. Raises Unreadable when a part is missing."""
    head, _, _ = written.partition("\n## ")
    lines = [line for line in head.splitlines() if line.strip()]
    pasted = _PASTE.search(written)
    if len(lines) < 2 or not lines[0].startswith("# ") or pasted is None:
        raise Unreadable(f"The recipe of {name} lacks its title, its sentence or its prompt.")
    arguments = tuple(_argument(*row) for row in _ROW.findall(head))
    strangers = {*_HOLE.findall(pasted[1])} ^ {argument.name for argument in arguments}
    if strangers or any(argument.name not in _CHECKS for argument in arguments):
        raise Unreadable(f"The recipe of {name} and its arguments differ: {', '.join(sorted(strangers)) or 'names'}.")
    return Prompt(name, lines[0].removeprefix("# "), lines[1], arguments, pasted[1])


def _argument(name: str, default: str, meaning: str) -> Argument:
    if default == "required":
        return Argument(name, meaning)
    if default.startswith("`"):
        return Argument(name, meaning, default=default.strip("`"))
    return Argument(name, meaning, otherwise=default)


@cache
def text_of(path: str) -> str:
    """A file that Talkscope ships, by its path in the repository, e.g. `docs/concepts.md`. Raises Unreadable."""
    # In a wheel they stand inside the package, in a source tree beside `src`.
    for place in (_HERE / "_shipped", _HERE.parent.parent):
        try:
            return (place / path).read_text(encoding="utf-8")
        except OSError:
            continue
    raise Unreadable(f"{path} is missing.")


def _range(name: str, value: str) -> str:
    token = value.lower().replace(" ", "_").replace("-", "_")
    if token in RANGES:
        return token
    close = nearest(token, RANGES)
    raise InvalidRange(
        f"{name} {clean(value, 40)!r} is not a range.",
        hint=(f"Did you mean {close!r}? " if close else "") + f"Use one of {', '.join(RANGES)}.",
        details={"received": clean(value, 40), "allowed": list(RANGES)},
    )


def _component(name: str, value: str) -> str:
    token = value.lower().replace(" ", "_").replace("-", "_")
    if token in COMPONENTS:
        return token
    close = nearest(token, COMPONENTS)
    raise InvalidArgument(
        f"{name} {clean(value, 40)!r} is not a component.",
        hint=(f"Did you mean {close!r}? " if close else "") + f"Use one of {', '.join(COMPONENTS)}.",
        details={"received": clean(value, 40), "allowed": list(COMPONENTS)},
    )


def _milliseconds(name: str, value: str) -> str:
    number = _number(value)
    if not 0 < number <= _HOUR_MS:
        raise InvalidArgument(
            f"{name} {clean(value, 40)!r} is not a number of milliseconds above 0 and up to {_HOUR_MS}.",
            hint="Write digits only, for example 3000.",
        )
    return f"{number:.10g}"


def _few(name: str, value: str) -> str:
    number = _number(value)
    if not 1 <= number <= _MOST or not number.is_integer():
        raise InvalidArgument(
            f"{name} {clean(value, 40)!r} is not a whole number from 1 to {_MOST}.",
            hint="Write digits only, for example 5.",
        )
    return f"{number:.0f}"


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _id(name: str, value: str) -> str:
    """An id in quotes, so that whatever it says is seen to be an id."""
    if len(value) > LONGEST:
        # A shortened id names nothing, or something else.
        raise InvalidArgument(
            f"{name} has more than {LONGEST} characters.", hint="Give the id as list_sessions or get_session shows it."
        )
    return json.dumps(value, ensure_ascii=False)


_CHECKS: Mapping[str, Callable[[str, str], str]] = {
    "range": _range,
    "session_id": _id,
    "interaction_id": _id,
    "character_id": _id,
    "component": _component,
    "threshold_ms": _milliseconds,
    "top_n": _few,
}


def choices(argument: str) -> Sequence[str]:
    """The values that an argument can have, or examples of numbers; none where they are ids."""
    listed: Mapping[str, Sequence[str]] = {
        "range": RANGES,
        "component": COMPONENTS,
        "threshold_ms": ("1000", "2000", "3000", "5000"),
        "top_n": ("3", "5", "10", "20"),
    }
    return listed.get(argument, ())
