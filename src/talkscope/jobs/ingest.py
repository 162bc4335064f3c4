"""Loading telemetry into a warehouse: files, folders, standard input or records in memory, all or nothing."""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast

from talkscope.errors import IngestError, InvalidArgument, WarehouseError, unknown
from talkscope.models.records import RECORDS, Checker, RecordType, Refused
from talkscope.models.window import zone_of
from talkscope.warehouse import inputs
from talkscope.warehouse.ingest import FORMATS, Found, importer, type_of
from talkscope.warehouse.load import Counts, Loader, Stage

MOST_REFUSALS = 1_000
"""Refusals that a report names one by one; all are counted."""
_EVERY = 10_000
_MEMORY = "records"

PathName: TypeAlias = "str | os.PathLike[str]"
Source: TypeAlias = "PathName | Iterable[PathName | Mapping[str, object]]"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record, or a whole file, that was not loaded."""

    file: str
    where: str
    """The line, row or item; empty when it is the whole file."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.where + ' ' if self.where else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load is."""

    stage: Literal["reading", "waiting", "merging"]
    file: str = ""
    records: int = 0
    refused: int = 0
    position: int | None = None
    """Bytes of the file that are read, and its size, where they are known."""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a load: records by type, what was refused and why, files, what their latencies are, seconds."""

    types: Mapping[RecordType, Counts]
    refused: tuple[Refusal, ...]
    """The first 1,000."""
    refused_count: int
    reasons: Mapping[str, int]
    """How many were refused for each reason, commonest first."""
    files: tuple[str, ...]
    latency_bases: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not self.refused_count

    @property
    def records(self) -> int:
        """How many records were taken."""
        return sum(each.loaded + each.changed + each.present + each.again for each in self.types.values())


@dataclass(slots=True)
class _Refused:
    """Refusals as they come."""

    first: list[Refusal] = field(default_factory=list)
    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, file: str, where: str, reason: str) -> None:
        self.count += 1
        if len(self.first) < MOST_REFUSALS:
            self.first.append(Refusal(file, where, reason))
        if reason not in self.reasons and len(self.reasons) >= MOST_REFUSALS:
            reason = "another reason"
        self.reasons[reason] += 1


def ingest(
    source: Source,
    *,
    warehouse: PathName,
    format: str | None = None,
    timezone: str | None = None,
    type: RecordType | None = None,
    generated: bool = False,
    progress: Callable[[Progress], object] | None = None,
    memory_limit: str = "",
    threads: int = 0,
    stdin: BinaryIO | None = None,
    latency_basis: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Load files, folders, `-` for standard input, or records (plain mappings with a `type`) into a warehouse folder.

    What cannot be read is refused and counted, the rest is loaded in one commit: all of it or, when the process dies,
    nothing. Loading the same again changes nothing. `format` is found out when it is not named, `type` is that of
    records that do not say theirs, times without an offset are in `timezone` or refused. `latency_basis` says what the
    latencies of records in memory are, where the caller knows better than the format.

    Raises UnknownName for a format or type that there is none of, InvalidArgument for a zone and when
    generated telemetry would mix with telemetry that is not, WarehouseError (WarehouseBusy) for the folder.
    """
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if type is not None and type not in RECORDS:
        raise unknown("record type", type, RECORDS)
    folder, tell = Path(warehouse), progress or (lambda _: None)
    check = Checker(None if timezone is None else zone_of(timezone))

    def waiting() -> None:
        tell(Progress("waiting"))

    begun = clock()
    loader = Loader(folder, memory_limit=memory_limit, threads=threads, waiting=waiting)
    stage = _stage(loader)
    try:
        reading = _Reading(stage, check, format, type, stdin, tell, latency_basis)
        reading.everything(source, folder)
        tell(Progress("merging", records=reading.records, refused=reading.refused.count))
        types = loader.commit(stage, generated=generated, latency_bases=reading.bases)
    finally:
        stage.discard()
    refused = reading.refused
    reasons = dict(refused.reasons.most_common())
    files = tuple(reading.files)
    bases = tuple(sorted(reading.bases))
    return Report(types, tuple(refused.first), refused.count, reasons, files, bases, clock() - begun)


def _stage(loader: Loader) -> Stage:
    try:
        return loader.stage()
    except OSError as error:
        raise WarehouseError(
            f"The warehouse folder cannot be written to ({error.strerror or error}).", hint="Check its permissions."
        ) from None


@dataclass(slots=True)
class _Reading:
    """One load's reading of all its files into a stage."""

    stage: Stage
    check: Checker
    format: str | None
    type: RecordType | None
    stdin: BinaryIO | None
    tell: Callable[[Progress], object]
    latency_basis: str | None = None
    records: int = 0
    refused: _Refused = field(default_factory=_Refused)
    files: list[str] = field(default_factory=list)
    bases: dict[str, set[str | None]] = field(default_factory=dict)
    """What latencies of interactions are, each with the platforms that those say."""

    def everything(self, source: Source, warehouse: Path) -> None:
        """Read every path, and every record that stands among them."""
        items = iter([source] if isinstance(source, str | os.PathLike) else source)
        for item in items:
            if isinstance(item, str | os.PathLike):
                for name in inputs.found([item], warehouse):
                    self.file(name)
            elif isinstance(item, Mapping):
                self.stage.file_begins()
                basis = self.latency_basis or importer("ndjson").LATENCY_BASIS
                self.take(_MEMORY, self._numbered(chain([item], items)), None, basis)
            else:
                raise InvalidArgument("A load takes paths or records (mappings).")

    def _numbered(self, records: Iterable[object]) -> Iterator[Found]:
        for number, record in enumerate(records, 1):
            if not isinstance(record, Mapping):
                yield f"record {number}", Refused("is not a mapping")
            elif self.type is not None and "type" not in record:
                yield f"record {number}", {**record, "type": self.type}
            else:
                yield f"record {number}", record

    def file(self, name: str) -> None:
        """Read one file; what is wrong with all of it is one refusal."""
        self.stage.file_begins()
        try:
            with inputs.opened(name, self.format, self.stdin) as file:
                if file.format is None:
                    raise IngestError("The format is none that is known; name it if it is (--format).")
                module = importer(file.format)
                found = module.read(file.stream, self.type or type_of(name))
                self.take(name, found, file, module.LATENCY_BASIS)
                self.files.append(name)
        except IngestError as error:
            self.refused.add(name, "", str(error))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.refused.add(name, "the end", "is damaged gzip: what could be unpacked is loaded")
            self.files.append(name)
        except OSError as error:
            self.refused.add(name, "", f"cannot be read ({error.strerror or 'input error'})")

    def take(self, name: str, found: Iterable[Found], file: inputs.Opened | None, basis: str) -> None:
        """Check records and stage them; `basis` is what latencies of interactions among them are."""
        check, add = self.check, self.stage.add
        for number, (where, raw) in enumerate(found, 1):
            try:
                if isinstance(raw, Refused):
                    raise raw
                kind, row = check(raw)
            except Refused as refusal:
                self.refused.add(name, where if isinstance(where, str) else f"line {where}", str(refusal))
            else:
                add(kind, row)
                self.records += 1
                if kind == "interaction" and row.get("latency_ms") is not None:
                    self.bases.setdefault(basis, set()).add(cast("str | None", row.get("platform")))
            if not number % _EVERY:
                self._report(name, file)
        self._report(name, file)

    def _report(self, name: str, file: inputs.Opened | None) -> None:
        position, size = (file.position(), file.size) if file else (None, None)
        self.tell(Progress("reading", name, self.records, self.refused.count, position, size))
