"""What a forked child must not share with its parent.

Both would read from one connection, and each would get answers to the other's questions.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol, runtime_checkable


@runtime_checkable
class Forkable(Protocol):
    """Something that renews itself in a forked child."""

    def after_fork(self) -> None:
        """Let go, in the child, of everything that the parent goes on using. Nothing of it may be closed politely."""


_GUARDED: weakref.WeakSet[Forkable] = weakref.WeakSet()


def guard(shared: Forkable) -> None:
    """Have `shared.after_fork()` called in each child of this process, for as long as it lives."""
    _GUARDED.add(shared)


def _after_fork() -> None:
    for shared in list(_GUARDED):
        shared.after_fork()


# Windows has no fork, and no such hook.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
