"""A headless Chromium, driven over its DevTools protocol through a pipe: no port, no driver program, no package.

The browser sees no network. Each request that a page makes comes here, is answered from what the test laid out, and is
kept; what was not laid out fails, and is kept too.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 30.0
"""Seconds until something that should come counts as not coming: a net, not a measure."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_OPTIONS = (
    "--headless=new --remote-debugging-pipe --no-first-run --no-default-browser-check --disable-gpu --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync --disable-extensions --disable-breakpad "
    "--disable-dev-shm-usage --mute-audio --force-color-profile=srgb --disable-site-isolation-trials "
    "--disable-features=IsolateOrigins,site-per-process,IsolateSandboxedIframes,Translate,MediaRouter,OptimizationHints"
).split()
# Chromium reads its orders from descriptor 3 and answers on 4, whatever numbers the pipes have here.
_LAUNCH = "import os,sys;a,b=map(int,sys.argv[1:3]);os.dup2(a,3);os.dup2(b,4);os.execv(sys.argv[3],sys.argv[3:])"


def browser() -> str | None:
    """The Chromium or Chrome of this machine, if it has one that takes orders through a pipe."""
    if sys.platform == "win32":
        return None
    return next((found for each in _NAMES if (found := shutil.which(each))), _MAC if Path(_MAC).exists() else None)


class Chromium:
    """A running browser, ended with the `with` that it is used in."""

    def __init__(self, program: str) -> None:
        import fcntl  # which Windows has not; there no browser is found

        self._profile = tempfile.TemporaryDirectory(prefix="talkscope-chromium-", ignore_cleanup_errors=True)
        orders, self._to = os.pipe()
        self._from, answers = os.pipe()
        inside = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (orders, answers)]
        options = [*_OPTIONS, "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={self._profile.name}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _LAUNCH, *map(str, inside), program, *options, "about:blank"],
            pass_fds=inside, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for each in (orders, answers, *inside):
            os.close(each)
        self._ids = itertools.count(1)
        self._rest = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and remove its profile."""
        os.close(self._to)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._profile.cleanup()

    def open(self, *, width: int = 760, height: int = 600) -> Page:
        """A new page of this size, for which no address exists yet."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        page.start(width, height)
        return page

    def call(self, method: str, params: Mapping[str, Any] | None = None, session: str | None = None) -> dict[str, Any]:
        """What an order is answered with."""
        asked = next(self._ids)
        self.order(asked, method, params, session)
        until = time.monotonic() + PATIENCE
        while asked not in self._answers:
            self.listen(until)
        answer = self._answers.pop(asked)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        found: dict[str, Any] = answer["result"]
        return found

    def order(self, asked: int, method: str, params: Mapping[str, Any] | None, session: str | None) -> None:
        """Send an order without waiting for its answer."""
        message = {"id": asked, "method": method, "params": params or {}, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]

    def notify(self, method: str, params: Mapping[str, Any], session: str) -> None:
        """Send an order whose answer nobody waits for."""
        self.order(-next(self._ids), method, params, session)

    def listen(self, until: float) -> None:
        """Take what the browser says next."""
        ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise AssertionError("the browser did not answer")
        read = os.read(self._from, 1 << 20)
        if not read:
            raise AssertionError(f"the browser ended, with {self._process.poll()}")
        *whole, self._rest = (self._rest + read).split(b"\0")
        for each in whole:
            message = json.loads(each)
            if "id" in message:
                if message["id"] > 0:
                    self._answers[message["id"]] = message
            elif page := self._pages.get(message.get("sessionId", "")):
                page.hear(message["method"], message["params"])


class Page:
    """One page, with what it asked for and what it complained of."""

    def __init__(self, chromium: Chromium, session: str, target: str) -> None:
        self._chromium, self._session, self._target = chromium, session, target
        self._site: dict[str, tuple[dict[str, str], str]] = {}
        self._contexts: dict[str, int] = {}
        self.requests: list[str] = []
        """Each address that was asked for."""
        self.complaints: list[str] = []
        """Errors and warnings: of scripts, of the console, of content security."""

    def start(self, width: int, height: int) -> None:
        """Begin to listen."""
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self.size(width, height)

    def close(self) -> None:
        """Close the page."""
        self._chromium.call("Target.closeTarget", {"targetId": self._target})

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """An order for this page."""
        return self._chromium.call(method, params, self._session)

    def size(self, width: int, height: int) -> None:
        """Make the page this big."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, shade: str, *, media: str = "") -> None:
        """Be a reader who prefers light or dark, on a screen or on paper."""
        self.call(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": shade}]
        )

    def lay(self, address: str, text: str, **headers: str) -> None:
        """Have HTML at an address, with headers besides its type."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._site[address] = ({"content-type": "text/html; charset=utf-8", **named}, text)

    def go(self, address: str) -> None:
        """Load an address."""
        self.call("Page.navigate", url=address)

    def run(self, script: str, *, frame: str = "") -> Any:
        """What an expression comes to in the page, or in the frame whose address begins so; promises are awaited."""
        where = {"contextId": self._context(frame)} if frame else {}
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, **where)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str, *, frame: str = "") -> Any:
        """The value of an expression as soon as it is true."""
        until = time.monotonic() + PATIENCE
        while True:
            if (not frame or self._context(frame)) and (value := self.run(script, frame=frame)):
                return value
            assert time.monotonic() < until, f"never true: {script}; the page complained: {self.complaints}"
            self.run("new Promise(done => setTimeout(done, 15))")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            for kind in ("rawKeyDown", "keyUp"):
                code = _CODES.get(key, 0)
                self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def point(self, x: float, y: float) -> None:
        """Move the pointer there."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self) -> bytes:
        """The page as PNG, as it is seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def hear(self, method: str, params: dict[str, Any]) -> None:
        """Take one of the browser's events."""
        if method == "Fetch.requestPaused":
            self._serve(params["requestId"], params["request"]["url"])
        elif method == "Runtime.executionContextCreated":
            context = params["context"]
            if context["auxData"].get("isDefault"):
                self._contexts[context["auxData"]["frameId"]] = context["id"]
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value", each.get("description"))) for each in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])

    def _context(self, frame: str) -> int:
        tree = self.call("Page.getFrameTree")["frameTree"]
        frames = [each["frame"] for each in tree.get("childFrames", [])]
        found = [each["id"] for each in frames if each["url"].startswith(frame)]
        return self._contexts.get(found[0], 0) if found else 0

    def _serve(self, request: str, address: str) -> None:
        self.requests.append(address)
        if address not in self._site:
            failed = {"requestId": request, "errorReason": "InternetDisconnected"}
            return self._chromium.notify("Fetch.failRequest", failed, self._session)
        headers, text = self._site[address]
        answer = {
            "requestId": request,
            "responseCode": 200,
            "responseHeaders": [{"name": name, "value": value} for name, value in headers.items()],
            "body": base64.b64encode(text.encode()).decode("ascii"),
        }
        return self._chromium.notify("Fetch.fulfillRequest", answer, self._session)


_CODES = {
    "Tab": 9,
    "Escape": 27,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
"""What the protocol wants beside a key's name."""
