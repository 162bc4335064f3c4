"""Calls about what is configured: projects, assistants, knowledge bases, tools, office hours and tests.

Assistants are called playbooks: a `playbook_id` is one version, a `base_id` all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from talkscope.errors import Json
from talkscope.flow import Call, Param
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.asking import checked, get
from talkscope.platforms.studio_chat.models.wire import listed, objects
from talkscope.platforms.studio_chat.words import Id, Number, UpTo100, Yes

_PROJECT = "/projects/{project_id}"
_KB = "/knowledgebases/{kb_id}"


@checked
def projects() -> Call[tuple[models.Project, ...]]:
    """The projects that the key may read."""
    return get("/projects", listed(models.Project))


@checked
def project(project_id: Id) -> Call[models.Project]:
    """One project."""
    return get(_PROJECT, models.Project.model_validate, project_id=project_id)


@checked
def project_settings(project_id: Id) -> Call[models.ProjectSettings]:
    """How the project speaks."""
    return get(f"{_PROJECT}/settings", models.ProjectSettings.model_validate, project_id=project_id)


@checked
def schedule(project_id: Id) -> Call[models.Schedule]:
    """Office hours and their exceptions."""
    return get(f"{_PROJECT}/schedule", models.Schedule.model_validate, project_id=project_id)


@checked
def api_tools(project_id: Id, *, include_playbook_usage: Yes | None = None) -> Call[tuple[models.ApiTool, ...]]:
    """The project's own HTTP integrations."""
    params = {"include_playbook_usage": include_playbook_usage}
    return get(f"{_PROJECT}/api-tools", listed(models.ApiTool), params, project_id=project_id)


@checked
def api_tool(project_id: Id, tool_id: Id) -> Call[models.ApiTool]:
    """One HTTP integration."""
    parse = models.ApiTool.model_validate
    return get(f"{_PROJECT}/api-tools/{{tool_id}}", parse, project_id=project_id, tool_id=tool_id)


@checked
def knowledge_bases(
    project_id: Id, *, include_final_delete: Yes | None = None, include_playbook_usage: Yes | None = None
) -> Call[tuple[models.KnowledgeBase, ...]]:
    """The project's knowledge bases."""
    params = {"include_final_delete": include_final_delete, "include_playbook_usage": include_playbook_usage}
    return get(f"{_PROJECT}/knowledgebases", listed(models.KnowledgeBase), params, project_id=project_id)


@checked
def knowledge_base(kb_id: Id) -> Call[models.KnowledgeBase]:
    """One knowledge base with its contents."""
    return get(_KB, models.KnowledgeBase.model_validate, kb_id=kb_id)


@checked
def knowledge_base_item(kb_id: Id, item_id: Id) -> Call[models.KnowledgeBaseItem]:
    """Kind, title and address of one item of a knowledge base."""
    return get(f"{_KB}/items/{{item_id}}", models.KnowledgeBaseItem.model_validate, kb_id=kb_id, item_id=item_id)


@checked
def playbooks(
    project_id: Id, *, include_deleted: Yes | None = None, include_versions: Yes | None = None
) -> Call[tuple[models.Playbook, ...]]:
    """The project's assistants."""
    params = {"include_deleted": include_deleted, "include_versions": include_versions}
    return get(f"{_PROJECT}/playbooks", listed(models.Playbook), params, project_id=project_id)


@checked
def playbook(playbook_id: Id) -> Call[models.Playbook]:
    """One version of an assistant, with its instructions."""
    return get("/playbooks/{playbook_id}", models.Playbook.model_validate, playbook_id=playbook_id)


@checked
def playbook_history(playbook_id: Id) -> Call[tuple[dict[str, Json], ...]]:
    """The versions of an assistant, as the service says them: no document names a field."""
    return get("/playbooks/{playbook_id}/history", objects, playbook_id=playbook_id)


@checked
def playbook_version(playbook_id: Id, version_number: Number) -> Call[models.Playbook]:
    """One earlier version of an assistant, by its number."""
    parse = models.Playbook.model_validate
    template = "/playbooks/{playbook_id}/versions/{version_number}"
    return get(template, parse, playbook_id=playbook_id, version_number=version_number)


@checked
def playbook_settings(playbook_id: Id) -> Call[models.PlaybookSettings | None]:
    """Kill switch, winback and link shortener of an assistant; None when never set."""

    def parse(value: Json) -> models.PlaybookSettings | None:
        return None if value is None else models.PlaybookSettings.model_validate(value)

    return replace(get("/playbooks/{playbook_id}/settings", parse, playbook_id=playbook_id), nullable=True)


@checked
def active_playbook(base_id: Id) -> Call[models.ActivePlaybook]:
    """The version of an assistant that is in use."""
    return get("/playbooks/{base_id}/active", models.ActivePlaybook.model_validate, base_id=base_id)


@checked
def active_playbook_history(base_id: Id) -> Call[tuple[models.Activation, ...]]:
    """When which version of an assistant went into use."""
    return get("/playbooks/{base_id}/active/history", listed(models.Activation), base_id=base_id)


@checked
def eval_cases(base_id: Id, *, enabled_only: Yes | None = None) -> Call[tuple[models.EvalCase, ...]]:
    """The test cases of an assistant."""
    params = {"enabled_only": enabled_only}
    return get("/playbooks/{base_id}/eval-cases", listed(models.EvalCase), params, base_id=base_id)


@checked
def eval_case(case_id: Id) -> Call[models.EvalCase]:
    """One test case."""
    return get("/eval-cases/{case_id}", models.EvalCase.model_validate, case_id=case_id)


@checked
def eval_cases_yaml(base_id: Id) -> Call[models.EvalCasesYaml]:
    """All test cases of an assistant as YAML."""
    return get("/playbooks/{base_id}/eval-cases/export-yaml", models.EvalCasesYaml.model_validate, base_id=base_id)


@checked
def eval_runs(base_id: Id, *, page: Number | None = None, page_size: UpTo100 | None = None) -> Call[models.EvalRunPage]:
    """The test runs of an assistant, page by page from page 1: 10 a page, 100 at most."""

    def after(found: models.EvalRunPage) -> Mapping[str, Param] | None:
        return {"page": found.page + 1} if found.items and found.page < found.total_pages else None

    params = {"page": page, "page_size": page_size}
    call = get("/playbooks/{base_id}/eval-runs", models.EvalRunPage.model_validate, params, base_id=base_id)
    return Call(call.path, call.parse, call.params, next=after)


@checked
def eval_run(run_id: Id) -> Call[models.EvalRun]:
    """One test run with its scores per case."""
    return get("/eval-runs/{run_id}", models.EvalRun.model_validate, run_id=run_id)
