"""The v1 route for restricted queries: rows keyed by the members as they were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from talkscope import contract
from talkscope.api.v1.meaning import at, meta
from talkscope.api.work import Work
from talkscope.errors import InvalidArgument
from talkscope.models.semantics import dimension, measure
from talkscope.models.v1 import CubeQueryRequest, CubeQueryResponse

PREFIX = "SessionMetrics."
_MOST = 5_000


def query(work: Work, asked: CubeQueryRequest, ids: Mapping[str, str], now: datetime) -> CubeQueryResponse:
    """The rows of the query, as many as its limit."""
    _members(asked)
    told = asked.model_dump(by_alias=True, exclude_none=True)
    # Cut here, for the question itself would coarsen the granularity to fit the limit.
    told["limit"] = _MOST
    answer = work.words(contract.QUERY, query=told)
    keys = {name: measure(name.removeprefix(PREFIX)).name for name in asked.measures or [f"{PREFIX}count"]}
    keys |= {name: dimension(name.removeprefix(PREFIX)).name for name in asked.dimensions}
    times = [each for each in asked.time_dimensions if each.granularity]
    data: list[dict[str, JsonValue]] = []
    for row in answer.records()[: asked.limit]:
        found: dict[str, JsonValue] = {key: row[name] for key, name in keys.items()}
        for each in times:
            start = at(_day(row["bucket"]))
            found[each.dimension] = found[f"{each.dimension}.{each.granularity}"] = start.isoformat() if start else None
        data.append(found)
    return CubeQueryResponse(data=data, meta=meta(answer, now))


def _day(bucket: object) -> str | None:
    """The bucket's start as a time: a month is written without its day."""
    text = str(bucket)
    return f"{text}-01" if len(text) == 7 else text


def _members(asked: CubeQueryRequest) -> None:
    named = [
        *asked.measures,
        *asked.dimensions,
        *asked.segments,
        *(each.member for each in asked.filters),
        *(each.dimension for each in asked.time_dimensions),
        *(asked.order or {}),
    ]
    for name in named:
        if not name.startswith(PREFIX):
            raise InvalidArgument(
                f"{name[:80]!r} is no member.", hint=f"Members begin with {PREFIX}", code="invalid_member"
            )
