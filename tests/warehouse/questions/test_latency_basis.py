"""What latency is stands beside figures: for the platforms whose rows they are of, and not for every other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from talkscope.jobs.ingest import ingest
from talkscope.warehouse.manifest import State
from tests.warehouse.questions.loaded import Loaded

YEAR = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2027-01-01T00:00:00Z"}


def _talk(name: str, **also: object) -> list[dict[str, object]]:
    at: dict[str, object] = {"session_id": name, "start_time": "2026-05-04T10:00:00Z", **also}
    return [
        {"type": "session", **at},
        {"type": "interaction", "interaction_id": f"{name}-1", "latency_ms": 900, **at},
        {"type": "span", "interaction_id": f"{name}-1", "processor": "llm", "duration_ms": 800, **at},
    ]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Two platforms by their names; then a load of which one record says no platform."""
    folder = tmp_path_factory.mktemp("several")
    ingest(_talk("a", platform="east"), warehouse=folder, latency_basis="to the first word")
    ingest(_talk("b", platform="west"), warehouse=folder, latency_basis="to the last word")
    ingest(_talk("c", platform="west") + _talk("d"), warehouse=folder, latency_basis="as it is told")
    found = Loaded(folder)
    yield found
    found.close()


def test_one_sessions_latency_is_what_its_platform_tells(several: Loaded) -> None:
    # Who says no platform may be any.
    assert several.ask("session", session_id="a").meta.latency_basis == "as it is told; to the first word"
    assert several.ask("interaction", interaction_id="a-1").meta.latency_basis == "as it is told; to the first word"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("summary", {}),
        ("breakdown", {"measures": "p95", "group_by": "channel"}),
        ("timeseries", {"measures": "p95"}),
        ("latency", {}),
        ("sessions", {}),
    ],
)
def test_a_filter_that_names_platforms_leaves_out_what_latency_is_on_others(
    several: Loaded, question: str, words: dict[str, object]
) -> None:
    every = several.ask(question, **YEAR, **words)
    assert every.meta.latency_basis == "as it is told; to the first word; to the last word"
    west = several.ask(question, filters=["platform=west"], **YEAR, **words)
    assert west.meta.latency_basis == "as it is told; to the last word"
    not_west = several.ask(question, filters=["platform!=west"], **YEAR, **words)
    assert not_west.meta.latency_basis == every.meta.latency_basis


def test_what_an_earlier_version_wrote_may_be_any_platforms() -> None:
    assert State((), {"latency_bases": '["as it is told"]'}).latency_bases == {"as it is told": []}
