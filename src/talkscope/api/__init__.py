"""The Analytics API as an ASGI app: one route a question, and the v1 contract's nine routes over the same questions.

It knows no warehouse: it is given a function that answers a question, and runs it in worker threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette

from talkscope.api import ask, v1
from talkscope.api.replies import HANDLERS
from talkscope.api.work import Answering, Pool

__all__ = ["Answering", "build"]


def _now() -> datetime:
    return datetime.now(UTC)


def build(
    answering: Answering, *, limit: int = 8, deadline: float | None = None, clock: Callable[[], datetime] = _now
) -> Starlette:
    """The app that answers through `answering`, at most `limit` questions at once; the rest wait their turn.

    A question whose request is cancelled, whose caller hangs up, or that takes longer than `deadline` seconds, is told
    to stop.
    """
    pool = Pool(answering, limit, deadline)
    app = Starlette(routes=[*ask.routes(pool), *v1.routes(pool, clock)], exception_handlers=HANDLERS)
    # A path that is nearly right is answered with its name, never with a redirect.
    app.router.redirect_slashes = False
    return app
