from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.reaching import Reaching, reaching
from tests.vendors import studio_chat


@pytest.fixture(scope="module")
def studio() -> Iterator[Reaching]:
    """A project of Studio Chat with all that there can be."""
    with reaching(
        studio_chat.server(), "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW,
        also={"project_id": studio_chat.MAIN},
    ) as reached:  # fmt: skip
        yield reached
