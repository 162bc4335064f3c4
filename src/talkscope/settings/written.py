"""Settings as a process of one's own is given them: its sources in a configuration file, all else in variables."""

from __future__ import annotations

import json
from pathlib import Path

from talkscope.settings import AnySource, PlatformSettings, Settings, SourceSettings


def written(settings: Settings, file: Path) -> dict[str, str]:
    """Write the file, and return the variables under which `read` makes the same settings of both.

    No key is in the file: each is in the variable that the file names for it.
    """
    lines = [] if settings.default_source is None else [f"source = {_text(settings.default_source)}"]
    keys: dict[str, str] = {}
    for each in (*settings.sources, *settings.platforms):
        lines += [f"[sources.{each.name}]", *(f"{word} = {_text(value)}" for word, value in _table(each).items())]
        if not isinstance(each, SourceSettings) and each.key is not None:
            keys[each.key_from] = each.key.get_secret_value()
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    told = {
        "TALKSCOPE_CONFIG": str(file),
        "TALKSCOPE_DEADLINE": repr(settings.deadline),
        "TALKSCOPE_REQUEST_BUDGET": str(settings.requests),
        "TALKSCOPE_MEMORY_LIMIT": settings.memory_limit,
        "TALKSCOPE_THREADS": str(settings.threads or ""),
        "TALKSCOPE_ANSWER_TOKENS": str(settings.answer_tokens),
        "TALKSCOPE_REVEAL_PERSONAL_DATA": str(int(settings.reveal_personal_data)),
        "TALKSCOPE_ALLOW_SIDE_EFFECTS": str(int(settings.allow_side_effects)),
    }
    return {**told, **keys}


def _table(source: AnySource | PlatformSettings) -> dict[str, str]:
    """The source's table of the configuration file."""
    if isinstance(source, SourceSettings):
        return {"path": str(source.path)}
    platform = source.platform if isinstance(source, PlatformSettings) else source.kind
    also = {word: value for word, value in source.also.items() if value} if isinstance(source, PlatformSettings) else {}
    return {"platform": platform, "url": source.url, "key_env": source.key_from, **also}


def _text(value: str) -> str:
    """A text as TOML writes it: as JSON does, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
