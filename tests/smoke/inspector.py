"""MCP Inspector on its command line: a client of the TypeScript SDK and none of ours, started anew for each request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

PATIENCE = 120.0
"""Seconds that one request may take before it counts as unanswered: a net, not a measure."""
LEAST_NODE = (22, 19)
_LAUNCHER = Path("@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")


@dataclass(frozen=True)
class Seen:
    """What Inspector made of a request: its exit code, the envelope that it printed, and what it said beside that."""

    code: int
    envelope: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    @property
    def result(self) -> dict[str, Any]:
        """The server's result; empty when there is none."""
        found = self.envelope.get("result")
        return found if isinstance(found, dict) else {}


class Inspect(Protocol):
    """Whoever puts a request to the server: in a protocol era, by method, with Inspector's options for it."""

    def __call__(self, era: str, method: str, *options: str) -> Seen: ...


class NoInspectorError(Exception):
    """Inspector is not there, or there is no Node to run it."""


def node(modules: Path, path: str | None = None) -> str:
    """The Node that came with Inspector, or, on machines that it is not built for, one on the path that is new enough.

    Raises:
        NoInspectorError: There is neither.
    """
    packaged = [str(file) for name in ("node", "node.exe") for file in modules.glob(f"node-*/bin/{name}")]
    installed = shutil.which("node", path=path)
    for each in [*packaged, *([installed] if installed else [])]:
        if _version(each) >= LEAST_NODE:
            return each
    raise NoInspectorError(
        f"Inspector needs Node {'.'.join(map(str, LEAST_NODE))} or newer, and none that runs is here."
    )


def _version(program: str) -> tuple[int, ...]:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE)
        return tuple(int(part) for part in told.stdout.strip().removeprefix("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


class Inspector:
    """Inspector, pointed at one server.

    Args:
        modules: The `node_modules` that Inspector was installed into.
        entry: The server as hosts are told of it: command, args, env.
        home: An empty folder in the place of the user's own, so that Inspector finds and leaves nothing there.

    Raises:
        NoInspectorError: It is not installed, or nothing can run it.
    """

    def __init__(self, modules: Path, entry: Mapping[str, object], home: Path) -> None:
        launcher = modules.resolve() / _LAUNCHER
        if not launcher.is_file():
            raise NoInspectorError(f"MCP Inspector is not in {modules}: `make mcp-smoke` installs it.")
        self._home = home
        config = home / "servers.json"
        config.write_text(json.dumps({"mcpServers": {"talkscope": entry}}), encoding="utf-8")
        server = ["--config", str(config), "--server", "talkscope"]
        self._argv = [node(modules.resolve()), str(launcher), "--cli", *server, "--format", "json"]
        self._argv += ["--connect-timeout", str(int(PATIENCE * 1000))]

    def __call__(self, era: str, method: str, *options: str) -> Seen:
        """Put one request to a server started for it; no answer in time is exit code -1."""
        argv = [*self._argv, "--protocol-era", era, "--method", method, *options]
        try:
            ran = subprocess.run(
                argv,
                cwd=self._home,
                env=_environment(self._home, os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Seen(-1, said=f"no answer in {PATIENCE:.0f} s")
        return Seen(ran.returncode, _envelope(ran.stdout), _last(ran.stderr.splitlines()))


def _environment(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What Inspector sees: nothing of the user's settings for it, for Node or for Talkscope, and no keychain."""
    ours = ("TALKSCOPE_", "MCP_", "NODE_", "NPM_", "PYTHON")
    kept = {name: value for name, value in given.items() if not name.upper().startswith(ours)}
    places = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(home))
    return kept | places | {"CI": "true", "NO_COLOR": "1", "DO_NOT_TRACK": "1", "MCP_INSPECTOR_SECRET_STORE": "memory"}


def _envelope(printed: str) -> dict[str, Any]:
    try:
        read = json.loads(printed)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _last(lines: Sequence[str]) -> str:
    """The last line that says anything; of an error envelope its message."""
    said = next((line for line in reversed(lines) if line.strip()), "")
    error = _envelope(said).get("error")
    return str(error.get("message")) if isinstance(error, dict) else said
