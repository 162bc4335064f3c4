"""The API on a socket: keys and accounts in one folder, and for each account a warehouse of its own.

It is imported by the commands that serve or look after keys, and by nothing that a question waits for.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from pathlib import Path

import platformdirs

from talkscope.api import Answering, service
from talkscope.api.accounts import PLANS, Accounts, Book, Key, Limits, Meter
from talkscope.api.accounts.keys import told
from talkscope.api.service.door import LOOPBACK, Door
from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer
from talkscope.models.masking import KEY_BYTES
from talkscope.models.questions import Asked
from talkscope.settings import Settings
from talkscope.warehouse import questions
from talkscope.warehouse.manifest import mask_key
from talkscope.warehouse.store import DuckStore, Stop

__all__ = ["PLANS", "Key", "Limits", "Place", "Stores", "accounts", "own_root", "serve", "told"]

_BOOK = "keys.sqlite"
_LOCAL = "local"
_MOST_OPEN = 16


def _nobody(address: str) -> None:
    """Tell nobody."""


def now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


def own_root() -> Path:
    """Where keys and accounts are unless another folder is named: in the user's data folder."""
    return platformdirs.user_data_path("talkscope", appauthor=False) / "serve"


@contextmanager
def accounts(root: Path, *, clock: Callable[[], datetime] = now) -> Iterator[Accounts]:
    """The accounts and keys in a folder, for as long as the block lasts."""
    with closing(Book(root / _BOOK)) as book:
        yield Accounts(book, root, clock=clock)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is served and for whom: an address, the names it is reached by, pages that may ask, seconds of grace."""

    host: str = "127.0.0.1"
    port: int = 8765
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    grace: float = 10.0

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def door(self) -> Door:
        """What checks the Host and Origin of requests. Raises InvalidArgument for an origin that is none."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        return Door((*LOOPBACK, own, *self.hosts), self.origins)


def serve(
    place: Place,
    settings: Settings,
    *,
    root: Path | None = None,
    warehouse: Path | None = None,
    log: Callable[[bytes], object] | None = None,
    started: Callable[[str], object] = _nobody,
    clock: Callable[[], datetime] = now,
) -> None:
    """Serve until the process is told to stop: with `root` by the keys in it, with `warehouse` that one without keys.

    `log` takes the lines of the access log, `started` the address once it is served. Raises InvalidArgument for a
    service without keys that others could reach.
    """
    if (root is None) == (warehouse is None):
        raise TypeError("serve takes either root or warehouse")
    with ExitStack() as stack:
        gate, folder = _gate(place, root, warehouse, clock, stack)
        stores = stack.enter_context(closing(Stores(folder, settings, clock=clock)))
        app = service.build(
            stores.answering,
            gate,
            clock=clock,
            door=place.door(),
            deadline=settings.deadline,
            version=_version(),
            log=log,
        )
        listening = stack.enter_context(closing(service.listen(place.host, place.port)))
        port = listening.getsockname()[1]
        shown = f"[{place.host}]" if ":" in place.host else place.host
        service.run(app, listening, grace=place.grace, started=lambda: started(f"http://{shown}:{port}"))


def _gate(
    place: Place, root: Path | None, warehouse: Path | None, clock: Callable[[], datetime], stack: ExitStack
) -> tuple[service.Gate, Callable[[str], Path]]:
    """What lets requests in, and the folder of each account."""
    if warehouse is not None:
        if not place.on_loopback:
            raise InvalidArgument(
                "Without keys, only this machine can be served.", hint="Leave out --no-keys, and add keys."
            )
        only = warehouse
        return service.OpenGate(_LOCAL), lambda _: only
    assert root is not None
    book = stack.enter_context(closing(Book(root / _BOOK)))
    known = Accounts(book, root, clock=clock)
    return service.KeyGate(known, Meter(book, clock=clock)), known.folder


def _version() -> str:
    try:
        return version("talkscope")
    except PackageNotFoundError:
        return "unknown"


class _Open:
    """One account's warehouse while it is open, and how many questions are asking it."""

    def __init__(self, store: DuckStore) -> None:
        self.store = store
        self.mask_key: bytes | None = None
        self.asked = 0


class Stores:
    """The warehouses of accounts, opened when they are asked; of those nobody asks, the `most` used last stay open."""

    def __init__(
        self,
        folder: Callable[[str], Path],
        settings: Settings,
        *,
        clock: Callable[[], datetime] = now,
        most: int = _MOST_OPEN,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def answering(self, account: str) -> Answering:
        """What answers from the account's warehouse, and from no other."""

        def answer(name: str, asked: Asked, stop: Stop) -> Answer:
            with self._used(account) as used:
                mask = self._mask_key(used)
                return questions.answer(name, asked, store=used.store, now=self._clock(), stop=stop, mask_key=mask)

        return answer

    @property
    def open(self) -> Sequence[str]:
        """The accounts whose warehouses are open."""
        with self._lock:
            return list(self._open)

    def close(self) -> None:
        """Close all of them; a question that still asks one ends with an error."""
        with self._lock:
            left, self._open = list(self._open.values()), OrderedDict()
        for each in left:
            each.store.close()

    @contextmanager
    def _used(self, account: str) -> Iterator[_Open]:
        used = self._begin(account)
        try:
            yield used
        finally:
            for each in self._end(used):
                each.store.close()

    def _begin(self, account: str) -> _Open:
        with self._lock:
            if account not in self._open:
                self._open[account] = _Open(
                    DuckStore(
                        self._folder(account),
                        # One name for all: an account's name is its owner's, and stands in no answer.
                        memory_limit=self._settings.memory_limit,
                        threads=self._settings.threads,
                    )
                )
            self._open.move_to_end(account)
            used = self._open[account]
            used.asked += 1
            return used

    def _end(self, used: _Open) -> list[_Open]:
        with self._lock:
            used.asked -= 1
            idle = [account for account, each in self._open.items() if not each.asked]
            return [self._open.pop(account) for account in idle[: max(0, len(self._open) - self._most)]]

    def _mask_key(self, used: _Open) -> bytes:
        """What marks of personal data are made with, so that a mark can be filtered by."""
        if used.mask_key is None:
            used.mask_key = mask_key(used.store.folder)
        return used.mask_key or secrets.token_bytes(KEY_BYTES)
