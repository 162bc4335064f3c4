"""Calls about trending topics, and the way from asking for them to having them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

from talkscope.errors import APIError, BadAnswer, DeadlineExceeded, Json, ServerError
from talkscope.flow import Call, Wait, path
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.asking import checked, get
from talkscope.platforms.studio_chat.words import Bases, Id, Tags

ROOT = "/projects/{project_id}/conversations/insights/trending-topics"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
_EXISTS = 409

Step: TypeAlias = (
    "Call[models.TrendingTopicsStatus] | Call[models.TrendingTopicsStarted] | Call[models.TrendingTopicsJob]"
    " | Call[models.TrendingTopicsAnalysis] | Wait"
)
Answered: TypeAlias = (
    "models.TrendingTopicsStatus | models.TrendingTopicsStarted | models.TrendingTopicsJob"
    " | models.TrendingTopicsAnalysis | None"
)
Steps: TypeAlias = "Generator[Step, Answered, models.TrendingTopicsAnalysis | None]"
Told: TypeAlias = "Callable[[models.TrendingTopicsJob], None]"


@checked
def trending_topics_status(
    project_id: Id, *, playbook_base_ids: Bases | None = None, tags: Tags | None = None
) -> Call[models.TrendingTopicsStatus]:
    """Whether an analysis of topics is at hand, and the analysis."""
    params = {"playbook_base_ids": playbook_base_ids, "tags": tags}
    return get(f"{ROOT}/status", models.TrendingTopicsStatus.model_validate, params, project_id=project_id)


@checked
def generate_trending_topics(
    project_id: Id, *, playbook_base_ids: Bases | None = None, tags: Tags | None = None
) -> Call[models.TrendingTopicsStarted]:
    """Start an analysis of topics; 409 when there is one of today. This changes what the service holds."""
    told = {"playbook_base_ids": playbook_base_ids, "tags": tags}
    body: dict[str, Json] = {name: [*value] for name, value in told.items() if value is not None}
    return Call(
        path(f"{ROOT}/generate", project_id=project_id),
        models.TrendingTopicsStarted.model_validate,
        method="POST",
        body=body,
        read_only=False,
    )


@checked
def trending_topics_job(project_id: Id, job_id: Id) -> Call[models.TrendingTopicsJob]:
    """How far an analysis is."""
    return get(f"{ROOT}/job/{{job_id}}", models.TrendingTopicsJob.model_validate, project_id=project_id, job_id=job_id)


@checked
def trending_topics_analysis(project_id: Id, analysis_id: Id) -> Call[models.TrendingTopicsAnalysis]:
    """One finished analysis of topics."""
    parse = models.TrendingTopicsAnalysis.model_validate
    return get(f"{ROOT}/analysis/{{analysis_id}}", parse, project_id=project_id, analysis_id=analysis_id)


def trending_topics(
    project_id: str,
    *,
    playbook_base_ids: Bases | None = None,
    tags: Tags | None = None,
    generate: bool = False,
    renew: bool = False,
    patience: float = 600.0,
    told: Told | None = None,
) -> Steps:
    """The steps to an analysis of topics, without any input or output: status, generate, poll, analysis.

    Send it the typed answer of each call, throw into it the error of a call that failed, and send None after each
    Wait. It returns the analysis, or None when there is none and `generate` does not allow to start one.

    Args:
        project_id: The project.
        playbook_base_ids: Assistants to analyse; all when left out.
        tags: Tags that conversations must carry.
        generate: Whether an analysis may be started, which is a side effect.
        renew: Whether to start one even though there is one already; the service refuses a second one of a day, and
            then the first is the answer.
        patience: Most seconds to wait in all.
        told: Is told of every poll of a job.

    Raises DeadlineExceeded when patience ends and ServerError when the job fails.
    """
    status = yield from _status(project_id, playbook_base_ids, tags)
    if status.analysis is not None and not (renew and generate):
        return status.analysis
    job_id = status.job_id
    if status.status != "pending":
        if not generate:
            return None
        try:
            started = yield generate_trending_topics(project_id, playbook_base_ids=playbook_base_ids, tags=tags)
        except APIError as error:
            if error.status != _EXISTS:
                raise
            status = yield from _status(project_id, playbook_base_ids, tags)
            if status.analysis is not None:
                return status.analysis
            job_id = status.job_id
        else:
            assert isinstance(started, models.TrendingTopicsStarted)
            job_id = started.job_id
    if job_id is None:
        return (yield from _settled(project_id, playbook_base_ids, tags, patience))
    return (yield from _finished(project_id, job_id, patience, told))


def _status(
    project_id: str, bases: Bases | None, tags: Tags | None
) -> Generator[Step, Answered, models.TrendingTopicsStatus]:
    status = yield trending_topics_status(project_id, playbook_base_ids=bases, tags=tags)
    assert isinstance(status, models.TrendingTopicsStatus)
    return status


def _finished(
    project_id: str, job_id: str, patience: float, told: Told | None
) -> Generator[Step, Answered, models.TrendingTopicsAnalysis]:
    pauses = _Pauses(patience)
    while True:
        job = yield trending_topics_job(project_id, job_id)
        assert isinstance(job, models.TrendingTopicsJob)
        if told is not None:
            told(job)
        if job.status == "failed":
            raise ServerError("The analysis of topics failed.", hint="Start another one.", code="job_failed")
        if job.status == "completed":
            if job.analysis_id is None:
                raise BadAnswer("The analysis of topics is completed and has no id.")
            analysis = yield trending_topics_analysis(project_id, job.analysis_id)
            assert isinstance(analysis, models.TrendingTopicsAnalysis)
            return analysis
        yield pauses.next()


def _settled(
    project_id: str, bases: Bases | None, tags: Tags | None, patience: float
) -> Generator[Step, Answered, models.TrendingTopicsAnalysis | None]:
    """The analysis of a job that somebody else started: a pending status need not name it."""
    pauses = _Pauses(patience)
    while True:
        yield pauses.next()
        status = yield from _status(project_id, bases, tags)
        if status.status != "pending":
            return status.analysis


class _Pauses:
    """Longer and longer ones, until patience ends."""

    def __init__(self, patience: float) -> None:
        self._left, self._pause = patience, _FIRST_PAUSE

    def next(self) -> Wait:
        """The next one. Raises DeadlineExceeded at the end."""
        if self._left <= 0:
            raise DeadlineExceeded(
                "The analysis of topics is not finished yet.", hint="Ask again later: the service goes on with it."
            )
        pause = min(self._pause, self._left)
        self._left -= pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return Wait(pause)
