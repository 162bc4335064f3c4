"""The command line: every question is a command, and so is everything that a person does with a warehouse.

`COMMANDS` is the table of contents: a command's module is imported only when the command is used, and its `command`
gives the click command of that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """One command: the module that has it, the heading it stands under in the help, and what it is for."""

    module: str
    section: str
    says: str


QUESTIONS = "Questions"
TELEMETRY = "Telemetry"
PLATFORMS = "Platforms"
SERVER = "Server"
HIDDEN = ""

COMMANDS: Mapping[str, Entry] = {
    "summary": Entry("questions", QUESTIONS, "Headline figures of a window, and of the window before"),
    "timeseries": Entry("questions", QUESTIONS, "Measures over time"),
    "breakdown": Entry("questions", QUESTIONS, "Measures by one or two dimensions"),
    "latency": Entry("questions", QUESTIONS, "Where the time of turns goes"),
    "sessions": Entry("questions", QUESTIONS, "Sessions: recent, longest, slowest or with most errors"),
    "session": Entry("questions", QUESTIONS, "One session's timeline"),
    "interaction": Entry("questions", QUESTIONS, "One interaction's spans"),
    "explain": Entry("questions", QUESTIONS, "What made a session slow"),
    "concurrency": Entry("questions", QUESTIONS, "Sessions active at once"),
    "regressions": Entry("questions", QUESTIONS, "What got worse against a baseline"),
    "catalog": Entry("questions", QUESTIONS, "What can be measured and grouped here"),
    "query": Entry("questions", QUESTIONS, "A restricted query, as JSON"),
    "outcomes": Entry("questions", QUESTIONS, "How sessions ended: deflection, sentiment, ratings, conversions"),
    "support": Entry("questions", QUESTIONS, "Live agents: queue, response and chat times, availability, occupancy"),
    "resources": Entry("questions", QUESTIONS, "Calls of tools, skills and knowledge bases, and how they end"),
    "errors": Entry("questions", QUESTIONS, "What went wrong, one row an error, newest first"),
    "chart": Entry("chart", QUESTIONS, "A question drawn: PNG, SVG, PDF, a page, or the Vega-Lite spec"),
    "report": Entry("report", QUESTIONS, "A page about a window, to send to others: HTML, PDF or Markdown"),
    "studio": Entry("vendor", PLATFORMS, "Studio Chat: conversations, topics, satisfaction, conversions, resources"),
    "calls": Entry("vendor", PLATFORMS, "Agent Studio: voice calls, their volume, errors and latency"),
    "bots": Entry("vendor", PLATFORMS, "General Bots: usage, conversations, engagement, reports"),
    "mavenoid": Entry("vendor", PLATFORMS, "Mavenoid: assistant conversations, live support, availability"),
    "fetch": Entry("fetch", PLATFORMS, "One call of a platform, or a path of it, as its own JSON"),
    "export": Entry("export", PLATFORMS, "All that a call lists, as JSON, NDJSON, CSV or Parquet"),
    "sync": Entry("sync", PLATFORMS, "What a platform holds, into a warehouse, again and again"),
    "watch": Entry("watch", PLATFORMS, "A source as it is now, refreshed until Ctrl-C"),
    "ingest": Entry("ingest", TELEMETRY, "Load files of telemetry into a warehouse"),
    "forget": Entry("forget", TELEMETRY, "Erase one end user everywhere"),
    "demo": Entry("demo", TELEMETRY, "Made-up telemetry, real answers, each one checked"),
    "mcp": Entry("mcp", SERVER, "Serve the questions as tools over MCP on stdin and stdout"),
    "serve": Entry("serve", SERVER, "Serve the Analytics API over HTTP, by keys"),
    "keys": Entry("keys", SERVER, "Add, list and revoke the keys of `talkscope serve`"),
    "doctor": Entry("doctor", SERVER, "Look for what is wrong, and say what to do about it"),
    "reference": Entry("reference", HIDDEN, "Write the reference pages of the documentation"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on the arguments (the process's own without any), and return the exit code.

    0 when all went well, 1 when something failed, 2 when the words make no command, 3 when `ingest` or `sync` refused
    records, 130 after Ctrl-C, 141 when nobody reads the output any more.
    """
    from talkscope.cli.group import run

    return run(arguments)
