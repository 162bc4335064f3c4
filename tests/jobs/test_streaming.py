"""Answers without pages, of any length: from the socket to the records row by row, and whole or not at all."""

from __future__ import annotations

import errno
import gc
import gzip
import io
import json
import random
import stat
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, cast

import anyio
import anyio.from_thread
import pytest
from pydantic import SecretStr

from talkscope.client import AsyncClient
from talkscope.errors import (
    AnswerTooLarge,
    AuthenticationError,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidArgument,
    Json,
    ServerError,
    TalkscopeError,
)
from talkscope.flow import AnyCall, Call, Failed, Policy, Redactor
from talkscope.jobs.pull import Journal, Listing, Part, pager, pull
from talkscope.jobs.pull.plan import Answer
from talkscope.jobs.pull.rows import Rows, rows_of
from talkscope.jobs.sync import mavenoid as syncing_mavenoid
from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Found
from talkscope.platforms import mavenoid as api
from talkscope.platforms.mavenoid.models import AssistantConversation
from tests.cli.running import here
from tests.client.sockets import Peer, http, serving
from tests.flow.driving import OK, Driver
from tests.jobs.syncing import NOW, client_of, synced
from tests.vendors.engine import Reply, Vendor, served
from tests.vendors.mavenoid import TOKEN, make_world, mavenoid
from tests.waiting import until
from tests.warehouse.loading import stored

WORLD = make_world(NOW, conversations=60)
KEY = "ma_1streamed_0123456789abcdef"
CALL: AnyCall = Call("/rows.json", lambda value: value, listed=True)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@pytest.fixture(autouse=True)
def _no_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the certificates of all the world's authorities takes each new client a while."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Vendor, str]]:
    vendor = mavenoid(WORLD)
    with served(vendor) as url:
        yield vendor, url


@pytest.fixture
def vendor(running: tuple[Vendor, str]) -> Iterator[Vendor]:
    running[0].forget()
    yield running[0]
    running[0].answer_as_before()


@pytest.fixture
def url(running: tuple[Vendor, str], vendor: Vendor) -> str:
    del vendor
    return running[1]


def spelled(value: Json, rng: random.Random) -> bytes:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))
    return rng.choice(["", " \n"]).encode() + text.encode() + rng.choice(["", "\r\n\t"]).encode()


