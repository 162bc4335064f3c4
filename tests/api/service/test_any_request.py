"""Requests made up from the contract, and requests that break it: Schemathesis against a real `talkscope serve`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.api.service.serving import add_key, fill, serving

ROOT = Path(__file__).parent.parent.parent.parent


def test_made_up_requests_get_what_the_contract_declares(tmp_path: Path) -> None:
    fill(tmp_path, "ada")
    key = add_key(tmp_path, "ada", "--per-minute", "0", "--per-day", "0")
    with serving(tmp_path) as served:
        done = subprocess.run(
            [
                sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
                "--config-file", str(ROOT / "schemathesis.toml"), "run", str(ROOT / "openapi" / "analytics.json"),
                "--url", served.url, "-H", f"CONVAI-API-KEY: {key}", "--phases", "coverage,fuzzing", "-n", "1",
                "--seed", "20260505", "--generation-deterministic", "--no-shrink",
                "--continue-on-failure", "--no-color",
            ],
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=110, cwd=tmp_path,
        )  # fmt: skip
        assert served.stop() == 0
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    paths: dict[str, dict[str, object]] = json.loads((ROOT / "openapi" / "analytics.json").read_text())["paths"]
    routes = sum(map(len, paths.values()))
    assert f"{routes}/{routes}" in done.stdout
    statuses = {line["status"] for line in served.lines()}
    assert {200, 400, 401, 404, 405, 422} <= statuses
    assert not {status for status in statuses if status >= 500}
    assert served.errors.read_text(encoding="utf-8") == ""
