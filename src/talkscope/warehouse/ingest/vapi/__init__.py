"""Vapi's calls as records: a call is a session, what the user says with the answer to it is an interaction.

Taken: call objects as the API answers them, by themselves, in lists, on pages (`{results: […]}`) or as NDJSON, and the
messages that Vapi posts to a server (`{message: {type, call, …}}`). All of a call is in its end-of-call report and in
the call that the API has of it; any other message only says that there is a call.

What is decided here and not by the format:
- A turn begins when the user stops to speak. Greetings are no turn: they are the session's `opening`.
- Vapi lists latencies by response and does not say which response of which turn: they are those of the turns in order
  where they are as many as the turns with an answer, or as the responses (a tool that is called after words of the
  assistant begins another one). Where they are not, they are events that belong to no turn, and the turns' latency is
  unknown. A call without messages has a turn for each.
- A response's components have lengths and no times: their spans lie end to end before the assistant's first words, in
  the order of the pipeline, and say `placed: estimated`. A tool's span runs from its call to its result, as measured.
- Costs, tokens and characters are told of the call, not of turns: they are spans `billing.<component>`, of no length,
  at its end.
- What ended the call with an error is one error event of the call, `error.provider` where the reason names a provider,
  else `error.terminal`. The turn that was left without an answer has no status.
- The assistant's configuration, with its prompt and secrets, is left out but for the providers and models.
- Errors, outcomes, costs and unassigned latencies are taken from calls that have ended, since they are final then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from talkscope.models.records import RECORDS, RecordType, Refused
from talkscope.warehouse.calls import Vendor, read_calls
from talkscope.warehouse.documents import Found, Item, mapping_of, text_of
from talkscope.warehouse.ingest.vapi.call import PLATFORM, records
from talkscope.warehouse.ingest.vapi.reasons import TYPES

NAME = PLATFORM
TITLE = "Vapi calls (JSON or NDJSON from the API, or the messages posted to a server)"
LATENCY_BASIS = (
    "Vapi's turnLatency, from the end of the user's words to the assistant's first, where a call has as many of them "
    "as answers; else unknown"
)

_BOM = b"\xef\xbb\xbf"
_CALL = re.compile(
    rb'(?<!\\)"type":"(?:inboundPhoneCall|outboundPhoneCall|webCall|vapi\.websocketCall|end-of-call-report|status-update)"'
)
_FIELDS = (
    b"orgId assistantId endedReason costBreakdown phoneNumberId secondsFromStart performanceMetrics phoneCallProvider "
    b"analysis artifact".split()
)
_FOREIGN = (b'"resourceSpans":', b'"traceId":', b'"parentObservationId":')
_OWN = re.compile(rb'\[?\{"type":"(?:%b)"' % b"|".join(kind.encode() for kind in RECORDS))
_TELLING = {"endedReason", "startedAt", "endedAt", "phoneCallProvider", "phoneNumberId", "costBreakdown", "customer"}
"""Fields of calls that assistants and other objects with an id lack."""
_REPORT = "end-of-call-report"
_OF_THE_CALL = (
    "endedReason endedMessage cost costs costBreakdown destination artifact analysis startedAt endedAt compliance "
    "messages customer assistant squad".split()
)
"""What a report has beside its call and the API has in it."""


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this holds Vapi's calls."""
    text = re.sub(rb"\s+", b"", head[:65_536].removeprefix(_BOM))
    if not text.startswith((b"{", b"[")) or _OWN.match(text) or any(mark in text for mark in _FOREIGN):
        return False
    told = sum(b'"%b":' % field in text for field in _FIELDS)
    return told >= 4 or (told >= 1 and _CALL.search(text) is not None)


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the calls with its place, and each item that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is a call of Vapi's.
    """
    return read_calls(stream, _VENDOR)


def _known(item: Item) -> bool:
    if isinstance(item.get("message"), dict) or isinstance(item.get("call"), dict):
        return "id" in mapping_of(_message(item).get("call"))
    return "id" in item and (str(item.get("type")) in TYPES or len(_TELLING & item.keys()) >= 2)


def _message(item: Item) -> Item:
    return mapping_of(item["message"]) if isinstance(item.get("message"), dict) else item


def _records(place: str, item: Item) -> Iterator[tuple[str, Item | Refused]]:
    message = _message(item)
    call = mapping_of(message.get("call"))
    if not call:
        return records(place, item, final=item.get("status") == "ended" or item.get("endedAt") is not None)
    kind = text_of(message.get("type"))
    if kind == _REPORT:
        beside = {name: message[name] for name in _OF_THE_CALL if message.get(name) is not None}
        return records(place, {**call, **beside, "status": "ended"}, final=True)
    # What a message says of its call is as old as the call, but for the status in the message of just that.
    status = message.get("status") if kind == "status-update" else None
    reason = message.get("endedReason") if status == "ended" else None
    return records(place, {**call, "status": status, "endedReason": reason}, final=False)


_VENDOR = Vendor(
    "call of Vapi's",
    ("results", "calls", "data", "items"),
    _known,
    _records,
    "Export calls with GET /call, or keep the end-of-call reports that Vapi posts; or name the file's format.",
)
