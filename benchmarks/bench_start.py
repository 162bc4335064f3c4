"""How long a host waits: from starting the process to the answer to `tools/list`.

Talkscope's server against one that holds nothing but the SDK and as many typed tools. Goal: 1.15 times at most.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import show, side_by_side

BARE = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
OURS = [sys.executable, "-m", "talkscope", "mcp"]
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
OPENING = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": CLIENT}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def tools_listed(argv: Sequence[str], environment: dict[str, str]) -> int:
    """Start the server, shake hands, ask for the tools, and return how many there are; the server is ended."""
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(json.dumps(OPENING).encode() + b"\n")
            server.stdin.flush()
            server.stdout.readline()
            for message in (READY, LIST):
                server.stdin.write(json.dumps(message).encode() + b"\n")
            server.stdin.flush()
            return len(json.loads(server.stdout.readline())["result"]["tools"])
        finally:
            # The end is not measured for its own sake, and a killed process ends as fast on both sides.
            server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="starts of each server (15)")
    options, _ = parser.parse_known_args()
    runs = options.runs
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKSCOPE_")}
        environment = kept | {"TALKSCOPE_WAREHOUSE": str(Path(folder) / "warehouse")}
        counts = {name: tools_listed(argv, environment) for name, argv in (("ours", OURS), ("bare", BARE))}
        ours, bare = side_by_side(
            {
                f"talkscope mcp ({counts['ours']} tools)": lambda: tools_listed(OURS, environment),
                f"bare SDK server ({counts['bare']} tools)": lambda: tools_listed(BARE, environment),
            },
            runs=runs,
            warm=0,  # each was started once to count its tools
        )
    print("spawn to tools/list answered")
    show([ours, bare], bare, goal="  (goal: at most 1.15)")


if __name__ == "__main__":
    main()
