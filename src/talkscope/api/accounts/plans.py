"""The plans a key can have: which routes each includes, and how often they may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from talkscope import contract
from talkscope.errors import PlanInsufficient, PlanRequired, unknown
from talkscope.models.v1 import ROUTES


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests a key may make; None is no limit. Days and months are those of UTC."""

    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None

    def over(self, plan: Limits) -> Limits:
        """These where they are given, else the plan's; a 0 lifts the plan's limit."""
        return Limits(
            _chosen(self.per_minute, plan.per_minute),
            _chosen(self.per_day, plan.per_day),
            _chosen(self.per_month, plan.per_month),
        )


def _chosen(own: int | None, plan: int | None) -> int | None:
    return plan if own is None else own or None


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan. The monthly quotas of `free` and `starter` are ours: the contract names none."""

    name: str
    limits: Limits
    says: str


PLANS: Mapping[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("none", Limits(), "No access: every route answers 402"),
        Plan("free", Limits(10, None, 1_000), "All routes but regression detection and restricted queries"),
        Plan("starter", Limits(10, None, 10_000), "The same, with a higher quota"),
        Plan("scale", Limits(60, 1_000), "The same, with higher limits"),
        Plan("business", Limits(300, 10_000), "All routes"),
        Plan("enterprise", Limits(1_000), "All routes, without a daily limit"),
    )
}
"""From the least to the most: each includes what the one before includes."""

_LEAST = "free"

REQUIRED: Mapping[str, str] = {each.path: each.plan for each in ROUTES if each.plan} | {
    each.path: each.plan for each in contract.QUESTIONS.values() if each.plan
}
"""The routes that not every plan includes, with the least plan that does."""


def plan(name: str) -> Plan:
    """The plan of that name, or UnknownName with the nearest."""
    if name not in PLANS:
        raise unknown("plan", name, PLANS)
    return PLANS[name]


def check(current: str, route: str | None) -> None:
    """Whether a plan includes a route, by its template. Raises PlanRequired or PlanInsufficient."""
    order = list(PLANS)
    if order.index(current) < order.index(_LEAST):
        raise PlanRequired(
            f"The key's plan is {current}, which includes nothing.",
            hint="Whoever runs this service can add a key with a plan.",
            details={"required_plan": _LEAST, "current_plan": current},
        )
    required = REQUIRED.get(route or "", _LEAST)
    if order.index(current) < order.index(required):
        raise PlanInsufficient(
            f"The key's plan is {current}; this route is included from {required}.",
            hint="Ask a question that the plan includes, or use a key with a higher plan.",
            code="plan_below_required",
            details={"required_plan": required, "current_plan": current},
        )
