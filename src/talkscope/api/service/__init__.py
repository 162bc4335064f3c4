"""The Analytics API as a service: for each request it asks who asks, and answers from that account's warehouse alone.

`build` makes the ASGI app, `run` serves it on a socket until the process is told to stop.
"""

from __future__ import annotations

from talkscope.api.service.access import Line, one_line
from talkscope.api.service.app import Service, build
from talkscope.api.service.gate import Caller, Gate, KeyGate, OpenGate
from talkscope.api.service.run import listen, run

__all__ = ["Caller", "Gate", "KeyGate", "Line", "OpenGate", "Service", "build", "listen", "one_line", "run"]
