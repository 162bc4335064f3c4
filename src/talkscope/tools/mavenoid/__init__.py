"""Mavenoid's tools, in the order in which they are listed."""

from __future__ import annotations

from talkscope.tools.mavenoid.availability import AVAILABILITY
from talkscope.tools.mavenoid.conversations import CONVERSATIONS
from talkscope.tools.mavenoid.support import SUPPORT
from talkscope.tools.vendor import VendorTool

TOOLS: tuple[VendorTool, ...] = (CONVERSATIONS, SUPPORT, AVAILABILITY)
