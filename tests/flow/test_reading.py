from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr

from talkscope.errors import BadAnswer, Json, NotFound
from talkscope.flow import Call, Reply, parse_json
from tests.flow.driving import Driver, reply, told

HALF = "\ufffd"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (b"\n <html>", "web page"),
        (b"null", "is null"),
        (b"true", "is a boolean"),
        (b"17", "is a number"),
        (b"1.5", "is a number"),
        (b'"ok"', "is a text"),
        (b'{"n":NaN}', "not JSON"),
        (b'{"n":Infinity}', "not JSON"),
        (b'{"n":-Infinity}', "not JSON"),
        (b'{"n":1e999}', "out of range"),
        (b'[[{"n":-1E+400}]]', "out of range"),
        (b'{"n":' + b"9" * 300 + b"e99}", "out of range"),
        (b'{"n":' + b"9" * 400 + b".5}", "out of range"),
        (b'{"n":' + b"9" * 10_000 + b"}", "out of range"),
        (b"[" * 100_000 + b"]" * 100_000, "recursion limit"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "recursion limit"),
        (b'{"n":1} {"n":2}', "trailing"),
        (b'{"n":1', "not JSON"),
        (b'{"n":"\xff"}', "not JSON"),
        (b'{"n":"\xc0\xaf"}', "not JSON"),
        ('{"n":1}'.encode("utf-16"), "not JSON"),
        (b'{"n":"\x01"}', "not JSON"),
        (b'{"n":"\\x"}', "not JSON"),
        (b'{"n":"\\u12"}', "not JSON"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_answer_is_one_typed_error(body: bytes, said: str) -> None:
    with pytest.raises(BadAnswer, match=said) as caught:
        Driver([reply(200, body)]).ask(Call("/x", told))
    assert len(str(caught.value).encode()) < 300
    assert caught.value.__cause__ is None


def test_an_error_about_an_answer_shows_nothing_of_it() -> None:
    with pytest.raises(BadAnswer) as caught:
        parse_json(b'{"email":"ann@example.org", "n":NaN}')
    assert "ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'{"t":"x\ud800y"}', f"x{HALF}y"),
        (rb'{"t":"\udc00"}', HALF),
        (rb'{"t":"\uD83D\uD83D\uDE00"}', f"{HALF}\U0001f600"),
        (rb'{"t":"\ude00\ud83d"}', HALF * 2),
        (rb'{"t":"\ud83d\u0041"}', f"{HALF}A"),
        (rb'{"t":"\\ud800 \ud800"}', rf"\ud800 {HALF}"),
        (rb'{"t":"\\\ud800\n"}', f"\\{HALF}\n"),
        (b'{"t":"\xed\xa0\x80\xed\xbf\xbf"}', HALF * 2),
        (rb'{"t":"\ud83d\ude00"}', "\U0001f600"),
        ('{"t":"é퟿"}'.encode(), "é퟿"),
        (rb'{"t":"\u0000"}', "\0"),
    ],
)
def test_a_lone_surrogate_becomes_a_replacement_character(body: bytes, text: str) -> None:
    assert parse_json(body) == {"t": text}


def test_a_lone_surrogate_in_a_name_is_replaced_too() -> None:
    assert parse_json(rb'{"\ud800":1}') == {HALF: 1}


def test_large_whole_numbers_stay_exact() -> None:
    assert parse_json(b'[9007199254740993, %d, 1e300, "1e999"]' % 2**80) == [9007199254740993, 2**80, 1e300, "1e999"]


@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:\\ud8c0e19.-nN \ufffd', max_size=40).map(str.encode))
def test_any_bytes_give_json_or_a_bad_answer(body: bytes) -> None:
    try:
        root = parse_json(body)
    except BadAnswer:
        return
    assert isinstance(root, dict | list)
    repr(root).encode()


class Row(BaseModel):
    model_config = ConfigDict(extra="ignore")
    status: Literal["ok", "error"]
    n: int


def test_an_answer_that_does_not_fit_names_the_field_and_not_its_value() -> None:
    call = Call("/rows", Row.model_validate)
    with pytest.raises(BadAnswer, match=r"/rows is not what was promised: status: .*; n: ") as caught:
        Driver([reply(200, {"status": "ann@example.org", "n": "private"})]).ask(call)
    assert "ann" not in str(caught.value)
    assert "private" not in str(caught.value)


def test_many_fields_that_do_not_fit_are_counted() -> None:
    def parse(body: Json) -> list[Row]:
        from pydantic import TypeAdapter

        return TypeAdapter(list[Row]).validate_python(body)

    with pytest.raises(BadAnswer, match=r"0\.status: .* \(and 197 more\)"):
        Driver([reply(200, [{}] * 100)]).ask(Call("/rows", parse))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("private"),
        TypeError("private"),
        KeyError("private"),
        IndexError(),
        AttributeError(),
        ZeroDivisionError(),
    ],
)
def test_whatever_trips_over_an_answer_is_a_bad_answer(error: Exception) -> None:
    def parse(body: Json) -> Json:
        raise error

    with pytest.raises(BadAnswer, match=type(error).__name__) as caught:
        Driver([reply(200, {})]).ask(Call("/x", parse))
    assert "private" not in str(caught.value)


def test_an_error_that_a_parser_chose_passes_through() -> None:
    def parse(body: Json) -> Json:
        raise NotFound("There is no such session.")

    with pytest.raises(NotFound):
        Driver([reply(200, {})]).ask(Call("/x", parse))


def test_an_answer_that_is_promised_empty_is_null() -> None:
    assert Driver([Reply(204, {}, b"")]).ask(Call("/x", lambda body: body is None)) is True


def test_any_2xx_is_an_answer() -> None:
    assert Driver([reply(202, {"id": 1})]).ask(Call("/x", told)) == {"id": 1}


def test_a_key_in_the_names_of_an_answer_is_not_shown() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

    with pytest.raises(BadAnswer) as caught:
        Driver([reply(200, {"ck_live_12345": 1})], key=SecretStr("ck_live_12345")).ask(
            Call("/x", Strict.model_validate)
        )
    assert "ck_live_12345" not in str(caught.value)
