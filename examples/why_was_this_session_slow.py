"""Why was this session slow? Its slowest turn as a waterfall in the terminal, and what took the time.

    python examples/why_was_this_session_slow.py SESSION_ID
    python examples/why_was_this_session_slow.py            # the slowest session of the last 24 hours

It asks what is configured: `CONVAI_API_KEY`, `TALKSCOPE_URL` or `TALKSCOPE_WAREHOUSE`.
"""

from __future__ import annotations

import argparse
import sys

import talkscope
from talkscope.contract import EXPLAIN, INTERACTION
from talkscope.models.answers import Cell
from talkscope.models.text import clean

WIDTH = 48
MARKS = {"error": "x", "timeout": "!", "cancelled": "-"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Why was this session slow?")
    parser.add_argument("session_id", nargs="?", help="the session; without it, the slowest of the range")
    parser.add_argument("--range", default="last_24h", help="window that ends now (%(default)s)")
    args = parser.parse_args()

    with talkscope.connect() as client:
        if args.session_id:
            why = client.ask(EXPLAIN, session_id=args.session_id)
        else:
            why = client.ask(EXPLAIN, range=args.range)
        print(clean(why.verdict, 600))
        if why.interaction is None:
            return
        turn = client.ask(INTERACTION, interaction_id=why.interaction.interaction_id)
    print("\n".join(waterfall(turn)))
    if why.slower_without_spans:
        print(f"Slower, but without spans: {clean(', '.join(why.slower_without_spans), 400)}")


def waterfall(turn: talkscope.TurnAnswer) -> list[str]:
    """A line for each span and gap, its bar where it lies between the turn's start and end."""
    facts, rows = turn.interaction, turn.records()
    total = max([real(facts.total_ms), *(real(row["offset_ms"]) + real(row["duration_ms"]) for row in rows)]) or 1.0
    latency = "unknown" if facts.latency_ms is None else f"{facts.latency_ms:,.0f} ms"
    lines = [f"\n{clean(facts.interaction_id, 60)}: latency {latency}, status {clean(facts.status or 'unknown', 20)}"]
    for row in rows:
        start = round(real(row["offset_ms"]) / total * WIDTH)
        length = max(1, round(real(row["duration_ms"]) / total * WIDTH))
        mark = "." if row["kind"] == "gap" else MARKS.get(str(row["status"]), "#")
        bar = (" " * min(start, WIDTH - 1) + mark * length)[:WIDTH]
        label = "  " * min(int(real(row["depth"])), 5) + name(row)
        lines.append(f"{label:<28.28} |{bar:<{WIDTH}}| {real(row['duration_ms']):>9,.1f} ms{own(row)}")
    lines.append(f"{'':<28}  0{f'{total:,.0f} ms':>{WIDTH - 1}}")
    lines.append("# ok  x error  ! timeout  - cancelled  . nothing recorded  * on the critical path")
    return lines


def name(row: dict[str, Cell]) -> str:
    """What a line is of: component, provider and model, which others wrote, so without anything a terminal obeys."""
    if row["kind"] == "gap":
        return "(gap)"
    parts = [clean(str(row[part]), 40) for part in ("processor", "provider", "model") if row.get(part)]
    return " ".join(parts) or "(unnamed)"


def own(row: dict[str, Cell]) -> str:
    return " *" if real(row["self_ms"]) else ""


def real(value: Cell) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


if __name__ == "__main__":
    try:
        main()
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
