"""Raw answers in a folder, one file each, for whoever wants to work something out anew without asking again."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from talkscope.errors import Json

_ODD = re.compile(r"[^\w.-]+")
_PAGES = re.compile(r"conversations-\d+")


class Saved:
    """A folder of its owner's only; files of the same names are replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []
        self._pages: dict[str, list[Json]] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, name: str, answer: Json) -> None:
        """Write an answer as it came. Raises OSError."""
        self._write(f"{_ODD.sub('_', name)[:150]}.json", answer)
        listed = answer.get("conversations") if isinstance(answer, dict) else None
        if _PAGES.fullmatch(name) and isinstance(listed, list):
            self._pages[name] = listed

    def done(self, exported_at: str) -> None:
        """Write the pages of conversations as one export too, which `--from` takes."""
        if not self._pages:
            return
        rows = [row for name in sorted(self._pages) for row in self._pages[name]]
        every = {str(row.get("conversation_id")): row for row in rows if isinstance(row, dict)}
        listed: list[Json] = [*every.values()]
        head: dict[str, Json] = {
            "exported_at": exported_at,
            "total_matched": len(listed),
            "total_exported": len(listed),
        }
        self._write("all_conversations.json", {**head, "conversations": listed})

    def _write(self, name: str, value: Json) -> None:
        file = self.folder / name
        # Made anew: a file that is there may be open to others.
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            json.dump(value, out, ensure_ascii=False, indent=2)
            out.write("\n")
        self.files.append(name)
