"""What every question has at hand: one snapshot, the time it is, and the words that each answer carries with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from talkscope.errors import AmbiguousName, Json
from talkscope.models.answers import Cell, Meta, WindowMeta
from talkscope.models.masking import Mask
from talkscope.models.questions import Windowed
from talkscope.models.semantics import Filter, parse_filters
from talkscope.models.window import Window, iso, resolve
from talkscope.warehouse.store import Out, Snapshot


@dataclass(frozen=True, slots=True)
class Ask:
    """One question's view of a warehouse."""

    snapshot: Snapshot
    source: str
    now: datetime
    mask_key: bytes | None = None

    def window(self, asked: Windowed) -> Window:
        """The window that the question's words mean now."""
        return resolve(
            now=self.now,
            range=asked.range,
            start_time=asked.start_time,
            end_time=asked.end_time,
            timezone=asked.timezone,
        )

    def filters(self, words: Sequence[str]) -> tuple[Filter, ...]:
        """The filters, with names and masked values replaced by the ids that they stand for."""
        return tuple(
            Filter(each.dimension, each.equal, tuple(self._ids(each.dimension.name, value) for value in each.values))
            for each in parse_filters(words)
        )

    def _ids(self, name: str, value: str) -> str:
        if name == "character_id":
            return self._character(value)
        if name == "end_user_id" and self.mask_key is not None and value.startswith(("email:", "phone:", "url:")):
            return self._unmasked(value, self.mask_key)
        return value

    def _character(self, value: str) -> str:
        table = self.snapshot.table("sessions")
        sql = (
            f"SELECT DISTINCT character_id FROM {table} WHERE character_id IS NOT NULL"
            f" AND character_name = ? AND NOT EXISTS (FROM {table} WHERE character_id = ?) ORDER BY 1"
        )
        ids = [str(row[0]) for row in self.snapshot.fetch(sql, [value, value])]
        if len(ids) > 1:
            candidates: list[Json] = list(ids)
            raise AmbiguousName(
                f"{value[:60]!r} is the name of {len(ids)} characters.",
                hint=f"Filter by id: {', '.join(ids[:10])}.",
                details={"candidates": candidates},
            )
        return ids[0] if ids else value

    def _unmasked(self, value: str, key: bytes) -> str:
        sql = f"SELECT DISTINCT end_user_id FROM {self.snapshot.table('sessions')} WHERE end_user_id IS NOT NULL"
        mask = Mask(key)
        users = (str(row[0]) for row in self.snapshot.fetch(sql))
        return next((user for user in users if mask.mask(user) == value), value)

    def character_names(self) -> dict[str, str]:
        """Character ids and the latest name of each."""
        sql = (
            f"SELECT character_id, arg_max(character_name, t) FROM {self.snapshot.table('sessions')}"
            " WHERE character_id IS NOT NULL AND character_name IS NOT NULL GROUP BY 1"
        )
        return {str(row[0]): str(row[1]) for row in self.snapshot.fetch(sql)}

    def has_participants(self) -> bool:
        """Whether any session has several assistants."""
        sql = f"SELECT 1 FROM {self.snapshot.table('sessions')} WHERE len(participants) > 0 LIMIT 1"
        return bool(self.snapshot.fetch(sql))

    def _latency(self, platforms: Collection[str] | None) -> str | None:
        """What latency is in what was loaded of these platforms, or of any."""
        told = self.snapshot.latency_bases.items()
        held = [basis for basis, of in told if platforms is None or not of or not {*of}.isdisjoint(platforms)]
        return "; ".join(held) or None

    def meta(
        self,
        *,
        n: int,
        window: Window | None = None,
        previous: Window | None = None,
        basis: str | None = None,
        units: Mapping[str, str] | None = None,
        granularity: str | None = None,
        unknown_latency: int | None = None,
        next_cursor: str | None = None,
        notes: Sequence[str] = (),
        platforms: Collection[str] | None = None,
    ) -> Meta:
        """The answer's meta; an answer without facts names what data there is and how to see it.

        `platforms` are those that its rows come from, where that is known.
        """
        extent = self.snapshot.extent
        told = list(notes)
        if extent is None:
            told.append("The warehouse is empty: load telemetry with `talkscope ingest`.")
        elif n == 0 and window is not None:
            outside = extent[1] < window.start or extent[0] >= window.end
            zone = window.zone
            told.append(
                f"No data in this window; data runs from {iso(extent[0], zone)} to {iso(extent[1], zone)}: ask with"
                f" start_time={iso(extent[0], zone)} end_time={iso(extent[1] + 1_000_000, zone)}."
                if outside
                else "Nothing in this window matches; check the filters, or ask for a longer window."
            )
        zone = window.zone if window else "UTC"
        return Meta(
            source=self.source,
            generated=self.snapshot.generated,
            window=window_meta(window),
            previous=window_meta(previous),
            n=n,
            unknown_latency=unknown_latency,
            basis=basis,
            latency_basis=self._latency(platforms) if basis and "latency" in basis else None,
            units=dict(units or {}),
            granularity=granularity,
            freshness=iso(extent[1], zone) if extent else None,
            extent=WindowMeta(start=iso(extent[0], zone), end=iso(extent[1], zone), timezone=zone)
            if extent and n == 0
            else None,
            next_cursor=next_cursor,
            notes=told,
        )


def platforms_of(filters: Iterable[Filter]) -> Collection[str] | None:
    """The platforms that the filters let through, where they name them."""
    return next((each.values for each in filters if each.dimension.name == "platform" and each.equal), None)


def window_meta(window: Window | None) -> WindowMeta | None:
    """The window as an answer shows it."""
    if window is None:
        return None
    return WindowMeta(
        start=iso(window.start, window.zone), end=iso(window.end, window.zone), timezone=window.zone, range=window.range
    )


def ms(value: Out | Cell) -> float | None:
    """Milliseconds with three decimals, or None."""
    return round(float(value), 3) if isinstance(value, int | float) else None


def cell(value: Out) -> Cell:
    """A value as a cell: booleans as yes and no, lists joined."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return value
