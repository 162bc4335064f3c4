# ruff: noqa: INP001 - make runs it by its path
"""Writes docs/coverage.md: what the five platforms' documents describe, where each line of it lives, what proves it.

Endpoints and parameters come from the contracts in openapi/, everything else from the tables beside this file.
`python docs/coverage/build.py` writes the page; with `--check`, which `make docs` runs, it fails when the page is not
current, when a row's place is gone, or when pytest does not collect a row's test.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from places import gone

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "coverage.md"
ORDER = ("convai", "studio_chat", "agent_studio", "general_bots", "mavenoid")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Row:
    """One line of a platform's document: what it is, where it lives here, and the tests that prove it."""

    what: str
    where: tuple[str, ...]
    tests: tuple[str, ...]
    leading: bool = False


@dataclass(frozen=True)
class Group:
    """Rows that belong together.

    Args:
        title: The heading.
        rows: What is below it.
        count: How many the document has, where it is a list of its own.
        says: A sentence before the rows.
        understood: Beginnings of places and tests that the sentence states and the rows leave out.
    """

    title: str
    rows: tuple[Row, ...]
    count: int | None = None
    says: str = ""
    understood: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One platform, by one document."""

    title: str
    document: str
    groups: tuple[Group, ...]

    @property
    def rows(self) -> list[Row]:
        """Its rows, whatever list they are in."""
        return [row for group in self.groups for row in group.rows]


def read(file: Path, root: Path = ROOT) -> Table:
    """The table of a file, with the rows of its contract first."""
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    groups = [] if "contract" not in said else list(_contract(said["contract"], root))
    for each in said.get("group", []):
        file, place = each.get("tests", ""), each.get("where", "")
        rows = tuple(
            Row(
                row["what"],
                _several(row.get("where", place)),
                tuple(test if "::" in test else f"{file}::{test}" for test in _several(row["test"])),
            )
            for row in each["rows"]
        )
        groups.append(Group(each["title"], rows, each.get("count"), each.get("says", "")))
    return Table(said["title"], said["document"], tuple(groups))


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


# Rows of a contract


def _contract(said: Mapping[str, Any], root: Path) -> Iterator[Group]:
    """Every operation with its parameters, and every request that the platform's document shows."""
    document = json.loads((root / said["file"]).read_text(encoding="utf-8"))
    calls, arguments, known = said.get("calls", {}), said.get("arguments", {}), said.get("tools", {})
    rows: list[Row] = []
    shown: list[tuple[str, Mapping[str, Any]]] = []
    for path, method, operation in _operations(document, said.get("prefix", "")):
        name = operation["operationId"]
        call = calls.get(name, name)
        where = (f"{said['package']}.{call}", *(f"tool {tool}" for tool in _several(known.get(call, ()))))
        answered = said["answers"].format(call=said.get("answered", {}).get(call, call))
        rows.append(Row(f"`{method.upper()} {path}`", where, (answered,), leading=True))
        for parameter, values in _parameters(document, operation):
            argument = arguments.get(f"{call}.{parameter}", arguments.get(parameter, parameter))
            place = argument if "." in argument else f"{said['package']}.{call}({argument})"
            test = said["parameters"].format(call=call, parameter=parameter)
            rows.append(Row(f"`{parameter}`{values}", (place,), (test,)))
        shown += [(call, each) for each in operation.get("x-documented-requests", [])]
    files = [said[each].partition("::")[0] for each in ("answers", "parameters")]
    says = (
        f"Names without a module are in `{said['package']}`. A call's test is in `{files[0]}`, a parameter's in "
        f"`{files[1]}`. {said.get('says', '')}"
    )
    understood = (f"{said['package']}.", *(f"{file}::" for file in files))
    yield Group("Endpoints and parameters", tuple(rows), None, says.strip(), understood)
    if shown:
        yield Group("Requests of the document", tuple(_documented(said, shown)), said.get("documented_count"))


def _documented(said: Mapping[str, Any], shown: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Row]:
    cases = [f"{call}-{each['recipe']}" for call, each in shown]
    for place, (call, each) in enumerate(shown):
        # As pytest numbers cases of one name.
        case = cases[place] + (f"_{cases[:place].count(cases[place])}" if cases.count(cases[place]) > 1 else "")
        words = [f"{name}={value}" for name, value in each.get("params", {}).items()]
        words += [json.dumps(each["body"])] if "body" in each else []
        what = f"Recipe {each['recipe']}: `{' '.join([call.replace('_', '-'), *words])}`"
        yield Row(what, (f"{said['package']}.{call}",), (said["documented"].format(case=case),))


