"""How far a source is synced, in a file beside the warehouse's segments, and which window is under way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from talkscope.errors import InvalidArgument, Json, WarehouseError

_FORM = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One window that is synced as a whole.

    Attributes:
        start: Where it begins; `end` where it ends.
        resumed: Whether an earlier run began it.
        traces: Whether what costs a request for each turn is wanted.
    """

    start: datetime
    end: datetime
    resumed: bool = False
    traces: bool = True


class State:
    """What is known of one source's syncs into one warehouse.

    Raises WarehouseError for a file that is none of ours, and where it cannot be written.

    Args:
        folder: The warehouse.
        source: Its name.
        account: A word for whose data it is. What is known of another one that had the name is not of this one.
    """

    def __init__(self, folder: Path, source: str, account: str = "") -> None:
        self.folder = folder / "sync"
        self.journal = self.folder / f"{source}.part"
        self._file = self.folder / f"{source}.json"
        self._account = account
        self._told: dict[str, Json] = {}
        self.read()

    def read(self) -> None:
        """Look at the file again, which another process may have written."""
        self._told = _read(self._file)

    @property
    def through(self) -> datetime | None:
        """Everything before this moment has been synced, as far back as the first sync began."""
        return None if self.another else _moment(self._told.get("through"))

    @property
    def open(self) -> Round | None:
        """The window that an interrupted run began."""
        told = None if self.another else self._told.get("open")
        if not isinstance(told, dict):
            return None
        start, end = (_moment(told.get(name)) for name in ("start", "end"))
        return Round(start, end, resumed=True, traces=told.get("traces") is not False) if start and end else None

    @property
    def another(self) -> bool:
        """Whether the file tells of another account that had the source's name."""
        known = self._told.get("account")
        return isinstance(known, str) and known != self._account

    def begin(self, window: Round) -> None:
        """Remember the window that is begun, so that another run goes on with it."""
        told: dict[str, Json] = {"start": window.start.isoformat(), "end": window.end.isoformat()}
        self._write(self.through, told if window.traces else {**told, "traces": False})

    def finish(self, *, reaching: bool, through: datetime) -> None:
        """A window is in the warehouse up to here; where it is `reaching`, so is what can be had from before it."""
        known = self.through
        self._write(through if reaching or known is None else known, None)

    def drop(self) -> None:
        """Forget the window that was begun."""
        self._write(self.through, None)

    def _write(self, through: datetime | None, open_: Mapping[str, Json] | None) -> None:
        told: dict[str, Json] = {"form": _FORM}
        told |= {"account": self._account} if self._account else {}
        told |= {"through": through.isoformat()} if through else {}
        told |= {"open": dict(open_)} if open_ else {}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unready = self._file.with_suffix(".tmp")
            with unready.open("w", encoding="utf-8") as file:
                json.dump(told, file)
                file.flush()
                os.fsync(file.fileno())
            unready.replace(self._file)
        except OSError as error:
            raise cannot_write(error) from None
        self.read()


def cannot_write(error: OSError) -> WarehouseError:
    """The error that the warehouse's folder, or its disk, takes nothing."""
    return WarehouseError(
        f"The warehouse folder cannot be written to ({error.strerror or type(error).__name__}).",
        hint="Check its disk and its permissions; what has been fetched is kept, and another run goes on from it.",
    )


def _read(file: Path) -> dict[str, Json]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
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


_REFUSALS: Mapping[str, tuple[str, str]] = {
    "another_pull": (
        "An interrupted sync was begun by another version of Talkscope, or under other settings.",
        "Add --restart: it begins where that one did, and what that one has fetched is dropped.",
    ),
    "busy": (
        "Another talkscope is syncing this source into this warehouse.",
        "Wait until it has ended; or end it and run this again: it goes on with what that one has fetched.",
    ),
}


def refused_by_journal(error: InvalidArgument) -> InvalidArgument:
    """What a journal refuses, in the words of a sync, which writes no output of its own."""
    message, hint = _REFUSALS.get(error.code, (error.message, error.hint))
    return InvalidArgument(message, hint=hint, code=error.code)
