"""What customers write about: the vendor's analysis of topics, whether there is one, and asking for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

from anyio import sleep
from pydantic import Field

from talkscope.errors import APIError, DeadlineExceeded, InvalidArgument, ServerError, unknown
from talkscope.flow import Call, Wait
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.models.text import clean
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.calls.insights import Answered, Step, Steps
from talkscope.platforms.studio_chat.models import Topic, TrendingTopicsAnalysis, TrendingTopicsJob
from talkscope.tools.studio_chat.asking import bases, project
from talkscope.tools.studio_chat.cells import at, fraction, listed, of, share, shown
from talkscope.tools.vendor import Reach, VendorTool
from talkscope.tools.vendor.said import word

_LONGEST = 600
_UNITS = {"share": "fraction of n", "handoff_rate": "fraction of conversations"}
_EXISTS = 409
_ODD = "(an id of more than a word)"
_NONE = "There is no analysis of topics yet: studio_topics_start asks for one, where that is allowed."
_STATE = ("job_id", "status", "progress", "step", "message", "started_at", "completed_at", "analysis_id")


class TopicsAsked(Asked):
    """An analysis of topics."""

    show: Literal["topics", "moods", "conversations"] = "topics"
    topic: str | None = Field(default=None, description="one topic's name")
    assistant: Words = Field(default_factory=list, description="names or ids")
    tags: Words = Field(default_factory=list, description="all of them")
    analysis_id: str | None = Field(default=None, description="an earlier analysis")
    job_id: str | None = Field(default=None, description="how far a job is")


class StartAsked(Asked):
    """A new analysis of topics."""

    assistant: Words = Field(default_factory=list, description="names or ids, default all")
    tags: Words = Field(default_factory=list, description="all of them")
    wait_sec: int = Field(default=45, ge=0, le=_LONGEST, description="seconds to wait for it, 0-600")


async def topics(reach: Reach, asked: Asked) -> Answer:
    """The topics of the analysis that is at hand, or the state of a job."""
    assert isinstance(asked, TopicsAsked)
    if asked.job_id is not None:
        if asked.analysis_id is not None:
            raise InvalidArgument("job_id and analysis_id exclude each other.", hint="Give one of the two.")
        job = await reach.send(studio_chat.trending_topics_job(project(reach), asked.job_id))
        if job.analysis_id is not None:
            reach.note(f"It is done: analysis_id={word(job.analysis_id, _ODD)} has the topics.")
        return _state(reach, job)
    if asked.analysis_id is not None:
        found = await reach.send(studio_chat.trending_topics_analysis(project(reach), asked.analysis_id))
        return _told(reach, found, asked.show, asked.topic)
    ids = await bases(reach, asked.assistant)
    status = await reach.send(
        studio_chat.trending_topics_status(project(reach), playbook_base_ids=ids or None, tags=asked.tags or None)
    )
    if status.analysis is not None:
        return _told(reach, status.analysis, asked.show, asked.topic)
    if status.status == "pending":
        job_id = f" job_id={word(status.job_id, _ODD)} says how far it is." if status.job_id else ""
        reach.note(f"An analysis of topics is under way: ask again later.{job_id}")
    else:
        reach.note(_NONE)
    return reach.answer(("topic", "conversations", "share", "n"), [], n=0)


def _told(reach: Reach, found: TrendingTopicsAnalysis, show: str, name: str | None) -> Answer:
    every = found.topics
    if name is not None:
        every = tuple(each for each in every if each.name.casefold() == name.strip().casefold())
        if not every:
            raise unknown("topic", clean(name, 60), [clean(each.name, 60) for each in found.topics])
    form: Mapping[str, tuple[Sequence[str], list[list[Cell]]]] = {
        "topics": (_TOPICS, [_topic(each, found.conversations_analyzed) for each in every]),
        "moods": (
            ("topic", "sentiment", "conversations", "share", "n"),
            [row for each in every for row in _mood(each)],
        ),
        "conversations": (
            ("topic", "conversation_id", "example"),
            [row for each in every for row in _members(reach, each)],
        ),
    }
    start, end = (at(found.start_date), at(found.end_date))
    reach.note(
        f"Analysis {word(found.id, _ODD)} of {_day(at(found.analysis_date))}: {found.conversations_analyzed} of"
        f" {found.total_conversations} conversations from {_day(start)} to {_day(end)} were read; a topic's share is of"
        " those."
    )
    columns, rows = form[show]
    return reach.answer(columns, rows, n=found.conversations_analyzed or 0, units=of(columns, _UNITS))


_TOPICS = (
    *("topic", "conversations", "share", "n", "sentiment", "handoffs", "handoff_rate", "description", "insight"),
)


def _topic(each: Topic, n: int | None) -> list[Cell]:
    return [
        each.name,
        each.conversation_count,
        fraction(each.percentage) if each.percentage is not None else share(each.conversation_count, n),
        n,
        each.sentiment,
        each.handoff_count,
        fraction(each.handoff_pct),
        each.description,
        each.insight,
    ]


def _mood(each: Topic) -> list[list[Cell]]:
    told = {label: count for label, count in (each.sentiment_breakdown or {}).items() if isinstance(count, int)}
    n = sum(told.values())
    return [[each.name, label, count, share(count, n), n] for label, count in told.items()]


def _members(reach: Reach, each: Topic) -> list[list[Cell]]:
    """The conversations of a topic, and what the analysis quotes of them where personal data are shown."""
    quoted = {
        str(one.get("conversation_id")): listed(
            str(value) for name, value in one.items() if name != "conversation_id" and value is not None
        )
        for one in each.example_conversations
        if isinstance(one, dict)
    }
    hidden = shown(reach, each, "example_conversations") if not reach.reveal else None
    return [
        [each.name, one, None if one not in quoted else quoted[one] if reach.reveal else hidden]
        for one in dict.fromkeys([*each.conversation_ids, *quoted])
    ]


def _day(time: str | None) -> str:
    return "an unknown day" if time is None else time[:10]


def _state(reach: Reach, job: TrendingTopicsJob | None, otherwise: str = "pending") -> Answer:
    row: list[Cell] = [None, otherwise, None, None, None, None, None, None]
    if job is not None:
        step = None if job.step is None else str(job.step)
        row = [
            *(job.id, job.status, fraction(job.progress), step, job.progress_message),
            *(at(job.started_at), at(job.completed_at), job.analysis_id),
        ]
    return reach.answer(_STATE, [row], n=1, units={"progress": "fraction"})


async def start(reach: Reach, asked: Asked) -> Answer:
    """Start an analysis and wait for it: its topics, or how far it is when the time is up."""
    assert isinstance(asked, StartAsked)
    ids = await bases(reach, asked.assistant)
    seen: list[TrendingTopicsJob] = []
    steps = studio_chat.trending_topics(
        project(reach),
        playbook_base_ids=ids or None,
        tags=asked.tags or None,
        generate=True,
        renew=True,
        patience=float(asked.wait_sec),
        told=seen.append,
    )
    try:
        found = await _taken(reach, steps)
    except DeadlineExceeded:
        reach.note("The analysis goes on at Studio Chat: ask studio_topics with the job_id how far it is.")
        return _state(reach, seen[-1] if seen else None)
    except ServerError as error:
        if error.code != "job_failed":
            raise
        reach.note("The analysis failed: there may be no conversations to analyse.")
        return _state(reach, seen[-1] if seen else None, "failed")
    if found is None:
        reach.note(_NONE)
        return _state(reach, None, "none")
    return _told(reach, found, "topics", None)


async def _taken(reach: Reach, steps: Steps) -> TrendingTopicsAnalysis | None:
    """Take the steps to an analysis."""
    step = next(steps)
    while True:
        answer = await _answer(reach, step)
        try:
            step = steps.throw(answer) if isinstance(answer, APIError) else steps.send(answer)
        except StopIteration as done:
            finished: TrendingTopicsAnalysis | None = done.value
            return finished


async def _answer(reach: Reach, step: Step) -> Answered | APIError:
    """A call's answer or its refusal, after which the steps may go on; nothing after a pause."""
    if isinstance(step, Wait):
        await sleep(step.seconds)
        return None
    try:
        return await reach.send(cast("Call[Answered]", step))
    except APIError as error:
        if error.status == _EXISTS:
            reach.note("There is an analysis of today already, which is this one: one a day can be made.")
        return error


TOPICS = VendorTool(
    name="studio_topics",
    title="Studio Chat: trending topics",
    description=(
        "What customers write about: Studio Chat's latest analysis of topics with shares, moods and handoffs, a topic's"
        " conversations, or how far a job is."
    ),
    platform="studio_chat",
    params=TopicsAsked,
    answered=topics,
    left_out="Ask for one topic.",
)

TOPICS_START = VendorTool(
    name="studio_topics_start",
    title="Studio Chat: analyse topics",
    description=(
        "Have Studio Chat analyse the topics of the last days now, wait for it, and give the topics, or the job's"
        " state when the time is up. This changes what Studio Chat holds; one a day."
    ),
    platform="studio_chat",
    params=StartAsked,
    answered=start,
    left_out="studio_topics has one topic.",
    read_only=False,
)
