from __future__ import annotations

import zipfile
from pathlib import Path

from tests.package.check import ROOT, recipes_missing


def _wheel(folder: Path, *names: str) -> Path:
    file = folder / "talkscope-0.0.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(f"talkscope/_shipped/recipes/{name}", "")
    return file


def test_a_wheel_without_a_recipe_is_told_which(tmp_path: Path):
    recipes = ROOT / "recipes"
    files = [file for file in recipes.rglob("*.*") if file.suffix in {".md", ".py"} and file.name != "README.md"]
    every = sorted(file.relative_to(recipes).as_posix() for file in files)
    assert recipes_missing(_wheel(tmp_path, *every), recipes) == ""
    assert recipes_missing(_wheel(tmp_path, *every[1:]), recipes) == f"lacks {every[0]}"


def test_a_tree_without_recipes_is_no_tree_to_compare_with(tmp_path: Path):
    (tmp_path / "recipes").mkdir()
    assert recipes_missing(_wheel(tmp_path, "prompts/usage-summary.md"), tmp_path / "recipes") != ""
