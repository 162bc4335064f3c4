"""Agent Studio's tools, in the order in which they are listed."""

from __future__ import annotations

from talkscope.tools.agent_studio.breakdown import BREAKDOWN
from talkscope.tools.agent_studio.detail import DETAIL
from talkscope.tools.agent_studio.errors import ERRORS
from talkscope.tools.agent_studio.summary import SUMMARY
from talkscope.tools.agent_studio.volume import VOLUME
from talkscope.tools.vendor import VendorTool

TOOLS: tuple[VendorTool, ...] = (SUMMARY, VOLUME, BREAKDOWN, ERRORS, DETAIL)
