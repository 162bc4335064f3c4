"""`python -m talkscope.surface --check`, `--write`, or `--live URL`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from talkscope.errors import Json, TalkscopeError
from talkscope.models.text import clean
from talkscope.surface import BREAKING, NONE, analytics, as_text, between, live, tools, verdict

DOCUMENTS: Mapping[str, Callable[[], dict[str, Json]]] = {"analytics.json": analytics, "mcp.json": tools}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or write the documents in a folder; 1 when a check found a difference, or a service would break clients."""
    parser = argparse.ArgumentParser(prog="talkscope.surface", description=__doc__)
    doing = parser.add_mutually_exclusive_group(required=True)
    doing.add_argument("--check", action="store_true", help="say what changed, and exit 1 if anything did")
    doing.add_argument("--write", action="store_true", help="write the documents")
    parser.add_argument(
        "--live",
        metavar="URL",
        help="also compare the API with a service's, up to /v1/analytics; 1 if that breaks clients",
    )
    parser.add_argument("--folder", type=Path, default=Path("openapi"), help="where they are, default openapi")
    asked = parser.parse_args(arguments)
    differs = False
    for name, render in DOCUMENTS.items():
        file, new = asked.folder / name, render()
        differs |= _compare(name, file, new)
        if asked.write:
            asked.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(as_text(new), encoding="utf-8")
    if differs and asked.check:
        sys.stdout.write("`make contract-write` writes what the code declares.\n")
    broken = asked.live is not None and _breaks(asked.live)
    return 1 if broken or (differs and asked.check) else 0


def _breaks(url: str) -> bool:
    """Say how a service differs from the contract, and whether clients of ours would notice."""
    try:
        changes = live.against(analytics(), live.served(url))
    except TalkscopeError as error:
        sys.stdout.write(f"the service: {clean(str(error), 300)}\n")
        return True
    sys.stdout.write(f"the service: {verdict(changes)}\n")
    for change in changes:
        sys.stdout.write(f"  {clean(str(change), 300)}\n")
    return verdict(changes) == BREAKING


def _compare(name: str, file: Path, new: Mapping[str, Json]) -> bool:
    """Say what changed, and whether anything did."""
    if not file.exists():
        sys.stdout.write(f"{name}: compatible (there was none)\n")
        return True
    text = file.read_text(encoding="utf-8")
    try:
        old = json.loads(text)
    except ValueError:
        old = {}
    changes = between(old if isinstance(old, dict) else {}, new)
    sys.stdout.write(f"{name}: {verdict(changes)}\n")
    for change in changes:
        sys.stdout.write(f"  {change}\n")
    if not changes and text != as_text(new):
        sys.stdout.write("  compatible: the file is written in another way\n")
    return verdict(changes) != NONE or text != as_text(new)


if __name__ == "__main__":
    sys.exit(main())
