"""Agent Studio: errors, the calls that they name with what was said, and figures by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import cast

from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Ask, Found, Gathered, Gathering, figure
from talkscope.platforms import agent_studio as api
from talkscope.platforms.agent_studio import models, records
from talkscope.platforms.recording import Record

GAPS, LATENCY_BASIS = records.GAPS, records.LATENCY_BASIS
REACH: timedelta | None = None
USUAL = timedelta(days=30)
# A window is of calls by their start, and the errors of one come as it goes on; a day's figures settle after it.
OVERLAP = timedelta(days=2)


def plan(asked: Asked) -> Gathering:
    """Errors with their calls, volume by the hour, and totals of each whole day."""
    start, end = asked.start, asked.end
    asks = [
        # Without an end: where that is of calls' ends, one that ends meanwhile would leave, and a later page lose rows.
        Ask("errors", api.error_logs(limit=200, started_after=start), follow=_NamedCalls()),
        figure("volume", api.call_volume(interval="hour", started_after=start, started_before=end)),
        figure("active", api.active_calls()),
    ]
    for first, after in asked.days:
        about = first.isoformat()
        asks += [
            figure("summary", api.summary(started_after=first, started_before=after), about),
            figure("workflows", api.workflow_stats(limit=50, started_after=first, started_before=after), about),
            figure("providers", api.provider_latency(started_after=first, started_before=after), about),
        ]
    return Gathered(asks)


class _NamedCalls:
    """The calls that entries of the error log name, each once, and what was said in them."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, found: object) -> Sequence[Ask]:
        named = [entry.call_id for entry in cast("models.ErrorLog", found).items if entry.call_id]
        new = [each for each in dict.fromkeys(named) if each not in self._known]
        self._known.update(new)
        asks = []
        for each in new:
            asks += [Ask("call", api.call_detail(each), each), Ask("transcript", api.call_transcript(each), each)]
        return asks


def recorded(found: Iterable[Found], asked: Asked) -> Iterator[Record]:
    """The records of everything that was found, in the plan's order."""
    names: dict[str, str] = {}
    waiting: list[models.CallDetail] = []
    said: dict[str, Sequence[models.TranscriptEntry]] = {}
    for each in found:
        value = each.value
        match value:
            case models.ErrorLog():
                yield from records.errors(value)
            case models.CallDetail():
                waiting.append(value)
            case models.CallVolume():
                yield from records.call_volume(value, asked.start, asked.end)
            case models.ActiveCalls():
                yield from records.active_calls(value, asked.now)
            case _:
                yield from _of_a_day(each, asked, names, said)
    # Names of workflows come with the figures of days.
    for call in waiting:
        yield from records.call(call, said.get(call.id, ()), names=names)


def _of_a_day(
    found: Found, asked: Asked, names: dict[str, str], said: dict[str, Sequence[models.TranscriptEntry]]
) -> Iterator[Record]:
    if found.kind == "transcript":
        said[found.about] = cast("Sequence[models.TranscriptEntry]", found.value)
        return
    start = asked.start.fromisoformat(found.about)
    end = start + timedelta(days=1)
    if isinstance(found.value, models.Summary):
        yield from records.summary(found.value, start, end, at=asked.now)
    elif found.kind == "workflows":
        stats = cast("Sequence[models.WorkflowStat]", found.value)
        names.update({each.workflow_id: each.workflow_name for each in stats})
        yield from records.workflow_stats(stats, start, end)
    else:
        yield from records.provider_latency(cast("Sequence[models.ProviderLatency]", found.value), start, end)
