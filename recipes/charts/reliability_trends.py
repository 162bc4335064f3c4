"""Errors, error rate and dropped error events over time."""

from __future__ import annotations

import argparse
import json
import sys

import talkscope
from talkscope.charts import reliability, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--range", default="last_7d", help="window that ends now (%(default)s)")
    parser.add_argument("--granularity", default="day", help="length of a bucket (%(default)s)")
    parser.add_argument("--output", help="write .png, .svg, .pdf, .html or .json instead of printing the spec")
    args = parser.parse_args()

    window = {"range": args.range, "granularity": args.granularity}
    with talkscope.connect() as client:
        answer = client.ask("timeseries", measures=["errors", "error_rate", "interactions"], **window)
        dropped = client.ask("timeseries", measures=["count"], metric_name="db.error_persist_dropped", **window)
    drawing = reliability.draw(answer, dropped)
    if args.output:
        save(drawing, args.output, title="Reliability")
    else:
        print(json.dumps(drawing.spec))


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
