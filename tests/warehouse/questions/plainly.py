"""Figures worked out once more in plain Python, for tests of questions about records of one kind."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from talkscope.models.answers import Answer, Cell
from talkscope.settings import Settings, SourceSettings
from talkscope.wiring import App
from tests.tools.fakes import Fake
from tests.warehouse.questions.loaded import NOW, Loaded, Record

DAY = datetime(2026, 5, 4, tzinfo=UTC)
WINDOW: dict[str, object] = {"start_time": "2026-05-04T06:00:00Z", "end_time": "2026-05-05T06:00:00Z"}
START, END = DAY + timedelta(hours=6), DAY + timedelta(hours=30)


def at(hours: float) -> str:
    """So many hours after the day began, to the millisecond."""
    return (DAY + timedelta(milliseconds=round(hours * 3_600_000))).isoformat()


def when(record: Record, name: str = "start_time") -> datetime:
    return datetime.fromisoformat(str(record[name]))


def inside(record: Record, name: str = "start_time") -> bool:
    return START <= when(record, name) < END


def quantile(values: Iterable[float], q: float) -> float | None:
    """By linear interpolation between the two nearest ranks."""
    ranked = sorted(values)
    if not ranked:
        return None
    place = (len(ranked) - 1) * q
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def spread(values: Sequence[float]) -> list[float | None]:
    """Mean, p50, p90, p95, maximum and sum; nothing of nothing."""
    if not values:
        return [None] * 6
    return [
        sum(values) / len(values),
        *(quantile(values, q) for q in (0.5, 0.9, 0.95)),
        max(values),
        sum(values),
    ]


def near(found: Sequence[Cell], expected: Sequence[object]) -> bool:
    """Whether the cells are these, numbers to the third decimal."""
    assert len(found) == len(expected), (found, expected)
    for cell, wanted in zip(found, expected, strict=True):
        if isinstance(wanted, float) and isinstance(cell, int | float):
            assert math.isclose(cell, wanted, rel_tol=1e-9, abs_tol=0.000_6), (found, expected)
        else:
            assert cell == wanted, (found, expected)
    return True


def sessions(rng: random.Random, count: int) -> list[Record]:
    """Sessions of two platforms, some with several assistants, some without one."""
    return [
        {
            "type": "session",
            "platform": rng.choice(["mavenoid", "studio_chat"]),
            "session_id": f"s{index}",
            "start_time": at(rng.uniform(0, 34)),
            "channel": rng.choice(["web", "app", None]),
            "language": rng.choice(["de", "en"]),
            "character_id": (flow := rng.choice(["f1", "f2", None])),
            "character_name": flow and f"Flow {flow}",
            "participants": rng.choice([None, None, ["f1", "f3"]]),
        }
        for index in range(count)
    ]


def assistants(session: Record) -> list[object]:
    """The assistants that a fact of the session counts under."""
    several = session["participants"]
    if not isinstance(several, list):
        return [session["character_id"]]
    return [*{*several, *([session["character_id"]] if session["character_id"] else [])}]


class Kept:
    """A warehouse with records in it: asked as it is, and as tools and the command line ask it."""

    def __init__(self, folder: Path, records: Sequence[Record]) -> None:
        self.folder = folder
        self.loaded = Loaded(folder, [records])
        self.ask: Callable[..., Answer] = self.loaded.ask

    def asker(self) -> Fake:
        """What tools ask: this warehouse."""
        return Fake(lambda name, words: self.ask(name, **words))

    def app(self) -> App:
        """The same as a configured source."""
        return App(Settings(sources=(SourceSettings("warehouse", self.folder),)), clock=lambda: NOW)

    def close(self) -> None:
        """Let go of the engine."""
        self.loaded.close()
