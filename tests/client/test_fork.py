from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest

from talkscope.client import Client
from tests.client.sockets import Peer, http, serving

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, so there is nothing to guard.")

# A program of its own, because a process with threads (the server's) should not be forked.
NETWORK = """
import os, sys
from talkscope.client import Client
from talkscope.flow import Call

def ask(client, who):
    for turn in range(20):
        assert client.send(Call(f"/{who}-{turn}", lambda body: body)) == {"path": f"/{who}-{turn}"}, who

with Client(sys.argv[1], key="k") as client:
    ask(client, "before")
    child = os.fork()
    ask(client, "parent" if child else "child")
    if not child:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ask(client, "after")
"""

IN_PROCESS = """
import os, warnings
import httpx
from talkscope.client import Client, PortalTransport
from talkscope.flow import Call

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"pid": %d}' % os.getpid()})

warnings.simplefilter("ignore", DeprecationWarning)  # the app's loop is a thread, and 3.12 warns of forking those
client = Client("http://app", transport=PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False)))
ask = Call("/x", lambda body: body["pid"])
assert client.send(ask) == os.getpid()
child = os.fork()
assert client.send(ask) == os.getpid()
client.close()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

OWN_TRANSPORT = """
import os
import httpx
from talkscope.client import Client
from talkscope.errors import UsageError
from talkscope.flow import Call

with Client("http://app", transport=httpx.MockTransport(lambda request: httpx.Response(200, json={}))) as client:
    child = os.fork()
    try:
        client.send(Call("/x", lambda body: body))
        said = ""
    except UsageError as error:
        said = str(error)
    if not child:
        os._exit(0 if "before the process forked" in said else 1)
    assert said == ""
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def run(program: str, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # The child leaves the connections that it inherits to its parent; newer Pythons say so when the child ends.
    warnings = ["-W", "error", "-W", "ignore::ResourceWarning"]
    command = [sys.executable, *warnings, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_parent_and_child_get_their_own_answers_over_their_own_connections() -> None:
    def echo(peer: Peer) -> None:
        # The latest of this connection's requests is the one that it asks.
        mine = [
            head for head, port in zip(list(served.requests), list(served.ports), strict=False) if port == peer.port
        ]
        peer.send(http(b'{"path":"%s"}' % mine[-1].split(b" ")[1]))

    with serving(echo, keep=True) as served:
        run(NETWORK, served.url)
    assert len(served.requests) == 80
    by_port: dict[int, set[str]] = {}
    for target, port in zip(served.targets, served.ports, strict=True):
        by_port.setdefault(port, set()).add(target.split("-")[0])
    assert sorted(map(sorted, by_port.values())) == [["/after", "/before", "/parent"], ["/child"]]


def test_an_app_in_process_is_asked_on_a_loop_of_the_childs_own() -> None:
    run(IN_PROCESS)


def test_a_child_does_not_use_a_transport_that_cannot_renew_itself() -> None:
    run(OWN_TRANSPORT)


def test_a_client_that_is_gone_is_not_kept_for_a_fork() -> None:
    import gc
    import weakref

    client = Client("https://x.example", transport=httpx.MockTransport(lambda request: httpx.Response(200)))
    gone = weakref.ref(client)
    client.close()
    del client
    gc.collect()
    assert gone() is None
