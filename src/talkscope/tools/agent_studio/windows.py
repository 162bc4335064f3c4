"""A window as Agent Studio takes it, and what its figures need before they can be shown."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from talkscope.models.records import micros
from talkscope.models.window import Window, moment
from talkscope.platforms.agent_studio.calls import Period
from talkscope.tools.vendor import Reach, Timed

_PERIODS: dict[str, Period] = {"last_1h": "1h", "last_24h": "24h", "last_7d": "7d", "last_30d": "30d"}


class Asking(TypedDict, total=False):
    """The words of a call that say its window."""

    period: Period
    started_after: datetime
    started_before: datetime


def asking(reach: Reach, asked: Timed) -> tuple[Window, Asking]:
    """The window, and the words for it: a named period where the vendor has it, whose answers can be kept, or moments.

    A window that ends now is asked without an end, because what an end bounds is told in two ways.
    """
    window = reach.window(asked)
    period = _PERIODS.get(window.range or "")
    if period is not None:
        return window, {"period": period}
    words: Asking = {"started_after": moment(window.start)}
    if window.end < micros(reach.now):
        words["started_before"] = moment(window.end)
    return window, words


def rate(percent: float | None) -> float | None:
    """A rate in per cent as a fraction."""
    return None if percent is None else round(percent / 100, 6)
