from __future__ import annotations

import pytest

from talkscope.errors import UnexpectedRedirect
from talkscope.flow import Call
from tests.client.sockets import Send, http, serving

CALL = Call("/x", lambda body: body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_second_host_takes_no_key_there(send: Send, status: int) -> None:
    with serving(http(b'{"n":1}')) as second:
        moved = http(b"", status, Location=f"http://localhost:{second.port}/x?token=t-1")
        with serving(moved) as first, pytest.raises(UnexpectedRedirect) as caught:
            send(first.url, CALL, key="ck_live_1")
    assert second.requests == []
    assert len(first.requests) == 1
    assert caught.value.details == {"host": "localhost"}
    assert caught.value.status == status
    assert "t-1" not in str(caught.value)


def test_a_redirect_on_the_same_host_is_not_followed_either(send: Send) -> None:
    with serving(http(b"", 307, Location="/y")) as server, pytest.raises(UnexpectedRedirect):
        send(server.url, CALL)
    assert server.targets == ["/x"]


@pytest.mark.parametrize("status", [300, 304, 305, 399])
def test_every_other_3xx_is_the_same_error(send: Send, status: int) -> None:
    with serving(http(b"", status)) as server, pytest.raises(UnexpectedRedirect):
        send(server.url, CALL)
