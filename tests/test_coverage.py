"""The page that says where everything of the platforms' documents lives, and how it notices a row that is gone."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BUILD = Path(__file__).parents[1] / "docs" / "coverage" / "build.py"
TABLE = """
title = "Tiny"
document = "A page"

[contract]
file = "contract.json"
package = "talkscope.platforms.mavenoid"
answers = "tests/test_tiny.py::test_calls[{call}]"
parameters = "tests/test_tiny.py::test_parameters[{call}-{parameter}]"
documented = "tests/test_tiny.py::test_requests[{case}]"

[[group]]
title = "Other things"
count = 2
tests = "tests/test_tiny.py"
rows = [
  { what = "A tool", where = "tool get_summary", test = "test_calls" },
  { what = "A page | a command", where = ["page.md#a-heading", "talkscope summary --range"], test = "test_other" },
]
"""
TESTS = """
import pytest

@pytest.mark.parametrize("name", ["agent_availabilities"])
def test_calls(name): ...

@pytest.mark.parametrize("name", ["agent_availabilities-days", "agent_availabilities-group_by"])
def test_parameters(name): ...

@pytest.mark.parametrize("name", ["agent_availabilities-1", "agent_availabilities-1"])
def test_requests(name): ...

def test_other(): ...
"""
REQUESTS = [{"recipe": "1", "params": {"days": 1}}, {"recipe": "1", "params": {"days": 2}}]


@pytest.fixture(scope="module")
def build() -> Iterator[ModuleType]:
    # As when it is run: it finds its neighbour beside it.
    sys.path.insert(0, str(BUILD.parent))
    spec = importlib.util.spec_from_file_location("coverage_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(BUILD.parent))
    yield module
    del sys.modules["coverage_build"], sys.modules["places"]


def contract(*parameters: str) -> str:
    listed = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters]
    operation = {"operationId": "agent_availabilities", "parameters": listed, "x-documented-requests": REQUESTS}
    return json.dumps({"paths": {"/agent-availabilities.json": {"get": operation}}})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_tiny.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "contract.json").write_text(contract("days", "group_by"), encoding="utf-8")
    (tmp_path / "page.md").write_text("# A page\n\n## A heading\n", encoding="utf-8")
    (tmp_path / "tiny.toml").write_text(TABLE, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def known(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What pytest really collects from the tests."""
    folder = tmp_path_factory.mktemp("collected")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_tiny.py").write_text(TESTS, encoding="utf-8")
    # The plugin would cost two seconds.
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:schemathesis\n", encoding="utf-8")
    found: set[str] = build.collected({"tests/test_tiny.py::test_calls", "tests/gone.py::test_gone"}, folder)
    return found


def changed(build: ModuleType, root: Path, old: str, new: str) -> Any:
    assert old in TABLE
    (root / "tiny.toml").write_text(TABLE.replace(old, new), encoding="utf-8")
    return build.read(root / "tiny.toml", root)


def test_a_table_whose_places_and_tests_are_there_has_no_problem(
    build: ModuleType, root: Path, known: set[str]
) -> None:
    table = build.read(root / "tiny.toml", root)
    assert build.problems([table], known, root) == []
    page = build.page([table])
    assert (
        "| **`GET /agent-availabilities.json`** | `agent_availabilities` | `test_calls[agent_availabilities]` |" in page
    )
    assert "| `days` | `agent_availabilities(days)` | `test_parameters[agent_availabilities-days]` |" in page
    assert "`tests/test_tiny.py::test_requests[agent_availabilities-1_1]`" in page
    assert "A page \\| a command" in page
    assert "| Tiny | A page | 7 | 1 | 2 | 7 |" in page


def test_a_test_that_is_not_collected_is_a_problem(build: ModuleType, root: Path, known: set[str]) -> None:
    for old, new in (("test_other", "test_nobody_wrote"), ("test_other", "test_calls[nothing]")):
        [problem] = build.problems([changed(build, root, old, new)], known, root)
        assert problem == f"Tiny, Other things, A page | a command: tests/test_tiny.py::{new}: is not collected"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tool get_summary", "tool get_nothing", "is no tool"),
        ("tool get_summary", "talkscope.tools.nothing", "talkscope.tools has no nothing"),
        ("tool get_summary", "talkscope.ConvaiAnalytics(nothing)", "takes no nothing"),
        ("tool get_summary", "talkscope.platforms.convai.summary(nothing)", "takes no nothing"),
        ("tool get_summary", "prompt nothing", "is not there"),
        ("tool get_summary", "resource talkscope://nothing", "is not there"),
        ("tool get_summary", "setting NOTHING", "is not there"),
        ("page.md#a-heading", "nothing.md", "is not there"),
        ("page.md#a-heading", "page.md#nothing", "has no heading"),
        ("talkscope summary --range", "talkscope nothing", "has no command nothing"),
        ("talkscope summary --range", "talkscope summary --nothing", "summary has no --nothing"),
        ("talkscope summary --range", "talkscope summary nothing", "summary takes no nothing"),
    ],
)
def test_a_place_that_is_gone_is_a_problem(
    build: ModuleType, root: Path, known: set[str], old: str, new: str, says: str
) -> None:
    [problem] = build.problems([changed(build, root, old, new)], known, root)
    assert f": {new}: " in problem
    assert says in problem


def test_a_row_without_a_place_or_a_test_is_a_problem(build: ModuleType, root: Path, known: set[str]) -> None:
    assert build.problems([changed(build, root, '"tool get_summary"', "[]")], known, root) == [
        "Tiny, Other things, A tool: no place"
    ]
    assert build.problems([changed(build, root, '"test_other"', "[]")], known, root) == [
        "Tiny, Other things, A page | a command: no test"
    ]


def test_a_parameter_that_a_contract_gains_needs_an_argument_and_a_test(
    build: ModuleType, root: Path, known: set[str]
) -> None:
    (root / "contract.json").write_text(contract("days", "group_by", "zone"), encoding="utf-8")
    found = build.problems([build.read(root / "tiny.toml", root)], known, root)
    assert [problem.rpartition(": ")[2] for problem in found] == [
        "talkscope.platforms.mavenoid.agent_availabilities takes no zone",
        "is not collected",
    ]


def test_a_list_that_loses_a_row_is_a_problem(build: ModuleType, root: Path, known: set[str]) -> None:
    assert build.problems([changed(build, root, "count = 2", "count = 3")], known, root) == [
        "Tiny, Other things: 2 rows of 3"
    ]


def test_the_page_is_the_one_that_is_written_today(build: ModuleType) -> None:
    tables = [build.read(BUILD.parent / f"{name}.toml") for name in build.ORDER]
    assert build.PAGE.read_text(encoding="utf-8") == build.page(tables), "run `make coverage`"
