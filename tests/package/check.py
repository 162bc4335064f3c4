"""`make package-check`: what would be uploaded, installed in an environment of its own and used as its users will.

The source archive has to make the same wheel as the tree, the wheel has to hold the recipes, and the command has to
work where nothing of this repository is in reach.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 300.0
"""Seconds that one command may take: a net, not a measure."""
_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; a fault says what is wrong with it."""

    what: str
    fault: str = ""


def main(arguments: Sequence[str]) -> int:
    """Make the packages, try them, print a line for each check; 1 when one shows a fault."""
    parser = argparse.ArgumentParser(prog="make package-check", description=__doc__)
    parser.add_argument("--uv", default="uv", help="the uv that installs")
    parser.add_argument("--newest", action="store_true", help="install the newest dependencies, not those of uv.lock")
    asked = parser.parse_args(arguments)
    began, faults, made = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="talkscope-package-", ignore_cleanup_errors=True) as place:
        for check in checks(Path(place), asked.uv, newest=asked.newest):
            made, faults = made + 1, faults + bool(check.fault)
            print(f"{'✗' if check.fault else '✓'} {check.what}{f' - {check.fault}' if check.fault else ''}", flush=True)
    print(f"package-check: {made} checks, {faults} faults, in {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


def checks(place: Path, uv: str, *, newest: bool = False) -> Iterator[Check]:
    """Every check, each as it is made; what cannot be made ends them."""
    version = _VERSION.findall((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[0]
    wheel, archive = build(ROOT, place / "dist", "wheel"), build(ROOT, place / "dist", "sdist")
    yield Check(f"{wheel.name} and {archive.name}", "" if f"-{version}" in wheel.name else f"is not {version}")
    yield Check("the wheel holds the recipes", recipes_missing(wheel, ROOT / "recipes"))
    yield Check("the source archive holds what the wheel is made of", same_wheel(wheel, archive, place / "again"))
    command = install(wheel, place / "environment", uv, newest=newest)
    home = place / "home"
    home.mkdir()
    yield _ran(command, home, "--version", says=f"talkscope {version}")
    yield _ran(command, home, "doctor", "--offline")
    yield _ran(command, home, "demo")
    yield Check("talkscope mcp, through a client of the SDK", anyio.run(_handshake, command, home))


def build(source: Path, folder: Path, target: str) -> Path:
    """A wheel or an sdist of a source tree, made by the build backend that pyproject.toml names."""
    before = set(folder.iterdir()) if folder.exists() else set()
    words = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(words, cwd=source, check=True, capture_output=True, timeout=PATIENCE)
    [made] = set(folder.iterdir()) - before
    return made


def recipes_missing(wheel: Path, recipes: Path) -> str:
    """The recipes that the wheel does not hold, as a sentence; empty when it holds them all."""
    wanted = {file.relative_to(recipes).as_posix() for file in recipes.rglob("*.*") if _shipped(file)}
    with zipfile.ZipFile(wheel) as opened:
        held = opened.namelist()
    lacking = sorted(name for name in wanted if not any(each.endswith(f"/{name}") for each in held))
    return f"lacks {', '.join(lacking) or 'all of them'}" if lacking or not wanted else ""


def _shipped(file: Path) -> bool:
    return file.suffix in {".md", ".py"} and file.name != "README.md"


def same_wheel(wheel: Path, archive: Path, folder: Path) -> str:
    """How the wheel made of the source archive differs from this one, as a sentence; empty when it does not."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    [source] = folder.iterdir()
    again = build(source, folder / "dist", "wheel")
    ours, theirs = _contents(wheel), _contents(again)
    differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return f"makes another {', '.join(differing[:5])}" if differing else ""


def install(wheel: Path, environment: Path, uv: str, *, newest: bool) -> Path:
    """Install the wheel and what it needs into a new environment; the command that it brings."""
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True, timeout=PATIENCE)
    words = [uv, "pip", "install", "--quiet", "--python", str(environment), str(wheel)]
    if not newest:
        pinned = environment / "pinned.txt"
        options = ["--frozen", "--no-dev", "--no-hashes", "--no-emit-project", "--quiet", "--output-file", str(pinned)]
        subprocess.run([uv, "export", *options], cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)
        words += ["--constraint", str(pinned)]
    subprocess.run(words, check=True, timeout=PATIENCE)
    places = (environment / "bin" / "talkscope", environment / "Scripts" / "talkscope.exe")
    return next(place for place in places if place.exists())


def _contents(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as opened:
        return {each.filename: each.CRC for each in opened.infolist()}


def _environment(home: Path) -> dict[str, str]:
    """What a user without settings has; nothing of it leads into this repository."""
    ours = ("TALKSCOPE_", "CONVAI_", "XDG_", "PYTHON", "VIRTUAL_ENV", "UV_")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(ours)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "PYTHONUTF8": "1"}


def _ran(command: Path, home: Path, *words: str, says: str = "") -> Check:
    done = subprocess.run(
        [str(command), *words],
        cwd=home,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    last = next((line for line in reversed((done.stdout + done.stderr).splitlines()) if line.strip()), "nothing")
    fault = "" if done.returncode == 0 and says in done.stdout else f"ended with {done.returncode}, saying {last[:300]}"
    return Check(f"talkscope {' '.join(words)}", fault)


async def _handshake(command: Path, home: Path) -> str:
    """What is wrong with the server that the package starts, as a sentence; empty when nothing is."""
    try:
        with anyio.fail_after(PATIENCE):
            server = StdioServerParameters(command=str(command), args=["mcp"], env=_environment(home), cwd=home)
            async with Client(server) as client:
                tools = {tool.name for tool in (await client.list_tools()).tools}
                prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
                answer = await client.call_tool("get_summary", {"range": "last_7d"})
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
        return f"{type(error).__name__}: {error}"
    if "get_summary" not in tools or not prompts:
        return f"lists {len(tools)} tools and {len(prompts)} prompts"
    return f"get_summary answered {answer.content}" if answer.is_error else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
