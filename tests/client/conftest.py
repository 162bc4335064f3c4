from __future__ import annotations

from typing import cast

import pytest

from tests.client.sockets import Send, asynchronous, blocking


@pytest.fixture(params=[blocking, asynchronous], ids=["Client", "AsyncClient"])
def send(request: pytest.FixtureRequest) -> Send:
    return cast("Send", request.param)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
