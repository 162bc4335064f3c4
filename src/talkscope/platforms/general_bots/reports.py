"""Reports of General Bots, which are planned: made, listed, looked at until they are done, and downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from talkscope.errors import InvalidArgument, Json
from talkscope.flow import Call, Download, path
from talkscope.platforms.checks import chosen
from talkscope.platforms.general_bots.checks import window
from talkscope.platforms.general_bots.models import Report
from talkscope.platforms.general_bots.routes import ROUTES

ReportType: TypeAlias = Literal["engagement", "usage", "conversations", "performance", "compliance", "custom"]
Format: TypeAlias = Literal["pdf", "csv", "xlsx", "json", "html"]

TYPES = ("engagement", "usage", "conversations", "performance", "compliance", "custom")
"""The one type of the page's example, and the five of the vendor's other page about reports."""
MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "html": "text/html",
}
"""What a finished report's document is, by the format asked for."""
PAGE = 20
"""A list of exactly so many may be a first page, and no parameter for the next is documented."""

_LIST = TypeAdapter(tuple[Report, ...])


def create_report(
    *, type: ReportType, start_date: str | date, end_date: str | date, format: Format = "pdf"
) -> Call[Report]:
    """Ask the server to make a report: the one call that changes something, so it is never asked twice."""
    for name, value in (("type", type), ("start_date", start_date), ("end_date", end_date), ("format", format)):
        if value is None:
            raise InvalidArgument(f"{name} is missing.", hint="A report takes type, start_date, end_date and format.")
    dates = window(start_date=start_date, end_date=end_date)
    body: dict[str, Json] = {
        "type": chosen("type", type, TYPES),
        "start_date": str(dates["start_date"]),
        "end_date": str(dates["end_date"]),
        "format": chosen("format", format, MEDIA_TYPES),
    }
    return Call(ROUTES["create_report"].path, Report.model_validate, method="POST", body=body, read_only=False)


def report(report_id: str | int) -> Call[Report]:
    """One report; ask until it is `done`."""
    return Call(path(ROUTES["report"].path, report_id=report_id), Report.model_validate)


def reports() -> Call[tuple[Report, ...]]:
    """All reports, which come as a bare list or under `data`."""
    return Call(ROUTES["reports"].path, _reports)


def document(report_id: str | int, format: Format = "pdf") -> Download:
    """A finished report's document, as bytes: no download is documented, only this route could carry it."""
    kind = chosen("format", format, MEDIA_TYPES) or "pdf"
    return Download(path(ROUTES["report"].path, report_id=report_id), _unread, media_type=MEDIA_TYPES[kind])


def _unread(_: Json) -> bytes:
    raise AssertionError("a document is not read")


def _reports(value: Json) -> tuple[Report, ...]:
    return _LIST.validate_python(value["data"] if isinstance(value, dict) else value)
