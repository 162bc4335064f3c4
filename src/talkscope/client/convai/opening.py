"""Which account is asked, from arguments and settings, without its key ever standing in a local variable for long."""

from __future__ import annotations

import math

from pydantic import SecretStr

from talkscope import settings
from talkscope.errors import AuthenticationError, InvalidArgument
from talkscope.settings import AccountSettings


def hidden(key: object) -> SecretStr | None:
    """The key as what no repr shows."""
    if key is None or isinstance(key, SecretStr):
        return key
    # What is no text is refused later as what no key can be, and is in no local variable by then.
    return SecretStr(key if isinstance(key, str) else "\0")


def account(key: SecretStr | None, url: str | None, timeout: object) -> AccountSettings:
    """The account of these arguments, else of the settings. Raises AuthenticationError or InvalidArgument."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise InvalidArgument("timeout must be a number of seconds above 0.")
    if key is not None and not key.get_secret_value().strip():
        raise AuthenticationError("The key is empty.", hint="Give the account's key, or set CONVAI_API_KEY.")
    if key is not None and url:
        # Nothing is left to look up, so that nothing else that is set can be in the way.
        return AccountSettings("convai", "convai", url, key)
    return settings.convai(key=key, url=url)


def refuse_both(key: SecretStr | None, url: str | None) -> None:
    """Raise InvalidArgument when a client that has an address and a key is given others."""
    if key is not None or url is not None:
        raise InvalidArgument(
            "A talkscope client has an address and a key of its own.",
            hint="Give api_key and base_url, or client, or an httpx client with them.",
        )
