"""The rows of an answer that is one list, read off a file of any length one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from talkscope.errors import AnswerTooLarge, BadAnswer, Json
from talkscope.flow import CAP, parse_any

_CHUNK = 256 * 1024
_SPACE = b" \t\r\n"
# What is skipped at a time. Nothing is ever given back, so that no text makes a search long.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_WITHIN = re.compile(rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+', re.DOTALL)
_BETWEEN = re.compile(rb'[^"\[\]{},]*+(?:' + _STRING + rb'[^"\[\]{},]*+)*+', re.DOTALL)
_QUOTED = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_OPEN, _CLOSE = b"[{", b"]}"


class Rows:
    """A list's rows, anew each time that they are asked for; one at a time is in memory.

    Reading them raises BadAnswer for what is no JSON, AnswerTooLarge for a row of more than 32 MiB. `heed` is called
    now and then, and may raise.
    """

    def __init__(self, file: Path, heed: Callable[[], object] = lambda: None) -> None:
        self._file = file
        self._heed = heed

    def __iter__(self) -> Iterator[Json]:
        return rows_of(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        with self._file.open("rb") as file:
            while chunk := file.read(_CHUNK):
                self._heed()
                yield chunk


def is_list(file: Path) -> bool:
    """Whether what the file holds begins as a list does."""
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            if text := chunk.lstrip(_SPACE):
                return text.startswith(b"[")
    return False


def rows_of(chunks: Iterable[bytes], *, most: int = CAP) -> Iterator[Json]:
    """The rows of the list that the chunks are the text of: each as soon as the chunk with its end has come."""
    split = _Split(most)
    number = 0
    for chunk in chunks:
        for text in split.feed(chunk):
            number += 1
            try:
                row = parse_any(text)
            except BadAnswer:
                raise BadAnswer(f"The answer is not JSON in its row {number:,}.") from None
            yield row
    split.end()


class _Split:
    """Finds where each row ends, without reading it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._start = self._at = self._depth = 0
        self._quoted = self._over = self._some = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The texts of the rows that end in this chunk."""
        self._held += chunk
        while self._step():
            text = bytes(self._held[self._start : self._at])
            self._start = self._at = self._at + 1
            if text.strip(_SPACE):
                self._some = True
                yield text
            elif self._some or not self._over:
                raise _no_json("a row is empty")
        del self._held[: self._start]
        self._at -= self._start
        self._start = 0
        if len(self._held) > self._most:
            raise AnswerTooLarge(f"One row of the answer holds more than {self._most:,} bytes.")

    def end(self) -> None:
        """Raise BadAnswer unless the list was whole."""
        if not self._over:
            raise _no_json("it ends before its list does")

    def _step(self) -> bool:
        """Go to the end of the row that begins at the start; False where more is needed for that."""
        held = self._held
        while not self._over:
            if self._quoted:
                self._at = self._past(_QUOTED)
                if held[self._at : self._at + 1] != b'"':
                    return False
                self._quoted = False
                self._at += 1
            self._at = self._past(_WITHIN if self._depth > 1 else _BETWEEN)
            if self._at == len(held):
                return False
            found = held[self._at]
            if found == ord(b'"'):
                self._quoted = True
                self._at += 1
            elif self._structure(found):
                return True
        if held[self._start :].strip(_SPACE):
            raise _no_json("something follows its list")
        return False

    def _structure(self, found: int) -> bool:
        """Step over a bracket or a comma; whether it ends a row, where it is not stepped over."""
        if not self._depth:
            if found != ord(b"[") or self._held[: self._at].strip(_SPACE):
                raise _no_json("it is no list")
            self._start, self._depth = self._at + 1, 1
        elif found in _OPEN:
            self._depth += 1
        elif found in _CLOSE:
            if self._depth == 1:
                if found != ord(b"]"):
                    raise _no_json("its list ends in another bracket")
                self._over = True
                return True
            self._depth -= 1
        elif self._depth == 1:
            return True
        self._at += 1
        return False

    def _past(self, skipped: re.Pattern[bytes]) -> int:
        found = skipped.match(self._held, self._at)
        assert found is not None
        return found.end()


def _no_json(reason: str) -> BadAnswer:
    return BadAnswer(f"The answer is not JSON: {reason}.")
