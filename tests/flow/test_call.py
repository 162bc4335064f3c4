from __future__ import annotations

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, Json
from talkscope.flow import Call, following, path, query
from tests.flow.driving import OK, Driver, told


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("s-1", "/sessions/s-1/x"),
        (17, "/sessions/17/x"),
        ("a/b", "/sessions/a%2Fb/x"),
        ("../admin", "/sessions/..%2Fadmin/x"),
        ("%2e%2e", "/sessions/%252e%252e/x"),
        ("é ?#&", "/sessions/%C3%A9%20%3F%23%26/x"),
        ("a\r\nb", "/sessions/a%0D%0Ab/x"),
        ("{id}", "/sessions/%7Bid%7D/x"),
        ("...", "/sessions/.../x"),
    ],
)
def test_an_id_stays_one_step_of_the_path(given: str | int, sent: str) -> None:
    assert path("/sessions/{id}/x", id=given) == sent


@pytest.mark.parametrize("given", ["", ".", "..", "a\ud800"])
def test_an_id_that_would_ask_for_something_else_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgument, match="^id "):
        path("/sessions/{id}", id=given)


def test_parameters_are_spelled_as_services_read_them() -> None:
    params = query(
        {"none": None, "yes": True, "no": False, "n": 3, "x": 0.5, "each": ["b", "a"], "few": (1,), "nil": []}
    )
    assert params == (
        ("yes", "true"),
        ("no", "false"),
        ("n", "3"),
        ("x", "0.5"),
        ("each", "b"),
        ("each", "a"),
        ("few", "1"),
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_parameter_that_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(InvalidArgument, match="days is not a finite number"):
        query({"days": number})


def test_parameters_keep_their_order_and_are_encoded_once() -> None:
    driver = Driver([OK])
    driver.ask(Call("/x", told, query({"group": "a,b&c=d", "zone": "+02:00", "half": "a\ud800", "days": 30})))
    assert driver.requests[0].target == "/x?group=a%2Cb%26c%3Dd&zone=%2B02%3A00&half=a%EF%BF%BD&days=30"


def test_a_body_is_sent_as_json_with_whole_characters() -> None:
    driver = Driver([OK])
    driver.ask(Call("/query", told, method="POST", body={"text": "é\ud800", "n": None}))
    request = driver.requests[0]
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert request.body == '{"text":"é\ufffd","n":null}'.encode()


def test_a_call_without_a_body_sends_none() -> None:
    driver = Driver([OK])
    driver.ask(Call("/x", told))
    assert driver.requests[0].body is None
    assert "content-type" not in driver.requests[0].headers


def test_a_body_that_is_no_json_is_refused_before_anything_is_sent() -> None:
    driver = Driver([OK])
    with pytest.raises(InvalidArgument, match="not JSON"):
        driver.ask(Call("/query", told, method="POST", body={"n": float("nan")}))
    assert driver.requests == []


def test_a_request_shows_no_body_where_it_is_printed() -> None:
    driver = Driver([OK])
    driver.ask(Call("/query", told, method="POST", body={"text": "private words"}))
    assert "private words" not in repr(driver.requests[0])
    assert "private words" not in repr(Call("/query", told, body={"text": "private words"}))


def test_the_next_page_replaces_only_the_parameters_that_change() -> None:
    call = Call("/list", told, query({"cursor": "a", "limit": 5}), next=lambda page: {"cursor": "b"})
    after = following(call, {}, set())
    assert after is not None
    assert after.params == (("limit", "5"), ("cursor", "b"))


def test_pages_end_when_nothing_follows() -> None:
    assert following(Call("/list", told, next=lambda page: None), {}, set()) is None
    assert following(Call("/list", told), {}, set()) is None


@pytest.mark.parametrize("cursor", ["a", None], ids=["the same cursor", "an empty cursor, which is page one"])
def test_a_page_that_leads_back_is_refused(cursor: str | None) -> None:
    def after(page: Json) -> dict[str, str | None]:
        return {"cursor": cursor if page == 2 else "a"}

    seen: set[tuple[tuple[str, str], ...]] = set()
    second = following(Call[Json]("/list", told, next=after), 1, seen)
    assert second is not None
    with pytest.raises(BadAnswer, match="same page cursor twice"):
        following(second, 2, seen)
