"""General Bots's tools, in the order in which they are listed."""

from __future__ import annotations

from talkscope.tools.vendor import VendorTool

TOOLS: tuple[VendorTool, ...] = ()
