"""What an answer notes about itself, as far as a picture's reader must know it, in few words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from talkscope.charts.drawing import words
from talkscope.models.answers import Answer
from talkscope.models.buckets import GRAINS, Grain, buckets, choose
from talkscope.models.semantics import MEASURES
from talkscope.models.text import clean
from talkscope.models.window import Window, parse_moment, zone_of

COMFORTABLE = 62
"""Buckets that an answer has at most when no granularity is asked for."""
_LONG, _MOST = 160, 4
# Said by the picture itself, in the summary, or in words of its own below.
_LEFT_OUT = (
    "Highest ", "Granularity is", "The granularity is", "time_at_level is", "No data in this window", "Nothing in this",
    "Cut by the window", "The window cuts", "The warehouse is empty",
)  # fmt: skip
_GROUPS = re.compile(r"(\d+ of \d+(?: or more)?) groups are shown, by (\w+)")


def remarks(answer: Answer, *, asked: str | None = None, usual: int = COMFORTABLE) -> list[str]:
    """Remarks for the subtitle: a grain coarser than asked, cut buckets, groups left out, what is covered, other notes.

    Args:
        answer: A series of buckets.
        asked: The granularity that was asked for; without it, the one that an answer of `usual` buckets would have.
        usual: Buckets that are comfortable.
    """
    meta = answer.meta
    lines = [each for each in (coarser(answer, asked=asked, usual=usual), cut(answer)) if each]
    if meta.covers and meta.covers != "the window":
        lines.append(f"covers {meta.covers}")
    lines += _noted(answer)
    return [clean(each, _LONG) for each in lines[:_MOST]]


def coarser(answer: Answer, *, asked: str | None = None, usual: int = COMFORTABLE) -> str:
    """That buckets are longer than asked because shorter ones would not fit; nothing when they are not."""
    grain = answer.meta.granularity
    wanted = asked or _usual(answer, usual)
    if grain not in GRAINS or wanted not in GRAINS or GRAINS.index(grain) <= GRAINS.index(wanted):
        return ""
    return f"{wanted}s would not fit: ask for a shorter window to see them"


def cut(answer: Answer) -> str:
    """Which buckets the window cuts, so that they hold less than the others; nothing when it cuts none."""
    window, grain = _window(answer), answer.meta.granularity
    if window is None or grain not in GRAINS or not answer.rows:
        return ""
    found = buckets(window, grain)
    ends = ["first"] if found[0].partial and len(found) > 1 else []
    ends += ["last"] if found[-1].partial and len(found) > 1 else []
    if not ends:
        return f"the window is a part of one {grain}" if found[0].partial else ""
    return f"the window cuts the {' and the '.join(ends)} {grain}"


def extent(answer: Answer) -> list[str]:
    """Where there is data, when the window holds none."""
    found = answer.meta.extent
    return [f"Data runs from {words.when(found.start)} to {words.when(found.end)}."] if found else []


def _noted(answer: Answer) -> Iterator[str]:
    for note in answer.meta.notes:
        groups = _GROUPS.match(note)
        if groups is not None:
            yield f"{groups[1]} groups shown, by {words.name(groups[2]) if groups[2] in MEASURES else groups[2]}"
        elif not note.startswith(_LEFT_OUT):
            yield note


def _usual(answer: Answer, most: int) -> Grain | None:
    window = _window(answer)
    return None if window is None else choose(window, most)


def _window(answer: Answer) -> Window | None:
    meta = answer.meta.window
    if meta is None:
        return None
    zone = zone_of(meta.timezone)
    return Window(parse_moment("start", meta.start, zone), parse_moment("end", meta.end, zone), meta.timezone)
