"""Untrusted Parquet as JSON lines, decoded by a child process with limits: decoders of Parquet have had many holes.

The child knows nothing but one file and its standard output: no environment, no network that it would need, memory and
time that end. Whatever happens to it, the parent gets rows, a reason, or both.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

import orjson

from talkscope.errors import IngestError
from talkscope.models.records import Refused

MEMORY = 4 << 30
SECONDS = 120
SECONDS_PER_MIB = 5
_LONGEST_LINE = 64 << 20
_ROWS = 2_048
_REASONS = {
    3: "it is no Parquet file, or a damaged one",
    4: "it needs more memory than is given to reading it",
    5: "it has a column of a kind that cannot be read",
}
Record: TypeAlias = "dict[str, object]"


def rows(path: Path) -> Iterator[tuple[int, Record | Refused]]:
    """Each row of the file with its number; a last Refused when reading ended too early.

    Raises IngestError when there was nothing to read at all.
    """
    number = 0
    with _child(path) as child:
        assert child.stdout is not None
        try:
            for line in iter(lambda: child.stdout.readline(_LONGEST_LINE), b""):  # type: ignore[union-attr]
                number += 1
                yield number, _record(line)
        except GeneratorExit:
            child.kill()
            raise
        status = child.wait()
    if status:
        reason = _REASONS.get(status, "reading it took too much time or memory, or broke down")
        if not number:
            raise IngestError(f"The Parquet file cannot be read: {reason}.", hint="Check the file, or write it anew.")
        yield number + 1, Refused(f"and all after it are not read: {reason}")


def _record(line: bytes) -> Record | Refused:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Refused("is not a record")
    return value if isinstance(value, dict) else Refused("is not a record")


def _child(path: Path) -> subprocess.Popen[bytes]:
    package = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {package!r}); from talkscope.warehouse.unparquet import main; main()"
    seconds = SECONDS + SECONDS_PER_MIB * (path.stat().st_size >> 20)
    # Windows starts nothing without its environment; elsewhere the child has none that could hold a key.
    environment: Mapping[str, str] | None = None if sys.platform == "win32" else {}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-I", "-c", code, str(path), str(seconds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=path.parent,
    )


def limit(seconds: int) -> None:
    """Bound this process's memory, processor time and files, where the system can (Windows cannot, macOS in part)."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    for kind, most in wanted.items():
        try:
            _, hard = resource.getrlimit(kind)
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (bound, bound))
        except (ValueError, OSError):
            continue


def main() -> None:
    """The child: read the file that the command names and write its rows as JSON lines."""
    path, seconds = sys.argv[1], int(sys.argv[2])
    import duckdb

    limit(seconds)
    status = 0
    try:
        _write(path, sys.stdout.buffer)
    except (duckdb.OutOfMemoryException, MemoryError):
        status = 4
    except (duckdb.NotImplementedException, duckdb.ConversionException):
        status = 5
    except duckdb.Error:
        status = 3
    except BrokenPipeError:
        status = 6
    sys.exit(status)


def _write(path: str, out: BinaryIO) -> None:
    import duckdb

    literal = "'" + path.replace("'", "''") + "'"
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": "",
            "memory_limit": "1GiB",
            "threads": "1",
        },
    )
    connection.execute(f"SET allowed_paths = [{literal}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    source = f"read_parquet({literal})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = ", ".join(_expression(str(name), str(kind)) for name, kind, *_ in described)
    found = connection.execute(f"SELECT {columns} FROM {source}")
    names = [str(name) for name, *_ in described]
    while some := found.fetchmany(_ROWS):
        for row in some:
            record = {name: value for name, value in zip(names, row, strict=True) if value is not None}
            out.write(orjson.dumps(record, default=_plain, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
    out.flush()


def _expression(name: str, kind: str) -> str:
    """A column as something that Python's types hold: moments as ISO 8601 text, in UTC when Parquet says so."""
    column = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(make_timestamp(epoch_us({column})), '%Y-%m-%dT%H:%M:%S.%fZ') AS {column}"
    if kind.startswith("TIMESTAMP"):
        return f"strftime({column}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%f') AS {column}"
    return f"{column}::VARCHAR AS {column}" if "TIME ZONE" in kind or kind == "INTERVAL" else column


def _plain(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, set | tuple):
        return list(value)
    try:
        return float(value)  # type: ignore[arg-type]  # a Decimal, or not
    except (TypeError, ValueError):
        return str(value)
