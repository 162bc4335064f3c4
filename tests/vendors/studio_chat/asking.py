"""A client of the served account, and the part of its records that is of April."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.vendors import studio_chat
from tests.vendors.engine import served
from tests.vendors.studio_chat.records import Conversation
from tests.vendors.studio_chat.state import Habits
from tests.vendors.studio_chat.world import MAIN

WORLD = studio_chat.world()
PROJECT = WORLD.projects[0]
EVERY = PROJECT.conversations
BASE = PROJECT.playbooks[0].base_id
APRIL: dict[str, Any] = {"start_date": "2026-04-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"}


class Asking:
    """A client of a served account."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"X-API-Key": studio_chat.KEY}, trust_env=False)

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        found = self.http.get(path, params=params or None)
        assert found.status_code == status, found.text
        return found.json()

    def of(self, path: str, status: int = 200, **params: Any) -> Any:
        """Something of the main project."""
        return self.get(f"/projects/{MAIN}/{path}", status, **params)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        found = self.http.post(f"/projects/{MAIN}/{path}", **({} if body is None else {"json": body}))
        assert found.status_code == status, found.text
        return found.json()


@contextmanager
def asking(habits: Habits | None = None) -> Iterator[Asking]:
    """A client of a server of its own."""
    with served(studio_chat.server(habits=habits)) as url:
        found = Asking(url)
        with found.http:
            yield found


def in_april(at: datetime) -> bool:
    return datetime(2026, 4, 1, tzinfo=UTC) <= at < datetime(2026, 5, 1, tzinfo=UTC)


def of_april() -> list[Conversation]:
    found = [each for each in EVERY if in_april(each.last_at)]
    assert 0 < len(found) < len(EVERY)
    return found
