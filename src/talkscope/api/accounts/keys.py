"""Accounts, each with one warehouse folder, and keys, each of one account; of a key only its hash is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from talkscope.api.accounts.book import Book
from talkscope.api.accounts.plans import Limits, plan
from talkscope.errors import InvalidArgument, Json, NotFound, WarehouseError
from talkscope.settings.sources import folder as folder_of

_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# Names that Windows keeps for devices, whatever folder they stand in.
_DEVICES = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
_KEY = re.compile(r"tsk_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NONE = Limits()
_SELECT = "SELECT id, account, plan, per_minute, per_day, per_month, created, used, revoked, hash FROM keys "


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without its secret: whose it is, what it may, since when, when it was used last."""

    id: str
    account: str
    plan: str
    limits: Limits
    created: datetime
    used: datetime | None = None
    revoked: datetime | None = None


class Accounts:
    """The accounts and keys of a service. `root` is the folder that holds the warehouses of accounts without one."""

    def __init__(
        self,
        book: Book,
        root: Path,
        *,
        clock: Callable[[], datetime],
        fresh: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._book = book
        self._root = root
        self._clock = clock
        self._fresh = fresh

    def add(
        self, account: str, *, plan_name: str, limits: Limits = _NONE, folder: Path | None = None
    ) -> tuple[Key, str]:
        """A new key and its text, which cannot be shown again; the account is made where there is none.

        Raises InvalidArgument for a name that cannot be an account's, and for a folder that is another's, and
        UnknownName for an unknown plan.
        """
        if not _ACCOUNT.fullmatch(account) or _DEVICES.fullmatch(account):
            raise InvalidArgument(
                f"{account[:64]!r} cannot name an account.",
                hint="Use up to 63 lower-case letters, digits, - and _, beginning with a letter or a digit.",
            )
        known = plan(plan_name)
        name = self._fresh(4).hex()
        text = f"tsk_{name}_{_base64(self._fresh(32))}"
        now = self._clock()
        row = (name, _hash(text), account, known.name, limits.per_minute, limits.per_day, limits.per_month)
        with self._book.transaction() as book:
            found = book.execute("SELECT name, folder FROM accounts").fetchall()
            folders = {name: None if held is None else Path(held) for name, held in found}
            chosen = self._chosen(account, folder, folders)
            if account not in folders:
                book.execute("INSERT INTO accounts VALUES (?, ?)", (account, None if chosen is None else str(chosen)))
            book.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)", (*row, now.timestamp()))
        return Key(name, account, known.name, limits.over(known.limits), now), text

    def _chosen(self, account: str, folder: Path | None, folders: dict[str, Path | None]) -> Path | None:
        """The account's folder where it is not the usual one. Raises InvalidArgument where it is somebody else's."""
        wanted = None if folder is None else folder_of("The folder", str(folder)).resolve()
        if account in folders:
            held = folders[account]
            if wanted is not None and wanted != held:
                raise InvalidArgument(
                    f"The account {account} has a folder already.", hint="Leave out --warehouse, or name a new account."
                )
            return held
        if wanted is None:
            return None
        others = [self._root.resolve(), *(other for other in folders.values() if other is not None)]
        if any(wanted == other or wanted in other.parents or other in wanted.parents for other in others):
            raise InvalidArgument(
                "The folder belongs to another account, or to the service itself.",
                hint="Each account has a folder of its own, inside no other's.",
            )
        return wanted

    def all(self) -> list[Key]:
        """Every key, the oldest first, those that were revoked included."""
        return [_key(row) for row in self._book.rows(_SELECT + "ORDER BY created, id")]

    def revoke(self, id: str) -> Key:
        """End a key: the next request with it is refused, by a running server too. Raises NotFound."""
        with self._book.transaction() as book:
            row = book.execute(_SELECT + "WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise NotFound(f"There is no key {id[:40]!r}.", hint="`talkscope keys list` shows the ids.")
            now = self._clock().timestamp()
            book.execute("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (now, id))
            # What a revoked key used is of no more use.
            book.execute("DELETE FROM calls WHERE key = ?", (id,))
            return _key(book.execute(_SELECT + "WHERE id = ?", (id,)).fetchone())

    def of(self, text: str) -> Key | None:
        """The key with that text, unless there is none or it was revoked."""
        told = _KEY.fullmatch(text)
        if told is None:
            return None
        rows = self._book.rows(_SELECT + "WHERE id = ? AND revoked IS NULL", told[1])
        if not rows:
            return None
        kept = rows[0][-1]
        assert isinstance(kept, bytes)
        return _key(rows[0]) if hmac.compare_digest(kept, _hash(text)) else None

    def folder(self, account: str) -> Path:
        """The account's warehouse. Raises WarehouseError where a link would lead to somebody else's."""
        rows = self._book.rows("SELECT folder FROM accounts WHERE name = ?", account)
        if not rows:
            raise NotFound(f"There is no account {account[:64]!r}.")
        (held,) = rows[0]
        place = self._root.resolve() / "accounts" / account if held is None else Path(str(held))
        if place.resolve() != place:
            raise WarehouseError("The account's folder is a link.", hint="Whoever runs this service can mend it.")
        return place

    def ready(self) -> bool:
        """Whether keys can be looked up."""
        return self._book.rows("SELECT 1") == [(1,)]


def _hash(text: str) -> bytes:
    # A key has 256 random bits: there is nothing to guess that would need a slow hash.
    return hashlib.sha256(text.encode()).digest()


def _base64(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _key(row: tuple[object, ...]) -> Key:
    name, account, plan_name, per_minute, per_day, per_month, created, used, revoked, _ = row
    own = Limits(_number(per_minute), _number(per_day), _number(per_month))
    made = _time(created)
    assert made is not None
    return Key(
        str(name),
        str(account),
        str(plan_name),
        own.over(plan(str(plan_name)).limits),
        made,
        _time(used),
        _time(revoked),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _time(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, float) else None


def told(key: Key) -> dict[str, Json]:
    """The key as it is listed: everything but its secret."""
    return {
        "id": key.id,
        "account": key.account,
        "plan": key.plan,
        "per_minute": key.limits.per_minute,
        "per_day": key.limits.per_day,
        "per_month": key.limits.per_month,
        "created": _iso(key.created),
        "last_used": _iso(key.used),
        "revoked": _iso(key.revoked),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
