"""What the user has set: environment variables and the configuration file, read once into a frozen `Settings`.

The environment wins over the file. Nothing else in Talkscope reads the environment.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import platformdirs
from pydantic import SecretStr

from talkscope.errors import AuthenticationError, InvalidArgument, Json, NotSupported, SourceNotChosen, unknown
from talkscope.settings.platforms import PLATFORMS, PlatformSettings, chosen, platform_of
from talkscope.settings.sources import (
    CONVAI_URL,
    AccountSettings,
    AnySource,
    Configured,
    SourceSettings,
    alone,
    at_home,
    key_of,
    needed_key,
    only,
    sources,
)
from talkscope.settings.variables import SETTINGS, Setting

__all__ = [
    "CONVAI_URL", "PLATFORMS", "SETTINGS", "AccountSettings", "AnySource", "PlatformSettings", "Setting", "Settings",
    "SourceSettings", "convai", "needed_key", "own_warehouse", "platform_of", "private_folder", "read",
]  # fmt: skip

T = TypeVar("T")

_MEMORY = re.compile(r"\d+(\.\d+)?\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)", re.IGNORECASE)
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
LONGEST_DEADLINE = 3_600.0
MOST_REQUESTS = 1_000
MOST_TOKENS = 10_000
LEAST_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set. An empty `memory_limit` and `threads` 0 leave the choice to the engine."""

    sources: tuple[AnySource, ...] = ()
    default_source: str | None = None
    deadline: float = 30.0
    requests: int = 20
    memory_limit: str = ""
    threads: int = 0
    answer_tokens: int = 4_000
    reveal_personal_data: bool = False
    platforms: tuple[PlatformSettings, ...] = ()
    allow_side_effects: bool = False

    def accounts(self, platform: str) -> list[PlatformSettings]:
        """The accounts of a platform."""
        return [each for each in self.platforms if each.platform == platform]

    def platform(self, platform: str, name: str | None = None) -> PlatformSettings:
        """The account of a platform, which is named in kebab or snake case: of that name, or the only one.

        Raises NotSupported where there is none, SourceNotChosen or UnknownName.
        """
        word = platform_of(platform)
        return chosen(self.accounts(word), word, name)

    def source(self, name: str | None = None) -> AnySource:
        """The source of that name, else the default, else the only one. Raises SourceNotChosen or UnknownName."""
        by_name = {source.name: source for source in self.sources}
        wanted = name or self.default_source
        if wanted is None and len(self.sources) == 1:
            return self.sources[0]
        if wanted is None:
            listed: list[Json] = list(by_name)
            raise SourceNotChosen(
                "Several sources are configured and none is named." if by_name else "No source is configured.",
                hint=f"Name one of {', '.join(by_name)}, or set TALKSCOPE_SOURCE."
                if by_name
                else "Set TALKSCOPE_WAREHOUSE.",
                details={"known": listed},
            )
        if wanted in by_name:
            return by_name[wanted]
        account = next((each for each in self.platforms if each.name == wanted), None)
        if account is not None:
            raise NotSupported(
                f"The source {wanted} is a {account.platform} account, which has questions of its own.",
                hint=f"Use its tools, or bring it into a warehouse: talkscope sync {account.platform}.",
            )
        raise unknown("source", wanted, by_name)

    def warehouse(self, name: str | None = None) -> SourceSettings:
        """The warehouse of that name, else the default, else the only one there is: what can be written to.

        Raises NotSupported for a source that is no warehouse, SourceNotChosen or UnknownName.
        """
        folders = [source for source in self.sources if isinstance(source, SourceSettings)]
        if name is None and len(folders) == 1:
            return folders[0]
        found = self.source(name)
        if isinstance(found, SourceSettings):
            return found
        raise NotSupported(
            f"The source {found.name} is no warehouse.",
            hint=f"Name one of {', '.join(each.name for each in folders)}."
            if folders
            else "Set TALKSCOPE_WAREHOUSE to a folder, or name one with --warehouse.",
        )


class _Hidden(dict[str, str]):
    """An environment that no repr shows, a traceback's of local variables included: it holds secrets."""

    def __repr__(self) -> str:
        return "{…}"


