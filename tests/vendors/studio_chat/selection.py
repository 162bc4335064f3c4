"""Which conversations a request means. Windows are half-open: what ends at `end_date` is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from tests.vendors.engine import Json, Refused
from tests.vendors.studio_chat.records import Conversation, Project
from tests.vendors.studio_chat.state import Studio

SIGNALS = {
    "sentiment": "sentiment",
    "resources": "resources",
    "sentiment_shift": "shift",
    "deflection_quality": "deflection_quality",
    "handoff_reason": "handoff_reason",
    "recontact_risk": "recontact_risk",
}
"""The parameter of each signal, and the field of a scoring that holds it."""


def instant(text: object) -> datetime:
    """A moment or a day as sent; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(str(text).upper())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(400, f"not a date: {text}") from None


def window(query: Mapping[str, Json], *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Start and end; what is left out is open, or seven days that end `now`. The wrong order is refused."""
    end = instant(query["end_date"]) if "end_date" in query else now or datetime.max.replace(tzinfo=UTC)
    if "start_date" in query:
        start = instant(query["start_date"])
    else:
        start = now - timedelta(days=7) if now else datetime.min.replace(tzinfo=UTC)
    if end < start:
        raise Refused(400, "end_date lies before start_date")
    return start, end


def chosen(studio: Studio, project: Project, query: Mapping[str, Json]) -> list[Conversation]:
    """The conversations that pass every filter of a request, by its window on their last message."""
    start, end = window(query)
    tests = list(_tests(studio, project, query))
    return [
        each for each in project.conversations if start <= each.last_at < end and all(passes(each) for passes in tests)
    ]


def _tests(studio: Studio, project: Project, query: Mapping[str, Json]) -> Iterator[Callable[[Conversation], bool]]:
    yield from _about_the_conversation(query)
    yield from _about_its_assistants(query)
    for parameter, name in SIGNALS.items():
        if wanted := query.get(parameter):
            yield _has_signal(studio, project, name, wanted)


def _about_its_assistants(query: Mapping[str, Json]) -> Iterator[Callable[[Conversation], bool]]:
    """An assistant that took part counts, not only the one that was active last."""
    if (version := query.get("playbook_id")) is not None:
        yield lambda each: any(playbook.id == version for playbook in each.playbooks)
    if (base := query.get("playbook_base_id")) is not None:
        yield lambda each: any(playbook.base_id == base for playbook in each.playbooks)
    if bases := query.get("playbook_base_ids"):
        yield lambda each: any(playbook.base_id in bases for playbook in each.playbooks)


def _about_the_conversation(query: Mapping[str, Json]) -> Iterator[Callable[[Conversation], bool]]:
    if (inbox := query.get("inbox_id")) is not None:
        yield lambda each: each.inbox.id == inbox
    if (part := query.get("search")) is not None:
        yield lambda each: str(part) in each.id
    if (handoff := query.get("has_handoff")) is not None:
        yield lambda each: each.handoff == handoff
    if (winback := query.get("has_winback")) is not None:
        yield lambda each: (each.winback_at is not None) == winback
    if (skill := query.get("skill_name")) is not None:
        yield lambda each: skill in each.skills
    if (least := query.get("min_messages")) is not None:
        yield lambda each: len(each.messages) >= least
    if (most := query.get("max_messages")) is not None:
        yield lambda each: len(each.messages) <= most
    if "tag_filter" in query:
        yield _tag_rule(query["tag_filter"])
    elif tags := query.get("tags"):
        yield lambda each: set(tags) <= set(each.tags)


def _has_signal(studio: Studio, project: Project, name: str, wanted: Json) -> Callable[[Conversation], bool]:
    def passes(each: Conversation) -> bool:
        found = studio.signals(project, each)
        return found is not None and getattr(found, name) in wanted

    return passes


def _tag_rule(tree: Json) -> Callable[[Conversation], bool]:
    """A tree such as {"AND": ["billing", {"NOT": "vip"}]}; its grammar is not documented beyond the three words."""
    # Every part is looked at, whatever the others say, so that one pass finds any that is malformed.
    try:
        _holds(tree, set())
    except (ValueError, RecursionError):
        raise Refused(400, "tag_filter is malformed") from None
    return lambda each: _holds(tree, set(each.tags))


def _holds(tree: Json, tags: set[str]) -> bool:
    if isinstance(tree, str):
        return tree in tags
    match tree:
        case {"AND": [*parts], **rest} if not rest:
            held = [_holds(part, tags) for part in parts]
            return all(held)
        case {"OR": [*parts], **rest} if not rest:
            held = [_holds(part, tags) for part in parts]
            return any(held)
        case {"NOT": part, **rest} if not rest:
            return not _holds(part, tags)
        case {"tag": str() as tag, **rest} if not rest:
            return tag in tags
    raise ValueError(f"no rule: {tree!r}")


def granularity(start: datetime, end: datetime) -> str:
    """Windows of up to two days are cut into hours."""
    return "hour" if end - start <= timedelta(days=2) else "day"


def floor(at: datetime, size: str) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if size == "hour" else hour.replace(hour=0)


def buckets(held: Iterable[datetime], size: str) -> list[datetime]:
    """Every bucket from the first that holds something to the last, the empty ones between included."""
    filled = sorted({floor(at, size) for at in held})
    if not filled:
        return []
    step = timedelta(hours=1) if size == "hour" else timedelta(days=1)
    return [filled[0] + step * number for number in range((filled[-1] - filled[0]) // step + 1)]


def percent(part: float, whole: float) -> float:
    """A share in per cent, 0 of nothing."""
    return round(100 * part / whole, 4) if whole else 0.0
