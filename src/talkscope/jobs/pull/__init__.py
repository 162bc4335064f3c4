"""Pulling all of something out of a platform, so that nothing is asked for twice, and putting it somewhere.

A plan (`plan`, `conversations`) is a set of parts; the pager (`pager`) asks them at once and writes each answer into a
journal (`journal`) before it counts, so that an interrupted pull goes on where it stopped; a sink (`files`, `stage`)
takes the items when all are there. An answer that is one list of any length is read off its file row by row (`rows`).
`asking` makes calls of a command line's words.
"""

from __future__ import annotations

from talkscope.jobs.pull.journal import Journal
from talkscope.jobs.pull.pager import AT_ONCE, MOST_AT_ONCE, Progress, Pulled, pull
from talkscope.jobs.pull.plan import Listing, Part, Plan, Row

__all__ = ["AT_ONCE", "MOST_AT_ONCE", "Journal", "Listing", "Part", "Plan", "Progress", "Pulled", "Row", "pull"]
