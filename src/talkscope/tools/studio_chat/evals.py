"""How assistants do in their tests: the cases, the runs, and the scores of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.platforms import studio_chat
from talkscope.tools.studio_chat.asking import base
from talkscope.tools.studio_chat.cells import listed, paged, shown, tabled, text, yes
from talkscope.tools.vendor import Reach, VendorTool


class EvalsAsked(Asked):
    """Tests of one assistant."""

    show: Literal["runs", "run", "cases", "yaml"] = "runs"
    assistant: str | None = Field(default=None, description="name or id, not for a run")
    run_id: str | None = Field(default=None, description="for show=run")
    enabled_only: bool = Field(default=False, description="of cases")
    page: int = Field(default=1, ge=1, description="of runs, default 1")
    page_size: int = Field(default=10, ge=1, le=100)
    limit: int = Field(default=200, ge=1, le=2_000, description="rows of the others, 1-2000")
    offset: int = Field(default=0, ge=0)


async def evals(reach: Reach, asked: Asked) -> Answer:
    """The view."""
    assert isinstance(asked, EvalsAsked)
    if asked.show == "run":
        if asked.run_id is None:
            raise InvalidArgument("Which run?", hint="Give run_id: show=runs lists them.")
        run = await reach.send(studio_chat.eval_run(asked.run_id))
        return _told(reach, asked, *_run(run.model_dump(mode="json")))
    which = await base(reach, asked.assistant)
    if which is None:
        raise InvalidArgument("Which assistant?", hint="Give assistant: a name or an id.")
    if asked.show == "runs":
        return await _runs(reach, asked, which)
    if asked.show == "yaml":
        reach.note("Lines begin at their first word: `talkscope fetch studio-chat eval-cases-yaml` has the document.")
        document = await reach.send(studio_chat.eval_cases_yaml(which))
        return _told(reach, asked, ("line",), [[line] for line in document.yaml_content.splitlines()])
    cases = await reach.send(studio_chat.eval_cases(which, enabled_only=asked.enabled_only or None))
    rows: list[list[Cell]] = [
        [
            each.id,
            shown(reach, each, "input"),
            shown(reach, each, "expected_output"),
            listed(each.tags),
            yes(each.enabled),
        ]
        for each in cases
    ]
    return _told(reach, asked, ("case_id", "input", "expected_output", "tags", "enabled"), rows)


def _told(reach: Reach, asked: EvalsAsked, columns: Sequence[str], rows: Sequence[list[Cell]]) -> Answer:
    part = rows[asked.offset : asked.offset + asked.limit]
    paged(reach, "rows", asked.offset, len(part), len(rows))
    return reach.answer(columns, part, n=len(rows), basis="n counts rows")


async def _runs(reach: Reach, asked: EvalsAsked, which: str) -> Answer:
    found = await reach.send(studio_chat.eval_runs(which, page=asked.page, page_size=asked.page_size))
    if found.page < found.total_pages:
        reach.note(f"This is page {found.page} of {found.total_pages}: page={found.page + 1} has the next runs.")
    reach.note("No document names the fields of a run: they are as Studio Chat says them.")
    columns, rows = tabled([each.model_dump(mode="json") for each in found.items])
    return reach.answer(columns or ("id",), rows, n=found.total, basis="n counts runs")


def _run(run: Mapping[str, object]) -> tuple[tuple[str, ...], list[list[Cell]]]:
    """What a run says of itself, and then each of its cases: the names of its fields are documented nowhere."""
    lists = {name: value for name, value in run.items() if isinstance(value, list)}
    rows: list[list[Cell]] = [[name, None, text(value)] for name, value in run.items() if name not in lists]
    for name, several in lists.items():
        for each in several:
            case = each if isinstance(each, dict) else {name: each}
            which = next((str(case[key]) for key in ("case_id", "id") if key in case), None)
            rows += [[key, which, text(value)] for key, value in case.items() if key not in {"case_id", "id"}]
    return ("field", "case_id", "value"), rows


EVALS = VendorTool(
    name="studio_evals",
    title="Studio Chat: tests of assistants",
    description="How a Studio Chat assistant does in its tests: runs, the scores of a run by case, test cases, YAML.",
    platform="studio_chat",
    params=EvalsAsked,
    answered=evals,
    left_out="Ask with the offset of the first row that is missing.",
)
