"""A vendor's server held to its contract by Schemathesis, which reads the contract for itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.vendors.contract import CONTRACTS
from tests.vendors.engine import Vendor
from tests.vendors.serving import served


def hold(vendor: Vendor, header: str, folder: Path, *words: str, phases: str = "coverage", examples: int = 3) -> str:
    """Ask a vendor everything that its contract allows and much that it does not; what Schemathesis says of it.

    Args:
        vendor: Made from a document of openapi/platforms/.
        header: The key, as in "Authorization: Bearer ma_1".
        folder: Where Schemathesis runs; it is left empty.
        words: More for its command line, such as "--exclude-operation-id", "calls_stream".
        phases: Which of its phases run.
        examples: How many made-up requests an operation gets at most in the phase fuzzing.

    Raises:
        AssertionError: The server broke its contract.
    """
    assert vendor.contract.file is not None
    with served(vendor) as url:
        done = subprocess.run(
            [
                sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
                "run", str(CONTRACTS / vendor.contract.file.name), "--url", url, "-H", header,
                "--phases", phases, "-n", str(examples), "--seed", "20260505", "--generation-deterministic",
                "--no-shrink", "--continue-on-failure", "--no-color", *words,
            ],
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=110, cwd=folder,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    return done.stdout
