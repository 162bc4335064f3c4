"""How fast spans are loaded: checked, merged and committed, against DuckDB's own reading of the same file into a table.

DuckDB is told the columns' types; it checks no record, knows no key and derives nothing.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from measure import show, side_by_side

import talkscope
from talkscope.jobs.demo.generate import generate
from talkscope.models.records import RECORDS

TYPES = {"ms": "DOUBLE", "number": "DOUBLE", "integer": "BIGINT", "time": "TIMESTAMPTZ", "json": "JSON"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="times that each way is taken (3)")
    parser.add_argument("--sessions-per-day", type=int, default=240, help="size of the telemetry of 30 days (240)")
    options, _ = parser.parse_known_args()
    columns = ", ".join(f"{field.name}: '{TYPES.get(field.kind, 'VARCHAR')}'" for field in RECORDS["span"])
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "made"
        truth = generate(made, now=datetime.now(UTC).replace(microsecond=0), sessions_per_day=options.sessions_per_day)
        spans = made / "span.ndjson"
        numbers = itertools.count()

        def read_json() -> None:
            with duckdb.connect(str(Path(place) / f"{next(numbers)}.duckdb")) as connection:
                form = f"format = 'newline_delimited', columns = {{{columns}}}"
                connection.execute(f"CREATE TABLE spans AS FROM read_json('{spans}', {form})")

        ours, theirs = side_by_side(
            {
                "talkscope ingest": lambda: talkscope.ingest(
                    [spans], warehouse=Path(place) / f"warehouse-{next(numbers)}"
                ),
                "DuckDB read_json": read_json,
            },
            runs=options.runs,
        )
        rows, size = truth.records["span"], spans.stat().st_size
    print(f"{rows:,} spans, {size / 1e6:.0f} MB of NDJSON, into an empty place")
    for each in (ours, theirs):
        print(f"  {each.name}: {rows / each.median:,.0f} rows a second")
    show([ours, theirs], theirs)


if __name__ == "__main__":
    main()
