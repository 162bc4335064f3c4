"""Scripts of the repository, run here with words of their own, asking what the environment names."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, *words: str, monkeypatch: pytest.MonkeyPatch) -> int | str:
    """What the script ends with: 0, an exit code, or what it says as it gives up."""
    place = ROOT / script
    monkeypatch.setattr(sys, "argv", [place.name, *words])
    try:
        runpy.run_path(str(place), run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int | str) else 0
    return 0
