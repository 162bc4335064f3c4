from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest

from talkscope.flow import Body, Failed, Reply

MIB = 1024 * 1024


def collected(chunks: Iterable[bytes], *, encoding: str = "gzip", status: int = 200, cap: int = 1000) -> Reply | Failed:
    body = Body(status, {"content-encoding": encoding} if encoding else {}, cap)
    for chunk in chunks:
        if not body.feed(chunk):
            break
    return body.end()


def split(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_bytes_that_are_not_encoded_pass_as_they_are(encoding: str) -> None:
    assert collected([b"{", b"}"], encoding=encoding) == Reply(
        200, {"content-encoding": encoding} if encoding else {}, b"{}"
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_gzip_is_decoded_however_it_is_cut(encoding: str, size: int) -> None:
    text = bytes(random.Random(7).randrange(256) for _ in range(900))
    answer = collected(split(gzip.compress(text), size), encoding=encoding)
    assert isinstance(answer, Reply)
    assert answer.body == text


def test_joined_gzip_files_are_one_answer() -> None:
    answer = collected(split(gzip.compress(b"[1,") + gzip.compress(b"") + gzip.compress(b"2]"), 3))
    assert isinstance(answer, Reply)
    assert answer.body == b"[1,2]"


def test_an_answer_as_long_as_its_cap_is_whole() -> None:
    for encoding, data in (("", b"x" * 1000), ("gzip", gzip.compress(b"x" * 1000))):
        for size in (1, 10, 1000):
            answer = collected(split(data, size), encoding=encoding)
            assert isinstance(answer, Reply)
            assert len(answer.body) == 1000


def test_one_byte_more_than_the_cap_is_too_large() -> None:
    for encoding, data in (("", b"x" * 1001), ("gzip", gzip.compress(b"x" * 1001))):
        for size in (1, 10, 1000):
            assert collected(split(data, size), encoding=encoding) == Failed("too_large")


def test_gzip_that_expands_in_several_steps_is_whole() -> None:
    text = b"[" + b"0," * (3 * MIB) + b"0]"
    for size in (1, 100, 10_000_000):
        answer = collected(split(gzip.compress(text), size), cap=8 * MIB)
        assert isinstance(answer, Reply)
        assert answer.body == text


@pytest.mark.parametrize(("cap", "most"), [(100_000, 500_000), (MIB, 6 * MIB)])
def test_a_bomb_never_expands_beyond_the_cap(cap: int, most: int) -> None:
    maker = zlib.compressobj(wbits=31)
    block = bytes(MIB)
    bomb = b"".join([*(maker.compress(block) for _ in range(64)), maker.flush()])
    tracemalloc.start()
    try:
        answer = collected(split(bomb, 16_384), cap=cap)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer == Failed("too_large")
    assert peak < most


def test_endless_empty_gzip_files_are_too_large() -> None:
    empty = gzip.compress(b"")

    def endless() -> Iterable[bytes]:
        while True:
            yield empty * 50

    assert collected(endless()) == Failed("too_large")


def test_an_endless_body_is_too_large() -> None:
    def endless() -> Iterable[bytes]:
        while True:
            yield b" " * 100

    assert collected(endless(), encoding="") == Failed("too_large")


@pytest.mark.parametrize("lost", [1, 8, 20])
def test_gzip_that_ends_early_is_not_taken_for_whole(lost: int) -> None:
    answer = collected([gzip.compress(b'{"rows":[]}')[:-lost]])
    assert answer == Failed("truncated", "its gzip ends early")


def test_a_second_gzip_file_that_ends_early_is_not_taken_for_whole() -> None:
    assert collected([gzip.compress(b"[]") + gzip.compress(b" ")[:-3]]) == Failed("truncated", "its gzip ends early")


@pytest.mark.parametrize("data", [b'{"rows":[]}', gzip.compress(b"{}", mtime=0) + b"rubbish", zlib.compress(b"{}")])
def test_what_is_not_gzip_is_refused(data: bytes) -> None:
    assert collected([data]) == Failed("encoding", "it is not the gzip that it says it is")


def test_gzip_with_a_wrong_checksum_is_refused() -> None:
    data = bytearray(gzip.compress(b'{"rows":[]}'))
    data[-6] ^= 1
    assert collected([bytes(data)]) == Failed("encoding", "it is not the gzip that it says it is")


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "rot13"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    assert collected([b"{}"], encoding=encoding) == Failed(
        "encoding", f"it comes as {encoding}, which was not asked for"
    )


def test_an_empty_body_has_no_encoding_to_break() -> None:
    for encoding in ("gzip", "br"):
        answer = collected([], encoding=encoding)
        assert isinstance(answer, Reply)
        assert answer.body == b""


@pytest.mark.parametrize("encoding", ["", "gzip", "br"])
def test_of_an_errors_body_as_much_as_can_be_had_is_enough(encoding: str) -> None:
    words = b"sorry " * 100_000
    for data in (words, gzip.compress(words), gzip.compress(words)[:-9]):
        answer = collected(split(data, 50_000), encoding=encoding, status=503, cap=32 * MIB)
        assert isinstance(answer, Reply)
        assert answer.status == 503
        assert len(answer.body) <= 65_536


def test_bytes_after_trouble_are_ignored() -> None:
    body = Body(200, {}, 3)
    assert [body.feed(b"123456"), body.feed(b"7" * 100)] == [False, False]
    assert body.end() == Failed("too_large")
