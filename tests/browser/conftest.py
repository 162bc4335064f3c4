"""What tests in a browser share: one browser, and Vega."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from talkscope.charts.rendering import Renderer
from tests.browser.chromium import Chromium, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    program = browser()
    if program is None:
        pytest.skip("no Chromium or Chrome is here, so no page is looked at (on Debian, `make browser` installs one)")
    with Chromium(program) as running:
        yield running


@pytest.fixture(scope="session")
def bundle() -> Iterator[str]:
    with Renderer() as renderer:
        yield renderer.bundle()
