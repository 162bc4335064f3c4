"""Assistants, knowledge bases, office hours, integrations, test cases and projects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import TypeVar

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.studio_chat.records import ApiTool, EvalCase, EvalRun, KnowledgeBase, Playbook, Project
from tests.vendors.studio_chat.state import Studio

T = TypeVar("T")


def playbooks(studio: Studio, asked: Asked) -> Json:
    """The version in use of each assistant; all versions and deleted ones when asked for."""
    known = studio.project(asked).playbooks
    kept = [each for each in known if asked.get("include_deleted") or not each.deleted]
    if not asked.get("include_versions"):
        kept = [each for each in kept if each is _active(studio, known, each.base_id)]
    return [_playbook(each) for each in kept]


def playbook(studio: Studio, asked: Asked) -> Json:
    return _playbook(_version(studio, asked))


def playbook_history(studio: Studio, asked: Asked) -> Json:
    base = _version(studio, asked).base_id
    return studio.listed([_playbook(each) for each in _assistants(studio) if each.base_id == base])


def playbook_version(studio: Studio, asked: Asked) -> Json:
    base, number = _version(studio, asked).base_id, asked.path["version_number"]
    return _playbook(_one(_assistants(studio), lambda each: (each.base_id, each.version) == (base, number), "version"))


def playbook_settings(studio: Studio, asked: Asked) -> Json:
    """The settings of an assistant; null for one that has never had any."""
    found = _version(studio, asked)
    if found.name == "Orders":
        return None
    return {"is_disabled": found.deleted, "url_shortener": None, "winback": {"enabled": True, "after_minutes": 30}}


def active_playbook(studio: Studio, asked: Asked) -> Json:
    found = _active(studio, _of_base(studio, asked), asked.path["base_id"])
    if found is None:
        raise Refused(404, "no version is in use")
    return {"base_id": found.base_id, "version_number": found.version, "playbook": _playbook(found)}


def active_playbook_history(studio: Studio, asked: Asked) -> Json:
    return studio.listed(
        [
            {"version_number": each.version, "activated_at": studio.time(each.since), "activated_by": each.by}
            for each in _of_base(studio, asked) if each.since <= studio.world.now
        ]
    )  # fmt: skip


def knowledge_bases(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    rows = []
    for base in project.bases:
        if base.status != "DELETED" or asked.get("include_final_delete"):
            row = _knowledge_base(studio, base)
            if asked.get("include_playbook_usage"):
                row["used_by_playbooks"] = [
                    {"id": each.id, "name": each.name} for each in project.playbooks if base.id in each.kb_ids
                ]
            rows.append(row)
    return rows


def knowledge_base(studio: Studio, asked: Asked) -> Json:
    return _knowledge_base(studio, _base(studio, asked))


def knowledge_base_item(studio: Studio, asked: Asked) -> Json:
    base = _base(studio, asked)
    item, title = _one(base.items, lambda each: each[0] == asked.path["item_id"], "item")
    url = f"https://help.example/{item}" if base.kind == "INTERCOM" else None
    return {"item_id": item, "item_type": base.kind.lower(), "title": title, "url": url}


def schedule(studio: Studio, asked: Asked) -> Json:
    studio.project(asked)
    hours = [{"from": "09:00", "to": "18:00"}]
    return {
        "enabled": True,
        "timezone": "America/Argentina/Buenos_Aires",
        "weekly_schedule": dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), hours),
        "overrides": [{"date": "2026-05-01", "closed": True}],
    }


def api_tools(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    used = {"used_by_playbooks": [project.playbooks[0].id]} if asked.get("include_playbook_usage") else {}
    return studio.listed([_tool(each) | used for each in project.tools])


def api_tool(studio: Studio, asked: Asked) -> Json:
    return _tool(_one(studio.project(asked).tools, lambda each: each.id == asked.path["tool_id"], "API tool"))


def project_settings(studio: Studio, asked: Asked) -> Json:
    return {"personality_tone": studio.project(asked).tone, "user_enrichment_url": None}


def projects(studio: Studio, asked: Asked) -> Json:
    return studio.listed([_project(each) for each in studio.world.projects])


def project(studio: Studio, asked: Asked) -> Json:
    return _project(studio.project(asked))


def analyst_conversations(studio: Studio, asked: Asked) -> Json:
    return [{"id": "analyst-1", "title": "Why did handoffs rise?", "created_at": studio.time(studio.world.now)}]


def analyst_messages(studio: Studio, asked: Asked) -> Json:
    if asked.path["conversation_id"] != "analyst-1":
        raise Refused(404, "conversation not found")
    return [{"role": "user", "content": "Why did handoffs rise?"}, {"role": "assistant", "content": "They did not."}]


def eval_cases(studio: Studio, asked: Asked) -> Json:
    cases = _cases(studio, asked)
    return studio.listed([_case(each) for each in cases if each.enabled or not asked.get("enabled_only")])


def eval_case(studio: Studio, asked: Asked) -> Json:
    every = (case for each in studio.world.projects for case in each.cases)
    return _case(_one(every, lambda each: each.id == asked.path["case_id"], "test case"))


def eval_cases_yaml(studio: Studio, asked: Asked) -> Json:
    lines = ["cases:"]
    for each in _cases(studio, asked):
        # JSON's scalars and lists are YAML's.
        lines += [
            f"- input: {json.dumps(each.input)}", f"  expected_output: {json.dumps(each.expected)}",
            f"  tags: {json.dumps(each.tags)}", f"  enabled: {json.dumps(each.enabled)}",
        ]  # fmt: skip
    return {"yaml_content": "\n".join(lines) + "\n"}


def eval_runs(studio: Studio, asked: Asked) -> Json:
    _of_base(studio, asked)
    every = [run for run in _runs(studio) if run.base_id == asked.path["base_id"]]
    page, size = asked.query["page"], asked.query["page_size"]
    return {
        "items": [_run(studio, run) for run in every[(page - 1) * size : page * size]],
        "total": len(every),
        "page": page,
        "page_size": size,
        "total_pages": -(-len(every) // size),
    }


def eval_run(studio: Studio, asked: Asked) -> Json:
    found = _one(_runs(studio), lambda run: run.id == asked.path["run_id"], "test run")
    results = [{"case_id": case, "score": score, "passed": score >= 0.5} for case, score in found.scores.items()]
    return {**_run(studio, found), "results": results}


def _one(every: Iterable[T], fits: Callable[[T], bool], what: str) -> T:
    for each in every:
        if fits(each):
            return each
    raise Refused(404, f"{what} not found")


def _assistants(studio: Studio) -> list[Playbook]:
    return [each for project in studio.world.projects for each in project.playbooks]


def _version(studio: Studio, asked: Asked) -> Playbook:
    return _one(_assistants(studio), lambda each: each.id == asked.path["playbook_id"], "playbook")


def _of_base(studio: Studio, asked: Asked) -> list[Playbook]:
    found = [each for each in _assistants(studio) if each.base_id == asked.path["base_id"]]
    if not found:
        raise Refused(404, "playbook not found")
    return found


def _active(studio: Studio, every: Sequence[Playbook], base: str) -> Playbook | None:
    """The latest version of an assistant that went into use."""
    used = [each for each in every if each.base_id == base and each.since <= studio.world.now]
    return max(used, key=lambda each: each.since, default=None)


def _base(studio: Studio, asked: Asked) -> KnowledgeBase:
    every = (base for each in studio.world.projects for base in each.bases)
    return _one(every, lambda base: base.id == asked.path["kb_id"], "knowledge base")


def _cases(studio: Studio, asked: Asked) -> list[EvalCase]:
    _of_base(studio, asked)
    return [
        case for each in studio.world.projects for case in each.cases if case.base_id == asked.path["base_id"]
    ]  # fmt: skip


def _runs(studio: Studio) -> Iterator[EvalRun]:
    return (run for project in studio.world.projects for run in project.runs)


def _project(each: Project) -> dict[str, Json]:
    return {"id": each.id, "name": each.name}


def _playbook(each: Playbook) -> dict[str, Json]:
    return {
        "id": each.id, "base_id": each.base_id, "name": each.name, "version_number": each.version,
        "content": each.content, "kb_ids": list(each.kb_ids), "model": each.model, "is_deleted": each.deleted,
        "inboxes": [{"id": inbox.id, "name": inbox.name} for inbox in each.inboxes],
    }  # fmt: skip


def _knowledge_base(studio: Studio, base: KnowledgeBase) -> dict[str, Json]:
    row: dict[str, Json] = {"id": base.id, "title": base.title, "kb_type": studio.kind(base), "status": base.status}
    rows = [{"id": item, "title": title} for item, title in base.items]
    match base.kind:
        case "INTERCOM":
            row["intercom_items"] = rows
        case "FAQ":
            row["faq_items"] = [{"id": each["id"], "question": each["title"], "answer": "See below."} for each in rows]
        case "SNIPPETS":
            row["snippet_items"] = rows
        case _:
            row["content"] = "\n".join(title for _, title in base.items)
    return row


def _tool(tool: ApiTool) -> dict[str, Json]:
    return {"id": tool.id, "name": tool.name, "method": tool.method, "url": tool.url}


def _case(case: EvalCase) -> dict[str, Json]:
    return {
        "id": case.id, "input": case.input, "expected_output": case.expected, "tags": list(case.tags),
        "enabled": case.enabled,
    }  # fmt: skip


def _run(studio: Studio, run: EvalRun) -> dict[str, Json]:
    mean = round(fmean(run.scores.values()), 4)
    return {
        "id": run.id,
        "created_at": studio.time(run.at),
        "status": "completed",
        "cases": len(run.scores),
        "score": mean,
    }
