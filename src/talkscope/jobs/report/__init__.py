"""A report on a window: questions asked together, their answers drawn and told on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from talkscope.jobs.report.asking import Asks, Found, Progress, gather
from talkscope.jobs.report.content import Report
from talkscope.jobs.report.markdown import markdown
from talkscope.jobs.report.page import Draw, html
from talkscope.jobs.report.printing import browser, needed, pdf, printer
from talkscope.models.records import micros
from talkscope.models.safe import Masking
from talkscope.models.text import clean
from talkscope.models.window import iso

__all__ = ["TITLE", "Draw", "Report", "browser", "html", "markdown", "needed", "pdf", "printer", "report"]

TITLE = "Conversation report"


async def report(
    client: Asks,
    words: Mapping[str, object],
    *,
    now: datetime,
    mask: Masking,
    title: str | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Ask for everything that belongs to a report on the window that the words mean.

    Args:
        client: Whoever is asked.
        words: range, or start_time and end_time; timezone; filters.
        now: The time that the report says it was made at.
        mask: Hides personal data in texts.
        title: Its heading.
        progress: Is told of each question whether it was answered.

    Raises:
        TalkscopeError: The headline figures are refused; what else is refused is told in the report.
    """
    from talkscope.jobs.report.sections import sections

    found = await gather(client, words, mask=mask, progress=progress)
    given = words.get("filters")
    return Report(
        title=clean(mask(clean(title or TITLE, 200)), 200),
        about=_about(found, [clean(mask(str(each))) for each in given] if isinstance(given, list) else [], now),
        generated=found.meta.generated,
        sections=sections(found),
        footer=_footer(found),
    )


def _about(found: Found, filters: list[str], now: datetime) -> list[tuple[str, str]]:
    meta, window = found.meta, found.window
    token = f" · {window.range}" if window.range else ""
    about = [("Window", f"{_minute(window.start)} to {_minute(window.end)}{token}"), ("Time zone", window.timezone)]
    if meta.previous is not None:
        about.append(("Compared with", f"{_minute(meta.previous.start)} to {_minute(meta.previous.end)}"))
    if filters:
        about.append(("Only", ", ".join(filters)))
    about.append(("Source", clean(meta.source)))
    about.append(("Newest record", _minute(meta.freshness) if meta.freshness else "not known"))
    about.append(("Made", _minute(iso(micros(now), window.timezone))))
    return about


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")


def _footer(found: Found) -> str:
    window = found.window
    return (
        "Times are in "
        f"{window.timezone}; the window is [{window.start}, {window.end}). Personal data in names is shown as marks."
        " Made by Talkscope."
    )
