"""What a pull has brought, written as a file: one JSON document, NDJSON, CSV or Parquet, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias, get_args

from talkscope.errors import InvalidArgument, Json
from talkscope.models.files import replacing
from talkscope.models.text import escaped, sheet_cell, whole

if TYPE_CHECKING:
    from talkscope.warehouse.export import Kind

Form: TypeAlias = Literal["json", "ndjson", "csv", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
ENDINGS: Mapping[str, Form] = {
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written.

    Attributes:
        items: All of it, anew each time.
        head: What a JSON document says before the items.
        name: The name of the items in that document; without one, the document is their list.
        columns: The columns of a table, where they are known; else all names that items have.
        kinds: What columns usually hold.
    """

    items: Callable[[], Iterator[Json]]
    head: Mapping[str, Json] = field(default_factory=dict)
    name: str | None = None
    columns: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)


def write(sheet: Sheet, form: Form, to: Path, *, scratch: Path, raw: bool = False, pretty: bool = False) -> int:
    """Write the file, for its owner alone to read, and replace what is there when it is whole; its size in bytes.

    `scratch` is a folder for what is needed on the way; `raw` leaves CSV cells as they are.
    """
    if form == "parquet":
        return _parquet(sheet, to, scratch)
    with replacing(to) as out:
        if form == "json":
            for text in document(sheet, pretty=pretty):
                out.write(text)
        elif form == "ndjson":
            out.writelines(encoded(item) + b"\n" for item in sheet.items())
        else:
            _table(sheet, out, raw=raw)
        return out.tell() if out.seekable() else 0


def document(sheet: Sheet, *, pretty: bool = False) -> Iterator[bytes]:
    """The sheet as one JSON document, in pieces; each item begins a line, so that nothing is held in memory."""
    inner = "  " if pretty else ""
    if sheet.name is None:
        yield from _listed(sheet.items(), inner, "")
        yield b"\n"
        return
    gap, space = ("\n", " ") if pretty else ("", "")
    told = "".join(
        f"{gap}{inner}{json.dumps(name)}:{space}{_indented(value, pretty, inner)},"
        for name, value in sheet.head.items()
    )
    yield f"{{{told}{gap}{inner}{json.dumps(sheet.name)}:{space}".encode()
    yield from _listed(sheet.items(), inner * 2, inner)
    yield f"{gap}}}\n".encode()


def encoded(value: Json) -> bytes:
    """The value as JSON on one line; what a terminal would obey is written as escapes, which mean the same."""
    return _json(value).encode()


def cell(value: Json, *, raw: bool = False) -> str | int | float:
    """A CSV cell; text that a spreadsheet would run as a formula gets a leading `'`, unless it is to stay raw."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return sheet_cell(_flat(value), raw=raw)


def _flat(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(str(each) for each in value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(value: Json, *, pretty: bool = False) -> str:
    layout: tuple[int | None, tuple[str, str]] = (2, (",", ": ")) if pretty else (None, (",", ":"))
    text = whole(json.dumps(value, ensure_ascii=False, indent=layout[0], separators=layout[1]))
    return escaped(text)


def _indented(value: Json, pretty: bool, by: str) -> str:
    return _json(value, pretty=pretty).replace("\n", f"\n{by}")


def _listed(items: Iterator[Json], inner: str, outer: str) -> Iterator[bytes]:
    """A JSON list, an item a line, or over several lines where it is indented."""
    between = "["
    for item in items:
        yield f"{between}\n{inner}{_indented(item, bool(inner), inner)}".encode()
        between = ","
    yield b"[]" if between == "[" else f"\n{outer}]".encode()


def _row(item: Json) -> Mapping[str, Json]:
    return item if isinstance(item, dict) else {"value": item}


def _table(sheet: Sheet, out: BinaryIO, *, raw: bool) -> None:
    columns = sheet.columns or tuple(_kinds(sheet))
    if not columns:
        return
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([cell(name, raw=raw) for name in columns])
        for item in sheet.items():
            row = _row(item)
            writer.writerow([cell(row.get(name), raw=raw) for name in columns])
    finally:
        text.detach()


def _kinds(sheet: Sheet) -> dict[str, Kind]:
    """Each column with what it holds, in the order in which they first come."""
    found: dict[str, set[str]] = {name: set() for name in sheet.columns}
    for item in sheet.items():
        for name, value in _row(item).items():
            if value is not None and (not sheet.columns or name in found):
                found.setdefault(name, set()).add(_kind(value))
            elif not sheet.columns:
                found.setdefault(name, set())
    return {name: _together(held, sheet.kinds.get(name, "text")) for name, held in found.items()}


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -_LARGEST <= value <= _LARGEST else "number"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "text" if _microseconds(value) is None else "moment"
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "texts" if texts else "json"


def _together(held: set[str], usual: Kind) -> Kind:
    """What a column of such values is; `usual` where that can hold them."""
    if not held or held == {usual} or (usual == "number" and held == {"integer"}):
        return usual
    if held == {"integer", "number"}:
        return "number"
    for kind in ("boolean", "integer", "number", "moment", "texts"):
        if held == {kind}:
            only: Kind = kind
            return only
    return "text"


def _microseconds(text: str) -> int | None:
    """A time's microseconds since 1970, without an offset in UTC; None for text that is no time."""
    if len(text) > 40 or not _MOMENT.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _stored(value: Json, kind: Kind) -> Json:
    if value is None:
        return None
    if kind == "moment":
        return _microseconds(str(value))
    if kind == "number":
        return float(value) if isinstance(value, int | float) else None
    if kind == "text" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _parquet(sheet: Sheet, to: Path, scratch: Path) -> int:
    from talkscope.warehouse.export import write_parquet

    kinds = _kinds(sheet)
    if not kinds:
        raise InvalidArgument("There are no rows, so there are no columns to write.", hint="Ask for JSON or CSV.")
    rows, made = scratch / "rows.ndjson", scratch / "rows.parquet"
    # The engine does not tell upper from lower case in names.
    taken: dict[str, str] = {}
    for name in kinds:
        plain = name
        while plain.lower() in taken:
            plain += "_"
        taken[plain.lower()] = plain
    columns = dict(zip(taken.values(), kinds.items(), strict=True))
    try:
        with os.fdopen(os.open(rows, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            for item in sheet.items():
                row = _row(item)
                out.write(
                    encoded({plain: _stored(row.get(name), kind) for plain, (name, kind) in columns.items()}) + b"\n"
                )
        write_parquet(rows, made, {plain: kind for plain, (_, kind) in columns.items()})
        with replacing(to) as file, made.open("rb") as given:
            return _copied(iter(lambda: given.read(1 << 20), b""), file)
    finally:
        for each in (rows, made):
            each.unlink(missing_ok=True)


def _copied(pieces: Iterable[bytes], to: BinaryIO) -> int:
    return sum(to.write(each) for each in pieces)


def form_of(output: Path, named: str | None) -> Form:
    """The form that is named, else the one that the file's name ends with. Raises InvalidArgument."""
    known: Sequence[Form] = [form for form in FORMS if form == named]
    if named is not None and known:
        return known[0]
    ending = output.suffix.lower()
    if named is None and (ending in ENDINGS or not ending):
        return ENDINGS.get(ending, "json")
    raise InvalidArgument(
        f"{output.name} does not say which form it is to have.", hint=f"Add --format {', '.join(FORMS)}."
    )
