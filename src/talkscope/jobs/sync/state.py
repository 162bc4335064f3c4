"""How far a source is synced, in a file beside the warehouse's segments, and which window is under way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from talkscope.errors import Json, WarehouseError

_FORM = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One window that is synced as a whole; `resumed` when an earlier run began it."""

    start: datetime
    end: datetime
    resumed: bool = False


class State:
    """What is known of one source's syncs into one warehouse. Raises WarehouseError for a file that is none of ours."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder / "sync"
        self.journal = self.folder / f"{source}.part"
        self._file = self.folder / f"{source}.json"
        self._told = _read(self._file)

    @property
    def through(self) -> datetime | None:
        """Everything before this moment has been synced."""
        return _moment(self._told.get("through"))

    @property
    def open(self) -> Round | None:
        """The window that an interrupted run began."""
        told = self._told.get("open")
        start, end = (_moment(told.get(name)) for name in ("start", "end")) if isinstance(told, dict) else (None, None)
        return Round(start, end, resumed=True) if start and end else None

    def begin(self, window: Round) -> None:
        """Remember the window that is begun, so that another run goes on with it."""
        told: dict[str, Json] = {"start": window.start.isoformat(), "end": window.end.isoformat()}
        self._write({**self._told, "open": told})

    def finish(self, window: Round) -> None:
        """The window is in the warehouse."""
        through = max(window.end, self.through or window.end)
        self._write({"through": through.isoformat()})

    def _write(self, told: Mapping[str, Json]) -> None:
        self._told = dict(told)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unready = self._file.with_suffix(".tmp")
        with unready.open("w", encoding="utf-8") as file:
            json.dump({"form": _FORM, **told}, file)
            file.flush()
            os.fsync(file.fileno())
        unready.replace(self._file)


def _read(file: Path) -> dict[str, Json]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict) or told.pop("form", None) != _FORM:
        raise WarehouseError(
            f"{file} does not say how far the source is synced.", hint="Remove it, and sync with --since."
        )
    return told


def _moment(told: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(told).astimezone(UTC) if isinstance(told, str) else None
    except ValueError:
        return None
