"""Assistants, knowledge bases, tools, office hours, and tests of assistants."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, JsonValue

from talkscope.platforms.studio_chat.models.wire import Many, Moment, Unstated, Wire

# What an item of no documented shape is called by.
_TITLES = ("title", "question", "name")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Project(Unstated):
    """A project; its fields are documented nowhere."""

    id: str | None = None
    name: str | None = None


class ProjectSettings(Wire):
    """How the project speaks."""

    personality_tone: JsonValue = None
    user_enrichment_url: str | None = None


class Schedule(Wire):
    """Office hours and their exceptions."""

    enabled: bool
    timezone: str | None = None
    weekly_schedule: JsonValue = None
    overrides: Many[JsonValue] = ()


class Inbox(Wire):
    """A channel that an assistant answers on."""

    id: str
    name: str | None = None


class Playbook(Wire):
    """One version (`id`) of an assistant (`base_id`); `content` are its instructions."""

    id: str
    base_id: str
    name: str | None = None
    version_number: int
    content: str | None = None
    kb_ids: Many[str] = ()
    model: str | None = None
    is_deleted: bool | None = None
    inboxes: Many[Inbox] = ()


class PlaybookSettings(Wire):
    """Kill switch, winback and link shortener of an assistant."""

    is_disabled: bool
    url_shortener: JsonValue = None
    winback: JsonValue = None


class ActivePlaybook(Wire):
    """The version in use."""

    base_id: str
    version_number: int
    playbook: Playbook


class Activation(Wire):
    """A version that went into use."""

    version_number: int
    activated_at: Moment
    activated_by: str | None = None


class IntercomItem(Wire):
    """An article; its id is the item_id of the citation counts."""

    id: str
    title: str | None = None


class KnowledgeBase(Wire):
    """A knowledge base; which of its item lists is filled depends on `kb_type`, which is in capitals here."""

    id: str
    title: str | None = None
    kb_type: Annotated[str, BeforeValidator(_upper)]
    status: str | None = None
    content: str | None = None
    faq_items: Many[dict[str, JsonValue]] = ()
    snippet_items: Many[dict[str, JsonValue]] = ()
    intercom_items: Many[IntercomItem] = ()
    used_by_playbooks: Many[JsonValue] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Titles by id of the items that it lists itself."""
        found = {}
        for row in (*self.faq_items, *self.snippet_items):
            title = next((row[name] for name in _TITLES if isinstance(row.get(name), str)), None)
            if isinstance(row.get("id"), str) and title is not None:
                found[str(row["id"])] = str(title)
        return found | {each.id: each.title for each in self.intercom_items if each.title}


class KnowledgeBaseItem(Wire):
    """What one item is."""

    item_id: str
    item_type: str | None = None
    title: str | None = None
    url: str | None = None


class ApiTool(Unstated):
    """A custom HTTP integration; its fields are documented nowhere."""

    id: str | None = None
    name: str | None = None
    used_by_playbooks: Many[JsonValue] = ()


class EvalCase(Wire):
    """A test case of an assistant."""

    id: str
    input: JsonValue = None
    expected_output: JsonValue = None
    tags: Many[str] = ()
    enabled: bool | None = None


class EvalCasesYaml(Wire):
    """All test cases as YAML."""

    yaml_content: str


class EvalRun(Unstated):
    """A test run with its scores per case; its fields are documented nowhere."""

    id: str | None = None


class EvalRunPage(Wire):
    """One page of test runs, from page 1."""

    items: tuple[EvalRun, ...]
    total: int
    page: int
    page_size: int
    total_pages: int
