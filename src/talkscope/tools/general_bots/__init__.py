"""General Bots' tools, in the order in which they are listed."""

from __future__ import annotations

from talkscope.tools.general_bots.conversations import CONVERSATIONS, ENGAGEMENT
from talkscope.tools.general_bots.realtime import REALTIME
from talkscope.tools.general_bots.reports import CREATE, REPORTS
from talkscope.tools.general_bots.usage import USAGE
from talkscope.tools.vendor import VendorTool

TOOLS: tuple[VendorTool, ...] = (USAGE, CONVERSATIONS, ENGAGEMENT, REALTIME, REPORTS, CREATE)
