"""A stream of server-sent events, taken apart as its bytes come and never more of them held than the cap."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from talkscope.errors import AnswerTooLarge

MOST = 1024 * 1024
_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (`message` unless the service names it), its data, and its id where it has one."""

    name: str
    data: str
    id: str = ""


class Events:
    """Feed it what comes; it gives the events that are complete. Comments and empty events are left out."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._name = self._id = ""
        self._data: list[str] = []
        self._held = 0
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that end in these bytes. Raises AnswerTooLarge for an event that does not."""
        text = self._rest + self._decode(chunk)
        if self._first and text:
            text, self._first = text.removeprefix("\ufeff"), False
        # A carriage return at the end may be half of a line's end.
        held = text[-1:] if text.endswith("\r") else ""
        *lines, rest = _END.split(text.removesuffix("\r") if held else text)
        self._rest = rest + held
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event
        if self._held + len(self._rest) > self._most:
            raise AnswerTooLarge(f"An event of the stream holds more than {self._most:,} characters.")

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            name, data = self._name or "message", "\n".join(self._data)
            told = bool(self._data)
            self._name, self._data, self._held = "", [], 0
            return ServerEvent(name, data, self._id) if told else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._held += len(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None