def made(rng: random.Random, depth: int = 0) -> Json:
    kind = rng.random()
    if depth > 3 or kind < 0.4:
        return rng.choice([0, -2.5e3, None, True, 'a,b]}"\\', "{[", "é😀\n", "", " A"])
    if kind < 0.7:
        return [made(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(["a", 'b"', "c]"]) + str(each): made(rng, depth + 1) for each in range(rng.randrange(4))}


def cut(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


def test_rows_are_the_same_wherever_the_text_is_cut() -> None:
    rng = random.Random(4)
    for _ in range(300):
        value = [made(rng) for _ in range(rng.randrange(5))]
        assert list(rows_of(cut(spelled(value, rng), rng.choice([1, 2, 3, 7, 50, 10_000])))) == value


def test_what_json_does_not_know_is_refused_wherever_it_stands() -> None:
    rng = random.Random(5)
    refused = 0
    for _ in range(400):
        text = bytearray(spelled([made(rng) for _ in range(rng.randrange(4))], rng))
        at = rng.randrange(len(text))
        text[at : at + rng.randrange(2)] = rng.choice([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b""])
        try:
            expected = json.loads(text.decode("utf-8", "surrogateescape"))
        except ValueError:
            expected = None
        if isinstance(expected, list):
            assert list(rows_of(cut(bytes(text), 5))) == expected
        else:
            refused += 1
            with pytest.raises(BadAnswer, match="not JSON"):
                list(rows_of(cut(bytes(text), 5)))
    assert refused > 100


def test_a_row_is_given_before_anything_after_it_is_read() -> None:
    given = 0

    def text() -> Iterator[bytes]:
        yield b"["
        for number in range(1_000):
            assert given == number, "more was read than one row"
            yield json.dumps({"n": number, "held": "x" * 500}).encode() + b","
        yield b"0]"

    for _ in rows_of(text()):
        given += 1
    assert given == 1_001


def test_a_row_that_no_memory_is_meant_for_is_too_large() -> None:
    def endless() -> Iterator[bytes]:
        yield b'[{"text":"'
        while True:
            yield b"x" * 1_000

    with pytest.raises(AnswerTooLarge, match="One row of the answer holds more than 100,000 bytes"):
        list(rows_of(endless(), most=100_000))


@pytest.mark.parametrize("key", [KEY, f"Bearer {KEY}"])
@pytest.mark.parametrize("size", [1, 7, 29, 500])
def test_a_key_is_taken_out_of_a_text_wherever_that_is_cut(key: str, size: int) -> None:
    text = f'["{key}","{KEY}{KEY}","{KEY[:-1]}"]'.encode()
    redactor = Redactor(SecretStr(key))
    found = b"".join(redactor.feed(piece) for piece in cut(text, size)) + redactor.end()
    assert found == f'["[redacted]","[redacted][redacted]","{KEY[:-1]}"]'.encode()


def saved(url: str, *, idle: float = 60.0, deadline: float = 30.0, cap: int | None = None, attempts: int = 2) -> bytes:
    """What `AsyncClient.save` leaves in a file, which an error must leave empty."""
    file = io.BytesIO(b"what was there before")

    async def save() -> int:
        policy = Policy(attempts=attempts, first_wait=0.0)
        async with AsyncClient(url, key=f"Bearer {KEY}", key_header="authorization", policy=policy) as client:
            return await client.save(Call("/x", CALL.parse, cap=cap, deadline=deadline), file, idle=idle)

    try:
        size = anyio.run(save)
    except TalkscopeError:
        assert file.getvalue() == b""
        raise
    assert size == len(file.getvalue())
    return file.getvalue()


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_goes_into_the_file_decoded_and_without_the_key(zipped: bool) -> None:
    text = json.dumps([{"n": number, "said": f"your key is {KEY}"} for number in range(3_000)]).encode()
    sent = gzip.compress(text) if zipped else text
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") if zipped else CHUNKED
    # Every key is cut in two by some chunk or other.
    with serving(head + b"".join(chunk(piece) for piece in cut(sent, 61)) + b"0\r\n\r\n") as server:
        found = saved(server.url)
    assert found == text.replace(KEY.encode(), b"[redacted]")
    assert server.headers[0]["accept-encoding"] == "gzip"


def test_an_answer_that_is_cut_off_is_asked_for_again_and_begins_anew() -> None:
    def second_time(peer: Peer) -> None:
        peer.send(CHUNKED + chunk(b'[{"n":1},') + (b"" if len(server.requests) == 1 else chunk(b"2]") + b"0\r\n\r\n"))

    with serving(second_time) as server:
        assert saved(server.url) == b'[{"n":1},2]'
    assert len(server.requests) == 2
    with serving(CHUNKED + chunk(b"[1,")) as server, pytest.raises(ConnectionFailed, match="ended before the answer"):
        saved(server.url)


def test_what_is_no_answer_is_the_error_that_it_always_was() -> None:
    wrong: list[tuple[bytes, type[TalkscopeError], str]] = [
        (http(b'{"error":{"message":"who is it?"}}', 401), AuthenticationError, "who is it"),
        (http(b"x" * 9_000, 500), ServerError, "x"),
        (http(gzip.compress(b"[1]")[:-3], Content_Encoding="gzip"), BadAnswer, "gzip ends early"),
        (http(b"[1]", Content_Encoding="br"), BadAnswer, "not asked for"),
        (http(b"[" + b"1," * 5_000 + b"1]"), AnswerTooLarge, "more than 10,000 bytes"),
        (http(gzip.compress(bytes(2_000_000)), Content_Encoding="gzip"), AnswerTooLarge, "more than 10,000 bytes"),
    ]
    for answer, kind, said in wrong:
        with serving(answer) as server, pytest.raises(kind, match=said):
            saved(server.url, cap=10_000)
        assert len(server.requests) == 1


def test_a_stream_may_take_longer_than_a_deadline_as_long_as_it_comes() -> None:
    def slowly(peer: Peer) -> None:
        peer.send(CHUNKED)
        peer.over.wait(1.2)
        peer.send(chunk(b"[]") + b"0\r\n\r\n")

    with serving(slowly) as server:
        assert saved(server.url, deadline=1.0) == b"[]"
    assert len(server.requests) == 1


@pytest.mark.parametrize("drips", [False, True])
def test_a_stream_that_stands_still_or_drips_is_left(drips: bool) -> None:
    def stuck(peer: Peer) -> None:
        peer.send(CHUNKED + chunk(b"[" + b" " * 3_000_000))
        if drips:
            peer.drip(chunk(b" ") * 100_000)
        peer.over.wait()

    with serving(stuck) as server, pytest.raises(DeadlineExceeded, match=r"it stood still for 0\.2 s"):
        saved(server.url, idle=0.2, attempts=1)


def test_a_service_that_does_not_begin_is_left_at_the_deadline() -> None:
    with serving(lambda peer: peer.over.wait()) as server, pytest.raises(DeadlineExceeded, match=r"within 0\.2 s"):
        saved(server.url, deadline=0.2)


def test_the_time_in_which_an_answer_came_counts_towards_no_deadline() -> None:
    driver = Driver([Failed("connect", "it broke", came=1_000), OK], takes=1_000)
    assert driver.ask(Call("/x", lambda value: value)) == {"n": 1}
    with pytest.raises(DeadlineExceeded):
        Driver([Failed("connect", "it broke"), OK], takes=1_000).ask(Call("/x", lambda value: value))


def test_a_full_disk_ends_it_and_leaves_nothing_half_written() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    async def save() -> None:
        async with AsyncClient(server.url) as client:
            with pytest.raises(OSError, match="No space left"):
                await client.save(CALL, file)

    file = Full(b"before")
    with serving(http(b"[1]")) as server:
        anyio.run(save)
    assert (file.getvalue(), len(server.requests)) == (b"", 1)


def test_a_list_is_in_the_journal_only_when_it_was_kept(tmp_path: Path) -> None:
    folder = tmp_path / "all.part"
    with Journal(folder, {"a": 1}, begun="") as journal:
        journal.add("first", {"n": 1})
        with journal.draft() as draft:
            draft.write_bytes(b"[1,2]")
            journal.keep("second", draft)
        with journal.draft() as draft:
            draft.write_bytes(b"[3")
        assert not draft.exists()
    # What a run that was killed leaves behind.
    for name in ("answer-half.new", "answer-9.json"):
        (folder / name).write_bytes(b"[3")
    with Journal(folder, {"a": 1}, begun="") as journal:
        found = dict(journal.answers())
        assert found["first"] == {"n": 1}
        assert [list(cast("Rows", found["second"])) for _ in range(2)] == [[1, 2], [1, 2]]
        assert len(list(folder.glob("answer-*"))) == 1
    with Journal(folder, {"a": 1}, begun="", restart=True):
        assert list(folder.glob("answer-*")) == []


def test_a_pull_that_is_given_up_does_not_read_a_list_to_its_end(url: str, tmp_path: Path) -> None:
    reading, ended = anyio.Event(), False

    class Endless(Listing):
        def answered(self, part: Part, value: Answer) -> Sequence[Part]:
            nonlocal ended
            anyio.from_thread.run_sync(reading.set)
            with pytest.raises(TimeoutError):
                until(lambda: False, "the end", meanwhile=lambda: deque(cast("Rows", value), maxlen=0))
            ended = True
            return super().answered(part, value)

    async def run() -> None:
        with Journal(tmp_path / "all.part", {}, begun="") as journal:
            async with client_of("mavenoid", url, TOKEN) as client, anyio.create_task_group() as group:
                group.start_soon(pull, Endless(api.assistant_conversations(days=120)), client, journal)
                await reading.wait()
                group.cancel_scope.cancel()

    anyio.run(run)
    assert not ended
    assert not (tmp_path / "all.part").exists()


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def streamed(*pieces: bytes) -> Reply:
    return Reply(stream=_pieces(*pieces))


def fetched(url: str, home: Path, *words: str) -> CompletedProcess[str]:
    to = str(home / "all.json")
    return here("fetch", "mavenoid", "assistant-conversations", "-p", "days=120", "--all", "-o", to, *words, home=home,
                MAVENOID_API_TOKEN=TOKEN, MAVENOID_API_URL=url)  # fmt: skip


def test_fetching_everything_gives_the_rows_as_they_came_and_leaves_nothing_else(url: str, tmp_path: Path) -> None:
    done = fetched(url, tmp_path)
    assert done.returncode == 0, done.stderr
    rows: list[Any] = json.loads((tmp_path / "all.json").read_bytes())
    assert [row["id"] for row in rows] == [one.id for one in WORLD.last(120, WORLD.conversations)]
    assert [path.name for path in tmp_path.glob("*all*")] == ["all.json"]


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ((b'[{"id":"F1"},{"id"',), "ends before its list does"),
        ((b'[{"id":"F1"},', b"{id:1}]"), "not JSON in its row 2"),
        ((b"[1] [2]",), "something follows its list"),
        ((b"",), "empty"),
        ((b" <html>Sign in</html>",), "web page"),
        ((b"null",), "null"),
        ((b'{"rows":',), "not JSON"),
        ((b'{"detail":"no"}',), "no list of rows"),
    ],
)
def test_an_answer_that_is_no_list_ends_the_pull_and_is_not_kept(
    vendor: Vendor, url: str, tmp_path: Path, pieces: tuple[bytes, ...], said: str
) -> None:
    vendor.answer_with("assistant_conversations", streamed(*pieces), checked=False)
    done = fetched(url, tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert list(tmp_path.glob("*all*")) == []


def test_an_answer_over_the_cap_says_so(
    vendor: Vendor, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pager, "CAP", 5_000)
    done = fetched(url, tmp_path)
    assert done.returncode == 1
    assert "answer_too_large" in done.stderr
    assert "more than 5,000 bytes" in done.stderr
    monkeypatch.setattr(pager, "CAP", 1_000_000)
    monkeypatch.setattr(pager, "DOCUMENT", 5_000)
    vendor.answer_with("assistant_conversations", streamed(b'{"rows":[', b"1," * 5_000, b"1]}"), checked=False)
    assert "one document of 10,012 bytes, and no list" in fetched(url, tmp_path).stderr


@pytest.mark.parametrize(
    ("pieces", "said"),
    [((b'{"rows":[]}',), "not what was promised"), ((b'[{"id":"F1"}]',), "in row 1, is not what was promised")],
)
def test_rows_that_are_none_of_the_platforms_end_a_sync_and_are_asked_for_again(
    vendor: Vendor, url: str, tmp_path: Path, pieces: tuple[bytes, ...], said: str
) -> None:
    vendor.answer_with("assistant_conversations", streamed(*pieces), checked=False)
    with pytest.raises(BadAnswer, match=said):
        synced("mavenoid", url, TOKEN, tmp_path)
    vendor.answer_as_before()
    (round_,) = synced("mavenoid", url, TOKEN, tmp_path)
    assert round_.types["session"].loaded == len(WORLD.last(120, WORLD.conversations))


def test_a_sync_goes_on_with_the_lists_that_it_has(vendor: Vendor, url: str, tmp_path: Path) -> None:
    vendor.answer_with("live_support_sessions", Reply({"error": "out of order"}, 500), checked=False)
    with pytest.raises(ServerError):
        synced("mavenoid", url, TOKEN, tmp_path)
    folder = tmp_path / "sync" / "mavenoid.part"
    kept = sorted(folder.glob("answer-*"))
    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    vendor.answer_as_before()
    vendor.forget()
    (round_,) = synced("mavenoid", url, TOKEN, tmp_path, now=NOW + timedelta(microseconds=1))
    assert (round_.resumed, vendor.count()) == (True, 1)
    assert not folder.exists()
    assert len(stored(tmp_path)["sessions"]) == len(WORLD.last(120, WORLD.conversations))
    assert len(stored(tmp_path)["live_support"]) == len(WORLD.last(120, WORLD.sessions))


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"[]")])
def test_a_journal_whose_list_is_not_as_it_was_is_refused(
    vendor: Vendor, url: str, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    vendor.answer_with("live_support_sessions", Reply({"error": "out of order"}, 500), checked=False)
    with pytest.raises(ServerError):
        synced("mavenoid", url, TOKEN, tmp_path)
    spoil(next((tmp_path / "sync" / "mavenoid.part").glob("answer-*")))
    with pytest.raises(InvalidArgument, match="damaged"):
        synced("mavenoid", url, TOKEN, tmp_path)


@contextmanager
def _pulled(url: str, folder: Path) -> Iterator[Iterator[Found]]:
    asked = Asked(NOW - timedelta(days=120), NOW, NOW)
    plan = syncing_mavenoid.plan(asked)

    async def run(journal: Journal) -> None:
        async with client_of("mavenoid", url, TOKEN) as client:
            await pull(plan, client, journal)

    with Journal(folder, {}, begun="") as journal:
        anyio.run(run, journal)
        yield (each for each in plan.found(journal.answer) if isinstance(each, Found))
        journal.discard()


def test_records_are_made_with_one_row_in_memory(url: str, tmp_path: Path) -> None:
    count = most = 0
    with _pulled(url, tmp_path / "journal") as found:
        for record in syncing_mavenoid.recorded(found, Asked(NOW, NOW, NOW)):
            count += record["type"] == "session"
            if record["type"] == "session" and not count % 10:
                most = max(most, sum(isinstance(each, AssistantConversation) for each in gc.get_objects()))
    assert count == len(WORLD.last(120, WORLD.conversations)) > 20
    assert most == 1
