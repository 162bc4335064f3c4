"""The other end of the wire: starts a Talkscope server as a host would, and asks it over MCP."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import TextContent

import talkscope
from talkscope.errors import BadAnswer, ConnectionFailed
from talkscope.models.text import clean

T = TypeVar("T")
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A tool's answer: its structured content (empty where there is none), its text, and whether it is an error."""

    structured: Mapping[str, object]
    text: str
    failed: bool


class Session:
    """A server that runs, and the connection to it; calls block until they are answered."""

    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal = portal
        self._client = client

    def tools(self) -> list[str]:
        """The names of the server's tools, in its order."""
        return [tool.name for tool in self._ask(self._client.list_tools).tools]

    def call(self, tool: str, arguments: Mapping[str, object]) -> Heard:
        """What the tool answers; an error of the tool is an answer too. Raises BadAnswer or ConnectionFailed."""
        result = self._ask(lambda: self._client.call_tool(tool, dict(arguments)))
        text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        structured = result.structured_content
        return Heard(dict(structured) if isinstance(structured, Mapping) else {}, text, bool(result.is_error))

    def _ask(self, asked: Callable[[], Awaitable[T]]) -> T:
        try:
            return self._portal.call(asked)
        except MCPError as error:
            raise BadAnswer(f"The server refused: {clean(str(error), 300)}.", hint="") from None


def host_entry(warehouse: Path) -> dict[str, object]:
    """The server as MCP hosts are told of it: command, arguments, and the warehouse that it opens."""
    return {
        "command": sys.executable,
        "args": ["-m", "talkscope", "mcp"],
        "env": {"TALKSCOPE_WAREHOUSE": str(warehouse)},
    }


@contextmanager
def session(environment: Mapping[str, str], *, patience: float = PATIENCE) -> Iterator[Session]:
    """Start `python -m talkscope mcp` and connect to it; it ends with the block.

    The server sees the given variables and those that every program needs (PATH, HOME, …), nothing else.
    Raises ConnectionFailed, with the last line that the server said, when it does not start or goes away.
    """
    # The server runs the same code, wherever this package was imported from.
    places = {"PYTHONPATH": str(Path(talkscope.__file__).parent.parent)}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "talkscope", "mcp"], env={**places, **environment}
    )
    failure: BaseException | None = None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        client = Client(stdio_client(server, errlog=log), read_timeout_seconds=patience)
        try:
            with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
                try:
                    yield Session(portal, client)
                except BaseException as error:  # noqa: BLE001 - the connection would wrap it in a group
                    failure = error
        except (BaseExceptionGroup, MCPError, OSError) as error:
            if failure is None:
                raise ConnectionFailed(
                    f"The server did not answer ({_root(error)}).{_last_words(log)}", hint="Run `talkscope doctor`."
                ) from None
    if failure is not None:
        raise failure


def _root(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


def _last_words(log: IO[str]) -> str:
    log.seek(0)
    said = [line for line in log.read().splitlines() if line.strip()]
    return f" It said: {clean(said[-1], 300)}" if said else ""
