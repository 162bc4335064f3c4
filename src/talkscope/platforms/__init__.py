"""Vendors' analytics APIs: one package each, functions that return calls for the clients to send.

`NAMES` is the table of contents of those that have questions of their own; Convai's are the questions of
`talkscope.contract`. A platform's package is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from talkscope.settings import PLATFORMS, platform_of

if TYPE_CHECKING:
    from talkscope.platforms.access import Platform

NAMES = tuple(PLATFORMS)


def platform(name: str) -> Platform:
    """The platform of that name, in kebab or snake case. Raises UnknownName with the nearest."""
    found: Platform = importlib.import_module(f"talkscope.platforms.{platform_of(name)}").PLATFORM
    return found
