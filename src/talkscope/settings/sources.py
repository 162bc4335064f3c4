"""The places that can be asked: warehouses by their folder, services by their address and where their key is kept."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, cast

from pydantic import SecretStr

from talkscope.errors import AuthenticationError, InvalidArgument, NotSupported, UnknownName, nearest, unknown
from talkscope.settings.platforms import PLATFORMS, PlatformSettings

CONVAI_URL = "https://analytics-api.convai.com/v1/analytics"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One warehouse that can be asked: its name, and its folder."""

    name: str
    path: Path
    kind: Literal["warehouse"] = "warehouse"


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One service that can be asked: a Convai account or a `talkscope serve`; `key_from` says where its key is from.

    A `key` of None is one that is not set; a `talkscope serve` may need none.
    """

    name: str
    kind: Literal["convai", "talkscope"]
    url: str
    key: SecretStr | None = None
    key_from: str = ""


AnySource: TypeAlias = "SourceSettings | AccountSettings"
Configured: TypeAlias = "AnySource | PlatformSettings"


def sources(told: object, file: Path, env: Mapping[str, str]) -> dict[str, Configured]:
    """The sources of a configuration file's `[sources.NAME]` tables, by name."""
    if not isinstance(told, dict):
        raise InvalidArgument(f"{file}: sources must be tables, [sources.NAME].")
    found: dict[str, Configured] = {}
    for name, table in told.items():
        if not _NAME.fullmatch(name):
            raise InvalidArgument(f"{file}: {name[:64]!r} cannot name a source.", hint="Use letters, digits, - and _.")
        place = f"{file}: [sources.{name}]"
        if not isinstance(table, dict):
            raise InvalidArgument(f"{place} must be a table.")
        if "platform" in table:
            found[name] = _account(name, table, place, env)
            continue
        only(table, {"path", "platform"}, place)
        path = table.get("path")
        if not isinstance(path, str) or not path.strip():
            raise InvalidArgument(
                f"{place} has no path.",
                hint='Write path = "/folder/of/the/warehouse", or platform = "convai" for an account.',
            )
        found[name] = SourceSettings(name, folder(f"{place} path", path, beside=file.absolute().parent))
    return found


def alone(env: Mapping[str, str], configured: Mapping[str, Configured]) -> dict[str, Configured]:
    """The sources that variables make without the file, by name; an account whose key the file speaks of is the file's.

    A variable's address wins over the file's for the same source. Raises InvalidArgument where a variable and the file
    mean different things by one name, because one of them would be left out.
    """
    spoken_for = {each.key_from for each in configured.values() if not isinstance(each, SourceSettings)}
    made = {key: source for key, source in _by_variable(env) if key not in spoken_for}
    for variable, source in made.items():
        told = configured.get(source.name)
        if told is not None and _sort(told) != _sort(source):
            raise InvalidArgument(
                f"{variable} makes the source {source.name}, and the configuration file has another of that name.",
                hint=f"Rename [sources.{source.name}], or take {variable} away.",
            )
    return {source.name: source for source in made.values()}


def _sort(source: Configured) -> tuple[str, str]:
    """What kind of source it is, and where its key is from."""
    if isinstance(source, PlatformSettings):
        return source.platform, source.key_from
    return source.kind, source.key_from if isinstance(source, AccountSettings) else ""


def _by_variable(env: Mapping[str, str]) -> Iterator[tuple[str, Configured]]:
    """What variables alone make, each with the variable that decides."""
    if env.get("TALKSCOPE_WAREHOUSE"):
        path = folder("TALKSCOPE_WAREHOUSE", env["TALKSCOPE_WAREHOUSE"])
        yield "TALKSCOPE_WAREHOUSE", SourceSettings("warehouse", path)
    if env.get("CONVAI_API_KEY"):
        url = env.get("CONVAI_ANALYTICS_BASE_URL") or CONVAI_URL
        key = key_of(env, "CONVAI_API_KEY")
        yield "CONVAI_API_KEY", AccountSettings("convai", "convai", url, key, "CONVAI_API_KEY")
    if env.get("TALKSCOPE_URL"):
        key = key_of(env, "TALKSCOPE_API_KEY")
        yield "TALKSCOPE_URL", AccountSettings("talkscope", "talkscope", env["TALKSCOPE_URL"], key, "TALKSCOPE_API_KEY")
    for platform, known in PLATFORMS.items():
        if env.get(known.key):
            also = {word: env.get(variable, "") for word, variable in known.also.items()}
            url, key = env.get(known.url) or known.usual, key_of(env, known.key)
            yield known.key, PlatformSettings(platform, platform, url, key, known.key, also)


