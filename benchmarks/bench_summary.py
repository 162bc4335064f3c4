"""What an answer costs beyond its SQL: a warm summary of 30 days, asked in process and over MCP.

Against the same figures as a person would write them in SQL, run by DuckDB on the same files. The figures must agree.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from measure import show, side_by_side

import talkscope
from talkscope.jobs.demo.generate import generate
from talkscope.server.session import session

DAYS = 30

FIGURES = """
WITH bounds AS (SELECT ?::BIGINT AS low, ?::BIGINT AS high),
facts AS (
  SELECT platform, session_id, end_user_id FROM sessions, bounds WHERE t >= low AND t < high
  UNION ALL SELECT platform, session_id, end_user_id FROM interactions, bounds WHERE t >= low AND t < high
  UNION ALL SELECT platform, session_id, end_user_id FROM spans, bounds WHERE t >= low AND t < high
  UNION ALL SELECT platform, session_id, end_user_id FROM events, bounds WHERE t >= low AND t < high
  UNION ALL SELECT platform, session_id, end_user_id FROM outcomes, bounds WHERE t >= low AND t < high
),
seen AS (SELECT count(DISTINCT (platform, session_id)) AS sessions, count(DISTINCT end_user_id) AS users FROM facts),
turns AS (
  SELECT count(*) AS turns, count(*) FILTER (failed) AS failed, avg(latency_ms) AS mean,
    quantile_cont(latency_ms, [0.5, 0.95, 0.99]) AS high
  FROM interactions, bounds WHERE t >= low AND t < bounds.high
),
orphans AS (
  SELECT count(*) AS orphans FROM events, bounds WHERE t >= low AND t < high AND interaction_id IS NULL
    AND (starts_with(metric_name, 'error.') OR status IN ('error', 'timeout'))
)
SELECT sessions, turns, users, failed + orphans, (failed + orphans) / (turns + orphans), mean, high[1], high[2], high[3]
FROM seen, turns, orphans
"""


def by_hand(folder: Path, low: int, high: int) -> Callable[[], list[tuple[float, ...]]]:
    """What asks DuckDB for the figures of both windows."""
    manifest = sqlite3.connect(folder / "manifest.sqlite")
    try:
        segments = manifest.execute("SELECT tbl, path FROM segments WHERE removed_at IS NULL").fetchall()
    finally:
        manifest.close()
    connection = duckdb.connect(":memory:")
    connection.execute("SET parquet_metadata_cache = true")
    for table in ("sessions", "interactions", "spans", "events", "outcomes"):
        files = ", ".join(f"'{folder / path}'" for name, path in segments if name == table)
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet([{files}])")
    windows = [(low, high), (2 * low - high, low)]
    return lambda: [connection.execute(FIGURES, list(window)).fetchall()[0] for window in windows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="times that each way is taken (15)")
    parser.add_argument("--sessions-per-day", type=int, default=240, help="size of the telemetry of 60 days (240)")
    options, _ = parser.parse_known_args()
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(days=DAYS)
    words = {"start_time": start.isoformat(), "end_time": now.isoformat()}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "warehouse"
        truth = generate(Path(place) / "made", now=now, days=2 * DAYS, sessions_per_day=options.sessions_per_day)
        talkscope.ingest(sorted((Path(place) / "made").glob("*.ndjson")), warehouse=folder)
        sql = by_hand(folder, int(start.timestamp()) * 1_000_000, int(now.timestamp()) * 1_000_000)
        empty = Path(place) / "config.toml"
        empty.touch()
        told = {"TALKSCOPE_WAREHOUSE": str(folder), "TALKSCOPE_CONFIG": str(empty)}
        with talkscope.open_warehouse(folder) as client, session(told) as server:
            answered = [row[1] for row in client.ask("summary", **words).rows]
            expected = [round(value, 6) for value in sql()[0]]
            differing = [pair for pair in zip(answered, expected, strict=True) if abs(float(pair[0]) - pair[1]) > 1e-3]
            if differing:
                raise SystemExit(f"the ways disagree: {differing}")
            written, asked, over_mcp = side_by_side(
                {
                    "SQL by hand in DuckDB": sql,
                    "client in process": lambda: client.ask("summary", **words),
                    "get_summary over stdio": lambda: server.call("get_summary", words),
                },
                runs=options.runs,
                warm=2,
            )
    size = ", ".join(f"{count:,} {kind}s" for kind, count in truth.records.items())
    print(f"a warm summary of {DAYS} days and the {DAYS} before, of {size}")
    show([written, asked, over_mcp], written)


if __name__ == "__main__":
    main()
