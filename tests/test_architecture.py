"""What the layout promises and no linter holds.

Who may import whom is import-linter's; printing, docstrings and style are ruff's; both are set in pyproject.toml.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "talkscope"
SOURCES = sorted(PACKAGE.rglob("*.py"))

MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 60

# The packages whose members are one file each, and the names of the tables in their __init__ that list them.
TABLES = {
    "tools": "TOOLS RECORD_TOOLS TOOLSETS",
    "warehouse/ingest": "FORMATS",
    "warehouse/questions": "QUESTIONS",
    "hosted": "QUESTIONS",
    "cli": "COMMANDS",
}

# A model's host waits for this import, so what only some calls need is loaded by those calls.
# (mcp itself brings starlette, uvicorn and click, and httpx brings rich; rich.logging would be our doing.)
TOO_HEAVY_FOR_THE_SERVER = {"altair", "vl_convert", "duckdb", "rich.logging", "talkscope.api", "talkscope.cli"}
TOO_HEAVY_FOR_THE_PACKAGE = {"httpx", "mcp", "duckdb", "starlette", "click", "rich", "pydantic"}

# Spelled so that this file does not hold the words it looks for.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K|place[h]older|for n[o]w)\b", re.IGNORECASE)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions that a caller can reach by public names: of the module, and of its public classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public_functions(node.body)


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    of = function.args
    for argument in [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]:
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if function.returns is not None:
        yield function.returns


def _says_any(annotation: ast.expr) -> bool:
    for node in ast.walk(annotation):
        match node:
            case ast.Name(id="Any") | ast.Attribute(attr="Any"):
                return True
            case ast.Constant(value=str(text)) if re.search(r"\bAny\b", text):
                return True
    return False


def _reads_the_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return "env" in name
        case ast.ImportFrom(module="os", names=names):
            return any("env" in each.name for each in names)
    return False


def _listed(package: str, table: str) -> set[str]:
    """The modules that the table speaks of: by name, by something imported from them, or in a text such as "a:b"."""
    tree = _tree(PACKAGE / package / "__init__.py")
    imported_from: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            stem = node.module.rpartition(".")[2]
            imported_from.update({alias.asname or alias.name: stem for alias in node.names})
            if node.module == f"talkscope.{package.replace('/', '.')}":
                imported_from.update({alias.asname or alias.name: alias.name for alias in node.names})
    listed: set[str] = set()
    for node in ast.walk(_assigned(tree, table)):
        if isinstance(node, ast.Name):
            listed.add(imported_from.get(node.id, node.id))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            listed.update(re.split(r"[.:]", node.value))
    return listed


def _assigned(tree: ast.Module, name: str) -> ast.expr:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.expr() as value) if found == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                return value
    pytest.fail(f"no {name} in this __init__.py")


def _shared(package: str) -> set[str]:
    """The modules that every member may import, so that they are no members themselves: pyproject.toml names them."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    members = f"talkscope.{package.replace('/', '.')}.*"
    return {
        allowed.rpartition(".")[2]
        for contract in options["tool"]["importlinter"]["contracts"]
        if contract["type"] == "independence" and contract["modules"] == [members]
        for allowed in contract.get("ignore_imports", [])
    }


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(("package", "table"), TABLES.items())
def test_a_packages_table_of_contents_names_each_member(package: str, table: str) -> None:
    members = {
        path.stem for path in (PACKAGE / package).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    members -= {"__init__"} | _shared(package)
    assert members, f"{package} has no members"
    missing = members.difference(*(_listed(package, name) for name in table.split()))
    assert not missing, f"add to {table} in {package}/__init__.py: {', '.join(sorted(missing))}"


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_IN_A_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{_place(path, function)} {function.name}: {lines} lines"
        for path in SOURCES
        for function in _functions(_tree(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_IN_A_FUNCTION
    ]
    assert long == []


def test_no_module_is_named_for_having_no_subject() -> None:
    shapeless = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
    assert [str(path.relative_to(ROOT)) for path in SOURCES if {path.stem, path.parent.name} & shapeless] == []


def test_only_settings_reads_the_environment() -> None:
    readers = [
        _place(path, node)
        for path in SOURCES
        if path != PACKAGE / "settings" / "__init__.py"
        for node in ast.walk(_tree(path))
        if _reads_the_environment(node)
    ]
    assert readers == []


def test_a_public_signature_says_what_it_takes_and_gives() -> None:
    vague = [
        f"{_place(path, function)} {function.name}"
        for path in SOURCES
        for function in _public_functions(_tree(path).body)
        if any(_says_any(annotation) for annotation in _annotations(function))
    ]
    assert vague == []


def test_nothing_is_left_unfinished_in_words() -> None:
    files = [
        path
        for folder in ("src", "tests", "examples", "recipes", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md"}
    ]
    said = [
        f"{path.relative_to(ROOT)}:{number} {found[0]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := UNFINISHED.search(line))
    ]
    assert said == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded_by("import talkscope") & TOO_HEAVY_FOR_THE_PACKAGE == set()


def test_importing_the_server_loads_neither_warehouse_nor_command_line() -> None:
    loaded = _loaded_by(
        "import importlib, pkgutil, talkscope.server\n"
        "for each in pkgutil.walk_packages(talkscope.server.__path__, 'talkscope.server.'):\n"
        "    importlib.import_module(each.name)"
    )
    assert "mcp" in loaded
    assert loaded & TOO_HEAVY_FOR_THE_SERVER == set()


def test_talkscope_mcp_starts_without_the_command_line(tmp_path: Path) -> None:
    places = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKSCOPE_")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "talkscope", "mcp"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=kept | places,
    )
    lines = done.stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert done.returncode == 0, "\n".join(line for line in lines if not line.startswith("import time:"))
    assert "talkscope.server" in loaded
    assert loaded & {"rich.logging", "talkscope.cli"} == set()
