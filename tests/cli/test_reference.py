from __future__ import annotations

from pathlib import Path

import pytest

from talkscope.cli import COMMANDS, HIDDEN
from talkscope.cli.group import run
from talkscope.cli.reference import FOLDER, PAGES, stale
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.settings import SETTINGS
from talkscope.tools import TOOLS

ROOT = Path(__file__).parent.parent.parent


def test_the_reference_pages_say_what_the_code_says_now() -> None:
    assert stale(ROOT / FOLDER) == [], "run: python -m talkscope.cli.reference --write"


def test_every_tool_command_measure_dimension_and_setting_has_its_place() -> None:
    assert all(f"## {tool.name}\n" in PAGES["tools.md"]() for tool in TOOLS)
    shown = [name for name, entry in COMMANDS.items() if entry.section != HIDDEN]
    assert all(f"## talkscope {name}\n" in PAGES["commands.md"]() for name in shown)
    assert all(f"| `{name}` |" in PAGES["metrics.md"]() for name in [*MEASURES, *DIMENSIONS])
    assert all(f"| `{setting.name}` |" in PAGES["settings.md"]() for setting in SETTINGS)


def test_pages_that_are_not_current_are_named_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reference", "--write", str(tmp_path)]) == 0
    assert run(["reference", "--check", str(tmp_path)]) == 0
    (tmp_path / "errors.md").write_text("old", encoding="utf-8")
    assert run(["reference", "--check", str(tmp_path)]) == 1
    assert "errors.md" in capsys.readouterr().err
    assert run(["reference", "--write", str(tmp_path)]) == 0
    assert stale(tmp_path) == []
