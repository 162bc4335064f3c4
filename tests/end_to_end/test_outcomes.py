"""How sessions ended, asked and drawn on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import talkscope
from tests.cli.running import here
from tests.warehouse.questions.ended import END, START, made

WINDOW = {"start_time": START.isoformat(), "end_time": END.isoformat()}
OPTIONS = ["--start-time", START.isoformat(), "--end-time", END.isoformat()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("ended") / "w"
    talkscope.ingest(made(count=30).records, warehouse=place)
    return place


def test_the_command_answers_as_the_client_does(folder: Path, tmp_path: Path):
    with talkscope.open_warehouse(folder) as client:
        expected = client.ask("outcomes", measures=["csat", "deflection"], group_by="tag", **WINDOW)
    for name in ("outcomes", "get_outcomes"):
        done = here(
            name, "--measure", "csat,deflection", "--group-by", "tag", *OPTIONS, "--warehouse", str(folder),
            home=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rows"] == expected.rows
    assert expected.rows


def test_the_chart_is_drawn_on_the_command_line(folder: Path, tmp_path: Path):
    done = here("chart", "outcomes", *OPTIONS, "--warehouse", str(folder), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["title"]["text"].startswith("Deflection rate, resolution rate")
