"""What can be asked about how sessions ended: each figure declared once, with what it is a share of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkscope.errors import unknown
from talkscope.models.semantics import snake

Kind: TypeAlias = Literal["count", "rate", "shares", "mean"]

DAYS_UNTIL_RECONTACT = 7


@dataclass(frozen=True, slots=True)
class OutcomeMeasure:
    """A figure about outcomes.

    A `rate` is one fraction, or one for each label; `shares` are of one whole, and sum to 1 over its labels;
    `definition` says what is counted, and out of what.
    """

    name: str
    kind: Kind
    definition: str

    @property
    def unit(self) -> str:
        """What its value is in."""
        return {"count": "sessions", "mean": "mean"}.get(self.kind, "fraction")


_LABELS = {
    "resolution": "how the session ended: resolved, handoff, abandoned, open",
    "handoff_reason": "why a person took over, of the handoffs that state a reason",
    "deflection_quality": "how good it was that none did, of the deflected that state it",
    "sentiment": "of sessions with a sentiment",
    "sentiment_shift": "of sessions that state how the sentiment changed",
    "resources": "how relevant the resources were, of sessions that state it",
    "recontact_risk": "of sessions that state a risk",
}
LABELS: tuple[str, ...] = tuple(_LABELS)
"""The measures that say how sessions spread over the labels that their outcomes have."""

_DECLARED = (
    OutcomeMeasure("outcomes", "count", "sessions with an outcome in the window"),
    OutcomeMeasure("deflection_rate", "rate", "not handed to a person / sessions where that is known"),
    OutcomeMeasure("handoff_rate", "rate", "handed to a person / sessions where that is known"),
    OutcomeMeasure("resolution_rate", "rate", "resolved / sessions whose resolution is known and not open"),
    *(OutcomeMeasure(name, "shares", definition) for name, definition in _LABELS.items()),
    OutcomeMeasure(
        "recontacted_within_7d",
        "rate",
        "end user back in another session within 7 days of the end / sessions of a known end user, 7 days past",
    ),
    OutcomeMeasure("csat", "rate", "ratings above the middle of the scale (4, 5 of 5; 3, 4 of 4) / ratings, by scale"),
    OutcomeMeasure("dsat", "rate", "ratings below the middle of the scale (1, 2 of 5; 1, 2 of 4) / ratings, by scale"),
    OutcomeMeasure("rating", "shares", "each rating / ratings of its scale"),
    OutcomeMeasure("rating_mean", "mean", "sum of ratings / ratings, by scale"),
    OutcomeMeasure(
        "response_rate", "rate", "rated / sessions known not to be handed over, where ratings are asked for"
    ),
    OutcomeMeasure(
        "conversions",
        "rate",
        "sessions with a conversion in the window / sessions known not to be handed over, by metric",
    ),
    OutcomeMeasure("conversion_value", "mean", "summed value / converting sessions with a value, by metric"),
    OutcomeMeasure(
        "winback_rate", "rate", "sent / sessions where that is known; answered, converted / sent where known"
    ),
    OutcomeMeasure("coverage", "rate", "sessions with any label of a scoring / sessions with an outcome"),
)
OUTCOMES: Mapping[str, OutcomeMeasure] = {each.name: each for each in _DECLARED}

HEADLINE = (
    "outcomes", "deflection_rate", "resolution_rate", "handoff_reason", "sentiment", "csat", "response_rate",
    "coverage",
)  # fmt: skip
"""What `main` stands for, which is asked for where no measure is."""

_ALIASES = {
    "deflection": "deflection_rate",
    "handoff": "handoff_rate",
    "handoffs": "handoff_rate",
    "resolved": "resolution_rate",
    "handoff_reasons": "handoff_reason",
    "recontact": "recontact_risk",
    "recontacted": "recontacted_within_7d",
    "csat_score": "csat",
    "csat_score_pct": "csat",
    "dsat_score_pct": "dsat",
    "rating_distribution": "rating",
    "ratings": "rating",
    "response_rate_pct": "response_rate",
    "conversion": "conversions",
    "conversion_rate": "conversions",
    "conversion_rate_pct": "conversions",
    "winback": "winback_rate",
}


def outcome_measure(name: str) -> OutcomeMeasure:
    """The figure of that name, in any accepted spelling, or UnknownName with the nearest."""
    folded = snake(name)
    found = OUTCOMES.get(_ALIASES.get(folded, folded))
    if found is None:
        raise unknown("measure", name, OUTCOMES)
    return found


def outcome_measures(names: Sequence[str]) -> tuple[OutcomeMeasure, ...]:
    """The figures of these names, each once; `main` stands for the headline ones, `all` for all."""
    several = {"main": HEADLINE, "all": tuple(OUTCOMES)}
    every = [each for name in names for each in several.get(name.strip().lower(), (name,))]
    return tuple(dict.fromkeys(outcome_measure(name) for name in every))


def middle(scale: float) -> float:
    """The rating that is neither good nor bad: half-way from 1 to the best, or from 0 where 1 is the best."""
    return (scale + (1 if scale > 1 else 0)) / 2