def read(environ: Mapping[str, str] | None = None, *, config: Path | None = None) -> Settings:
    """The settings of an environment (this process's own by default) and of its configuration file.

    `config` names the file in place of TALKSCOPE_CONFIG. Without any source configured, the one source is `warehouse`
    in the user's data folder. Raises InvalidArgument, UnknownName or NotSupported, naming the variable or the key.
    """
    env = _Hidden({name: value.strip() for name, value in (os.environ if environ is None else environ).items()})
    configured, default = _configured(env, config)
    by_variable = alone(env, configured)
    named = {**by_variable, **configured, **by_variable}
    found = [each for each in named.values() if not isinstance(each, PlatformSettings)]
    accounts = [each for each in named.values() if isinstance(each, PlatformSettings)]
    if not found:
        found = [SourceSettings("warehouse", own_warehouse())]
    default = env.get("TALKSCOPE_SOURCE") or default
    if default and default not in {each.name for each in (*found, *accounts)}:
        raise unknown("source", default, [each.name for each in found])
    reveal = _taken(env, "TALKSCOPE_REVEAL_PERSONAL_DATA", _truth, "1 or 0")
    return Settings(
        sources=tuple(found),
        default_source=default or None,
        deadline=_taken(env, "TALKSCOPE_DEADLINE", _seconds, "a number of seconds above 0, up to 3,600") or 30.0,
        requests=_taken(env, "TALKSCOPE_REQUEST_BUDGET", _requests, "a number from 1 to 1,000") or 20,
        memory_limit=_taken(env, "TALKSCOPE_MEMORY_LIMIT", _memory, "an amount such as 2GB") or "",
        threads=_taken(env, "TALKSCOPE_THREADS", _threads, "a number from 1 to 1,024") or 0,
        answer_tokens=_taken(env, "TALKSCOPE_ANSWER_TOKENS", _tokens, "a number from 200 to 10,000") or 4_000,
        reveal_personal_data=bool(reveal),
        platforms=tuple(accounts),
        allow_side_effects=bool(_taken(env, "TALKSCOPE_ALLOW_SIDE_EFFECTS", _truth, "1 or 0")),
    )


def convai(
    settings: Settings | None = None, *, key: SecretStr | str | None = None, url: str | None = None
) -> AccountSettings:
    """A Convai account with this key and address; what is left out is the configured account's, or the environment's.

    Raises AuthenticationError when there is no key.
    """
    known = [
        each for each in (settings or read()).sources if isinstance(each, AccountSettings) and each.kind == "convai"
    ]
    found = next((each for each in known if each.name == "convai"), known[0] if known else None)
    if key is not None:
        text = key.get_secret_value() if isinstance(key, SecretStr) else key
        secret = key_of({"the key": text.strip()}, "the key")
    else:
        secret = None if found is None else found.key
    if secret is None:
        raise AuthenticationError("There is no key for the Convai Analytics API.", hint="Set CONVAI_API_KEY.")
    address = url or (found.url if found else os.environ.get("CONVAI_ANALYTICS_BASE_URL")) or CONVAI_URL
    return AccountSettings("convai", "convai", address, secret, found.key_from if found and key is None else "")


def _taken(env: Mapping[str, str], name: str, understand: Callable[[str], T], wanted: str) -> T | None:
    """The variable's value, or None where it is not set. The value is in no error, because it may be a secret."""
    text = env.get(name)
    if not text:
        return None
    try:
        return understand(text)
    except ValueError:
        raise InvalidArgument(f"{name} must be {wanted}.", hint=f"Correct {name}, or take it away.") from None


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 < value <= LONGEST_DEADLINE):
        raise ValueError
    return value


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise ValueError
    return text


def _between(text: str, low: int, high: int) -> int:
    value = int(text)
    if not low <= value <= high:
        raise ValueError
    return value


def _threads(text: str) -> int:
    return _between(text, 1, 1_024)


def _requests(text: str) -> int:
    return _between(text, 1, MOST_REQUESTS)


def _tokens(text: str) -> int:
    return _between(text, LEAST_TOKENS, MOST_TOKENS)


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def private_folder(source: str) -> Path:
    """Where what belongs to a source without a folder of its own is kept, such as its masking key."""
    return platformdirs.user_data_path("talkscope", appauthor=False) / "accounts" / source


def own_warehouse() -> Path:
    """The warehouse in the user's data folder, which is used where none is set."""
    return platformdirs.user_data_path("talkscope", appauthor=False) / "warehouse"


def _configured(env: Mapping[str, str], config: Path | None) -> tuple[dict[str, Configured], str | None]:
    """The sources of the configuration file by name, and its default."""
    told = env.get("TALKSCOPE_CONFIG")
    named = config or (at_home("TALKSCOPE_CONFIG", told) if told else None)
    file = named or platformdirs.user_config_path("talkscope", appauthor=False) / "config.toml"
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if named is None:
            return {}, None
        raise InvalidArgument(f"The configuration file {file} is not there.", hint="Check TALKSCOPE_CONFIG.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"The configuration file {file} cannot be read ({type(error).__name__}).") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgument(f"The configuration file {file} is not TOML: {error}.") from None
    only(tables, {"source", "sources"}, str(file))
    default = tables.get("source")
    if default is not None and not isinstance(default, str):
        raise InvalidArgument(f"{file}: source must be a text, the name of the default source.")
    return sources(tables.get("sources", {}), file, env), default
