"""`make mcp-smoke`: made-up telemetry in its own folder, and what MCP Inspector sees of `talkscope mcp` over it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import talkscope
from talkscope.jobs.demo import generate
from talkscope.jobs.ingest import ingest
from talkscope.server.session import host_entry
from talkscope.tools import TOOLS
from tests.server.wire import Wire, text
from tests.smoke.checks import Check, checks, missing
from tests.smoke.inspector import Inspect, Inspector, NoInspectorError

OLDER = ("2024-11-05", "2025-03-26", "2025-06-18")
"""Versions of the handshake era that Inspector does not offer; they are asked for by hand."""
NAMES = [tool.name for tool in TOOLS]


def main(arguments: Sequence[str]) -> int:
    """Run every check, print a line for each, and return 1 when one of them shows a fault."""
    if len(arguments) != 1:
        print("usage: python -m tests.smoke.run NODE_MODULES", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="talkscope-smoke-", ignore_cleanup_errors=True) as place:
        entry = filled(Path(place))
        home = Path(place, "home")
        home.mkdir()
        try:
            inspector = Inspector(Path(arguments[0]), entry, home)
        except NoInspectorError as error:
            print(f"mcp-smoke: {error}", file=sys.stderr)
            return 1
        made = [*everything(inspector), *(_told("by hand", check) for check in by_hand(entry))]
    faults = [check for check in made if check.fault]
    print(f"mcp-smoke: {len(made)} checks, {len(faults)} faults, in {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


def filled(place: Path) -> dict[str, object]:
    """Fill a warehouse with made-up telemetry, and return the entry by which a host starts a server over it."""
    generate(place / "telemetry", now=datetime.now(UTC), days=8, sessions_per_day=20)
    ingest(sorted((place / "telemetry").glob("*.ndjson")), warehouse=place / "warehouse", generated=True)
    config = place / "config.toml"
    config.touch()
    entry = host_entry(place / "warehouse")
    source = str(Path(talkscope.__file__).parent.parent)
    env: Any = entry["env"]
    return {**entry, "env": {**env, "TALKSCOPE_CONFIG": str(config), "PYTHONPATH": source}}


def everything(inspect: Inspect, say: Callable[[str], None] = print, names: Sequence[str] = NAMES) -> list[Check]:
    """The checks of both eras, side by side and told as they are made; and that a client who takes either gets on."""

    def era(name: str) -> list[Check]:
        made = [_told(name, check, say) for check in checks(inspect, name, names)]
        return made + [_told(name, Check(f"tools/call {tool}", "was not asked"), say) for tool in missing(made, names)]

    with ThreadPoolExecutor(2) as pool:
        made = [check for each in pool.map(era, ("legacy", "modern")) for check in each]
    either = next(checks(inspect, "auto", names))
    return [*made, _told("auto", either, say)]


def by_hand(entry: dict[str, Any]) -> Iterator[Check]:
    """The older handshakes, as plain lines of JSON."""
    for version in OLDER:
        with ExitStack() as stack:
            wire = stack.enter_context(Wire([entry["command"], *entry["args"]], entry["env"]))
            yield Check(f"handshake {version}, tools/list, tools/call", _older(wire, version))


def _older(wire: Wire, version: str) -> str:
    try:
        agreed = wire.handshake(version)["result"]["protocolVersion"]
        listed = [tool["name"] for tool in wire.request("tools/list")["result"]["tools"]]
        answer = wire.call("get_summary", range="last_7d")
        if answer["result"].get("isError") or not text(answer).startswith("# source"):
            return f"the tool answered {text(answer)[:300]}"
        code = wire.close()
    except (AssertionError, EOFError, KeyError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    if (agreed, listed, code) != (version, NAMES, 0):
        return f"agreed on {agreed}, listed {listed}, ended with {code}"
    return ""


def _told(era: str, check: Check, say: Callable[[str], None] = print) -> Check:
    say(f"{'✗' if check.fault else '✓'} {era}: {check.what}{f' - {check.fault}' if check.fault else ''}")
    return check


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
