"""The arguments that calls share, each with its check, and the labels of the signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias, get_args

from talkscope.platforms.studio_chat.checks import Day, Flag, Moment, OneOf, Text, Texts, Tree, Whole

SENTIMENTS = ("negative", "neutral", "positive")
RESOURCES = ("irrelevant", "partial", "relevant")
SENTIMENT_SHIFTS = ("improved", "stable", "degraded")
DEFLECTION_QUALITIES = ("resolved", "partial", "actioned", "no_response")
HANDOFF_REASONS = ("policy", "user_request", "frustration", "bot_limitation")
RECONTACT_RISKS = ("low", "medium", "high")
MOST_IDS = 50
"""The most conversations of one batch."""

SortBy: TypeAlias = Literal["last_message_at", "first_message_at", "message_count"]
SortOrder: TypeAlias = Literal["desc", "asc"]

Id: TypeAlias = Annotated[str, Text()]
Word: TypeAlias = Annotated[str, Text()]
Yes: TypeAlias = Annotated[bool, Flag()]
When: TypeAlias = Annotated[str | datetime | date, Moment()]
OnDay: TypeAlias = Annotated[str | datetime | date, Day()]
Tags: TypeAlias = Annotated[str | Sequence[str], Texts()]
Bases: TypeAlias = Annotated[str | Sequence[str], Texts()]
Ids: TypeAlias = Annotated[str | Sequence[str], Texts(most=MOST_IDS, commas=True)]
TagFilter: TypeAlias = Annotated[str | Mapping[str, object], Tree()]
KeyValue: TypeAlias = Annotated[str, Text("[^:]+:.+", "Write it as key:value, such as ticket_type_id:67.")]
Skip: TypeAlias = Annotated[int, Whole(0)]
Count: TypeAlias = Annotated[int, Whole(0)]
Number: TypeAlias = Annotated[int, Whole(1)]
UpTo5: TypeAlias = Annotated[int, Whole(1, 5)]
UpTo90: TypeAlias = Annotated[int, Whole(1, 90)]
UpTo100: TypeAlias = Annotated[int, Whole(1, 100)]
UpTo200: TypeAlias = Annotated[int, Whole(1, 200)]
UpTo500: TypeAlias = Annotated[int, Whole(1, 500)]
By: TypeAlias = Annotated[SortBy, OneOf(get_args(SortBy))]
Order: TypeAlias = Annotated[SortOrder, OneOf(get_args(SortOrder))]
Sentiments: TypeAlias = Annotated[str | Sequence[str], Texts(SENTIMENTS)]
Resources: TypeAlias = Annotated[str | Sequence[str], Texts(RESOURCES)]
Shifts: TypeAlias = Annotated[str | Sequence[str], Texts(SENTIMENT_SHIFTS)]
Qualities: TypeAlias = Annotated[str | Sequence[str], Texts(DEFLECTION_QUALITIES)]
Reasons: TypeAlias = Annotated[str | Sequence[str], Texts(HANDOFF_REASONS)]
Risks: TypeAlias = Annotated[str | Sequence[str], Texts(RECONTACT_RISKS)]
