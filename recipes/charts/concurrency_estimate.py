"""Sessions active at once: the peak of every few minutes, from an exact sweep over all sessions."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timedelta

import talkscope
from talkscope.charts import area, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--range", default="last_24h", help="window that ends now (%(default)s)")
    parser.add_argument("--bucket-minutes", type=int, default=5, help="length of a bucket, 1 to 60 (%(default)s)")
    parser.add_argument("--output", help="write .png, .svg, .pdf, .html or .json instead of printing the spec")
    args = parser.parse_args()
    if not 1 <= args.bucket_minutes <= 60:
        parser.error("--bucket-minutes is 1 to 60")

    with talkscope.connect() as client:
        answer = client.ask(talkscope.contract.CONCURRENCY, range=args.range, granularity="minute", max_rows=50_000)
    drawing = area.draw(in_buckets(answer, args.bucket_minutes))
    if args.output:
        save(drawing, args.output, title="Active sessions")
    else:
        print(json.dumps(drawing.spec))


def in_buckets(answer: talkscope.ConcurrencyAnswer, minutes: int) -> talkscope.ConcurrencyAnswer:
    """The same answer in longer buckets: the highest of minutes' exact peaks is the longer bucket's exact peak."""
    if answer.meta.granularity != "minute" or answer.meta.window is None:
        return answer  # the window is too long for minutes, and the answer's notes say so
    start, end = (datetime.fromisoformat(text) for text in (answer.meta.window.start, answer.meta.window.end))
    peaks: dict[datetime, float] = {}
    active: dict[datetime, float] = {}
    length: dict[datetime, float] = {}
    for row in answer.records():
        minute = datetime.fromisoformat(str(row["bucket"]))
        bucket = minute - timedelta(minutes=minute.minute % minutes)
        # The window cuts its first and its last minute.
        seconds = (min(minute + timedelta(minutes=1), end) - max(minute, start)).total_seconds()
        peaks[bucket] = max(peaks.get(bucket, 0), real(row["peak"]))
        active[bucket] = active.get(bucket, 0.0) + real(row["mean"]) * seconds
        length[bucket] = length.get(bucket, 0.0) + seconds
    rows = [[at.isoformat(), int(peaks[at]), round(active[at] / length[at], 6)] for at in peaks]
    meta = answer.meta.model_copy(update={"granularity": f"{minutes} minutes"})
    return answer.model_copy(update={"columns": ["bucket", "peak", "mean"], "rows": rows, "meta": meta})


def real(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
