"""A deterministic scenario of telemetry for comparing the product with the oracle, and windows worth asking about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone
from random import Random

from .nasty import Record, nasty
from .reading import EPOCH, at

SECOND = 1_000_000
CHARACTERS = [("char-a", "Ava"), ("char-b", "Ava"), ("char-c", "Cleo"), ("char-d", None), (None, None)]
PROVIDERS: Mapping[str, list[tuple[str | None, str | None]]] = {
    "asr": [("deepgram", "nova-3"), (None, None)],
    "llm": [("openai", "gpt-5-mini"), ("openai", "gpt-5"), ("anthropic", "haiku"), (None, "local")],
    "tts": [("elevenlabs", "flash"), ("azure", None)],
}
SEASONS = [
    ("2026-03-27T20:00:00Z", "2026-03-31T04:00:00Z", 32),
    ("2026-04-04T10:00:00Z", "2026-04-05T16:00:00Z", 10),
    ("2026-10-03T10:00:00Z", "2026-10-04T14:00:00Z", 8),
    ("2026-10-24T18:00:00Z", "2026-10-26T02:00:00Z", 10),
]
"""Sessions start evenly at random between the two times; the last number is how many."""


@dataclass(frozen=True, slots=True)
class Case:
    """A window [start, end) in microseconds and a zone, with a name for test ids."""

    name: str
    start: int
    end: int
    zone: str


CASES = [
    Case("the whole year", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), "UTC"),
    Case("a UTC day with every nasty record", at("2026-03-28T00:00:00Z"), at("2026-03-29T00:00:00Z"), "UTC"),
    Case("a day of 23 hours", at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"), "Europe/Berlin"),
    Case("a day of 25 hours", at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"), "Europe/Berlin"),
    Case("cut days around spring", at("2026-03-27T22:17:23Z"), at("2026-03-30T07:41:00.5Z"), "Europe/Berlin"),
    Case("cut weeks and months", at("2026-03-18T12:00:00Z"), at("2026-04-15T12:00:00Z"), "Europe/Berlin"),
    Case("half an hour repeated", at("2026-04-04T13:00:00Z"), at("2026-04-05T13:30:00Z"), "Australia/Lord_Howe"),
    Case("half an hour skipped", at("2026-10-03T13:30:00Z"), at("2026-10-04T13:00:00Z"), "Australia/Lord_Howe"),
    Case("days west of Greenwich", at("2026-03-28T03:00:00Z"), at("2026-03-31T03:00:00Z"), "America/Sao_Paulo"),
    Case("hours that begin at half past", at("2026-03-28T00:10:00Z"), at("2026-03-28T23:50:00Z"), "Asia/Kolkata"),
    Case("minutes of the failing session", at("2026-03-28T12:59:30Z"), at("2026-03-28T13:02:00Z"), "UTC"),
    Case("one microsecond", at("2026-03-28T00:00:00Z"), at("2026-03-28T00:00:00.000001Z"), "UTC"),
    Case("nothing at all", at("2025-06-01T00:00:00Z"), at("2025-06-08T00:00:00Z"), "America/Sao_Paulo"),
]


class _Writer:
    """Writes random conversations; everything it decides comes from one Random."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def stamp(self, name: str, instant: int) -> Record:
        """The time as ISO text in some offset, or as an integer column where that loses nothing."""
        style = self.rng.randrange(6)
        if style == 0 and instant % 1_000 == 0:
            return {f"{name}_ms": instant // 1_000}
        if style == 1:
            return {f"{name}_us": instant}
        if style == 2:
            return {f"{name}_ns": instant * 1_000}
        zone = timezone(timedelta(minutes=self.rng.choice([0, 0, 60, -180, 330, 630])))
        return {name: (EPOCH + timedelta(microseconds=instant)).astimezone(zone).isoformat()}

    def milliseconds(self, low: float, high: float) -> int:
        """Microseconds of a duration between two numbers of ms, more often short, in tenths of a ms."""
        return round((low + (high - low) * self.rng.random() ** 3) * 10) * 100

    def conversation(self, number: int, start: int) -> list[Record]:
        """One session with its turns, spans, events and outcomes, in order."""
        rng = self.rng
        common: Record = {"session_id": f"s-{number:02d}"}
        if self.chance(0.3):
            common["platform"] = rng.choice(["convai", "studio_chat"])
        found: list[Record] = []
        now = start
        for turn in range(rng.randrange(3, 11)):
            now += self.milliseconds(500, 90_000)
            records, now = self.turn(common, f"t-{number:02d}-{turn}", now)
            found += records
        for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
            outcome = {"resolution": rng.choice(["resolved", "handoff", "abandoned", "open", None])}
            later = now + self.milliseconds(0, 40_000_000)
            found.append({"type": "outcome", **common, **self.stamp("time", later), **outcome})
        if self.chance(0.88):
            found.insert(0, self.session(common, number, start, now))
            if number % 2:  # only the session says where it is from, and its facts may come before it
                for record in found[1:]:
                    record.pop("platform", None)
        return found

    def session(self, common: Record, number: int, start: int, last: int) -> Record:
        rng = self.rng
        character, name = rng.choice(CHARACTERS)
        record: Record = {"type": "session", **common, **self.stamp("start_time", start)}
        record |= {"character_id": character, "character_name": name, "app_key": rng.choice(["app-1", "app-2", None])}
        record |= {"channel": rng.choice(["voice", "Voice", "web", None]), "language": rng.choice(["en", "de", None])}
        record |= {"end_user_id": rng.choice([f"user-{number % 9}", f"user-{number}", None])}
        record |= {"experience_id": rng.choice(["xp-1", None]), "status": rng.choice(["completed", None])}
        if self.chance(0.15):
            record["participants"] = rng.sample(["bot-1", "bot-2", "char-a", "char-b"], 2)
        if self.chance(0.75):
            record |= self.stamp("end_time", last + self.milliseconds(0, 3_600_000))
        return record

    def turn(self, common: Record, turn_id: str, start: int) -> tuple[list[Record], int]:
        """One turn's records in order, and when it was over."""
        rng = self.rng
        latency = self.milliseconds(150, 6_000)
        carried = {**common, "interaction_id": turn_id}
        found: list[Record] = []
        if self.chance(0.95):
            record: Record = {"type": "interaction", **carried, **self.stamp("start_time", start)}
            record["status"] = rng.choices(["ok", None, "error", "timeout", "cancelled"], [60, 20, 8, 4, 8])[0]
            record["interaction_type"] = rng.choice(["voice_turn", "text_turn", None])
            if self.chance(0.85):
                record["latency_ms"] = latency / 1_000
            if self.chance(0.7):
                record |= self.stamp("end_time", start + latency + self.milliseconds(0, 5_000))
            found.append(record)
        if self.chance(0.92):
            found += self.spans(carried, turn_id, start, latency)
        if self.chance(0.1):
            found.append(self.span(common, "vad", None, start - self.milliseconds(0, 400), self.milliseconds(1, 300)))
        found += self.events(common, carried, start, latency)
        return found, start + latency

    def span(self, carried: Record, processor: str, span_id: str | None, start: int, length: int) -> Record:
        rng = self.rng
        record: Record = {"type": "span", **carried, "processor": processor, **self.stamp("start_time", start)}
        record |= {"span_id": span_id} if span_id else {}
        record |= self.stamp("end_time", start + length) if self.chance(0.4) else {"duration_ms": length / 1_000}
        record["provider"], record["model"] = rng.choice(PROVIDERS.get(processor, [(None, None)]))
        record["status"] = rng.choices(["ok", None, "error", "timeout", "cancelled"], [70, 20, 5, 2, 3])[0]
        if record["status"] == "error":
            record["error_code"] = rng.choice(["E_429", "E_500", None])
        if processor in ("llm", "tts") and self.chance(0.8):
            record["ttfb_ms"] = length / 2_000
        if processor == "llm" and self.chance(0.8):
            record |= {"input_tokens": rng.randrange(2_000), "output_tokens": rng.randrange(300)}
            record["cost_usd"] = rng.choice([0, 0.002, 0.0135, None])
        if processor == "tts":
            record |= {"characters": rng.randrange(400), "voice_provider": rng.choice(["voices", None])}
        return record

    def spans(self, carried: Record, turn_id: str, start: int, latency: int) -> list[Record]:
        """A pipeline: a root sometimes, speech in, a model with its search inside, speech out over it, transport."""
        root = f"{turn_id}/root" if self.chance(0.4) else None
        asr, llm = latency // 5, latency // 2
        found = [self.span(carried, "asr", None, start - self.milliseconds(0, 50), asr)]
        found.append(self.span(carried, "llm", f"{turn_id}/llm", start + asr, llm))
        if self.chance(0.35):
            search = self.span(carried, "knowledge_bank", f"{turn_id}/kb", start + asr + llm // 10, llm // 3)
            found.append(search | {"parent_id": f"{turn_id}/llm"})
            if self.chance(0.3):
                inner = self.span(carried, "embed", None, start + asr + llm // 5, llm // 10)
                found.append(inner | {"parent_id": f"{turn_id}/kb"})
        overlap = self.milliseconds(0, 300)
        found.append(self.span(carried, "tts", f"{turn_id}/tts", start + asr + llm - overlap, latency // 3))
        if self.chance(0.25):
            found.append(self.span(carried, "transport", None, start + latency - 20_000, self.milliseconds(10, 200)))
        if root:
            for record in found:
                record.setdefault("parent_id", root)
            found.append(self.span(carried, "turn", root, start, latency))
        return found

    def events(self, common: Record, carried: Record, start: int, latency: int) -> list[Record]:
        found: list[Record] = []
        for share, where, name, value in (
            (0.20, carried, "mos", self.rng.randrange(10, 50) / 10),
            (0.04, carried, "error.tts", None),
            (0.04, common, "error.connection", None),
            (0.05, common, "db.error_persist_dropped", 1),
        ):
            if self.chance(share):
                moment = self.stamp("time", start + self.rng.randrange(latency))
                found.append({"type": "event", **where, **moment, "metric_name": name, "value": value})
        return found


def scenario(seed: int) -> list[list[Record]]:
    """Five batches to load in order: about 60 random sessions, 400 interactions and 1,500 spans, and the nasty cases.

    Batches overlap, are out of order, repeat themselves and change records of earlier ones; the same seed gives the
    same batches on every machine.
    """
    rng = Random(seed)
    writer = _Writer(rng)
    starts = [rng.randrange(at(first), at(last)) for first, last, many in SEASONS for _ in range(many)]
    talks = [writer.conversation(number, start // 100 * 100) for number, start in enumerate(starts)]
    first, second, third = nasty()
    early = [record for talk in talks[::2] for record in talk]
    late = [record for talk in talks[1::2] for record in talk]
    rng.shuffle(early)
    rng.shuffle(late)
    again = [record for record in early if rng.random() < 0.3]
    changes = [change for talk in talks[::3] for change in _changes(rng, talk)]
    return [[*late, *first], [*early, *second], [*again, *reversed(late)], [*changes, *third], [*third, *changes[::2]]]


def _changes(rng: Random, talk: list[Record]) -> list[Record]:
    """Later versions of some of a conversation's records: a user, a status, a latency that were not known before."""
    found: list[Record] = []
    for record in talk:
        times = {name: value for name, value in record.items() if name.startswith("start_time")}
        names = ("type", "session_id", "platform", "interaction_id")
        kept: Record = {name: record[name] for name in names if name in record}
        if record["type"] == "session":
            found.append({**kept, **times, "end_user_id": "user-late", "character_id": rng.choice(["char-a", None])})
        elif record["type"] == "interaction" and rng.random() < 0.2:
            latency = None if "latency_ms" in record else rng.randrange(1_000, 50_000) / 10
            found.append({**kept, **times, "latency_ms": latency, "status": rng.choice(["error", "ok", None])})
    return found
