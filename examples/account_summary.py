"""How an account is doing: headline figures against the window before, busiest characters, slowest components.

    python examples/account_summary.py
    python examples/account_summary.py --range last_30d --character-id char_ada

It asks what is configured: `CONVAI_API_KEY`, `TALKSCOPE_URL` or `TALKSCOPE_WAREHOUSE`.
"""

from __future__ import annotations

import argparse
import sys

import talkscope
from talkscope.models.text import clean


def main() -> None:
    parser = argparse.ArgumentParser(description="How an account is doing.")
    parser.add_argument("--range", default="last_7d", help="window that ends now (%(default)s)")
    parser.add_argument("--character-id", help="only this character")
    args = parser.parse_args()
    words: dict[str, object] = {"range": args.range}
    if args.character_id:
        words["filters"] = [f"character_id={args.character_id}"]

    with talkscope.connect() as client:
        summary = client.ask("summary", **words)
        show(f"Headline figures, {args.range}", summary, ["measure", "value", "previous", "change", "n"])
        busiest = client.ask("breakdown", measures=["sessions", "p95"], group_by=["character_id"], limit=5, **words)
        show("Busiest characters", busiest, ["character_id", "character_name", "sessions", "p95", "n"])
        slowest = client.ask("breakdown", measures=["p95"], group_by=["processor"], limit=5, **words)
        show("Slowest components (p95 of their spans, ms)", slowest, ["processor", "p95", "n"])


def show(title: str, answer: talkscope.Answer, columns: list[str]) -> None:
    """Print these columns as a table; names come from outside, so they are cleaned first."""
    print(f"\n{title}")
    if not answer.rows:
        print("  no data in this window")
    for row in answer.records():
        cells = ["–" if row.get(name) is None else clean(str(row[name]), 40) for name in columns if name in row]
        print("  " + "  ".join(f"{cell:<18}" for cell in cells).rstrip())
    for note in answer.meta.notes:
        print(f"  note: {clean(note, 400)}")


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
