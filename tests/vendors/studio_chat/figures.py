"""High-level figures of a project and of the account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean

from tests.vendors.engine import Asked, Json
from tests.vendors.studio_chat.records import Conversation
from tests.vendors.studio_chat.selection import SIGNALS, buckets, chosen, floor, granularity, percent, window
from tests.vendors.studio_chat.state import Studio


def conversation_analytics(studio: Studio, asked: Asked) -> Json:
    found = chosen(studio, studio.project(asked), asked.query)
    size = granularity(*window(asked.query))
    winbacks = sum(each.winback_at is not None for each in found)
    answered = sum(each.winback_answered for each in found)
    latencies = [value for each in found for value in each.latencies]
    count = sum(len(each.messages) for each in found)
    return {
        **_totals(found),
        "conversations_without_handoff": sum(not each.handoff for each in found),
        "total_messages": count,
        "avg_messages_per_conversation": round(count / len(found), 4) if found else 0.0,
        "avg_response_latency_ms": round(fmean(latencies)) if latencies else 0,
        "winback_sent_count": winbacks,
        "winback_answered_count": answered,
        "winback_conversion_rate": percent(answered, winbacks),
        "by_playbook": [
            {"playbook_name": name, **_totals([each for each in found if each.playbook.name == name])}
            for name in sorted({each.playbook.name for each in found})
        ],
        "by_tag": [
            {"tag": tag, **_totals([each for each in found if tag in each.tags])}
            for tag in sorted({tag for each in found for tag in each.tags})
        ],
        "time_series": _series(studio, found, size, timed=True),
        "time_granularity": size,
    }


def account_analytics(studio: Studio, asked: Asked) -> Json:
    found = {project.id: chosen(studio, project, asked.query) for project in studio.world.projects}
    everything = [each for several in found.values() for each in several]
    return {
        **_totals(everything),
        "conversations_without_handoff": sum(not each.handoff for each in everything),
        "total_messages": sum(len(each.messages) for each in everything),
        "total_ai_messages": sum(message.role == "assistant" for each in everything for message in each.messages),
        "by_assistant": [
            {
                "project_id": project,
                "playbook_name": name,
                **_totals([one for one in some if one.playbook.name == name]),
            }
            for project, some in found.items()
            for name in sorted({each.playbook.name for each in some})
        ],
        "time_series": _series(studio, everything, granularity(*window(asked.query)), timed=False),
    }


def metrics_aggregate(studio: Studio, asked: Asked) -> Json:
    """How the scored conversations spread over the labels; a label that none has is left out."""
    project = studio.project(asked)
    found = chosen(studio, project, asked.query)
    scored = [signals for each in found if (signals := studio.signals(project, each))]
    return {
        "total_conversations": len(found),
        "total_scored_conversations": len(scored),
        "coverage_percentage": percent(len(scored), len(found)),
        **{
            f"{word}_distribution": Counter(label for one in scored if (label := getattr(one, name)))
            for word, name in SIGNALS.items()
        },
    }


def _totals(found: Sequence[Conversation]) -> dict[str, Json]:
    handoffs = sum(each.handoff for each in found)
    return {
        "total_conversations": len(found),
        "conversations_with_handoff": handoffs,
        "deflection_rate": percent(len(found) - handoffs, len(found)),
    }


def _series(studio: Studio, found: Sequence[Conversation], size: str, *, timed: bool) -> list[Json]:
    points = []
    held: dict[object, list[Conversation]] = {}
    for each in found:
        held.setdefault(floor(each.last_at, size), []).append(each)
    for at in buckets([each.last_at for each in found], size):
        some = held.get(at, [])
        point: dict[str, Json] = {
            "timestamp": studio.bucket(at, size),
            "total_conversations": len(some),
            "conversations_with_handoff": sum(each.handoff for each in some),
        }
        if timed:
            point |= _latencies(value for each in some for value in each.latencies)
        points.append(point)
    return points


def _latencies(values: Iterable[int]) -> dict[str, Json]:
    known = sorted(values)
    found = (fmean(known), known[0], known[-1], quantile(known, 0.99)) if known else (None,) * 4
    return dict(zip((f"{word}_response_latency_ms" for word in ("avg", "min", "max", "p99")), found, strict=True))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the ordered values lies, by linear interpolation."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
