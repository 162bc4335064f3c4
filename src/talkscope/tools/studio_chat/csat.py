"""How satisfied are customers: scores with their n, distribution, trend, the ratings, and the tags of bad ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import CsatAnalytics, CsatRating
from talkscope.tools.studio_chat.asking import base, between, project
from talkscope.tools.studio_chat.cells import Tagged, TagTree, at, bucket, fraction, in_utc, listed, paged, share, shown
from talkscope.tools.vendor import Reach, VendorTool

_PAGE = 200
_MOST = 2_000


class CsatAsked(Tagged):
    """Satisfaction of a window."""

    show: Literal["scores", "trend", "ratings", "rating_tags"] = "scores"
    tag_filter: TagTree = Field(default=None, description='e.g. {"AND":["a",{"NOT":"b"}]}, not with tags')
    max_rating: int | None = Field(default=None, ge=1, le=5, description="of ratings, 1-5; 2 for the bad ones")
    limit: int = Field(default=20, ge=1, le=_PAGE, description="ratings, 1-200")
    offset: int = Field(default=0, ge=0)


async def csat(reach: Reach, asked: Asked) -> Answer:
    """The view; every figure is null where satisfaction is not configured."""
    assert isinstance(asked, CsatAsked)
    window = reach.window(asked)
    listing = asked.show == "ratings"
    assistant = await base(reach, asked.assistant)
    found = await _page(
        reach, asked, window, assistant,
        asked.limit if listing else _PAGE if asked.show == "rating_tags" else 1, asked.offset if listing else 0,
    )  # fmt: skip
    if not found.is_configured and asked.show != "scores":
        return reach.answer(("rating",), [], n=0, window=window, basis="not configured")
    if asked.show == "trend":
        return _trend(found, reach, window)
    if listing:
        return _ratings(reach, found, asked, window)
    if asked.show == "rating_tags":
        return await _tags(reach, found, asked, window, assistant)
    return _scores(reach, found, window)


async def _page(
    reach: Reach, asked: CsatAsked, window: Window, assistant: str | None, limit: int, offset: int
) -> CsatAnalytics:
    return await reach.send(
        studio_chat.csat_analytics(
            project(reach),
            **between(window),
            tags=asked.tags or None,
            tag_filter=asked.tag_filter,
            playbook_base_id=assistant,
            ratings_limit=limit,
            ratings_offset=offset,
            max_rating=asked.max_rating if asked.show in {"ratings", "rating_tags"} else None,
        )
    )


def _scores(reach: Reach, found: CsatAnalytics, window: Window) -> Answer:
    rated, eligible = found.total_rated, found.eligible_deflected
    given = found.rating_distribution.root if found.rating_distribution else {}
    rows: list[list[Cell]] = [
        ["csat", found.positive_count, fraction(found.csat_score_pct), rated],
        ["dsat", found.negative_count, fraction(found.dsat_score_pct), rated],
        ["neutral", found.neutral_count, share(found.neutral_count, rated), rated],
        ["responses", rated, fraction(found.response_rate_pct), eligible],
    ]
    for star in ("5", "4", "3", "2", "1"):
        count = given.get(star, 0) if found.is_configured else None
        rows.append([f"rated_{star}", count, share(count, rated), rated])
    return reach.answer(
        ("measure", "conversations", "share", "n"),
        rows,
        n=rated or 0,
        window=window,
        basis="csat: ratings of 4 and 5, dsat: of 1 and 2; responses: of the deflected conversations"
        if found.is_configured
        else "not configured",
        units={"share": "fraction of n"},
    )


def _trend(found: CsatAnalytics, reach: Reach, window: Window) -> Answer:
    names = ("start", "ratings", "positive", "neutral", "negative", "csat", "eligible", "response_rate")
    rows: list[list[Cell]] = [
        [
            bucket(each.date, found.time_granularity),
            each.total,
            each.positive,
            each.neutral,
            each.negative,
            fraction(each.csat_pct) if each.total else None,
            each.eligible,
            fraction(each.response_rate_pct) if each.eligible else None,
        ]
        for each in found.time_series
    ]
    in_utc(reach, window)
    return reach.answer(
        names,
        rows,
        n=found.total_rated or 0,
        window=window,
        granularity=found.time_granularity,
        units={"csat": "fraction of ratings", "response_rate": "fraction of eligible"},
    )


def _in_table(found: CsatAnalytics, most: int | None) -> int | None:
    """How many ratings the table holds: max_rating narrows it, and total_rated is of all."""
    return found.total_rated if most is None else found.rated_up_to(most)


def _kept(most: int | None) -> str:
    return "ratings" if most is None else f"ratings up to {most}"


def _ratings(reach: Reach, found: CsatAnalytics, asked: CsatAsked, window: Window) -> Answer:
    n = _in_table(found, asked.max_rating)
    paged(reach, _kept(asked.max_rating), asked.offset, len(found.ratings), n)
    rows: list[list[Cell]] = [
        [
            each.conversation_id,
            each.rating,
            at(each.rated_at, window.zone),
            shown(reach, each, "remark"),
            listed(each.tags),
            at(each.first_message_at, window.zone),
        ]
        for each in found.ratings
    ]
    return reach.answer(
        ("conversation_id", "rating", "rated_at", "remark", "tags", "first_message_at"),
        rows,
        n=n or 0,
        window=window,
        basis=f"n counts {_kept(asked.max_rating)}, of {found.total_rated} ratings in all",
    )


async def _tags(reach: Reach, first: CsatAnalytics, asked: CsatAsked, window: Window, assistant: str | None) -> Answer:
    """The tags of the ratings in the table."""
    n = _in_table(first, asked.max_rating) or 0
    found: list[CsatRating] = [*first.ratings]
    part: Sequence[CsatRating] = first.ratings
    while part and len(found) < min(n, _MOST):
        part = (await _page(reach, asked, window, assistant, _PAGE, len(found))).ratings
        found += part
    counted = Counter(tag for each in found for tag in set(each.tags))
    read = len(found)
    untagged = sum(not each.tags for each in found)
    reach.note(f"{untagged} of these {_kept(asked.max_rating)} have no tag.")
    part_of = None if read >= n else f"the newest {read} of {n}"
    return reach.answer(
        ("tag", "ratings", "share", "n"),
        [[tag, count, share(count, read), read] for tag, count in counted.most_common()],
        n=read,
        window=window,
        basis=f"n counts {_kept(asked.max_rating)}",
        units={"share": "fraction of n"},
        covers=part_of,
    )


CSAT = VendorTool(
    name="studio_csat",
    title="Studio Chat: satisfaction",
    description="Studio Chat satisfaction: CSAT, DSAT, response rate, trend, ratings and their tags.",
    platform="studio_chat",
    params=CsatAsked,
    answered=csat,
    left_out="Ask with a smaller limit, or with the offset of the first that is missing.",
    own=frozenset({"measure"}),
)
