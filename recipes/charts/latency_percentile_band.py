"""P50, P95 and P99 of user-to-bot latency over time as a band, with a threshold line if you want one."""

from __future__ import annotations

import argparse
import json
import sys

import talkscope
from talkscope.charts import line, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--range", default="last_7d", help="window that ends now (%(default)s)")
    parser.add_argument("--granularity", default="hour", help="length of a bucket (%(default)s)")
    parser.add_argument("--character-id", help="only this character")
    parser.add_argument("--p95-threshold-ms", type=float, help="draw a line at this latency")
    parser.add_argument("--output", help="write .png, .svg, .pdf, .html or .json instead of printing the spec")
    args = parser.parse_args()

    filters = [f"character_id={args.character_id}"] if args.character_id else []
    with talkscope.connect() as client:
        answer = client.ask(
            "timeseries",
            measures=["p50", "p95", "p99"],
            granularity=args.granularity,
            range=args.range,
            filters=filters,
        )
    drawing = line.draw(answer, band=True, threshold=args.p95_threshold_ms)
    if args.output:
        save(drawing, args.output, title="Latency percentiles")
    else:
        print(json.dumps(drawing.spec))


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
