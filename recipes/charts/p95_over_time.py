"""P95 of user-to-bot latency over time."""

from __future__ import annotations

import argparse
import json
import sys

import talkscope
from talkscope.charts import line, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--range", default="last_24h", help="window that ends now (%(default)s)")
    parser.add_argument("--character-id", help="only this character")
    parser.add_argument("--output", help="write .png, .svg, .pdf, .html or .json instead of printing the spec")
    args = parser.parse_args()

    filters = [f"character_id={args.character_id}"] if args.character_id else []
    with talkscope.connect() as client:
        answer = client.ask("timeseries", measures=["p95"], range=args.range, filters=filters)
    drawing = line.draw(answer)
    if args.output:
        save(drawing, args.output, title="P95 over time")
    else:
        print(json.dumps(drawing.spec))


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
