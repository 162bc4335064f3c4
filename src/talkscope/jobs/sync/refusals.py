"""What a platform does not give, each kind told once."""

from __future__ import annotations

from dataclasses import dataclass, field

from talkscope.jobs.sync.gathered import Refused


@dataclass(slots=True)
class Refusals:
    """Refused answers by kind; of each kind the first reason is told, and how many there were."""

    kinds: dict[str, list[str]] = field(default_factory=dict)

    def add(self, refused: Refused) -> None:
        """Count one more."""
        self.kinds.setdefault(refused.kind, []).append(refused.reason)

    @property
    def count(self) -> int:
        """How many there are of all kinds."""
        return sum(map(len, self.kinds.values()))

    @property
    def why(self) -> str:
        """The first reason of all."""
        return next((reasons[0] for reasons in self.kinds.values()), "")

    @property
    def notes(self) -> list[str]:
        """A sentence about each kind."""
        return [
            f"{kind.replace('_', ' ')}: {reasons[0]}" + (f" ({len(reasons):,} times)" if len(reasons) > 1 else "")
            for kind, reasons in self.kinds.items()
        ]
