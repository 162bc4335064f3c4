"""How many calls were there over time?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.models.records import micros
from talkscope.models.window import Window, iso, moment
from talkscope.platforms.agent_studio import call_volume
from talkscope.platforms.agent_studio.models import CallVolume, VolumeBucket
from talkscope.tools.agent_studio.windows import asking
from talkscope.tools.vendor import Reach, Timed, VendorTool

Grain: TypeAlias = Literal["hour", "day", "week"]

_STEPS: dict[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MOST_FILLED = 5_000

EMPTY = "No call ended in this window."
FILLED = "{} of the {} buckets are not in the vendor's answer, which lists those with calls, and are shown as 0."
UNEVEN = "The vendor's buckets do not follow one another evenly, so those without calls are not shown."
CUT = "Cut by the window: {}."
ZONE = "Buckets are the vendor's, which does not say in which zone its days are; they are shown by their start in {}."


class VolumeAsked(Timed):
    """Calls over time."""

    granularity: Grain | None = Field(default=None, description="default fits the window")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, VolumeAsked)
    window, words = asking(reach, asked)
    grain = asked.granularity or fitting(window)
    found = await reach.send(call_volume(interval=grain, **words))
    starts = _starts(reach, found, _STEPS[grain], window)
    listed = {bucket.timestamp: bucket for bucket in found.data}
    cut = [iso(micros(at), window.zone) for at in starts if _cut(at, _STEPS[grain], window)]
    if cut:
        reach.note(CUT.format(", ".join(cut)))
    reach.note(ZONE.format(window.zone) if found.data else EMPTY)
    return reach.answer(
        ["bucket", "total", "completed", "failed", "success_rate"],
        [_row(at, listed.get(at), window.zone) for at in starts],
        n=sum(bucket.total for bucket in found.data),
        window=window,
        basis="calls that completed or failed",
        units={"total": "calls", "completed": "calls", "failed": "calls", "success_rate": "fraction of total"},
        granularity=grain,
    )


def fitting(window: Window) -> Grain:
    """The interval whose buckets can be read at once: hours up to two days, days up to two months, else weeks."""
    days = window.seconds / 86_400
    return "hour" if days <= 2 else "day" if days <= 62 else "week"


def _starts(reach: Reach, found: CallVolume, step: timedelta, window: Window) -> Sequence[datetime]:
    """The start of every bucket that the window touches, so far as those that are listed tell where they begin."""
    listed = sorted({bucket.timestamp for bucket in found.data})
    if not listed:
        return listed
    if any((at - listed[0]) % step for at in listed):
        reach.note(UNEVEN)
        return listed
    first = listed[0] - (listed[0] - moment(window.start)) // step * step
    if first + step <= moment(window.start):
        first += step
    last = max(moment(window.end) - timedelta(microseconds=1), listed[-1])
    count = (last - first) // step + 1
    if count > _MOST_FILLED:
        return listed
    starts = sorted({*listed, *(first + step * place for place in range(count))})
    if len(starts) > len(listed):
        reach.note(FILLED.format(len(starts) - len(listed), len(starts)))
    return starts


def _cut(at: datetime, step: timedelta, window: Window) -> bool:
    return at < moment(window.start) or at + step > moment(window.end)


def _row(at: datetime, bucket: VolumeBucket | None, zone: str) -> list[Cell]:
    name = iso(micros(at), zone)
    if bucket is None:
        return [name, 0, 0, 0, None]
    share = bucket.completed / bucket.total if bucket.total else None
    return [name, bucket.total, bucket.completed, bucket.failed, share]


VOLUME = VendorTool(
    name="calls_volume",
    title="Calls over time",
    description="Agent Studio calls over time: total, completed, failed and success rate by bucket.",
    platform="agent_studio",
    params=VolumeAsked,
    answered=_answered,
    left_out="Ask for a coarser granularity or a shorter window.",
)
