"""Personal data out of sight: e-mail addresses, phone numbers and page addresses become stable marks.

The same text gives the same mark under the same key, so that grouping and counting work on marks as they do on what
they stand for, and a mark can be filtered by. Without the key nobody finds out by trying what a mark stands for.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

KEY_FILE = "mask.key"
KEY_BYTES = 32

_URL = re.compile(r"(?<![\w])(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")
# A run of digits as people write phone numbers; `_phone` decides whether it is one.
_DIGITS = re.compile(r"(?<![\w.,/+-])(?<!\d:)(?:\+|00|\()?\d(?:[ ().\-/\u00a0\u2011]{0,2}\d){6,19}(?![\w-]|[.,:/]\d)")
# The zero that numbers are called with from inside a country, and one gap: 0170 1234567.
_TRUNK = re.compile(r"\(?0[1-9]\d{1,3}\)?[ \-/\u00a0\u2011]{1,2}\d{4,8}")
_DATE = re.compile(r"\b(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})\b")
_TRAILING = ".,;:!?)]}"


class Mask:
    """Puts `email:ab12cd34`, `phone:…` and `url:…` in the place of personal data, by a hash that needs the key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Mask(…)"

    def mask(self, text: str) -> str:
        """The text with each e-mail address, phone number and page address replaced by its mark.

        A cell that is nothing but digits stays, and so does one word with a number behind a colon (`wa:+49…`): each is
        an id as often as a number to call.
        """
        if "://" in text or "www." in text.lower():
            text = _URL.sub(self._url, text)
        if "@" in text:
            text = _EMAIL.sub(lambda found: self._mark("email", found[0]), text)
        if any(character.isdigit() for character in text):
            words = text.split()
            text = _DIGITS.sub(lambda found: self._called(found, [found[0]] == words, len(words) == 1), text)
        return text

    def _mark(self, kind: str, text: str) -> str:
        digest = hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256)
        return f"{kind}:{digest.hexdigest()[:8]}"

    def _url(self, found: re.Match[str]) -> str:
        url = found[0].rstrip(_TRAILING)
        return self._mark("url", url) + found[0][len(url) :]

    def _called(self, found: re.Match[str], alone: bool, one_word: bool) -> str:
        behind_colon = found.string[found.start() - 1 : found.start()] == ":"
        return found[0] if behind_colon and one_word else self._phone(found[0], alone=alone)

    def _phone(self, run: str, *, alone: bool) -> str:
        digits = re.sub(r"\D", "", run)
        if run.startswith("00"):
            digits = digits[2:]
        international = run.startswith(("+", "00"))
        groups = [group for group in re.split(r"\D+", run) if group]
        if _DATE.search(run) or not 7 <= len(digits) <= 15:
            return run
        dotted = len(groups) == 4 and run.count(".") == 3 and all(int(group) < 256 for group in groups)
        written = len(groups) in range(3, 7) and len(digits) >= 9 and max(map(len, groups)) < 6 and not dotted
        bare = len(groups) == 1 and len(digits) >= 10 and not alone
        trunk = len(digits) in range(9, 13) and _TRUNK.fullmatch(run) is not None
        if not (written or bare or trunk or (international and (len(groups) > 1 or run[0] == "+" or not alone))):
            return run
        return self._mark("phone", run)


def stored_key(folder: Path, fresh: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """The masking key of a warehouse: `mask.key` beside its segments, readable by its owner only, made on first use.

    Where nothing can be written the key is a fresh one, which lasts as long as its holder.
    """
    file = folder / KEY_FILE
    with suppress(OSError):
        if not file.exists():
            _write(file, fresh(KEY_BYTES))
        key = file.read_bytes()
        if len(key) >= KEY_BYTES:
            return key
    return fresh(KEY_BYTES)


def _write(file: Path, key: bytes) -> None:
    """Put the key in place whole, unless another process was first."""
    handle, name = tempfile.mkstemp(prefix=".mask-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(key)
        try:
            os.link(name, file)
        except FileExistsError:
            return
        except OSError:
            # Not every file system has links.
            Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
