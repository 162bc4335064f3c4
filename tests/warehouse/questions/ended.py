"""A small world with every odd way for a session to end, and its figures counted one by one in plain Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Record = dict[str, Any]
Share = tuple[str | None, float | None, float, int]
"""Label, value, count and n of one figure."""

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
START, END = BEGIN + timedelta(days=5), BEGIN + timedelta(days=20)
LABELS: Mapping[str, tuple[str, ...]] = {
    "resolution": ("resolved", "handoff", "abandoned", "open", "elsewhere"),
    "handoff_reason": ("policy", "user_request", "frustration"),
    "deflection_quality": ("resolved", "partial"),
    "sentiment": ("negative", "neutral", "positive"),
    "sentiment_shift": ("improved", "stable", "degraded"),
    "resources": ("relevant", "partial", '{"odd": 1}'),
    "recontact_risk": ("low", "high"),
}
ASSISTANTS = ("desk", "sales", "orders")
TAGS = ("vip", "refund", "a'b")


@dataclass
class World:
    """Raw records, and the same by what they are."""

    sessions: list[Record] = field(default_factory=list)
    outcomes: list[Record] = field(default_factory=list)
    ratings: list[Record] = field(default_factory=list)
    conversions: list[Record] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        return [*self.sessions, *self.outcomes, *self.ratings, *self.conversions]


def made(seed: int = 5, count: int = 90) -> World:
    """Sessions of three platforms: one has conversions and ratings of 5, one ratings of 4, and one has neither."""
    drawn, world = random.Random(seed), World()
    for number in range(count):
        platform = ("shop", "shop", "help", "quiet")[number % 4]
        of = {"platform": platform, "session_id": f"{platform}-{number}"}
        start = BEGIN + timedelta(minutes=drawn.randrange(25 * 24 * 60))
        end = start + timedelta(minutes=drawn.choice((0, 5, 40)))
        world.sessions.append({
            "type": "session", **of, "start_time": start.isoformat(),
            "end_time": end.isoformat() if drawn.random() < 0.8 else None,
            "channel": drawn.choice(("web", "phone", None)), "language": drawn.choice(("en", "de")),
            "character_id": drawn.choice((*ASSISTANTS, None)),
            "participants": drawn.choice(([], [], ["desk", "sales"], ["orders", "sales"])),
            "end_user_id": drawn.choice((None, *(f"u{each}" for each in range(12)))),
        })  # fmt: skip
        for turn in range(drawn.choice((0, 1, 1, 1, 2))):
            world.outcomes.append(_outcome(drawn, of, end + timedelta(hours=turn * 30), platform))
        if platform == "shop" and drawn.random() < 0.5:
            world.ratings += [_rating(drawn, of, end + timedelta(minutes=3), 5) for _ in range(drawn.choice((1, 1, 2)))]
        if platform == "help" and drawn.random() < 0.5:
            world.ratings.append(_rating(drawn, of, end, drawn.choice((4, 4, None))))
        if platform == "shop":
            world.conversions += [_conversion(drawn, of, end) for _ in range(drawn.choice((0, 0, 1, 2)))]
    world.conversions.append({**_conversion(drawn, {"platform": "shop"}, START + timedelta(days=1))})
    for number, each in enumerate((*world.outcomes, *world.ratings, *world.conversions)):
        each[f"{each['type']}_id"] = f"{each['type']}-{number:04d}"
    return world


def _outcome(drawn: random.Random, of: Mapping[str, Any], at: datetime, platform: str) -> Record:
    scored = drawn.random() < 0.7
    labels = {
        name: drawn.choice((*words, None))
        for name, words in LABELS.items()
        if scored or (name == "resolution" and drawn.random() < 0.8)
    }
    record: Record = {"type": "outcome", **of, "time": at.isoformat(), **labels}
    record["handoff"] = drawn.choice((True, False, False, None))
    record["tags"] = drawn.sample(TAGS, drawn.choice((0, 1, 2)))
    if platform == "shop":
        record["winback_sent"] = drawn.choice((True, False, None))
        record["winback_answered"] = drawn.choice((True, False, None))
    if drawn.random() < 0.3 and platform != "quiet":
        record |= {"rating": drawn.randrange(1, 5), "rating_scale": drawn.choice((4, 5))}
    return record


def _rating(drawn: random.Random, of: Mapping[str, Any], at: datetime, scale: int | None) -> Record:
    moved = at + timedelta(hours=drawn.choice((0, 20)))
    given = drawn.randrange(1, (scale or 4) + 1)
    return {"type": "rating", **of, "time": moved.isoformat(), "rating": given, "rating_scale": scale}


def _conversion(drawn: random.Random, of: Mapping[str, Any], at: datetime) -> Record:
    metric, unit = drawn.choice((("sales", "USD"), ("sales", "EUR"), ("bookings", None)))
    value = drawn.choice((None, 10.0, 25.5, 0.0))
    moved = at + timedelta(hours=drawn.choice((1, 30)))
    return {"type": "conversion", **of, "time": moved.isoformat(), "metric": metric, "unit": unit, "value": value}


Key = tuple[str, str]


def _key(record: Record) -> Key:
    return record["platform"], record["session_id"]


def _inside(record: Record) -> bool:
    return START <= datetime.fromisoformat(record["time"]) < END


def _order(record: Record) -> tuple[str, str]:
    return record["time"], record[f"{record['type']}_id"]


def handed(outcome: Record) -> bool | None:
    """Whether a person took over: what the outcome says itself, else what its resolution does."""
    if outcome["handoff"] is not None:
        return bool(outcome["handoff"])
    return {"handoff": True, "resolved": False, "abandoned": False}.get(outcome.get("resolution") or "")


class Truth:
    """The figures of the world's sessions, those that `passes` lets through."""

    def __init__(self, world: World, passes: Callable[[Record, Record], bool] = lambda session, outcome: True) -> None:
        self.world = world
        self.session = {_key(each): each for each in world.sessions}
        everything: dict[Key, list[Record]] = {}
        for each in sorted(world.outcomes, key=_order):
            everything.setdefault(_key(each), []).append(each)
        latest = {key: [each for each in many if _inside(each)][-1:] for key, many in everything.items()}
        self.about = {key: (latest[key] or many)[-1] for key, many in everything.items()}
        self.passing = {key for key, session in self.session.items() if passes(session, self.about.get(key, {}))}
        self.outcomes = [many[0] for key, many in latest.items() if many and key in self.passing]

    def session_of(self, outcome: Record) -> Record:
        """The session that the outcome is of."""
        return self.session[_key(outcome)]

    def of(self, name: str) -> list[Share]:
        """The figures of one measure, by label."""
        if name in LABELS:
            return self._labels(name)
        known = [each for each in self.outcomes if handed(each) is not None]
        closed = [each for each in self.outcomes if each.get("resolution") not in (None, "open")]
        deflected = [each for each in known if not handed(each)]
        match name:
            case "outcomes":
                return [(None, len(self.outcomes), len(self.outcomes), len(self.outcomes))]
            case "handoff_rate":
                return [rate(None, sum(bool(handed(each)) for each in known), len(known))]
            case "deflection_rate":
                return [rate(None, len(deflected), len(known))]
            case "resolution_rate":
                return [rate(None, sum(each["resolution"] == "resolved" for each in closed), len(closed))]
            case "coverage":
                return [rate(None, sum(_scored(each) for each in self.outcomes), len(self.outcomes))]
            case "response_rate":
                rated = {_key(each) for each in self.world.ratings}
                asked = [each for each in deflected if each["platform"] != "quiet"]
                return [rate(None, sum("rating" in each or _key(each) in rated for each in asked), len(asked))]
            case "winback_rate":
                return self._winback()
            case "recontacted_within_7d":
                return self._recontacted()
            case "conversions" | "conversion_value":
                return self._conversions(name, deflected)
        return self._satisfaction(name)

    def _labels(self, name: str) -> list[Share]:
        found = Counter(label for each in self.outcomes if (label := _label(each, name)) is not None)
        return [rate(label, n, found.total()) for label, n in found.items()] or [(None, None, 0, 0)]

    def _winback(self) -> list[Share]:
        sent = [each for each in self.outcomes if each.get("winback_sent")]
        asked = [each for each in self.outcomes if each.get("winback_sent") is not None]
        told = [each["winback_answered"] for each in sent if each["winback_answered"] is not None]
        return [rate("sent", len(sent), len(asked)), rate("answered", sum(told), len(told)), rate("converted", 0, 0)]

    def _recontacted(self) -> list[Share]:
        week, back, n = timedelta(days=7), 0, 0
        newest = max(datetime.fromisoformat(each.get("time") or each["start_time"]) for each in self.world.records)
        for outcome in self.outcomes:
            session = self.session[_key(outcome)]
            user, over = session["end_user_id"], datetime.fromisoformat(session["end_time"] or session["start_time"])
            if user is None or over + week > newest:
                continue
            starts = [
                datetime.fromisoformat(each["start_time"])
                for each in self.world.sessions
                if each["end_user_id"] == user and each is not session
            ]
            n, back = n + 1, back + any(over <= start < over + week for start in starts)
        return [rate(None, back, n)]

    def _rated(self) -> dict[float | None, list[float]]:
        """One rating a session and scale: the latest in the window, or the outcome's where the session has none."""
        given: dict[tuple[Key, Any], Record] = {}
        for each in sorted(self.world.ratings, key=_order):
            if _inside(each) and _key(each) in self.passing:
                given[_key(each), each["rating_scale"]] = each
        elsewhere = {_key(each) for each in self.world.ratings}
        said = [each for each in self.outcomes if "rating" in each and _key(each) not in elsewhere]
        found: dict[float | None, list[float]] = {}
        for each in (*given.values(), *said):
            found.setdefault(each["rating_scale"], []).append(each["rating"])
        return found

    def _satisfaction(self, name: str) -> list[Share]:
        rated, found = self._rated(), list[Share]()
        good = {("csat", 5): {4, 5}, ("csat", 4): {3, 4}, ("dsat", 5): {1, 2}, ("dsat", 4): {1, 2}}
        for scale, ratings in rated.items():
            n = len(ratings)
            if name == "rating_mean":
                label = "no scale stated" if scale is None else f"scale {scale}"
                found.append((label, sum(ratings) / n, sum(ratings), n))
            elif name == "rating":
                every = range(1, int(scale) + 1) if scale else sorted({int(each) for each in ratings})
                suffix = f" of {scale}" if scale else ""
                found += [rate(f"{each}{suffix}", ratings.count(each), n) for each in every]
            elif scale is not None:
                found.append(rate(f"scale {scale}", sum(each in good[name, int(scale)] for each in ratings), n))
        return found or [(None, None, 0, 0)]

    def _conversions(self, name: str, deflected: list[Record]) -> list[Share]:
        made = [each for each in self.world.conversions if "session_id" in each and _inside(each)]
        made = [each for each in made if _key(each) in self.passing]
        eligible = sum(each["platform"] == "shop" for each in deflected)
        if name == "conversions":
            sessions = {metric: {_key(e) for e in made if e["metric"] == metric} for metric in ("sales", "bookings")}
            shown = [rate(metric, len(keys), eligible) for metric, keys in sessions.items() if keys or eligible]
            return shown or [(None, None, 0, 0)]
        found: list[Share] = []
        for label, metric, unit in (
            ("sales (USD)", "sales", "USD"), ("sales (EUR)", "sales", "EUR"), ("bookings", "bookings", None),
        ):  # fmt: skip
            valued = [
                each for each in made if (each["metric"], each["unit"]) == (metric, unit) and each["value"] is not None
            ]
            total, n = sum(each["value"] for each in valued), len({_key(each) for each in valued})
            if n:
                found.append((label, total / n, total, n))
        return found or [(None, None, 0, 0)]


def _label(outcome: Record, name: str) -> str | None:
    """The label, where it applies: a reason to whoever may have been handed over, a quality to whoever may not."""
    label = outcome.get(name)
    if (name, handed(outcome)) in (("handoff_reason", False), ("deflection_quality", True)) or label == '{"odd": 1}':
        return None
    return None if label is None else str(label)


def _scored(outcome: Record) -> bool:
    names = [name for name in LABELS if name != "resolution"]
    return any(outcome.get(name) not in (None, '{"odd": 1}') for name in names)


def rate(label: str | None, count: int, n: int) -> Share:
    """A fraction, of nothing None."""
    return label, (count / n if n else None), count, n


def groups(session: Record, outcome: Record, by: str) -> Iterable[str | None]:
    """The groups that a session counts under."""
    if by == "tag":
        return outcome.get("tags") or [None]
    if by == "character_id":
        own = [session["character_id"]] if session["character_id"] else []
        return sorted({*session["participants"], *own}) or [None]
    return [session[by] if by in session else outcome.get(by)]
