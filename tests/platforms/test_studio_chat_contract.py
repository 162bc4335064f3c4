"""Every call of Studio Chat against its contract: where it goes, what it takes, what it understands."""

from __future__ import annotations

import inspect
import json
from typing import Any
from urllib.parse import quote

import jsonschema  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from talkscope.errors import InvalidArgument, UnknownArgument, UnknownName, UsageError
from talkscope.flow import Policy
from talkscope.platforms import studio_chat
from talkscope.settings import PLATFORMS
from tests.platforms.studio_chat import CONTRACT, OPERATIONS, URL, Service, answers, call, required

NAMES = list(OPERATIONS)
PARAMETERS = [
    (name, each)
    for name, (_, _, operation) in OPERATIONS.items()
    for each in operation.get("parameters", [])
    if each["in"] == "query"
]
BOUNDED = [(name, each) for name, each in PARAMETERS if each["schema"].get("type") == "integer"]
LISTS = [(name, each) for name, each in PARAMETERS if each["schema"].get("type") == "array"]
LABELLED = [(name, each) for name, each in LISTS if "$ref" in each["schema"]["items"]]
CHOSEN = [(name, each) for name, each in PARAMETERS if "enum" in each["schema"]]
DOCUMENTED = [
    (name, each)
    for name, (_, _, operation) in OPERATIONS.items()
    for each in operation.get("x-documented-requests", [])
]


