"""When were agents available, and how much of that time were they busy?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.platforms.mavenoid import agent_availabilities
from talkscope.platforms.mavenoid.models import AgentAvailability, AvailabilityGroup
from talkscope.tools.mavenoid.figures import COLUMNS, counted, stated
from talkscope.tools.mavenoid.groups import Grouping, table
from talkscope.tools.mavenoid.listed import listed
from talkscope.tools.mavenoid.words import UNLISTED, MavenoidAsked, window
from talkscope.tools.vendor import Reach, VendorTool

AGENTS = "agent_count is of one group: the same agent may be in several, so the counts do not add up."

_FIELDS = ("agent_email", "start_timestamp", "end_timestamp", "duration_ms", "active_duration_ms")
_BASIS = "stretches of time in which an agent was available, by their start"


class AvailabilityAsked(MavenoidAsked):
    """Availability of agents."""

    group_by: Words = Field(default_factory=list, description="of date week month agent_email")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, AvailabilityAsked)
    days, over = window(reach, asked)
    if asked.group_by:
        groups = await reach.send(agent_availabilities(days=days, group_by=asked.group_by))
        counts = any(group.agent_count is not None for group in groups)
        reach.note(*[AGENTS] if counts and len(groups) > 1 else [])
        columns, rows = table(reach, groups, by=asked.group_by, days=days, limit=asked.limit, how=_how(counts))
        basis = f"{_BASIS}; n counts groups, for the vendor does not say of how many stretches they are"
        return reach.answer(columns, rows, n=len(groups), window=over, basis=basis, units=_SUMS)
    found = await reach.send(agent_availabilities(days=days))
    if asked.rows:
        rows = listed(reach, found, _FIELDS, newest="start_timestamp", limit=asked.limit)
        units = {"duration_ms": "ms", "active_duration_ms": "ms"}
        return reach.answer(_FIELDS, rows, n=len(found), window=over, basis=_BASIS, units=units)
    return reach.answer(COLUMNS, _headlines(found), n=len(found), window=over, basis=_BASIS, units=_UNITS)


_SUMS = {"available_ms": "ms", "active_ms": "ms", "active_share": "fraction of available_ms"}
_UNITS = {"value": "ms where the measure says so, a fraction for active_share, else how many", "share": "fraction of n"}


def _headlines(found: Sequence[AgentAvailability]) -> list[list[Cell]]:
    n = len(found)
    available, active = sum(each.duration_ms for each in found), sum(each.active_duration_ms for each in found)
    return [
        stated("stretches", n, n),
        stated("agents", len({each.agent_email for each in found if each.agent_email}), n),
        counted("still_available", sum(each.end_timestamp is None for each in found), n),
        stated("available_ms", available if n else None, n),
        stated("active_ms", active if n else None, n),
        stated("active_share", active / available if available else None, n),
    ]


def _how(counts: bool) -> Grouping[AvailabilityGroup]:
    def figures(group: AvailabilityGroup) -> Mapping[str, Cell]:
        share = group.active_duration_ms_sum / group.duration_ms_sum if group.duration_ms_sum else None
        return {
            **({"agent_count": group.agent_count} if counts else {}),
            "available_ms": group.duration_ms_sum,
            "active_ms": group.active_duration_ms_sum,
            "active_share": share,
        }

    return Grouping(merged=_merged, size=lambda group: group.duration_ms_sum, figures=figures, besides={})


def _merged(groups: Sequence[AvailabilityGroup]) -> AvailabilityGroup:
    """The groups as one; how many agents they are of together is unknown, for one may be in several."""
    return AvailabilityGroup(
        duration_ms_sum=sum(group.duration_ms_sum for group in groups),
        active_duration_ms_sum=sum(group.active_duration_ms_sum for group in groups),
    )


AVAILABILITY = VendorTool(
    name="mavenoid_availability",
    title="Availability of agents",
    description="Mavenoid live agents: for how long they were available and active in all, or by agent or date (sums);"
    " or rows.",
    platform="mavenoid",
    params=AvailabilityAsked,
    answered=_answered,
    left_out="Ask for fewer days or a smaller limit.",
    own=frozenset({"measure", "partial"}),
    bare=frozenset({"agent_email"}),
    unlisted=UNLISTED,
)
