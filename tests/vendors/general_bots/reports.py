"""Reports: asked for, made while one looks, and handed out as documents."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from tests.vendors.engine import Asked, Json, Refused, Reply
from tests.vendors.general_bots import planned
from tests.vendors.general_bots.world import World

MEDIA = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "html": "text/html",
}
LOOKS = 2
"""The look that finds a report done."""

_FIGURES: dict[str, Callable[[World, Asked], Json]] = {
    "engagement": planned.engagement,
    "usage": planned.usage,
    "conversations": planned.conversations,
    "performance": planned.duration,
    "custom": planned.usage,
}


@dataclass(slots=True)
class Report:
    """A report on its way; one of compliance fails."""

    id: str
    asked: Asked
    looks: int = 0

    @property
    def status(self) -> str:
        if self.looks < LOOKS:
            return "pending"
        return "completed" if self.asked.body["type"] in _FIGURES else "failed"


@dataclass(slots=True)
class Reports:
    """All reports of a server.

    Args:
        world: The records that reports are worked out from.
        begun: The status that a report is begun with: 200 by the page, 202 by its sibling.
        enveloped: Whether the list comes under `data`.
        stateless: Whether reports say nothing of their status, as the page does.
        at_once: Whether a finished report's route answers with its document even when JSON would do.
    """

    world: World
    begun: int = 202
    enveloped: bool = False
    stateless: bool = False
    at_once: bool = False
    made: dict[str, Report] = field(default_factory=dict)

    def create(self, asked: Asked) -> Reply:
        """Begin a report."""
        planned.window(self.world, _within(asked))
        report = Report(f"r-{len(self.made) + 1}", asked)
        self.made[report.id] = report
        return Reply(self._row(report), self.begun)

    def listed(self, asked: Asked) -> Reply:
        rows = [self._row(report) for report in self.made.values()]
        return Reply({"data": rows} if self.enveloped else rows)

    def one(self, asked: Asked) -> Reply:
        """A report: its state, or its document once it is done and the request takes the document's type."""
        report = self.made.get(asked.path["report_id"])
        if report is None:
            raise Refused(404)
        report.looks += 1
        media = MEDIA[report.asked.body["format"]]
        if report.status != "completed" or (media not in asked.headers.get("accept", "") and not self.at_once):
            return Reply(self._row(report))
        figures = _FIGURES[report.asked.body["type"]](self.world, _within(report.asked))
        if media == "application/json":
            return Reply({**self._row(report), "report": figures})
        made = document(report.asked.body["format"], figures)
        return Reply(made, media=media) if isinstance(made, str) else Reply(media=media, stream=_whole(made))

    def _row(self, report: Report) -> dict[str, Json]:
        said = {name: report.asked.body[name] for name in ("type", "format", "start_date", "end_date")}
        return {"id": report.id, **said} | ({} if self.stateless else {"status": report.status})


def document(format: str, figures: Json) -> str | bytes:
    """Figures as a file of a format."""
    table = io.StringIO()
    csv.writer(table).writerows([["figure", "value"], *figures.items()])
    if format == "csv":
        return table.getvalue()
    if format == "html":
        return "<table>" + "".join(f"<tr><td>{name}<td>{value}" for name, value in figures.items()) + "</table>"
    if format == "xlsx":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr(zipfile.ZipInfo("report.csv"), table.getvalue())
        return file.getvalue()
    return f"%PDF-1.4\n% {figures}\n%%EOF\n".encode()


async def _whole(made: bytes) -> AsyncIterator[bytes]:
    yield made


def _within(asked: Asked) -> Asked:
    """The window of a report's body, as if it had been a query."""
    return replace(asked, query={name: asked.body[name] for name in ("start_date", "end_date")})
