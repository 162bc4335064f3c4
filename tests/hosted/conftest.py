"""A hosted account in process: the v1 face over a warehouse of the oracle's scenario, asked through the composition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from talkscope import api
from talkscope.client import Client, PortalTransport
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse import questions
from talkscope.warehouse.store import DuckStore, Stop
from tests.hosted.accounts import Clock, Hosted, Reply
from tests.oracle import World, scenario

NOW = "2026-03-29T00:00:00+00:00"
"""The end of a day that holds every nasty record."""


@pytest.fixture(scope="session")
def world() -> World:
    return World.load(*scenario(7))


@pytest.fixture(scope="session")
def store(scenario_warehouse: Path) -> Iterator[DuckStore]:
    """A warehouse that the scenario's batches were loaded into."""
    with ExitStack() as stack:
        opened = DuckStore(scenario_warehouse, name="warehouse", memory_limit="512MB", threads=1)
        stack.callback(opened.close)
        yield opened


@pytest.fixture(scope="session")
def made(store: DuckStore) -> Iterator[Callable[[int], Hosted]]:
    """Makes a hosted account over the scenario, with that budget of requests."""
    clock = Clock(datetime.fromisoformat(NOW))
    known: dict[tuple[str, str, datetime], Answer] = {}

    def answering(name: str, asked: Asked, stop: Stop) -> Answer:
        # The warehouse stays as it is, and the composition asks it for the same figures in many tests.
        question = (name, asked.model_dump_json(), clock())
        if question not in known:
            known[question] = questions.answer(name, asked, store=store, now=clock(), stop=stop)
        return known[question]

    with ExitStack() as stack:

        def make(budget: int) -> Hosted:
            # Each on its own, for a portal's loop ends with it.
            app = api.build(answering, clock=clock)
            direct = Client("http://talkscope", transport=PortalTransport(httpx.ASGITransport(app)))
            app = api.build(answering, clock=clock)
            hosted = Hosted(httpx.ASGITransport(app, raise_app_exceptions=False), direct, budget, clock)
            stack.callback(direct.close)
            stack.callback(hosted.client.close)
            return hosted

        yield make


@pytest.fixture(scope="session")
def _account(made: Callable[[int], Hosted]) -> Hosted:
    return made(200)


@pytest.fixture
def account(_account: Hosted) -> Hosted:
    """The hosted account at NOW, with requests to spare."""
    return _account.at(NOW)


@pytest.fixture
def faked() -> Iterator[Callable[..., Hosted]]:
    """Makes a hosted account whose service answers as `reply(path, params)` says: a body, or a whole response."""
    with ExitStack() as stack:

        def make(reply: Callable[[str, Mapping[str, str]], Reply], *, budget: int = 20, now: str = NOW) -> Hosted:
            def handle(request: httpx.Request) -> httpx.Response:
                given = reply(request.url.path.removeprefix("/v1/analytics"), dict(request.url.params))
                return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

            clock = Clock(datetime.fromisoformat(now))
            hosted = Hosted(httpx.MockTransport(handle), None, budget, clock)
            stack.callback(hosted.client.close)
            return hosted

        yield make
