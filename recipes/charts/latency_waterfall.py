"""One turn, span by span: where its time went, with gaps, the critical path and what failed."""

from __future__ import annotations

import argparse
import json
import sys

import talkscope
from talkscope.charts import save, waterfall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interaction", required=True, help="id of the turn")
    parser.add_argument("--output", help="write .png, .svg, .pdf, .html or .json instead of printing the spec")
    args = parser.parse_args()

    with talkscope.connect() as client:
        answer = client.ask(talkscope.contract.INTERACTION, interaction_id=args.interaction)
    drawing = waterfall.draw(answer)
    if args.output:
        save(drawing, args.output, title="Waterfall of a turn")
    else:
        print(json.dumps(drawing.spec))


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
