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
from talkscope.settings import PLATFORMS
from talkscope.tools import RECORD_TOOLS, TOOLS, TOOLSETS, offered
from tests.server.wire import Wire, text
from tests.smoke.checks import Check, checks, listing, missing
from tests.smoke.inspector import Inspect, Inspector, NoInspectorError

OLDER = ("2024-11-05", "2025-03-26", "2025-06-18")
"""Versions of the handshake era that Inspector does not offer; they are asked for by hand."""
NAMES = [tool.name for tool in (*TOOLS, *RECORD_TOOLS)]
"""The tools of a warehouse that holds outcomes, as the made-up one does."""
WITH_PLATFORMS = [tool.name for tool in offered(TOOLSETS, records=True, changing=True)]
"""The same where every platform has an account, and what changes something there is allowed."""


def main(arguments: Sequence[str]) -> int:
    """Run every check, print a line for each, and return 1 when one of them shows a fault."""
    if len(arguments) != 1:
        print("usage: python -m tests.smoke.run NODE_MODULES", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="talkscope-smoke-", ignore_cleanup_errors=True) as place:
        entry = filled(Path(place))
        homes = [Path(place, name) for name in ("home", "another")]
        for home in homes:
            home.mkdir()
        try:
            inspector = Inspector(Path(arguments[0]), entry, homes[0])
            with_platforms = Inspector(Path(arguments[0]), configured(entry), homes[1])
        except NoInspectorError as error:
            print(f"mcp-smoke: {error}", file=sys.stderr)
            return 1
        made = [
            *everything(inspector),
            *every_platform(with_platforms),
            *(_told("by hand", check) for check in by_hand(entry)),
        ]
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


def configured(entry: dict[str, Any]) -> dict[str, object]:
    """The same server with an account of each platform, at an address where nobody answers: it is only listed."""
    accounts = {
        variable: value
        for known in PLATFORMS.values()
        for variable, value in ((known.key, "of_nobody"), (known.url, "http://127.0.0.1:9"))
    }
    more = {variable: "of_nobody" for known in PLATFORMS.values() for variable in known.also.values()}
    return {**entry, "env": {**entry["env"], **accounts, **more, "TALKSCOPE_ALLOW_SIDE_EFFECTS": "1"}}


def every_platform(inspect: Inspect, say: Callable[[str], None] = print) -> list[Check]:
    """The lists of both eras where every platform is configured, held as strictly."""
    what = "tools/list --strict with every platform"
    return [
        _told(era, Check(what, listing(inspect(era, "tools/list", "--strict"), WITH_PLATFORMS)), say)
        for era in ("legacy", "modern")
    ]


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
