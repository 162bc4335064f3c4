"""A server whose tools do what tools should not, run through our transport."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from mcp.server import MCPServer

from talkscope.server import stdio
from talkscope.server.logs import configure_logging

configure_logging()
logger = logging.getLogger("fixture")


@asynccontextmanager
async def tidy(_: MCPServer) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await anyio.sleep(0)
        logger.warning("the lifespan was tidied up")


server = MCPServer("fixture", lifespan=tidy)


@server.tool(structured_output=False)
async def echo(text: str) -> str:
    return text


@server.tool(structured_output=False)
async def repeat(text: str, times: int) -> str:
    return text * times


@server.tool(structured_output=False)
async def soon(text: str) -> str:
    await anyio.sleep(0.2)
    return text


@server.tool(structured_output=False)
async def hang() -> str:
    await anyio.to_thread.run_sync(threading.Event().wait, abandon_on_cancel=True)
    return "never"


def wait_for_good() -> None:
    logger.warning("hanging for good")
    threading.Event().wait()


@server.tool(structured_output=False)
async def hang_for_good() -> str:
    await anyio.to_thread.run_sync(wait_for_good)
    return "never"


@server.tool(structured_output=False)
async def cling() -> str:
    logger.warning("clinging")
    try:
        await anyio.sleep_forever()
    finally:
        logger.warning("cancelled, and clinging still")
        with anyio.CancelScope(shield=True):
            await anyio.sleep_forever()
    return "never"


@server.tool(structured_output=False)
async def hold_the_loop() -> str:
    logger.warning("holding the loop")
    time.sleep(3600)
    return "never"


@server.tool(structured_output=False)
async def half_a_character() -> str:
    return "before \ud83d after"


@server.tool(structured_output=False)
async def refuse_with_half_a_character() -> str:
    raise ValueError("before \ud83d after")


@server.tool()
async def half_a_key() -> dict[str, str]:
    return {"key \udfff": "value \ud800"}


@server.tool(structured_output=False)
async def shout() -> str:
    print("a stray print")
    print("a stray half \ud83d")
    os.write(1, b"from C\n")
    read = "import sys; print('a child read', repr(sys.stdin.read()))"
    subprocess.run([sys.executable, "-c", read], check=True)
    return "shouted"


@server.tool(structured_output=False)
async def fill_stderr() -> str:
    print("x" * 1_000_000, file=sys.stderr)
    return "filled"


@server.tool(structured_output=False)
async def fail(text: str) -> str:
    raise LookupError(f"nothing is called {text}, token=ck_live_{'k' * 20}")


if __name__ == "__main__":
    if sys.argv[1:]:
        stdio.GRACE = float(sys.argv[1])
        stdio.PATIENCE = 0.7 * stdio.GRACE
    stdio.run(server)
