"""One session over time: its turns, spans and events by component."""

from __future__ import annotations

import argparse
import sys

import talkscope
from talkscope.charts import save, timeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--session", required=True, help="id of the session")
    parser.add_argument(
        "--output", default="timeline.html", help="what to write: .html, .png, .svg, .pdf or .json (%(default)s)"
    )
    args = parser.parse_args()

    with talkscope.connect() as client:
        drawing = timeline.draw(whole(client, args.session))
    save(drawing, args.output, title="Session timeline")
    print(f"Written: {args.output}", file=sys.stderr)


def whole(client: talkscope.Client, session_id: str) -> talkscope.SessionAnswer:
    """The session with the rows of all its pages."""
    page = client.ask(talkscope.contract.SESSION, session_id=session_id, limit=500)
    rows = list(page.rows)
    while page.meta.next_cursor:
        page = client.ask(talkscope.contract.SESSION, session_id=session_id, limit=500, cursor=page.meta.next_cursor)
        rows.extend(page.rows)
    return page.model_copy(update={"rows": rows})


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