def _operations(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and item[method]["operationId"].startswith(prefix):
                yield path, method, item[method]


def _parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every parameter and every field of the body, with the words that it may be."""
    for each in operation.get("parameters", []):
        parameter = _resolved(document, each)
        yield parameter["name"], _words(document, parameter["schema"])
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])["content"]["application/json"]["schema"]
        fields = _resolved(document, body).get("properties") or {"body": {}}
        for name, schema in fields.items():
            yield name, _words(document, schema)


def _words(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    found = _resolved(document, schema)
    found = _resolved(document, found.get("items", found))
    words = found.get("enum", [])
    return f": {', '.join(str(word) for word in words)}" if words else ""


def _resolved(document: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in said:
        found: Any = document
        for step in said["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        said = {**found, **{word: value for word, value in said.items() if word != "$ref"}}
    return said


# Whether a test is there


def collected(tests: Iterable[str], root: Path = ROOT) -> set[str]:
    """What pytest collects from the files of these tests: each case, and each function by itself."""
    files = sorted({test.partition("::")[0] for test in tests})
    there = [file for file in files if (root / file).is_file()]
    if not there:
        return set()
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--no-header", "-p", "no:cacheprovider", *there]
    done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in {0, 5}:
        raise SystemExit(f"pytest could not collect the tests:\n{done.stdout[-4_000:]}{done.stderr[-4_000:]}")
    cases = {line for line in done.stdout.splitlines() if "::" in line}
    return cases | {case.partition("[")[0] for case in cases}


def problems(tables: Iterable[Table], known: Collection[str], root: Path = ROOT) -> list[str]:
    """Every row whose place or test is gone, and every list that is not complete; `known` is what pytest collects."""
    found: list[str] = []
    seen: dict[str, str | None] = {}
    for table in tables:
        for group in table.groups:
            if group.count is not None and group.count != len(group.rows):
                found.append(f"{table.title}, {group.title}: {len(group.rows)} rows of {group.count}")
            for row in group.rows:
                told = f"{table.title}, {group.title}, {row.what}"
                for where in row.where:
                    if where not in seen:
                        seen[where] = gone(where, root)
                    if seen[where] is not None:
                        found.append(f"{told}: {where}: {seen[where]}")
                found += [f"{told}: {test}: is not collected" for test in row.tests if test not in known]
                if not row.where or not row.tests:
                    found.append(f"{told}: {'no place' if not row.where else 'no test'}")
    return found


# The page


def page(tables: Sequence[Table]) -> str:
    """The page, in Markdown."""
    parts = [
        "# Coverage",
        "",
        "What five platforms document (endpoints, parameters, recipes, flags, traps), where it lives here, and the",
        "test that proves it.",
        "",
        "`make coverage` writes this page from the contracts in `openapi/` and the tables in `docs/coverage/`.",
        "`make docs` fails when a place is gone, when pytest does not collect a test, or when the page is not current.",
        "",
        "| platform | document | rows | endpoints | parameters | tests |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for table in tables:
        contract = [row for group in table.groups if group.understood for row in group.rows]
        endpoints = sum(row.leading for row in contract)
        tests = len({test for row in table.rows for test in row.tests})
        figures = [len(table.rows), endpoints, len(contract) - endpoints, tests]
        parts.append(f"| {table.title} | {table.document} | {' | '.join(f'{each:,}' for each in figures)} |")
    rows = [row for table in tables for row in table.rows]
    every = len({test for row in rows for test in row.tests})
    parts.append(f"| all | | {len(rows):,} | | | {every:,} |")
    for table in tables:
        parts += ["", f"## {table.title}"]
        for group in table.groups:
            parts += ["", f"### {table.title}: {group.title[0].lower()}{group.title[1:]}", ""]
            parts += [group.says, ""] if group.says else []
            parts += ["| what | where | test |", "|---|---|---|"]
            parts += [_line(row, group) for row in group.rows]
    return "\n".join(parts) + "\n"


def _line(row: Row, group: Group) -> str:
    where = "<br>".join(_shown(each, group.understood) for each in row.where)
    tests = "<br>".join(f"`{_without(each, group.understood)}`" for each in row.tests)
    what = f"**{row.what}**" if row.leading else row.what
    return "| " + " | ".join(each.replace("|", "\\|") for each in (what, where, tests)) + " |"


def _shown(where: str, understood: tuple[str, ...]) -> str:
    kind, _, rest = where.partition(" ")
    if kind in {"tool", "prompt", "recipe", "resource", "setting"}:
        return f"{kind} `{rest}`"
    if rest or where.startswith("talkscope."):
        return f"`{_without(where, understood)}`"
    path = where.partition("#")[0]
    # Only what is on the site is led to.
    if path.endswith(".md") and not path.startswith("openapi/"):
        up = "" if path.startswith("docs/") else "../"
        return f"[{where}]({up}{where.removeprefix('docs/')})"
    return f"`{where}`"


def _without(text: str, understood: tuple[str, ...]) -> str:
    for each in understood:
        text = text.removeprefix(each)
    return text


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail for a row without place or test")
    options = parser.parse_args()
    tables = [read(HERE / f"{name}.toml") for name in ORDER]
    known = collected(test for table in tables for row in table.rows for test in row.tests)
    found = problems(tables, known)
    text = page(tables)
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        found.append("docs/coverage.md is not current: run `make coverage`")
    sys.stderr.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
