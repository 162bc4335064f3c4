"""An oracle for tests: every figure computed a second time, in plain Python, from raw records alone."""

from .attribution import NO_VALUE, UNATTRIBUTED, Attribution, Trace, TraceSpan
from .clock import GRAINS, Bucket, buckets
from .facts import DIMENSIONS, SESSION_DIMENSIONS, SPAN_DIMENSIONS, Fact
from .listing import SORTS, Comparison, SessionRow, SlowestTurn
from .measures import ENDINGS, LATENCY, MEASURES, OVER_METRICS, PEOPLE, TURNS, USAGE, Figure, Group, Where
from .quantiles import percentile
from .reading import at
from .scenario import CASES, Case, scenario
from .world import World

__all__ = [
    "CASES",
    "DIMENSIONS",
    "ENDINGS",
    "GRAINS",
    "LATENCY",
    "MEASURES",
    "NO_VALUE",
    "OVER_METRICS",
    "PEOPLE",
    "SESSION_DIMENSIONS",
    "SORTS",
    "SPAN_DIMENSIONS",
    "TURNS",
    "UNATTRIBUTED",
    "USAGE",
    "Attribution",
    "Bucket",
    "Case",
    "Comparison",
    "Fact",
    "Figure",
    "Group",
    "SessionRow",
    "SlowestTurn",
    "Trace",
    "TraceSpan",
    "Where",
    "World",
    "at",
    "buckets",
    "percentile",
    "scenario",
]
