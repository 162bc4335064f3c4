"""What the words of questions mean, as their options say it: the usual ones, and those of one question."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import click

from talkscope.models.outcomes import HEADLINE, OUTCOMES

USUAL: Mapping[str, str] = {
    "range": "Window that ends now, or a day, week or month of the zone.",
    "start_time": "Start of the window, ISO 8601, instead of --range.",
    "end_time": "End of the window, exclusive; now without it.",
    "timezone": "IANA zone in which days are days and naive times are.",
    "filters": "Only facts with this value; `!=` for without it. Repeat it; the same dimension twice means either.",
    "measures": "What is measured; repeat it, or separate with commas.",
    "measure": "What is compared.",
    "granularity": "Length of a bucket; without it, one that fits the window.",
    "metric_name": "Measure this metric instead, e.g. voice.user_to_bot_latency.",
    "metric_name_prefix": "Measure the metrics whose names begin so, e.g. error.",
    "sort": "What comes first.",
    "cursor": "The page after, from the answer before.",
    "limit": "At most so many rows or groups.",
    "max_rows": "At most so many rows.",
    "by": "What the time is divided by.",
    "percentile": "Only turns at or above this percentile.",
    "current_range": "The window that is looked at.",
    "baseline_range": "What it is compared with; the window itself is cut out of it.",
    "baseline_start_time": "Start of the baseline, which ends at --start-time.",
    "threshold": "Relative change that counts, 0.15 being 15 %.",
    "kind": "Which part of the catalogue.",
    "session_id": "The session; without it, the window's slowest.",
}
_OF_SESSIONS = "platform channel language app_key character_id experience_id end_user_id session_id"
SAYS: Mapping[str, Mapping[str, str]] = {
    "outcomes": {
        "measures": f"main: {' '.join(HEADLINE)}; all; or any of"
        f" {' '.join(name for name in OUTCOMES if name not in HEADLINE)}; repeat it, or separate with commas.",
        "group_by": "By assistant or tag; by resolution, handoff_reason, deflection_quality, sentiment,"
        f" sentiment_shift or recontact_risk; by {', '.join(_OF_SESSIONS.split())}.",
    },
    "support": {
        "measures": "sessions, queue_ms, first_response_ms, chat_ms, agents, availability_ms, active_ms or occupancy;"
        " repeat it, or separate with commas. All without it.",
        "group_by": "By agent, agent_group, status, resolution, platform, channel, language or assistant.",
    },
    "resources": {
        "kind": "Only resources of this kind.",
        "by": "What rows are grouped by.",
        "search": "Only where a name, title, action or item has this text.",
    },
    "errors": {
        "service": "Only of this component, e.g. llm, tts, tool or workflow.",
        "level": "Warnings are no errors.",
        "code": "Only with this error code.",
        "search": "Only where the message has this text.",
        "granularity": "Counts by bucket and service instead of rows; auto fits the window.",
    },
}
_PARTS = frozenset({"provider", "model", "processor"})
WITHOUT: Mapping[str, Collection[str]] = {"outcomes": _PARTS | {"status"}, "support": _PARTS, "resources": _PARTS}
"""Shortcuts for filters that a question's records do not have."""


def retold(found: list[click.Parameter], says: Mapping[str, str]) -> list[click.Parameter]:
    """The options, of which these words are told otherwise; their defaults are told as before."""
    for option in found:
        if isinstance(option, click.Option) and option.help and (told := says.get(option.name or "")):
            _, *default = option.help.partition("  [")
            option.help = told + "".join(default)
    return found


# Where a platform's tool says what it is with the least of words, since a model pays for each.
_ALWAYS = ("range", "start_time", "end_time", "timezone", "cursor")
_UNSAID: Mapping[str, str] = {
    **dict.fromkeys(("show", "about", "kind"), "What is told."),
    **dict.fromkeys(("by", "group_by"), "What rows are grouped by."),
    **{name: USUAL[name] for name in ("sort", "granularity")},
    "service": SAYS["errors"]["service"],
    "level": "Only errors, or only warnings.",
    "item_id": "Only the one with this id.",
    "page_size": "So many rows a page.",
    "offset": "So many rows are left out before the first.",
    "transcript": "With what was said.",
    "include_deleted": "With what was deleted.",
    "type": "What the report is about.",
    "format": "The report's form.",
}
_FULLER: Mapping[str, str] = {
    "all of them": "Only with all of these; repeat it, or separate with commas.",
    "signals only": "Only this inbox; with show=signals.",
    "sparklines": "So many days, with show=sparklines.",
    "instead of range": "So many days, instead of range.",
    "of cases": "With show=cases only those that are enabled.",
    "of runs": "Which page, with show=runs.",
    "of ratings; 2 for the bad ones": "Only ratings up to this, with show=ratings; 2 for the bad ones.",
}
_DEFAULT = re.compile(r"(?:^|[,;] )default (.+)$|^(\w+) \(default\).*$")
_BOUNDS = re.compile(r"(^|, |: )\d+-\d+(?=$|[,;])")
_GIVEN = re.compile(r"\b([a-z_]+)=([a-z]\w*)\b")
_WITHOUT = re.compile(r"\b(with|of) (range|tags)\b(?=\.?$)")
_FILTERS = re.compile(r"\bfilters: (.+)$")


def spoken(says: Mapping[str, str]) -> dict[str, str]:
    """By word of a platform's tool what its option means, in a shell's words."""
    return {name: _spoken(name, text, says) for name, text in says.items()}


def _spoken(name: str, text: str, known: Collection[str]) -> str:
    found = _DEFAULT.search(text)
    default = "" if found is None else (found[1] or found[2]).replace("False", "false")
    # The bounds of a number are told by the option itself.
    rest = _BOUNDS.sub("", text[: found.start()] if found else text).strip(" ,:")
    if name in _ALWAYS:
        rest = USUAL[name] if "(default)" not in text else f"{USUAL[name][:-1]}, such as last_24h or last_month."
    elif name == "limit":
        rest = f"at most so many {rest or 'rows'}"
    elif name == "filters":
        rest = "only with this value" + (", or one of several, NAME=A,B" if "," in rest else "") + "; repeat it"
    elif name == "group_by" and rest:
        rest = f"what rows are grouped by: {', '.join(rest.removeprefix('of ').split())}"
    rest = _sentence(_WITHOUT.sub(r"\1 --\2", optioned(_FULLER.get(rest, rest) or _UNSAID.get(name, ""), known)))
    return f"{rest}  [default: {default}]".strip() if default and " " not in default else rest


def _sentence(text: str) -> str:
    ended = not text or text.endswith((".", "…"))
    return f"{text[:1].upper()}{text[1:]}{'' if ended else '.'}"


def optioned(text: str, words: Iterable[str], commands: Mapping[str, str] | None = None) -> str:
    """A tool's text in which its words are options, and other tools the commands that they are here."""
    options = {word: "--" + word.replace("_", "-") for word in words}
    text = _FILTERS.sub(lambda told: f"Names for --filter: {', '.join(told[1].split())}.", text)
    text = _GIVEN.sub(lambda told: f"{options[told[1]]} {told[2]}" if told[1] in options else told[0], text)
    others = {**{word: option for word, option in options.items() if "_" in word}, **(commands or {})}
    return re.sub(r"(?<![-\w])[a-z]+_\w+", lambda told: others.get(told[0], told[0]), text)
