"""The v1 contract's nine routes, answered from the same questions: a face, with no figures of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Served

from talkscope.api import replies
from talkscope.api.v1 import conversations, figures, queries
from talkscope.api.v1.meaning import Misfit
from talkscope.api.work import Pool, Work
from talkscope.errors import TalkscopeError, nearest
from talkscope.models import v1
from talkscope.models.text import clean
from talkscope.models.v1 import ROUTES, V1Asked, V1Response

P = TypeVar("P", bound=V1Asked)
Maker = Callable[[Work, V1Asked, Mapping[str, str], datetime], V1Response]


def _of(kind: type[P], make: Callable[[Work, P, Mapping[str, str], datetime], V1Response]) -> Maker:
    """The maker for words that are known to be of that kind."""

    def maker(work: Work, asked: V1Asked, ids: Mapping[str, str], now: datetime) -> V1Response:
        assert isinstance(asked, kind)
        return make(work, asked, ids, now)

    return maker


_MAKERS: Mapping[str, Maker] = {
    "summary": _of(v1.SummaryAsked, figures.summary),
    "timeseries": _of(v1.TimeseriesAsked, figures.timeseries),
    "breakdown": _of(v1.BreakdownAsked, figures.breakdown),
    "catalog": _of(v1.CatalogAsked, figures.catalog),
    "regression": _of(v1.RegressionAsked, figures.regression),
    "sessions": _of(v1.SessionsAsked, conversations.sessions),
    "session": _of(v1.SessionAsked, conversations.session),
    "interaction": _of(v1.InteractionAsked, conversations.interaction),
    "query": _of(v1.CubeQueryRequest, queries.query),
}


def routes(pool: Pool, clock: Callable[[], datetime]) -> list[Served]:
    """The nine routes; ids in paths may hold anything, slashes included."""
    return [
        replies.route(
            each.path.replace("_id}", "_id:path}"),
            _answered(pool, each.params, _MAKERS[each.name], clock),
            method=each.method,
            refuse=_refusal,
        )
        for each in ROUTES
    ]


def _answered(
    pool: Pool, params: type[V1Asked], make: Maker, clock: Callable[[], datetime]
) -> Callable[[Request], Awaitable[bytes]]:
    async def answered(request: Request) -> bytes:
        told: Mapping[str, object] = replies.words(request)
        place = "query"
        if request.method == "POST":
            # Words in the address of a query would be dropped otherwise.
            _checked(V1Asked, told, place)
            told, place = await replies.body(request), "body"
        asked = _checked(params, told, place)

        def work(work: Work) -> bytes:
            return make(work, asked, request.path_params, clock()).model_dump_json(by_alias=True).encode()

        return await pool.run(request, work)

    return answered


def _checked(params: type[P], told: Mapping[str, object], place: str) -> P:
    try:
        return params.model_validate(told)
    except ValidationError as error:
        raise Misfit(_problems(params, error, place)) from None


def _problems(params: type[V1Asked], error: ValidationError, place: str) -> list[dict[str, object]]:
    """The problems as the contract lists them, without the values: a value may be a secret."""
    found: list[dict[str, object]] = []
    for each in error.errors(include_url=False, include_context=False, include_input=False)[:20]:
        path = [clean(part, 60) if isinstance(part, str) else part for part in each["loc"]]
        said = each["msg"]
        if each["type"] == "extra_forbidden" and len(path) == 1:
            close = nearest(str(path[0]), params.model_fields)
            said = f"Unknown parameter; did you mean {close}?" if close else "Unknown parameter."
        found.append({"loc": [place, *path], "msg": said, "type": each["type"]})
    return found


def _refusal(error: TalkscopeError) -> Response:
    """The error in the contract's shapes: parameters that do not fit are 422 with `detail`, unknown names 400."""
    if isinstance(error, Misfit):
        first = error.problems[0]
        said = {"code": "validation_error", "message": f"{_name(first)}: {first['msg']}", "details": {}}
        return replies.json({"detail": error.problems, "error": said}, 422)
    status = 400 if error.status in (None, 422) else error.status
    return replies.json({"error": {"code": error.code, "message": str(error), "details": error.details}}, status or 500)


def _name(problem: Mapping[str, object]) -> str:
    loc = problem["loc"]
    assert isinstance(loc, list)
    return ".".join(map(str, loc[1:])) or str(loc[0])
