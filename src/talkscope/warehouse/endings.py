"""The words that scores and evaluations use for how a session ended, and the fields of an outcome that they fill.

Names are compared without anything but their letters, in lower case.
"""

from __future__ import annotations

RATINGS = frozenset(
    "csat rating stars starrating userrating satisfaction usersatisfaction "
    "userfeedback feedback thumbs thumbsup".split()
)
FLAGS = (
    dict.fromkeys("handoff humanhandoff handedoff escalated escalation transferred transfertohuman".split(), "handoff")
    | dict.fromkeys("resolved isresolved issueresolved".split(), "resolved")
    | {"abandoned": "abandoned"}
)
"""Names of flags that say a resolution where they are set."""
RESOLUTIONS = frozenset(("resolved", "handoff", "abandoned", "open"))
WORDS = {
    name.replace("_", ""): name
    for name in "sentiment sentiment_shift recontact_risk deflection_quality user_intent handoff_reason".split()
} | {"usersentiment": "sentiment"}
"""Names whose label is the text of a field."""
