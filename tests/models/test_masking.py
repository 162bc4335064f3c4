from __future__ import annotations

import multiprocessing
import re
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkscope.models.masking import KEY_FILE, Mask, stored_key

MASK = Mask(b"k" * 32)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "Ada.Lovelace+news@mail.example.co.uk",
        "o'neil@example.com",
        "jürgen@beispiel.de",
        "+49 170 1234567",
        "+14155550123",
        "0049 170 1234567",
        "(415) 555-0123 99",
        "415-555-0123",
        "0170 1234567",
        "07911 123456",
        "(030) 12345678",
        "https://example.com/orders?id=7&mail=ada@example.com",
        "http://example.com",
        "www.example.com/me",
    ],
)
def test_personal_data_becomes_a_mark(text: str) -> None:
    assert re.fullmatch(r"(email|phone|url):[0-9a-f]{8}", MASK.mask(text))
    inside = MASK.mask(f"Write to {text}, please.")
    assert re.fullmatch(r"Write to (email|phone|url):[0-9a-f]{8}, please\.", inside)
    assert inside == f"Write to {MASK.mask(text)}, please."


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04T16:00:00+02:00",
        "2026-05-04 16:00:00",
        "2026-05-04",
        "04.05.2026",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-1234-1234-123456789012",
        "s_0001234567890",
        "1234567890123",
        "1,234,567.890",
        "192.168.100.200",
        "gpt-4o-2024-08-06",
        "took 1234.567 ms of 20000",
        "0.123456789 of 0451 1234",
        "16:20:30.123456789 and 16:00:00 12345678",
        "voice.user_to_bot_latency",
        "a@b",
        "@here",
        "5 of 12",
        "",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert MASK.mask(text) == text


def test_a_number_to_call_in_a_sentence_is_masked_and_an_id_alone_is_not() -> None:
    assert MASK.mask("call 4155550123 now") == f"call {MASK.mask('x 4155550123')[2:]} now"
    assert "4155550123" not in MASK.mask("call 4155550123 now")
    assert MASK.mask("4155550123") == "4155550123"


def test_a_number_behind_a_word_and_a_colon_is_masked_in_a_sentence_and_stays_in_an_id() -> None:
    for text in ("ring tel:+4917612345678 now", "Phone:+49 176 12345678", "Tel:0176 12345678 in the morning"):
        assert re.search(r":phone:[0-9a-f]{8}\b", MASK.mask(text)), text
        assert "12345678" not in MASK.mask(text)
    for id_ in ("wa:+4917612345678", "wa:+4917612345678/turn/0"):
        assert MASK.mask(id_) == id_


def test_the_same_text_has_the_same_mark_under_one_key_only() -> None:
    assert MASK.mask("ada@example.com") == Mask(b"k" * 32).mask("ada@example.com")
    assert MASK.mask("ada@example.com") != MASK.mask("bob@example.com")
    assert MASK.mask("ada@example.com") != Mask(b"l" * 32).mask("ada@example.com")


def test_masking_twice_changes_nothing_more() -> None:
    once = MASK.mask("ada@example.com, +49 170 1234567, https://example.com")
    assert MASK.mask(once) == once


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(MASK.mask(text), str)


def test_a_long_text_without_personal_data_takes_no_time() -> None:
    for piece in ("a" * 60_000, "1 " * 30_000, "a." * 30_000, "@" * 60_000, "+1" * 30_000):
        MASK.mask(piece)


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    key = stored_key(tmp_path)
    assert len(key) == 32
    assert stored_key(tmp_path) == key
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_without_a_warehouse_the_key_is_kept_nowhere(tmp_path: Path) -> None:
    assert stored_key(tmp_path / "none") != stored_key(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        keys = pool.map(stored_key, [tmp_path] * 9)
        pool.close()
        pool.join()
    assert set(keys) == {(tmp_path / KEY_FILE).read_bytes()}


def test_the_key_is_in_no_repr() -> None:
    assert "kkk" not in repr(MASK)
