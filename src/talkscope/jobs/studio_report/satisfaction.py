"""How satisfied customers are: the score and its distribution, and what the low ratings have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from talkscope.jobs.studio_report.making import Making, Measured, fraction, listed, share
from talkscope.jobs.studio_report.outcome import bucket
from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.studio_chat import PERSONAL, meaning
from talkscope.platforms.studio_chat.models import CsatAnalytics, CsatRating

LOW = 2
"""The highest rating that counts as dissatisfied."""
_STARS = ("5", "4", "3", "2", "1")
_REMARKS = 15
_TAGS = 10
_BAR = 30


def csat(made: Making) -> None:
    """Score, distribution and trend; not configured is said, and is not 0 %."""
    found = _configured(made, "Satisfaction")
    if found is None:
        return
    n, eligible = found.total_rated or 0, found.eligible_deflected
    made.figures(
        "scores",
        [
            Measured("csat", "CSAT (4 and 5)", fraction(found.csat_score_pct), "fraction", n, "rated"),
            Measured("dsat", "DSAT (1 and 2)", fraction(found.dsat_score_pct), "fraction", n, "rated"),
            Measured(
                "response_rate", "Response rate", fraction(found.response_rate_pct), "fraction", eligible, "eligible"
            ),
            Measured("rated", "Ratings", n),
        ],
    )
    made.noted("csat")
    if not n:
        made.empty("nobody rated")
        return
    made.say("Eligible are the deflected conversations.")
    given = found.rating_distribution.root if found.rating_distribution else {}
    made.grid(
        "distribution",
        ("stars", "ratings", "share", "n", "bar"),
        [
            [f"{star} ★", given.get(star, 0), share(given.get(star, 0), n), n, _bar(given.get(star, 0), n)]
            for star in _STARS
        ],
        caption="Ratings by stars.",
        units={"share": "fraction"},
        own=frozenset({"stars", "bar"}),
        drawn=frozenset({"bar"}),
    )
    rows: list[list[Cell]] = [
        [bucket(each.date, found.time_granularity), fraction(each.csat_pct), each.total,
         fraction(each.response_rate_pct) if each.eligible else None, each.eligible]
        for each in found.time_series
        if each.total
    ]  # fmt: skip
    made.grid(
        "trend",
        ("start", "csat", "n", "response_rate", "eligible"),
        rows,
        caption="Over time, in UTC, buckets without a rating left out.",
        units={"csat": "fraction", "response_rate": "fraction"},
        of={"response_rate": "eligible"},
        titles={"n": "ratings"},
    )


def _bar(count: int, n: int) -> str:
    return "█" * round(count / n * _BAR)


def dsat(made: Making) -> None:
    """The ratings of 1 and 2: how many, their tags, and what was remarked where that may be shown."""
    found = _configured(made, "Low ratings")
    if found is None:
        return
    low, n = found.rated_up_to(LOW), found.total_rated or 0
    ratings = made.facts.low_ratings or ()
    if low is None and n:
        made.say(f"How many of the {n:,} ratings are of 1 or 2 stars is not told.")
        return
    if not low:
        made.say(f"None of {n:,} ratings is 1 or 2 stars." if n else "Nobody rated in this window.")
        return
    made.figures(
        "low",
        [
            Measured("low", "1 and 2 stars", low),
            Measured("share", "Of all ratings", share(low, n), "fraction", n, "rated"),
        ],
    )
    read = len(ratings)
    if read < low:
        made.say(f"What follows is of the newest {read:,} of these {low:,}.")
    tags = Counter(tag for each in ratings for tag in set(each.tags))
    if tags:
        ranked = sorted(tags.items(), key=lambda each: (-each[1], each[0]))[:_TAGS]
        made.grid(
            "tags",
            ("tag", "ratings", "share", "n"),
            [[tag, count, share(count, read), read] for tag, count in ranked],
            caption="Tags of low ratings; a rating counts for each of its tags.",
            units={"share": "fraction"},
        )
    _remarks(made, ratings)
    made.noted("csat", "low_ratings")


def _remarks(made: Making, ratings: Sequence[CsatRating]) -> None:
    said = [each for each in ratings if each.remark]
    if not said:
        made.say("None of them has a remark.")
        return
    rows: list[list[Cell]] = [
        [each.conversation_id, each.rating, iso(micros(each.rated_at))[:10] if each.rated_at else None,
         listed(each.tags), _shown(made, each)]
        for each in said[:_REMARKS]
    ]  # fmt: skip
    made.grid(
        "remarks",
        ("conversation", "rating", "rated", "tags", "remark"),
        rows,
        caption=f"The newest {len(rows)} of {len(said)} low ratings with a remark.",
    )
    if not made.reveal:
        made.note("Remarks are customers' own words and are hidden: TALKSCOPE_REVEAL_PERSONAL_DATA=1 shows them.")


def _shown(made: Making, each: CsatRating) -> str | None:
    if made.reveal or "CsatRating.remark" not in PERSONAL or not each.remark:
        return each.remark
    return f"[hidden: {len(each.remark)} characters]"


def _configured(made: Making, what: str) -> CsatAnalytics | None:
    found = made.facts.csat
    if found is None:
        made.lacks("csat", what)
        return None
    if not found.is_configured:
        made.say(meaning.NO_CSAT, "finding")
        return None
    return found
