"""What others build on, as two files: `openapi/analytics.json`, the API, and `openapi/mcp.json`, the tools.

`python -m talkscope.surface --check` compares them with what the code declares, and says of each difference whether it
is compatible or breaking; `--write` renders them anew; `--live URL` compares the API with the one that a service says
it has.
"""

from __future__ import annotations

from talkscope.surface.changes import BREAKING, COMPATIBLE, NONE, Change, between, verdict
from talkscope.surface.render import analytics, as_text, tools

__all__ = [
    "BREAKING",
    "COMPATIBLE",
    "NONE",
    "Change",
    "analytics",
    "as_text",
    "between",
    "tools",
    "verdict",
]
