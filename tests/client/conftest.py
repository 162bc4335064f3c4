from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.client.sockets import Send, asynchronous, blocking


@pytest.fixture(params=[blocking, asynchronous], ids=["Client", "AsyncClient"])
def send(request: pytest.FixtureRequest) -> Send:
    return cast("Send", request.param)


@pytest.fixture(scope="session")
def _no_authorities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where no certificates are: reading those of all the world's authorities takes each new client a while."""
    return tmp_path_factory.mktemp("authorities")


@pytest.fixture(autouse=True)
def _no_network_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, _no_authorities: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(_no_authorities))
