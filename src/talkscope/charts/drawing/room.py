"""How much room words take, so that labels stay inside the picture and off each other."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from math import fsum

_NARROW = frozenset("iljtfrI.,:;'|!()[]{} ·-/")
_WIDE = frozenset("mwMW@%")


def width(text: str, size: float = 12) -> float:
    """About how many pixels the text is wide, rather too many than too few."""
    # As exact as it can be: `sum` is another number in Python 3.11 than in those after it.
    em = fsum(0.34 if each in _NARROW else 0.9 if each in _WIDE else _of(each) for each in text)
    return em * size


def stretched(labels: Iterable[tuple[float, str]], pixels: float, *, start: float = 0, gap: float = 12) -> float:
    """Where an axis of so many pixels must end, so that each text fits to the right of where it stands.

    `labels` are places on the axis, which begins at `start`, with the text that follows there.
    """
    far = start
    for at, text in labels:
        left = max(pixels - width(text) - gap, pixels * 0.25)
        far = max(far, start + (at - start) * pixels / left)
    return far


def apart(names: Iterable[str], pixels: float) -> list[str]:
    """The names, each differently: one that is there already gets a number, in sight where names end at `pixels`."""
    found: dict[str, None] = {}
    times: Counter[str] = Counter()
    for name in names:
        label = name
        while label in found:
            times[name] += 1
            number = f" ({times[name] + 1})"
            label = f"{cut(name, pixels - width(number))}{number}"
        found[label] = None
    return list(found)


def cut(name: str, pixels: float) -> str:
    """The beginning of the name that fits."""
    while len(name) > 1 and width(name) > pixels:
        name = f"{name.removesuffix('…')[:-1]}…"
    return name


def _of(letter: str) -> float:
    if letter.isascii():
        return 0.66 if letter.isupper() else 0.57
    return 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.62
