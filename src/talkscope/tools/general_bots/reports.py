"""Which reports are there, and how far are they? And one more, please."""

from __future__ import annotations

import re
from typing import Literal

from anyio import sleep
from pydantic import Field

from talkscope.errors import BadAnswer, TalkscopeError
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.models.window import Window
from talkscope.platforms.general_bots import create_report, report, reports
from talkscope.platforms.general_bots.meaning import DOCUMENT
from talkscope.platforms.general_bots.models import Report
from talkscope.platforms.general_bots.reports import MEDIA_TYPES
from talkscope.tools.general_bots.asking import dates, sent
from talkscope.tools.general_bots.shown import table
from talkscope.tools.vendor import Reach, Timed, VendorTool

DOWNLOAD = "Download it: `talkscope fetch general-bots document --param report_id={} --param format={} -o FILE`."
PENDING = "The report is not done yet: ask bots_reports for it by its id."
FAILED = "The server says that the report failed."
UNSTATED = "The server does not say how far the report is; if it is done, a download succeeds."
ITSELF = "The server answered with the report's document itself, so it is done."
UNSEEN = "The server has begun the report, but looking at it failed ({})."
SHAPE = "Of a report only its id is documented; all else comes as the server gives it."

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0


class ReportsAsked(Asked):
    """All reports, or one."""

    report_id: str | None = Field(default=None, description="all without it")


class CreateAsked(Timed):
    """A new report."""

    type: Literal["engagement", "usage", "conversations", "performance", "compliance", "custom"]
    format: Literal["pdf", "csv", "xlsx", "json", "html"] = "pdf"
    wait_sec: int = Field(default=20, ge=0, le=50, description="wait for it, 0-50, default 20")


async def _listed(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, ReportsAsked)
    if asked.report_id is not None:
        return _one(reach, await _looked(reach, asked.report_id), None)
    found = await sent(reach, reports())
    reach.note(SHAPE)
    columns, rows = table(found) if found else (["id", "status"], [])
    return reach.answer(
        columns, rows, n=len(found), basis="reports on the server", units={"n": "reports"}
    )  # fmt: skip


async def _created(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, CreateAsked)
    window = reach.window(asked)
    found = await sent(reach, create_report(type=asked.type, format=asked.format, **dates(window)))
    waited, pause = 0.0, _FIRST_PAUSE
    while not found.done and waited < asked.wait_sec:
        pause = min(pause, asked.wait_sec - waited)
        await sleep(pause)
        waited += pause
        pause = min(_LONGEST_PAUSE, pause * 2)
        try:
            looked = await _looked(reach, found.id)
        except TalkscopeError as error:
            reach.note(UNSEEN.format(type(error).__name__))
            break
        # What the server no longer says was as it was asked for.
        found = looked.model_copy(update={"format": looked.format or asked.format})
    return _one(reach, found, window)


async def _looked(reach: Reach, report_id: str) -> Report:
    """The report as it is now; one that comes as its own document is completed."""
    try:
        return await sent(reach, report(report_id))
    except BadAnswer as error:
        if error.code != DOCUMENT:
            raise
    reach.note(ITSELF)
    return Report(id=report_id, status="completed")


def _one(reach: Reach, found: Report, window: Window | None) -> Answer:
    said = {"pending": PENDING, "failed": FAILED, "unstated": UNSTATED}.get(found.state)
    reach.note(*[said] if said else [])
    if found.state in ("completed", "unstated"):
        # What a server calls a report is no part of a command line unless it is a mere word.
        word = found.id if _WORD.fullmatch(found.id) else "ITS_ID"
        reach.note(DOWNLOAD.format(word, found.format if found.format in MEDIA_TYPES else "pdf|csv|xlsx|json|html"))
    reach.note(SHAPE)
    columns, told = table(found)
    rows: list[list[Cell]] = [*told, ["state", found.state]] if columns == ["name", "value"] else told
    return reach.answer(columns, rows, n=1, window=window, basis="one report", units={"n": "reports"})


REPORTS = VendorTool(
    name="bots_reports",
    title="Reports of bots",
    description="General Bots reports: all, or one by its id with its state and how to download it. Needs"
    " analytics_admin; planned by the vendor.",
    platform="general_bots",
    params=ReportsAsked,
    answered=_listed,
    left_out="Ask for one by its id.",
)
CREATE = VendorTool(
    name="bots_report_create",
    title="Make a report of bots",
    description="Have General Bots make a report of a window, wait for it, and say how to download it. It stays on the"
    " server. Needs analytics_admin; planned by the vendor.",
    platform="general_bots",
    params=CreateAsked,
    answered=_created,
    read_only=False,
)
