"""How did sessions end? Deflection, resolution, labels, satisfaction and conversions, each with its n."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from talkscope.insights.outcomes import Tally, figures, units_of
from talkscope.models.answers import Answer, Cell
from talkscope.models.outcomes import OutcomeMeasure, outcome_measures
from talkscope.models.questions import OutcomesAsked
from talkscope.models.semantics import dimension
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.layout import named, several_assistants
from talkscope.warehouse.outcomes import CONVERTED, RATED, RECONTACTED, Chosen, Counting, Group, Known, known
from talkscope.warehouse.traces import whole_number

_NOTE = 560
# What is more than a word is not told in a sentence of ours.
_WORD = re.compile(r"[\w.:-]{1,60}")


def answer(asked: OutcomesAsked, ask: Ask) -> Answer:
    """One row a group, measure and label, the largest groups first; beyond `limit` all others are one group."""
    window = ask.window(asked)
    by = tuple(dimension(word) for word in asked.group_by)
    chosen = Chosen(ask, window, ask.filters(asked.filters), by[0] if by else None)
    measures = outcome_measures(asked.measures)
    counting = Counting(chosen, {each.name for each in measures}, known(ask, window))
    groups = _Groups(counting, asked.limit)
    rows: list[list[Cell]] = []
    for key, tally in groups.shown:
        for each in measures:
            for found in figures(each, tally, counting.known.metrics, counting.known.silent):
                group = [key] if by else []
                rows.append([*group, each.name, found.label, found.value, found.count, found.n])
    columns = named(ask, by, rows, 0)
    whole = groups.whole
    n = whole.of("outcomes") or sum(sum(each.values()) for each in whole.ratings.values()) + sum(
        whole.converting.values()
    )
    return Answer(
        columns=[*columns, "measure", "label", "value", "count", "n"],
        rows=rows,
        meta=ask.meta(
            n=n,
            window=window,
            basis="latest outcome of each session in the window",
            units={"value": _unit(measures, counting.known)},
            notes=[*several_assistants(ask, by), *groups.notes, *_missing(counting, whole), *_definitions(measures)],
        ),
    )


@dataclass(slots=True)
class _Groups:
    """The groups in their order, and all sessions together."""

    shown: Sequence[tuple[Cell, Tally]]
    whole: Tally
    notes: Sequence[str]

    def __init__(self, counting: Counting, limit: int) -> None:
        together = replace(counting, chosen=replace(counting.chosen, by=None))
        self.whole = together.tallies().get(None, Tally())
        self.notes = []
        if counting.chosen.by is None:
            self.shown = [(None, self.whole)]
            return
        ranked = sorted(counting.tallies().items(), key=_rank)
        kept = ranked[:limit]
        self.shown = list(kept)
        if len(ranked) > limit:
            left = len(ranked) - limit
            rest = replace(counting, chosen=replace(counting.chosen, without=tuple(key for key, _ in kept)))
            name = f"other ({left} group{'s' if left > 1 else ''})"
            self.shown = [*kept, (name, rest.tallies().get(None, Tally()))]
            self.notes = [f"{limit} of {len(ranked)} groups are shown, by outcomes: raise limit, or filter."]


def _rank(item: tuple[Group, Tally]) -> tuple[int, int, bool, str]:
    """Most outcomes first, then most ratings and conversions; ties by name, the nameless last."""
    key, tally = item
    others = sum(sum(each.values()) for each in tally.ratings.values()) + sum(tally.converting.values())
    return -tally.of("outcomes"), -others, key is None, str(key)


def _unit(measures: Sequence[OutcomeMeasure], about: Known) -> str:
    """What values are in; those that are no fractions by name."""
    told = ["fraction"] if any(each.unit == "fraction" for each in measures) else []
    for each in measures:
        if each.name == "conversion_value":
            said = [f"{metric} in {_in(platforms)}" for metric, platforms in sorted(about.metrics.items())]
            told.append(f"conversion_value: {', '.join(said) or 'unknown'}")
        elif each.unit != "fraction":
            told.append(f"{each.name}: {'points of the scale' if each.kind == 'mean' else each.unit}")
    return "; ".join(told)


def _in(platforms: Mapping[str, frozenset[str | None]]) -> str:
    return " or ".join(unit or "no unit" for unit in units_of(platforms.values())) or "no unit"


def _missing(counting: Counting, whole: Tally) -> list[str]:
    """What the figures leave out, and what there is none of, in words."""
    asked, about, told = set(counting.measures), counting.known, []
    wants_ratings, wants_conversions = asked & (RATED | {"response_rate"}), asked & CONVERTED
    told += [f"{each}." for each in about.unconfigured if (wants_ratings if "ratings" in each else wants_conversions)]
    if wants_ratings and not about.asking and not about.unconfigured:
        told.append("No platform here has ratings.")
    unscaled = sum(whole.ratings.get(None, {}).values())
    if unscaled:
        told.append(f"{unscaled} ratings state no scale: they are in rating and rating_mean, not in csat or dsat.")
    if wants_conversions:
        told += [
            f"{platform}: {metric if _WORD.fullmatch(metric) else 'a conversion metric'} is switched off or has had no"
            " event for long, and none came in this window: there is no rate, which is not 0 %."
            for metric, platform in sorted(about.silent)
        ]
        if not about.metrics and not about.unconfigured:
            told.append("No platform here has conversions.")
        sql = f"SELECT count(*) FROM ({counting.chosen.nobodys()})"
        nobodys = whole_number(counting.chosen.ask.snapshot.fetch(sql)[0][0])
        if nobodys:
            told.append(f"{nobodys} conversions of the window name no session and are in no figure.")
    recent = whole.of("too_recent")
    if RECONTACTED in asked and recent:
        told.append(f"{recent} sessions are too recent to tell whether the end user comes back within 7 days.")
    return told


def _definitions(measures: Sequence[OutcomeMeasure]) -> list[str]:
    """What each measure is, in as few notes as hold it."""
    notes: list[str] = []
    for each in measures:
        said = f"{each.name}: {each.definition}."
        if notes and len(notes[-1]) + len(said) < _NOTE:
            notes[-1] += f" {said}"
        else:
            notes.append(said)
    return notes
