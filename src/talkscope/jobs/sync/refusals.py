"""What a platform does not give, or gives so that it cannot be read: each kind told once."""

from __future__ import annotations

from dataclasses import dataclass, field

from talkscope.jobs.sync.gathered import Refused

_UNREAD = "missing, for the answer cannot be read; the next sync asks again, from where this one began. "


@dataclass(slots=True)
class Refusals:
    """Refused and unread answers by kind; of each kind the first reason is told, and how many there were."""

    kinds: dict[tuple[str, bool], list[str]] = field(default_factory=dict)

    def add(self, refused: Refused) -> None:
        """Count one more."""
        self.kinds.setdefault((refused.kind, refused.unread), []).append(refused.reason)

    @property
    def count(self) -> int:
        """How many there are of all kinds."""
        return sum(map(len, self.kinds.values()))

    @property
    def unread(self) -> bool:
        """Whether an answer came that could not be read: it is still owed."""
        return any(unread for _, unread in self.kinds)

    @property
    def why(self) -> str:
        """The first reason of all."""
        return next((reasons[0] for reasons in self.kinds.values()), "")

    @property
    def notes(self) -> list[str]:
        """A sentence about each kind."""
        return [
            f"{kind.replace('_', ' ')}: {_UNREAD if unread else ''}{reasons[0]}"
            + (f" ({len(reasons):,} times)" if len(reasons) > 1 else "")
            for (kind, unread), reasons in self.kinds.items()
        ]
