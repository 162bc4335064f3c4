from __future__ import annotations

import os
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

import talkscope
from talkscope.errors import (
    AuthenticationError,
    InvalidArgument,
    NotSupported,
    SourceNotChosen,
    UnknownName,
    UsageError,
)
from talkscope.models.masking import KEY_FILE
from talkscope.settings import PlatformSettings, Settings, SourceSettings
from talkscope.wiring import PATIENT, App, connect, connect_platform, open_warehouse

NOW = datetime(2026, 5, 5, 16, 0, tzinfo=UTC)


def app_of(*folders: Path, default: str | None = None) -> App:
    sources = tuple(SourceSettings(folder.name, folder) for folder in folders)
    return App(Settings(sources=sources, default_source=default), clock=lambda: NOW)


def session_of(person: str) -> dict[str, object]:
    return {"type": "session", "session_id": person, "start_time": "2026-05-05T12:00:00Z", "end_user_id": person}


def test_what_is_ingested_is_answered(tmp_path: Path) -> None:
    report = talkscope.ingest([session_of("ada@example.com"), {"type": "span"}], warehouse=tmp_path / "calls")
    assert not report.ok
    with talkscope.open_warehouse(tmp_path / "calls", clock=lambda: NOW) as client:
        answer = client.ask("sessions", range="today")
    assert [row["end_user_id"] for row in answer.records()] == ["ada@example.com"]


def test_a_folder_that_is_no_warehouse_gets_no_key(tmp_path: Path) -> None:
    with app_of(tmp_path) as app:
        app.client().ask("catalog")
        app.masking().mask("ada@example.com")
    assert not (tmp_path / KEY_FILE).exists()


def test_a_warehouse_that_is_not_there_answers_that_it_is_empty(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "none", clock=lambda: NOW) as client:
        answer = client.ask("summary")
    assert answer.rows == []
    assert answer.meta.window is not None
    assert answer.meta.window.end == "2026-05-05T16:00:00Z"
    assert "empty" in " ".join(answer.meta.notes)
    assert list(tmp_path.iterdir()) == []


def test_what_names_no_folder_opens_no_warehouse() -> None:
    with pytest.raises(InvalidArgument, match="begins with ~"):
        open_warehouse("~no such user/x")
    with pytest.raises(NotSupported, match="address of an engine"):
        open_warehouse("clickhouse://localhost")


def test_closing_an_opened_warehouse_ends_its_threads(tmp_path: Path) -> None:
    before = threading.active_count()
    client = open_warehouse(tmp_path)
    client.ask("summary")
    client.close()
    assert threading.active_count() <= before
    with pytest.raises(UsageError):
        client.ask("summary")


def test_blocking_and_async_clients_answer_alike_and_name_their_source(tmp_path: Path) -> None:
    async def main() -> None:
        async with app_of(tmp_path / "calls") as app:
            there = await app.async_client().ask("summary")
            here = await anyio.to_thread.run_sync(lambda: app.client("calls").ask("summary"))
            assert there == here
            assert there.meta.source == "calls"

    anyio.run(main)


def test_an_app_lists_its_sources_and_keeps_one_client_of_each(tmp_path: Path) -> None:
    with app_of(tmp_path / "a", tmp_path / "b") as app:
        assert app.sources == ["a", "b"]
        assert app.client("a") is app.client("a")
        assert app.async_client("a") is app.async_client("a")
        assert app.client("a") is not app.client("b")
        assert app.client("b").ask("summary").meta.source == "b"


def test_several_sources_and_none_named_is_an_error_that_lists_them(tmp_path: Path) -> None:
    with app_of(tmp_path / "a", tmp_path / "b") as app:
        for choose in (app.client, app.async_client, app.masking, app.transport):
            with pytest.raises(SourceNotChosen, match="a, b"):
                choose()
            with pytest.raises(UnknownName):
                choose("c")
    with app_of(tmp_path / "a", tmp_path / "b", default="b") as app:
        assert app.client().ask("summary").meta.source == "b"


def test_a_client_of_what_is_configured_asks_for_a_source_where_there_are_several(tmp_path: Path) -> None:
    settings = Settings(sources=(SourceSettings("a", tmp_path / "a"), SourceSettings("b", tmp_path / "b")))
    with pytest.raises(SourceNotChosen, match="a, b"):
        connect(settings=settings)
    with connect("b", settings=settings, clock=lambda: NOW) as client:
        assert client.ask("summary").meta.source == "b"


def test_a_platforms_account_has_one_client_for_each_policy_and_none_without_a_key() -> None:
    url = "http://127.0.0.1:9"
    settings = Settings(
        platforms=(
            PlatformSettings("ours", "mavenoid", url, SecretStr("ma_made_up")),
            PlatformSettings("bare", "general_bots", url, None, "GENERAL_BOTS_TOKEN"),
        )
    )
    with App(settings) as app:
        assert app.platform("mavenoid") is app.platform("mavenoid", "ours")
        assert app.platform("mavenoid") is not app.platform("mavenoid", policy=PATIENT)
        for reach in (app.platform, app.async_platform):
            with pytest.raises(AuthenticationError, match="bare has no key") as refused:
                reach("general-bots")
            assert "GENERAL_BOTS_TOKEN" in refused.value.hint
            with pytest.raises(UnknownName, match="Did you mean 'mavenoid'"):
                reach("mavenoit")
    with connect_platform("mavenoid", settings=settings) as client:
        assert url in repr(client)
    with pytest.raises(UnknownName, match="Did you mean 'studio_chat'"):
        connect_platform("studio-chats", settings=settings)


def test_an_app_can_be_closed_twice_and_unused(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    app.close()
    app.close()

    async def main() -> None:
        unused = app_of(tmp_path)
        unused.async_client()
        await unused.aclose()
        await unused.aclose()

    anyio.run(main)


def test_an_async_client_serves_one_loop_after_another(tmp_path: Path) -> None:
    with app_of(tmp_path) as app:
        for _ in range(2):
            assert anyio.run(lambda: app.async_client().ask("summary")).rows == []
        anyio.run(app.aclose)


def test_marks_are_the_same_in_every_process_that_opens_the_warehouse(tmp_path: Path) -> None:
    talkscope.ingest([session_of("ada@example.com")], warehouse=tmp_path)
    marks = set()
    for _ in range(2):
        with app_of(tmp_path) as app:
            marks.add(app.masking().mask("ada@example.com"))
    assert len(marks) == 1


@pytest.mark.parametrize("person", ["ada@example.com", "Ada@Example.com", "+49 170 1234567", "https://example.com/ada"])
def test_a_mark_can_be_filtered_by(tmp_path: Path, person: str) -> None:
    talkscope.ingest([session_of(person), session_of("bob@example.com")], warehouse=tmp_path)
    with app_of(tmp_path) as app:
        mark = app.masking().mask(person)
        assert mark != person
        answer = app.client().ask("sessions", filters=[f"end_user_id={mark}"])
    assert [row["end_user_id"] for row in answer.records()] == [person]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_opens_an_engine_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    with open_warehouse(tmp_path / "w") as client:
        client.ask("summary")
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            told = b"failed"
            try:
                told = str(len(client.ask("summary").rows)).encode()
            finally:
                os.write(writing, told)
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read() == b"0"
        os.waitpid(child, 0)


def test_the_package_offers_its_public_names() -> None:
    for name in talkscope.__all__:
        assert getattr(talkscope, name) is not None
    assert set(dir(talkscope)) == set(talkscope.__all__)
    assert talkscope.Client.__name__ == "Client"
    with pytest.raises(AttributeError, match="nothing"):
        _ = talkscope.nothing
