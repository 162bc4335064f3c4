"""How often a vendor lets itself be asked."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.vendors.contract import Operation, Pairs


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a request is allowed, and the headers that say how many still are."""

    allowed: bool
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Limits:
    """At most so many requests of a token in so many seconds, by bucket.

    Args:
        buckets: Each bucket's most requests and its seconds.
        bucket: Which bucket a request counts against.
        clock: Seconds since 1970-01-01 UTC.
        sliding: Whether any stretch of so many seconds counts, which is stricter than one stretch after another.
        headers: What to tell of the limit, the requests left and the seconds since 1970 at which there are more.
    """

    buckets: Mapping[str, tuple[int, float]]
    bucket: Callable[[Operation, Pairs], str]
    clock: Callable[[], float]
    sliding: bool = True
    headers: Callable[[int, int, int], Mapping[str, str]] = lambda most, left, more_at: {}
    refused: int = 0
    _taken: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def take(self, operation: Operation, token: str, pairs: Pairs) -> Taken:
        """Count a request."""
        name = self.bucket(operation, pairs)
        most, seconds = self.buckets[name]
        now = self.clock()
        taken = self._taken.setdefault((token, name), deque())
        while taken and taken[0] + seconds <= now:
            taken.popleft()
            if not self.sliding:
                taken.clear()
        allowed = len(taken) < most
        if allowed:
            taken.append(now)
        else:
            self.refused += 1
        more_at = math.ceil((taken[0] if taken else now) + seconds)
        return Taken(allowed, self.headers(most, most - len(taken), more_at))
