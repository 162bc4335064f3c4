"""A report on a Studio Chat account: the recipes of its analysts, over live answers or over an export's conversations.

`gather` asks (`exported` reads a file in its place), `report` makes sections of what is known. Every rate is told with
its n, what is not configured is no 0 %, and what is not known says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from talkscope.errors import unknown
from talkscope.jobs.report.content import Report, Section
from talkscope.jobs.studio_report import conversions, knowledge, outcome, resources, satisfaction, talks
from talkscope.jobs.studio_report.asking import gather
from talkscope.jobs.studio_report.exported import exported
from talkscope.jobs.studio_report.facts import Facts, Scope
from talkscope.jobs.studio_report.making import COLUMNS, Making
from talkscope.jobs.studio_report.saving import Saved
from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.safe import Masking
from talkscope.models.text import clean
from talkscope.models.window import iso

__all__ = ["COLUMNS", "RECIPES", "Facts", "Made", "Recipe", "Saved", "Scope", "chosen", "exported", "gather", "report"]

TITLE = "Studio Chat report"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One section: its title, the facts that it is made of, and how."""

    title: str
    needs: tuple[str, ...]
    make: Callable[[Making], None]


RECIPES: Mapping[str, Recipe] = {
    "deflection": Recipe("Deflection rate", ("analytics",), outcome.deflection),
    "sentiment": Recipe("Sentiment", ("aggregate",), outcome.sentiment),
    "signals": Recipe("Conversation signals", ("aggregate",), outcome.signals),
    "metadata": Recipe("Conversation metadata", ("conversations",), talks.metadata),
    "combining": Recipe("Combined dimensions", ("conversations",), talks.combining),
    "api-tools": Recipe("API tool usage", ("api_tools",), resources.api_tools),
    "toolkits": Recipe("Toolkit actions", ("toolkits",), resources.toolkits),
    "skills": Recipe("Skill usage", ("skills",), resources.skills),
    "knowledge": Recipe("Knowledge base citations", ("citations", "cited"), knowledge.knowledge),
    "intercom": Recipe("Most cited Intercom articles", ("cited",), knowledge.intercom),
    "sparklines": Recipe("All resources at a glance", ("sparklines",), resources.sparklines),
    "csat": Recipe("Satisfaction", ("csat",), satisfaction.csat),
    "dsat": Recipe("Low ratings", ("csat", "low_ratings"), satisfaction.dsat),
    "conversions": Recipe("Conversions", ("conversions",), conversions.conversions),
    "funnel": Recipe("Conversion by assistant", ("conversions", "funnel"), conversions.funnel),
}
"""Every recipe by its name, in the order of a report."""


@dataclass(frozen=True, slots=True)
class Made:
    """A report for people, and its figures for programs: rows of COLUMNS."""

    report: Report
    cells: Sequence[Sequence[Cell]]


def chosen(names: Iterable[str]) -> dict[str, Recipe]:
    """The recipes of these names in the report's order, all without any. Raises UnknownName with the nearest."""
    words = [each.strip().lower().replace("_", "-") for each in names]
    for word in words:
        if word not in RECIPES:
            raise unknown("recipe", clean(word, 60), RECIPES)
    return {name: recipe for name, recipe in RECIPES.items() if not words or name in words}


def report(
    facts: Facts, recipes: Mapping[str, Recipe], *, mask: Masking, reveal: bool = False, title: str | None = None
) -> Made:
    """The report that these recipes make of what is known.

    Args:
        facts: What is known.
        recipes: As `chosen` gives them.
        mask: Hides personal data in texts.
        reveal: Whether customers' own words are shown.
        title: Its heading.
    """
    sections: list[Section] = []
    cells: list[list[Cell]] = []
    for name, recipe in recipes.items():
        making = Making(name, facts, mask, reveal=reveal)
        recipe.make(making)
        sections.append(making.done(recipe.title))
        cells += making.cells
    return Made(
        Report(
            title=clean(mask(clean(title or TITLE, 200)), 200),
            about=[(name, clean(mask(text), 200)) for name, text in _about(facts)],
            generated=False,
            sections=sections,
            footer=_footer(reveal=reveal),
        ),
        cells,
    )


def _about(facts: Facts) -> list[tuple[str, str]]:
    scope = facts.scope
    window = scope.window
    token = f" · {window.range}" if window.range else ""
    about = [("Window", f"{_minute(window.start, window.zone)} to {_minute(window.end, window.zone)}{token}")]
    about.append(("Time zone", window.zone))
    if scope.tags:
        about.append(("With the tags", ", ".join(scope.tags)))
    about += facts.about
    about.append(("Source", facts.source))
    about.append(("Made", _minute(micros(facts.now), window.zone)))
    return about


def _minute(us: int, zone: str) -> str:
    return iso(us, zone)[:16].replace("T", " ")


def _footer(*, reveal: bool) -> str:
    hidden = (
        "Personal data are shown."
        if reveal
        else "E-mail and page addresses and phone numbers are shown as marks, and customers' own words not at all."
    )
    return f"Conversations count by their last message, the window's end left out. {hidden} Made by Talkscope."
