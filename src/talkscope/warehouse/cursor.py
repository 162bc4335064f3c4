"""Where the next page of a list begins, as opaque text: what was listed last, and the window of page one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import orjson

from talkscope.errors import InvalidArgument
from talkscope.models.window import Window, zone_of


def written(last: Sequence[str | float | None], window: Window) -> str:
    """The text for what was listed last, in its window."""
    words = [*last, window.start, window.end, window.zone]
    return base64.urlsafe_b64encode(orjson.dumps(words)).decode().rstrip("=")


def read(cursor: str) -> tuple[list[object], Window]:
    """What `written` was given. Raises InvalidArgument for a text that it never made."""
    try:
        *last, start, end, zone = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not (isinstance(start, int) and isinstance(end, int) and isinstance(zone, str)):
            raise strange()
        window = Window(start, end, zone_of(zone).key)
        # A window that cannot be told as times is none that a question had.
        str(window)
    except (ValueError, TypeError, OverflowError, binascii.Error, InvalidArgument):
        raise strange() from None
    return last, window


def strange() -> InvalidArgument:
    """The error for a cursor that is none of the question's."""
    return InvalidArgument("cursor is not one of ours.", hint="Give next_cursor of the page before.")