_VARIABLES: Mapping[str, tuple[str, str]] = {
    "convai": ("CONVAI_API_KEY", CONVAI_URL),
    "talkscope": ("TALKSCOPE_API_KEY", ""),
}
"""Platforms that a source may name: the variable that holds the key unless it says another, and the usual address."""


def _account(
    name: str, table: Mapping[str, object], place: str, env: Mapping[str, str]
) -> AccountSettings | PlatformSettings:
    words = {word: value for word, value in table.items() if isinstance(value, str) and value.strip()}
    platform = words.get("platform", "")
    own = PLATFORMS.get(platform)
    # A key in the file would be read by whoever sees the file: only where it is kept stands there.
    only(table, {"platform", "url", "key_env", "key_keyring", *(own.also if own else ())}, place)
    odd = next((word for word in table if word not in words), None)
    if odd is not None:
        raise InvalidArgument(f"{place} {odd} must be a text that is not empty.")
    if own is not None:
        key, where = _key(words, own.key, place, env)
        also = {word: words.get(word) or env.get(variable, "") for word, variable in own.also.items()}
        url = words.get("url") or env.get(own.url) or own.usual
        return PlatformSettings(name, platform, url, key, where, also)
    if platform not in _VARIABLES:
        raise unknown("platform", platform, [*_VARIABLES, *PLATFORMS])
    variable, usual = _VARIABLES[platform]
    url = words.get("url") or (env.get("CONVAI_ANALYTICS_BASE_URL") if platform == "convai" else None) or usual
    if not url:
        raise InvalidArgument(f"{place} has no url.", hint='Write url = "http://127.0.0.1:8765".')
    kind: Literal["convai", "talkscope"] = "convai" if platform == "convai" else "talkscope"
    return AccountSettings(name, kind, url, *_key(words, variable, place, env))


def _key(words: Mapping[str, str], variable: str, place: str, env: Mapping[str, str]) -> tuple[SecretStr | None, str]:
    """The key of a table's account, and where it is from."""
    if "key_keyring" in words:
        return _from_keyring(words["key_keyring"], place), words["key_keyring"]
    named = words.get("key_env", variable)
    return key_of(env, named), named


class _Keyring(Protocol):
    """The package keyring, as far as it matters here."""

    def get_password(self, service_name: str, username: str) -> str | None: ...


def _from_keyring(entry: str, place: str) -> SecretStr | None:
    """The key under `service/user` in the system's keyring."""
    service, slash, user = entry.partition("/")
    if not slash or not service or not user:
        raise InvalidArgument(f"{place} key_keyring must be service/user.")
    try:
        keyring = cast("_Keyring", importlib.import_module("keyring"))
    except ImportError:
        raise NotSupported(
            f"{place} keeps its key in a keyring, and the package keyring is not installed.",
            hint="Install talkscope[keyring], or name a variable with key_env.",
        ) from None
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001  # each system's keyring has errors of its own
        raise InvalidArgument(f"{place}: the keyring cannot be read ({type(error).__name__}).") from None
    return None if not found else key_of({"key_keyring": found.strip()}, "key_keyring")


def folder(what: str, text: str, beside: Path | None = None) -> Path:
    """The folder that a text names, absolute; a relative one of the configuration file is beside that file."""
    if "://" in text:
        raise NotSupported(f"{what} is the address of an engine.", hint="Name a folder: a warehouse is a folder.")
    if not _is_text(text):
        # The engine knows paths by their text.
        raise InvalidArgument(f"{what} holds bytes that are no text.", hint="Name a folder whose name is UTF-8.")
    path = at_home(what, text)
    return path.absolute() if beside is None else (beside / path).absolute()


def at_home(what: str, text: str) -> Path:
    """The path with the folder that a leading ~ stands for."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InvalidArgument(f"{what} begins with ~, and there is no home folder.") from None


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def key_of(env: Mapping[str, str], name: str) -> SecretStr | None:
    """The key that a variable holds. It is in no error."""
    text = env.get(name)
    if not text:
        return None
    if not _KEY.fullmatch(text):
        raise InvalidArgument(f"{name} holds characters that no key has.", hint=f"Set {name} to the key alone.")
    return SecretStr(text)


def needed_key(account: AccountSettings | PlatformSettings) -> SecretStr:
    """The account's key. Raises AuthenticationError, saying what to set, where there is none."""
    if account.key is None:
        raise AuthenticationError(
            f"The source {account.name} has no key.", hint=f"Set {account.key_from or 'its key'}, and start again."
        )
    return account.key


def only(table: Mapping[str, object], known: set[str], place: str) -> None:
    """Raise UnknownName, with the nearest, unless the table holds only known keys."""
    for name in table:
        if name not in known:
            close = nearest(name, known)
            raise UnknownName(
                f"{place}: unknown key {name[:60]!r}.",
                hint=f"Did you mean {close!r}?" if close else f"Known: {', '.join(sorted(known))}.",
            )
