"""A question that would make more groups than fit in memory is refused, with what to do instead."""

from __future__ import annotations

import pytest

from talkscope.errors import InvalidArgument
from talkscope.warehouse import figures
from tests.warehouse.questions.loaded import Loaded


def test_more_groups_than_fit_are_refused_and_as_many_are_answered(loaded: Loaded, monkeypatch: pytest.MonkeyPatch):
    words = {"measures": ["count"], "group_by": ["session_id"], "limit": 500, "start_time": "2026-01-01"}
    sessions = len(loaded.ask("breakdown", **words).rows)
    monkeypatch.setattr(figures, "MOST_GROUPS", sessions)
    assert len(loaded.ask("breakdown", **words).rows) == sessions
    monkeypatch.setattr(figures, "MOST_GROUPS", sessions - 1)
    with pytest.raises(InvalidArgument, match="more than") as refused:
        loaded.ask("breakdown", **words)
    assert "list_sessions" in refused.value.hint
