"""The SDK in a minute: one figure, a loop over sessions, and the same from async code.

    python examples/sdk_quickstart.py

It asks what is configured: `CONVAI_API_KEY`, `TALKSCOPE_URL` or `TALKSCOPE_WAREHOUSE`.
"""

from __future__ import annotations

import asyncio
import sys

import talkscope
from talkscope import settings
from talkscope.models.text import clean

RANGE = "last_7d"


def one_figure() -> None:
    with talkscope.connect() as client:
        print({row["measure"]: row["value"] for row in client.ask("summary", range=RANGE).records()})


def every_session() -> None:
    """All sessions of the range, slowest first, page after page."""
    cursor = None
    with talkscope.connect() as client:
        while True:
            page = client.ask("sessions", range=RANGE, sort="slowest", limit=50, cursor=cursor)
            for session in page.records():
                print(clean(str(session["session_id"])), session["interactions"], session["p95_ms"])
            cursor = page.meta.next_cursor
            if cursor is None:
                return


async def at_the_same_time() -> None:
    """Two questions at once."""
    async with talkscope.App(settings.read()) as app:
        client = app.async_client()
        usage, errors = await asyncio.gather(
            client.ask("breakdown", measures=["sessions"], group_by=["character_id"], range=RANGE),
            client.ask("breakdown", measures=["errors", "error_rate"], group_by=["processor"], range=RANGE),
        )
    print(len(usage.rows), "characters;", len(errors.rows), "components")


if __name__ == "__main__":
    try:
        one_figure()
        every_session()
        asyncio.run(at_the_same_time())
    except talkscope.TalkscopeError as error:
        sys.exit(f"error: {error.code}: {error}")
