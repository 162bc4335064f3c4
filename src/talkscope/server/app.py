"""The MCP server on stdio, from settings to the end of the process."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NoReturn

from talkscope.errors import TalkscopeError
from talkscope.server.logs import configure_logging

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from talkscope.settings import Settings
    from talkscope.tools.tool import Manner
    from talkscope.tools.vendor import Reacher


def build(asker: Reacher, *, settings: Manner) -> MCPServer[None]:
    """The server whose tools ask this asker; one that has an `aclose` is closed when the server ends."""
    from talkscope.server.calls import TalkscopeServer

    @asynccontextmanager
    async def lifespan(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            close = getattr(asker, "aclose", None)
            if close is not None:
                await close()

    with _plain_logging():
        return TalkscopeServer(asker, settings, lifespan)


@contextmanager
def _plain_logging() -> Iterator[None]:
    """Keep rich unloaded: the SDK's constructor makes a rich log handler, 40 ms for what our own logging drops."""
    if "rich.console" in sys.modules:
        yield
        return
    sys.modules["rich.console"] = None  # type: ignore[assignment]  # importing it fails, and the SDK goes without
    try:
        yield
    finally:
        del sys.modules["rich.console"]


def main(settings: Settings | None = None) -> NoReturn:
    """Serve over stdin and stdout until the client leaves, then end the process.

    Raises:
        SystemExit: The settings cannot be understood.
    """
    configure_logging()
    # Imports make hundreds of thousands of objects that stay: collecting among them costs an eighth of the start.
    gc.disable()
    from talkscope.server import stdio
    from talkscope.server.opening import Opening
    from talkscope.settings import read

    try:
        chosen = settings if settings is not None else read()
    except TalkscopeError as error:
        raise SystemExit(f"talkscope mcp: {error}") from None
    server = build(Opening(chosen), settings=chosen)
    gc.freeze()
    gc.enable()
    stdio.run(server)
