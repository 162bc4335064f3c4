"""An answer's bytes without the key, for a service that repeats it must not bring it into what is read or kept."""

from __future__ import annotations

from pydantic import SecretStr

_MARK = b"[redacted]"
# A shorter one would be a word that answers hold anyway.
_LEAST_KEY = 8


def without(key: SecretStr | None, body: bytes) -> bytes:
    """The body without the key."""
    return _replaced(_words(key), body)


class Redactor:
    """The same for a body that comes in pieces, wherever the key is cut in two.

    `feed` it pieces and take what it gives back, which is up to a key's length behind, then the `end`.
    """

    def __init__(self, key: SecretStr | None) -> None:
        self._words = _words(key)
        self._behind = max((len(word) - 1 for word in self._words), default=0)
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """What is known to be no beginning of a key."""
        text = _replaced(self._words, self._rest + piece)
        cut = max(0, len(text) - self._behind)
        self._rest = text[cut:]
        return text[:cut]

    def end(self) -> bytes:
        """The rest."""
        rest, self._rest = self._rest, b""
        return rest


def _words(key: SecretStr | None) -> list[bytes]:
    """The key as a header has it, and without a scheme such as Bearer, which a service may leave out."""
    secret = "" if key is None else key.get_secret_value()
    words = {word for word in (secret, *secret.split()) if len(word) >= _LEAST_KEY}
    return [word.encode() for word in sorted(words, key=len, reverse=True)]


def _replaced(words: list[bytes], text: bytes) -> bytes:
    for word in words:
        text = text.replace(word, _MARK)
    return text
