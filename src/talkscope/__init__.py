"""Talkscope answers questions about conversational AI: typed, exact and compact, over MCP, from Python and in a shell.

    import talkscope

    talkscope.ingest("calls.ndjson", warehouse="calls")
    with talkscope.open_warehouse("calls") as client:
        answer = client.ask("breakdown", measures=["p95", "count"], group_by=["processor"], range="last_7d")
        print(answer.records())

Each name below is loaded when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkscope import contract as contract
    from talkscope import errors as errors
    from talkscope.client import AsyncClient as AsyncClient
    from talkscope.client import AsyncConvaiAnalytics as AsyncConvaiAnalytics
    from talkscope.client import Client as Client
    from talkscope.client import ConvaiAnalytics as ConvaiAnalytics
    from talkscope.errors import TalkscopeError as TalkscopeError
    from talkscope.jobs.ingest import ingest as ingest
    from talkscope.models.answers import Answer as Answer
    from talkscope.models.answers import ConcurrencyAnswer as ConcurrencyAnswer
    from talkscope.models.answers import ExplainAnswer as ExplainAnswer
    from talkscope.models.answers import Meta as Meta
    from talkscope.models.answers import SessionAnswer as SessionAnswer
    from talkscope.models.answers import TurnAnswer as TurnAnswer
    from talkscope.settings import Settings as Settings
    from talkscope.settings import SourceSettings as SourceSettings
    from talkscope.wiring import App as App
    from talkscope.wiring import connect as connect
    from talkscope.wiring import connect_platform as connect_platform
    from talkscope.wiring import connect_platform_async as connect_platform_async
    from talkscope.wiring import open_warehouse as open_warehouse

    __version__: str

_NAMES = {
    "Answer": "talkscope.models.answers",
    "App": "talkscope.wiring",
    "AsyncClient": "talkscope.client",
    "AsyncConvaiAnalytics": "talkscope.client",
    "Client": "talkscope.client",
    "ConcurrencyAnswer": "talkscope.models.answers",
    "ConvaiAnalytics": "talkscope.client",
    "ExplainAnswer": "talkscope.models.answers",
    "Meta": "talkscope.models.answers",
    "SessionAnswer": "talkscope.models.answers",
    "Settings": "talkscope.settings",
    "SourceSettings": "talkscope.settings",
    "TalkscopeError": "talkscope.errors",
    "TurnAnswer": "talkscope.models.answers",
    "connect": "talkscope.wiring",
    "connect_platform": "talkscope.wiring",
    "connect_platform_async": "talkscope.wiring",
    "ingest": "talkscope.jobs.ingest",
    "open_warehouse": "talkscope.wiring",
}
_MODULES = ("contract", "errors")

__all__ = [
    "Answer",
    "App",
    "AsyncClient",
    "AsyncConvaiAnalytics",
    "Client",
    "ConcurrencyAnswer",
    "ConvaiAnalytics",
    "ExplainAnswer",
    "Meta",
    "SessionAnswer",
    "Settings",
    "SourceSettings",
    "TalkscopeError",
    "TurnAnswer",
    "__version__",
    "connect",
    "connect_platform",
    "connect_platform_async",
    "contract",
    "errors",
    "ingest",
    "open_warehouse",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("talkscope")
        except PackageNotFoundError:
            return "0+unknown"
    if name in _MODULES:
        return importlib.import_module(f"talkscope.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'talkscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