def named(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{name}-{each.get('name', each.get('recipe'))}" for name, each in cases]


def sending(name: str, **words: object) -> dict[str, str]:
    return dict(call(name, **words).params)


def refused(name: str, **words: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        call(name, **words)
    assert caught.value.hint or caught.value.details, "a refusal says what to do"
    return caught.value


def test_there_is_one_call_for_each_operation_of_the_contract() -> None:
    assert set(studio_chat.CALLS) == set(NAMES)
    assert len(NAMES) == 50
    assert all(getattr(studio_chat, name) is studio_chat.CALLS[name] for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_takes_what_the_contract_lists_and_nothing_else(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    listed = {each["name"]: each["required"] for each in operation.get("parameters", [])}
    if body := operation.get("requestBody"):
        schema = CONTRACT["components"]["schemas"][
            body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        ]
        listed |= {field: field in schema.get("required", []) for field in schema["properties"]}
    taken = inspect.signature(studio_chat.CALLS[name]).parameters
    assert {each.name: each.default is inspect.Parameter.empty for each in taken.values()} == listed
    with pytest.raises(UnknownArgument):
        call(name, playbook_base="typo")


@pytest.mark.parametrize("name", NAMES)
def test_a_call_goes_where_the_contract_says_and_sends_no_more_than_it_must(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    told = required(name)
    service = Service(answers(name)[2])
    asked = call(name)
    service.send(asked)
    request = service.requests[0]
    where = path.format(**{each: quote(str(value), safe="") for each, value in told.items()})
    assert (request.method, str(request.url.copy_with(query=None))) == (method, URL + where)
    assert dict(request.url.params) == {
        each["name"]: told[each["name"]]
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each["required"]
    }
    assert asked.read_only is not operation["x-side-effects"]
    assert asked.deadline == operation.get("x-timeout-seconds")


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_that_the_contract_allows_is_understood(name: str) -> None:
    schema = OPERATIONS[name][2]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**schema, "components": CONTRACT["components"]})
    understood = 0
    for answer in answers(name):
        validator.validate(answer)
        if answer is not None:
            assert Service(answer).send(call(name)) is not None
            understood += 1
    assert understood >= 2


@pytest.mark.parametrize("name", NAMES)
def test_every_field_that_the_contract_lists_is_in_the_answer(name: str) -> None:
    full = answers(name)[2]
    assert lost(full, to_jsonable_python(Service(full).send(call(name)))) == []


def lost(told: Any, found: Any, where: str = "") -> list[str]:
    """Fields of what was told that are not in what was found, or are empty there."""
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        return [each for one, other in zip(told, found, strict=True) for each in lost(one, other, f"{where}[]")]
    if isinstance(told, dict) and isinstance(found, dict):
        # Summaries have two signals by two names each, of which one is kept.
        either = {"sentiment", "resources"} if "sentiment_label" in found else set()
        kept = {field: each for field, each in told.items() if field not in {"a field of tomorrow", *either}}
        return [each for field in kept for each in lost(kept[field], found.get(field), f"{where}.{field}")]
    # Texts may be times, which have another spelling, and a text that is JSON is not decoded.
    same = isinstance(found, str) if isinstance(told, str) else found == told
    return [] if same else [where]


def test_a_request_has_thirty_seconds_and_a_batch_sixty() -> None:
    assert Policy().deadline == 30.0
    deadlines = {name: each.deadline for name in NAMES if (each := call(name)).deadline is not None}
    assert deadlines == {"conversation_batch": 60.0}


@pytest.mark.parametrize(("name", "documented"), DOCUMENTED, ids=named(DOCUMENTED))
def test_a_request_of_the_documents_is_sent_as_they_have_it(name: str, documented: dict[str, Any]) -> None:
    service = Service(answers(name)[2])
    service.send(call(name, **documented.get("params", {}), **documented.get("body", {})))
    assert service.sent == documented.get("params", {})
    assert service.requests[0].content == (
        json.dumps(documented["body"], separators=(",", ":")).encode() if "body" in documented else b""
    )


@pytest.mark.parametrize(("name", "parameter"), BOUNDED, ids=named(BOUNDED))
def test_a_number_outside_of_its_limits_is_refused_before_anything_is_sent(
    name: str, parameter: dict[str, Any]
) -> None:
    word, schema = parameter["name"], parameter["schema"]
    least, most = schema["minimum"], schema.get("maximum")
    for good in [least, least + 1, str(least), most or 10**6]:
        assert sending(name, **{word: good})[word] == str(good)
    odd: list[Any] = [least - 1, True, 2.5, "two", "²", "9" * 5000, [], least - 10**9]
    for bad in (*odd, most + 1 if most else "more"):
        error = refused(name, **{word: bad})
        assert isinstance(error, InvalidArgument)
        assert error.message.startswith(f"{word} must be a whole number"), bad
        assert (error.details["min"], error.details["max"]) == (least, most)


@pytest.mark.parametrize(("name", "parameter"), LISTS, ids=named(LISTS))
def test_a_list_goes_out_as_one_parameter_with_commas(name: str, parameter: dict[str, Any]) -> None:
    word = parameter["name"]
    items = ["billing", "é&="]
    if (name, parameter) in LABELLED:
        items = CONTRACT["components"]["schemas"][parameter["schema"]["items"]["$ref"].rpartition("/")[2]]["enum"][:2]
    for spelled in (items, tuple(items), ",".join(items), f" {items[0]} , {items[1]} ", [*items, items[0]]):
        assert sending(name, **{word: spelled})[word] == ",".join(items), spelled
    for bad in ("", [], ["a,b"], [""], ["  "], [1], 7, {"a": 1}, b"a", "a,,b"):
        assert isinstance(refused(name, **{word: bad}), UsageError)


@pytest.mark.parametrize(("name", "parameter"), LABELLED, ids=named(LABELLED))
def test_a_label_that_the_signal_does_not_have_is_refused_with_the_nearest(
    name: str, parameter: dict[str, Any]
) -> None:
    labels = CONTRACT["components"]["schemas"][parameter["schema"]["items"]["$ref"].rpartition("/")[2]]["enum"]
    assert sending(name, **{parameter["name"]: labels})[parameter["name"]] == ",".join(labels)
    error = refused(name, **{parameter["name"]: [labels[0], labels[1] + "x"]})
    assert isinstance(error, UnknownName)
    assert (error.details["nearest"], error.details["known"]) == (labels[1], labels)


@pytest.mark.parametrize(("name", "parameter"), CHOSEN, ids=named(CHOSEN))
def test_a_word_that_is_no_choice_is_refused_with_the_nearest(name: str, parameter: dict[str, Any]) -> None:
    word, choices = parameter["name"], parameter["schema"]["enum"]
    assert [sending(name, **{word: choice})[word] for choice in choices] == choices
    assert refused(name, **{word: choices[-1] + "s"}).details == {"nearest": choices[-1], "known": choices}
    assert isinstance(refused(name, **{word: 1}), InvalidArgument)


@pytest.mark.parametrize(
    ("name", "word"), [(name, each["name"]) for name, each in PARAMETERS if each["schema"].get("type") == "boolean"]
)
def test_a_truth_value_goes_out_in_lower_case(name: str, word: str) -> None:
    for given, wire in [(True, "true"), (False, "false"), ("true", "true"), ("False", "false")]:
        assert sending(name, **{word: given})[word] == wire
    odd: list[object] = ["yes", 1, 0, []]
    for bad in odd:
        assert isinstance(refused(name, **{word: bad}), InvalidArgument)


@pytest.mark.parametrize("name", [name for name in NAMES if required(name)])
def test_what_is_missing_or_blank_or_half_a_character_is_refused(name: str) -> None:
    for word, value in required(name).items():
        assert refused(name, **{word: None}).code == "missing_argument"
        if isinstance(value, str) and word not in {"start_date", "end_date"}:
            for bad in ("", "  ", "..", "\ud800", 7):
                with pytest.raises(InvalidArgument):
                    call(name, **{word: bad})


def test_arguments_may_stand_in_their_order_but_not_twice() -> None:
    assert studio_chat.conversion_metric("p", "sales") == studio_chat.conversion_metric(project_id="p", slug="sales")
    ask: Any = studio_chat.conversion_metric
    with pytest.raises(InvalidArgument, match="more arguments than the call takes"):
        ask("p", "sales", "more")
    with pytest.raises(InvalidArgument, match="more arguments than the call takes"):
        ask("p", "sales", slug="sales")


def test_no_limit_is_kept_where_none_is_documented() -> None:
    assert CONTRACT["x-rate-limit"] == {"documented": False}
    assert studio_chat.PLATFORM.manners.limits == studio_chat.LIMITS == {}
    assert {studio_chat.bucket(call(name)) for name in NAMES} == {"key"}


def test_the_platform_is_reached_as_its_documents_say() -> None:
    access = studio_chat.ACCESS
    assert (access.name, access.url) == ("studio_chat", URL)
    variables = PLATFORMS["studio_chat"]
    assert (variables.url, variables.key) == ("STUDIO_API_URL", "STUDIO_API_TOKEN")
    assert variables.also == {"project_id": "STUDIO_PROJECT_ID"}


@pytest.mark.parametrize(
    ("token", "header", "value"),
    [
        ("sbs_key", "x-api-key", "sbs_key"),
        # One script sends kps_ as an API key, the other as a bearer; both are valid.
        ("kps_key", "x-api-key", "kps_key"),
        ("eyJ.a.b", "authorization", "Bearer eyJ.a.b"),
        ("ksbs_", "authorization", "Bearer ksbs_"),
        (" sbs_key\n", "x-api-key", "sbs_key"),
    ],
)
def test_the_beginning_of_a_token_decides_which_header_carries_it(token: str, header: str, value: str) -> None:
    assert CONTRACT["components"]["securitySchemes"]["ApiKey"]["x-token-prefixes"] == [*studio_chat.PREFIXES]
    name, secret = studio_chat.ACCESS.header(SecretStr(token))
    assert (name, secret.get_secret_value()) == (header, value)
    service = Service([])
    service.send(studio_chat.projects(), key=token)
    sent = service.requests[0].headers
    assert sent[header] == value
    assert len({"x-api-key", "authorization"} & set(sent)) == 1


def test_fields_that_are_personal_or_untrusted_exist() -> None:
    for field in studio_chat.UNTRUSTED:
        model, _, name = field.partition(".")
        assert name in getattr(studio_chat.models, model).model_fields, field
    assert studio_chat.PERSONAL <= studio_chat.UNTRUSTED


def test_a_type_checker_and_a_command_line_find_the_words_of_a_call() -> None:
    words = inspect.get_annotations(studio_chat.conversations, eval_str=False)
    assert words["limit"] == "UpTo100 | None"
    assert (studio_chat.conversations.__doc__ or "").startswith("Conversations with all their metadata")
