"""A restricted query: order, conditions on measures, parts of names, and days that include the last one."""

from __future__ import annotations

import pytest

from talkscope.errors import InvalidArgument, UnknownName
from tests.warehouse.questions.loaded import Loaded

YEAR = {"dimension": "SessionMetrics.eventTime", "dateRange": ["2026-01-01", "2026-12-31"]}


def asked(loaded: Loaded, **query: object) -> list[dict[str, object]]:
    return [dict(row) for row in loaded.ask("query", query={"timeDimensions": [YEAR], **query}).records()]


def test_rows_come_in_the_order_that_is_asked_for(loaded: Loaded):
    both = {"measures": ["SessionMetrics.count"], "dimensions": ["SessionMetrics.processor"]}
    up = asked(loaded, **both, order={"SessionMetrics.count": "asc"})
    down = asked(loaded, **both, order={"SessionMetrics.count": "desc"})
    names = asked(loaded, **both, order={"SessionMetrics.processor": "asc"})
    assert [row["count"] for row in up] == sorted(row["count"] for row in up)  # type: ignore[type-var]
    assert [row["count"] for row in down] == [row["count"] for row in reversed(up)]
    assert [row["processor"] for row in names] == sorted(str(row["processor"]) for row in names)


def test_an_order_by_what_is_not_asked_for_is_refused(loaded: Loaded):
    for member in ("SessionMetrics.model", "SessionMetrics.p95Value", "SessionMetrics.eventTime"):
        with pytest.raises(InvalidArgument, match="not asked for"):
            asked(loaded, measures=["count"], dimensions=["processor"], order={member: "asc"})


def test_a_condition_on_a_measure_keeps_the_groups_that_meet_it(loaded: Loaded):
    every = asked(loaded, measures=["count"], dimensions=["processor"])
    bound = sorted(int(str(row["count"])) for row in every)[len(every) // 2]
    kept = asked(
        loaded,
        measures=["count"],
        dimensions=["processor"],
        filters=[{"member": "count", "operator": "gte", "values": [str(bound)]}],
    )
    assert kept == [row for row in every if int(str(row["count"])) >= bound]


def test_a_part_of_a_name_is_found_whatever_its_case(loaded: Loaded):
    every = asked(loaded, measures=["count"], dimensions=["processor"])
    for operator, wanted in (("contains", True), ("notContains", False)):
        found = asked(
            loaded,
            measures=["count"],
            dimensions=["processor"],
            filters=[{"member": "processor", "operator": operator, "values": ["L"]}],
        )
        assert found == [row for row in every if ("l" in str(row["processor"]).lower()) is wanted]


def test_a_bare_end_date_is_the_whole_of_that_day(loaded: Loaded):
    day = {"dimension": "SessionMetrics.eventTime", "granularity": "day", "dateRange": ["2026-03-28", "2026-03-29"]}
    rows = asked(loaded, measures=["interactions"], timeDimensions=[day])
    assert [row["bucket"] for row in rows] == ["2026-03-28", "2026-03-29"]


def test_a_member_that_is_not_known_is_refused_with_the_nearest(loaded: Loaded):
    with pytest.raises(UnknownName) as refused:
        asked(loaded, measures=["SessionMetrics.uniqueSesions"])
    assert "SessionMetrics.sessions" in refused.value.hint or "unique" in refused.value.hint
    with pytest.raises(InvalidArgument, match="names 0"):
        asked(loaded, measures=[])
