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
from typing import Literal, TypeVar

import platformdirs

from talkscope.errors import InvalidArgument, Json, NotSupported, SourceNotChosen, UnknownName, nearest, unknown

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MEMORY = re.compile(r"\d+(\.\d+)?\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)", re.IGNORECASE)
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
LONGEST_DEADLINE = 3_600.0
MOST_TOKENS = 10_000
LEAST_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, its default as a reader would write it, and what it means."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "TALKSCOPE_WAREHOUSE",
        "the user's data folder",
        "Folder of the warehouse; it becomes the source `warehouse`. A folder that is not there yet is an empty one.",
    ),
    Setting("TALKSCOPE_SOURCE", "the only source there is", "Name of the source that is asked when none is named."),
    Setting(
        "TALKSCOPE_CONFIG",
        "config.toml in the user's configuration folder",
        "The configuration file, whose `[sources.NAME]` tables give each warehouse a `path`.",
    ),
    Setting("TALKSCOPE_DEADLINE", "30", "Seconds that one question may take, up to 3,600."),
    Setting(
        "TALKSCOPE_MEMORY_LIMIT",
        "the engine's own (80 % of the machine's)",
        "Memory that the warehouse's engine may use, such as 2GB; beyond it, queries spill to the warehouse's folder.",
    ),
    Setting("TALKSCOPE_THREADS", "one for each core", "Threads of the warehouse's engine."),
    Setting(
        "TALKSCOPE_ANSWER_TOKENS",
        "4000",
        "Tokens that a tool's answer may take, 200 to 10,000; a longer answer is coarsened and says so.",
    ),
    Setting(
        "TALKSCOPE_REVEAL_PERSONAL_DATA",
        "0",
        "1 has tools show e-mail addresses, phone numbers and page addresses instead of masking them.",
    ),
)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One place that can be asked: its name, and the folder of its warehouse."""

    name: str
    path: Path
    kind: Literal["warehouse"] = "warehouse"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set. An empty `memory_limit` and `threads` 0 leave the choice to the engine."""

    sources: tuple[SourceSettings, ...] = ()
    default_source: str | None = None
    deadline: float = 30.0
    memory_limit: str = ""
    threads: int = 0
    answer_tokens: int = 4_000
    reveal_personal_data: bool = False

    def source(self, name: str | None = None) -> SourceSettings:
        """The source of that name, else the default, else the only one. Raises SourceNotChosen or UnknownName."""
        by_name = {source.name: source for source in self.sources}
        chosen = name or self.default_source
        if chosen is None and len(self.sources) == 1:
            return self.sources[0]
        if chosen is None:
            listed: list[Json] = list(by_name)
            raise SourceNotChosen(
                "Several sources are configured and none is named." if by_name else "No source is configured.",
                hint=f"Name one of {', '.join(by_name)}, or set TALKSCOPE_SOURCE."
                if by_name
                else "Set TALKSCOPE_WAREHOUSE.",
                details={"known": listed},
            )
        if chosen not in by_name:
            raise unknown("source", chosen, by_name)
        return by_name[chosen]


def read(environ: Mapping[str, str] | None = None, *, config: Path | None = None) -> Settings:
    """The settings of an environment (this process's own by default) and of its configuration file.

    `config` names the file in place of TALKSCOPE_CONFIG. Without any source configured, the one source is `warehouse`
    in the user's data folder. Raises InvalidArgument, UnknownName or NotSupported, naming the variable or the key.
    """
    env = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
    configured, default = _configured(env, config)
    named = env.get("TALKSCOPE_WAREHOUSE")
    if named or not configured:
        place = _folder("TALKSCOPE_WAREHOUSE", named) if named else _own_warehouse()
        configured = {"warehouse": place} | {name: path for name, path in configured.items() if name != "warehouse"}
    default = env.get("TALKSCOPE_SOURCE") or default
    if default and default not in configured:
        raise unknown("source", default, configured)
    reveal = _taken(env, "TALKSCOPE_REVEAL_PERSONAL_DATA", _truth, "1 or 0")
    return Settings(
        sources=tuple(SourceSettings(name, path) for name, path in configured.items()),
        default_source=default or None,
        deadline=_taken(env, "TALKSCOPE_DEADLINE", _seconds, "a number of seconds above 0, up to 3,600") or 30.0,
        memory_limit=_taken(env, "TALKSCOPE_MEMORY_LIMIT", _memory, "an amount such as 2GB") or "",
        threads=_taken(env, "TALKSCOPE_THREADS", _threads, "a number from 1 to 1,024") or 0,
        answer_tokens=_taken(env, "TALKSCOPE_ANSWER_TOKENS", _tokens, "a number from 200 to 10,000") or 4_000,
        reveal_personal_data=bool(reveal),
    )


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


def _tokens(text: str) -> int:
    return _between(text, LEAST_TOKENS, MOST_TOKENS)


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _own_warehouse() -> Path:
    return platformdirs.user_data_path("talkscope", appauthor=False) / "warehouse"


def _folder(what: str, text: str, beside: Path | None = None) -> Path:
    if "://" in text:
        raise NotSupported(f"{what} is the address of an engine.", hint="Name a folder: a warehouse is a folder.")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise InvalidArgument(f"{what} begins with ~, and there is no home folder.") from None
    return path.absolute() if beside is None else (beside / path).absolute()


def _configured(env: Mapping[str, str], config: Path | None) -> tuple[dict[str, Path], str | None]:
    """The sources of the configuration file by name, and its default."""
    named = config or (Path(env["TALKSCOPE_CONFIG"]).expanduser() if env.get("TALKSCOPE_CONFIG") else None)
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
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgument(f"The configuration file {file} is not TOML: {error}.") from None
    _only(told, {"source", "sources"}, str(file))
    default = told.get("source")
    if default is not None and not isinstance(default, str):
        raise InvalidArgument(f"{file}: source must be a text, the name of the default source.")
    return _sources(told.get("sources", {}), file), default


def _sources(told: object, file: Path) -> dict[str, Path]:
    if not isinstance(told, dict):
        raise InvalidArgument(f"{file}: sources must be tables, [sources.NAME].")
    found: dict[str, Path] = {}
    for name, table in told.items():
        if not _NAME.fullmatch(name):
            raise InvalidArgument(f"{file}: {name[:64]!r} cannot name a source.", hint="Use letters, digits, - and _.")
        place = f"{file}: [sources.{name}]"
        if not isinstance(table, dict):
            raise InvalidArgument(f"{place} must be a table.")
        _only(table, {"path"}, place)
        path = table.get("path")
        if not isinstance(path, str) or not path.strip():
            raise InvalidArgument(f"{place} has no path.", hint='Write path = "/folder/of/the/warehouse".')
        found[name] = _folder(f"{place} path", path, beside=file.absolute().parent)
    return found


def _only(table: Mapping[str, object], known: set[str], place: str) -> None:
    for name in table:
        if name not in known:
            close = nearest(name, known)
            raise UnknownName(
                f"{place}: unknown key {name[:60]!r}.",
                hint=f"Did you mean {close!r}?" if close else f"Known: {', '.join(sorted(known))}.",
            )
