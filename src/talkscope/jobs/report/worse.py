"""What got worse against the window before, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talkscope.charts.drawing import words
from talkscope.jobs.report.asking import Found
from talkscope.jobs.report.content import Part, Says, Section, Table
from talkscope.jobs.report.making import Making
from talkscope.jobs.report.tables import MISSING, number, percent, unit_of
from talkscope.models.answers import Answer, Cell

_MOST = 12
_COMPARED = {
    "p95_overall": ("P95", "p95 of all turns"),
    "errors_overall": ("Error rate", "Error rate of all turns"),
    "p95_by_component": ("P95 of component", "p95 by component"),
    "p95_by_provider": ("P95 of provider", "p95 by provider"),
}
_ORDER = {"yes": 0, "over the threshold": 1, "no": 2, "too few": 3}


@dataclass(frozen=True, slots=True)
class Compared:
    """One group now and before."""

    what: str
    group: str
    unit: str
    row: dict[str, Cell]

    @property
    def name(self) -> str:
        """What is compared, in words."""
        return self.what if self.group == "overall" else f"{self.what} {self.group}"

    @property
    def verdict(self) -> str:
        """yes, no or too few; of a source that does not test for chance, whether it is over its threshold."""
        told = self.row.get("significant")
        if isinstance(told, str):
            return told
        return "over the threshold" if self.row.get("over_threshold") == "yes" else "no"

    @property
    def change(self) -> float | None:
        """The relative change."""
        value = self.row.get("change")
        return float(value) if isinstance(value, int | float) else None

    def told(self) -> str:
        """The change in a sentence."""
        before, now = (words.figure(self.row.get(name), self.unit) for name in ("baseline", "current"))
        change = f" ({percent(self.change)})" if self.change is not None else ""
        return f"{self.name} went from {before} to {now}{change}."


def compared(found: Found) -> list[Compared]:
    """Every group that was compared, those that got worse beyond chance first, then by change."""
    rows = [each for name in _COMPARED for each in _groups(found.answers.get(name), _COMPARED[name][0])]
    return sorted(rows, key=lambda each: (_ORDER.get(each.verdict, 2), -(each.change or 0.0)))


def regressions(found: Found) -> Section:
    """The section."""
    section = Making(found)
    rows = compared(found)
    if rows:
        section.parts.extend(_told(rows))
    for name, (_, what) in _COMPARED.items():
        section.take(name, what, lambda _: [])
    return section.done("What got worse")


def _groups(answer: Answer | None, what: str) -> Iterator[Compared]:
    if answer is None:
        return
    for row in answer.records():
        group = row[answer.columns[0]]
        yield Compared(what, "(none)" if group is None else str(group), unit_of(answer, "current"), row)


def _told(rows: list[Compared]) -> Iterator[Part]:
    worse = [each for each in rows if each.verdict in ("yes", "over the threshold")]
    if not worse:
        yield Says(
            f"Nothing got worse by more than the threshold and chance: {len(rows)} groups were compared.", "finding"
        )
    head = ["what", "before", "now", "change", "n before", "n now", "q", "beyond chance"]
    yield Table(
        head=head,
        rows=[_row(each) for each in rows[:_MOST]],
        numeric=frozenset(range(1, len(head) - 1)),
        caption="" if len(rows) <= _MOST else f"The first {_MOST} of {len(rows)} groups.",
    )


def _row(each: Compared) -> list[str]:
    row = each.row
    figures = [
        f"{number(row[name], each.unit)}{' ms' if each.unit == 'ms' else ''}" for name in ("baseline", "current")
    ]
    change = MISSING if each.change is None else percent(each.change)
    counts = [number(row.get(name), "") for name in ("n_baseline", "n_current", "q_value")]
    return [each.name, *figures, change, *counts, each.verdict]
