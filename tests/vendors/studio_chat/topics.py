"""Trending topics: asked for, made step by step, kept for the day."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.studio_chat.records import Conversation, Project, Signals
from tests.vendors.studio_chat.selection import chosen, percent
from tests.vendors.studio_chat.state import Job, Studio

_STEPS = ((0, "queued"), (35, "reading conversations"), (80, "grouping topics"), (100, "done"))
_DAYS = 7


def status(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    job = _job(studio, project, _wanted(asked.query))
    if job is None or _failed(studio, project, job):
        return {"status": "none", "analysis": None}
    if job.analysis_id is None:
        return {"status": "pending", "analysis": None}
    return {"status": "completed", "analysis": studio.analyses[project.id, job.analysis_id]}


def generate(studio: Studio, asked: Asked) -> Json:
    """Begin an analysis; one a day for the same assistants and tags."""
    project = studio.project(asked)
    wanted = _wanted(asked.body or {})
    known = _job(studio, project, wanted)
    if known is not None and not _failed(studio, project, known):
        raise Refused(409, "an analysis exists already for today")
    begun = Job(f"job-{len(studio.jobs) + 1}", wanted)
    studio.jobs[project.id, begun.id] = begun
    return {"job_id": begun.id, "status": "pending"}


def job(studio: Studio, asked: Asked) -> Json:
    """How far a job is: each look finds it a step further, and nothing to analyse makes it fail."""
    project = studio.project(asked)
    found = studio.jobs.get((project.id, asked.path["job_id"]))
    if found is None:
        raise Refused(404, "job not found")
    progress, step = _STEPS[min(found.looks, len(_STEPS) - 1)]
    failed = found.looks > 0 and _failed(studio, project, found)
    if progress == 100 and not failed and found.analysis_id is None:
        found.analysis_id = f"analysis-{len(studio.analyses) + 1}"
        studio.analyses[project.id, found.analysis_id] = _analysis(studio, project, found)
    found.looks += 1
    now = studio.world.now
    done = failed or found.analysis_id is not None
    state = "failed" if failed else "completed" if done else "running" if progress else "pending"
    return {
        "id": found.id,
        "status": state,
        "progress": min(progress, 35) if failed else progress,
        "step": step,
        "progress_message": "no conversations to analyse" if failed else None,
        "analysis_id": found.analysis_id,
        "started_at": studio.time(now),
        "completed_at": studio.time(now + timedelta(seconds=found.looks)) if done else None,
    }


def analysis(studio: Studio, asked: Asked) -> Json:
    found = studio.analyses.get((studio.project(asked).id, asked.path["analysis_id"]))
    if found is None:
        raise Refused(404, "analysis not found")
    return found


def _wanted(said: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(said.get("playbook_base_ids") or ())), tuple(sorted(said.get("tags") or ()))


def _job(studio: Studio, project: Project, wanted: tuple[tuple[str, ...], tuple[str, ...]]) -> Job | None:
    """The last job of a project for the same assistants and tags."""
    same = [each for (owner, _), each in studio.jobs.items() if owner == project.id and each.wanted == wanted]
    return same[-1] if same else None


def _failed(studio: Studio, project: Project, job: Job) -> bool:
    return job.looks > 0 and not _meant(studio, project, job)


def _meant(studio: Studio, project: Project, job: Job) -> list[Conversation]:
    bases, tags = job.wanted
    since = studio.world.now - timedelta(days=_DAYS)
    query = {"start_date": since.isoformat(), "playbook_base_ids": list(bases), "tags": list(tags)}
    return chosen(studio, project, query)


def _analysis(studio: Studio, project: Project, job: Job) -> dict[str, Json]:
    """The topics are what customers wanted in the scored conversations of the last seven days."""
    found = _meant(studio, project, job)
    read = [(each, signals) for each in found if (signals := studio.signals(project, each))]
    names = Counter(signals.intent for _, signals in read)
    now = studio.world.now
    return {
        "id": job.analysis_id,
        "analysis_date": now.date().isoformat(),
        "total_conversations": len(found),
        "conversations_analyzed": len(read),
        "start_date": (now - timedelta(days=_DAYS)).date().isoformat(),
        "end_date": now.date().isoformat(),
        "topics": [
            _topic(name, [pair for pair in read if pair[1].intent == name], len(read)) for name in sorted(names)
        ],
    }


def _topic(name: str, read: list[tuple[Conversation, Signals]], of: int) -> dict[str, Json]:
    moods = Counter(signals.sentiment for _, signals in read)
    handoffs = sum(each.handoff for each, _ in read)
    return {
        "name": name,
        "description": f"Customers wrote about {name}.",
        "insight": "Most were answered by an article.",
        "conversation_count": len(read),
        "percentage": percent(len(read), of),
        "sentiment": max(sorted(moods), key=moods.__getitem__),
        "sentiment_breakdown": moods,
        "handoff_count": handoffs,
        "handoff_rate": percent(handoffs, len(read)),
        "conversation_ids": [each.id for each, _ in read],
        "example_conversations": [
            {"conversation_id": each.id, "first_user_message": each.messages[0].content} for each, _ in read[:2]
        ],
    }
