"""One request, from its parameters to its typed answer, without any input or output.

`call` says what to ask, `attempts` asks until there is an answer or an error, `manners` keeps to a service's limits,
`refusals` and `reading` understand what came back, `body` collects it within its cap, `redacting` takes the key out of
it. The clients of `talkscope.client` move the bytes.
"""

from __future__ import annotations

from talkscope.flow.attempts import Clock, Policy, RetryBudget, Steps, run
from talkscope.flow.body import Body
from talkscope.flow.call import CAP, Call, Download, Failed, Param, Reply, Request, Wait, following, path, query
from talkscope.flow.events import Events, ServerEvent
from talkscope.flow.manners import Allowance, AnyCall, Limit, Manners, Turns
from talkscope.flow.reading import parse_any, parse_json, typed
from talkscope.flow.redacting import Redactor
from talkscope.flow.refusals import is_quota

__all__ = [
    "CAP",
    "Allowance",
    "AnyCall",
    "Body",
    "Call",
    "Clock",
    "Download",
    "Events",
    "Failed",
    "Limit",
    "Manners",
    "Param",
    "Policy",
    "Redactor",
    "Reply",
    "Request",
    "RetryBudget",
    "ServerEvent",
    "Steps",
    "Turns",
    "Wait",
    "following",
    "is_quota",
    "parse_any",
    "parse_json",
    "path",
    "query",
    "run",
    "typed",
]
