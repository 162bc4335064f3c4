"""A page on paper: printed to PDF by a browser of this machine, which loads nothing from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from talkscope.errors import NotSupported

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
    "microsoft-edge-stable", "brave-browser",
)  # fmt: skip
_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_WINDOWS = (
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
)
_FLAGS = (
    "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--no-first-run",
    "--no-default-browser-check", "--no-pings", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
)  # fmt: skip
_SECONDS = 90


def browser(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The first browser that can print to PDF: on the search path, else where its installer puts it."""
    for name in BROWSERS:
        found = which(name)
        if found:
            return found
    places = {"darwin": _MAC, "win32": _WINDOWS}.get(sys.platform, ())
    return next((place for place in places if Path(place).is_file()), None)


def needed(found: str | None) -> str:
    """The browser. Raises NotSupported, with what would do, when there is none."""
    if found is None:
        raise NotSupported(
            "A PDF is printed by Chromium, Chrome or Edge, and none of them is on this machine.",
            hint="Install one (apt install chromium), or write report.html and print that from a browser.",
            code="no_browser",
        )
    return found


def printer() -> Callable[[str], bytes]:
    """What prints pages. Raises NotSupported where there is no browser."""
    program = needed(browser())
    return lambda page: pdf(page, program)


def pdf(page: str, program: str) -> bytes:
    """The page as PDF. Raises NotSupported when the browser fails."""
    with tempfile.TemporaryDirectory(prefix="talkscope-report-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        # Chromium's sandbox does not start for root; the page runs no script.
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        words = [
            program,
            *_FLAGS,
            *root,
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
                words, capture_output=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
            )
            told = f"It ended with {done.returncode}."
        except (OSError, subprocess.TimeoutExpired) as error:
            told = f"{type(error).__name__}."
        if target.is_file() and target.stat().st_size:
            return target.read_bytes()
    raise NotSupported(
        f"The browser {Path(program).name} printed nothing. {told}",
        hint="Write report.html and print that from a browser.",
        code="no_browser",
    )
