"""The keys of the gateway: one SQLite file that the command line writes and any number of servers read."""

import hashlib
import os
import re
import secrets
import sqlite3
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from regrade import jsonio
from regrade.databases import open_shared, write_ahead
from regrade.errors import GatewayError, UsageError, did_you_mean

__all__ = ["Key", "KeyLimits", "KeyStore", "digest_of", "keys_path", "were_keys_made"]

PREFIX = "uai_"
_LETTERS = string.ascii_letters + string.digits
_RANDOM = 32  # characters of 62 kinds each: 190 bits
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = 1
_WAIT_S = 30.0
_TABLE = """
create table if not exists keys (
    name text primary key, digest blob not null unique, created_at text not null, last_used_at text,
    rpm integer, tpm integer, budget_usd real, models text not null, spent_usd real not null default 0,
    revoked_at text
) without rowid
"""
_COLUMNS = "name, digest, created_at, last_used_at, rpm, tpm, budget_usd, models, spent_usd"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a key may do; None is no limit.

    Attributes:
        rpm: Requests a minute.
        tpm: Tokens a minute, prompt and answer together.
        budget_usd: US dollars over the key's whole life.
        models: Patterns such as `qwen/*` of the models it may use; empty: all.
    """

    rpm: int | None = None
    tpm: int | None = None
    budget_usd: float | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """One key that is in force, without the secret itself, which nothing keeps.

    Attributes:
        name: What people call it.
        digest: SHA-256 of the secret.
        created_at: ISO time, UTC.
        last_used_at: ISO time, to about a minute; None when it never was.
        limits: What it may do.
        spent_usd: By the prices of the catalogue, over all servers.
    """

    name: str
    digest: bytes = field(repr=False)
    created_at: str
    last_used_at: str | None
    limits: KeyLimits
    spent_usd: float


def keys_path(env: Mapping[str, str] = os.environ) -> Path:
    """Return the file of keys: REGRADE_KEYS, else in the user's configuration folder."""
    if env.get("REGRADE_KEYS"):
        return Path(env["REGRADE_KEYS"])
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "regrade" / "gateway-keys.sqlite"


def digest_of(secret: str) -> bytes:
    """Return what is stored of a key.

    A plain SHA-256 without salt is enough: slow salted hashes protect passwords that can be guessed, and
    nobody guesses 190 random bits however fast the hash is.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def were_keys_made(path: Path) -> bool:
    """Return whether there is a file of keys that holds or held one; it is not made here.

    Raises:
        GatewayError: When it cannot be used.
    """
    if not path.exists():
        return False
    with KeyStore(path) as store:
        return not store.is_empty()


class KeyStore:
    """The file. Safe with any number of processes (write-ahead log); what was written survives `kill -9`.

    Args:
        path: The file; made for its owner alone, with its folder, when there is none.
        wait_s: How long to wait while another process writes.

    Raises:
        GatewayError: When it cannot be used.
    """

    def __init__(self, path: Path, wait_s: float = _WAIT_S) -> None:
        self._path = path
        self._wait_s = wait_s
        with self._translated():
            _own(path)
            self._base = open_shared(path, wait_s, self._prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def add(self, name: str, limits: KeyLimits, show: Callable[[str], None] = lambda _: None) -> str:
        """Make a key and return its secret, which cannot be had again.

        Args:
            name: What people call it.
            limits: What it may do.
            show: Shows the secret before the key counts; when that fails, there is no key.

        Raises:
            UsageError: When the name is taken or no name.
        """
        _check_name(name)
        secret = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
        models = jsonio.dumps(list(limits.models))
        row = (name, digest_of(secret), _now(), limits.rpm, limits.tpm, limits.budget_usd, models)
        with self._insertion(name):
            with self._translated():
                self._base.execute("begin immediate")
                self._base.execute("delete from keys where name = ? and revoked_at is not null", (name,))
                self._base.execute(
                    "insert into keys (name, digest, created_at, rpm, tpm, budget_usd, models)"
                    " values (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
            show(secret)
            with self._translated():
                self._base.execute("commit")
        return secret

    @contextmanager
    def _insertion(self, name: str) -> Iterator[None]:
        """Leave nothing behind of a key that could not be made or shown."""
        try:
            yield
        except BaseException as error:
            if self._base.in_transaction:
                self._base.execute("rollback")
            if not isinstance(error.__cause__, sqlite3.IntegrityError):
                raise
            message = f"there is a key named {name!r} already"
            hint = f"take another name, or first: regrade gateway keys revoke {name}"
            raise UsageError(message, hint=hint) from None

    def revoke(self, name: str) -> None:
        """End a key. Its row stays, so that the server does not fall back to taking any key.

        Raises:
            UsageError: When there is no such key.
        """
        with self._translated():
            ended = self._base.execute(
                "update keys set revoked_at = ? where name = ? and revoked_at is null", (_now(), name)
            )
        if ended.rowcount:
            return
        if name.startswith(PREFIX):
            raise UsageError(
                "that is a key, not its name", hint="the names are in: regrade gateway keys list"
            )
        names = [key.name for key in self.in_force()]
        hint = did_you_mean(name, names) or (f"there are {', '.join(names)}" if names else "there are none")
        raise UsageError(f"there is no key named {name!r}", hint=hint)

    def in_force(self) -> list[Key]:
        """Return the keys in force, by name."""
        with self._translated():
            rows = self._base.execute(
                f"select {_COLUMNS} from keys where revoked_at is null order by name"  # noqa: S608 - our own constant
            ).fetchall()
        return [_key(row) for row in rows]

    def is_empty(self) -> bool:
        """Return whether no key was ever made, revoked ones included."""
        with self._translated():
            found = self._base.execute("select 1 from keys limit 1").fetchone()
        return found is None

    def version(self) -> int:
        """Return a number that differs once another process has written; costs microseconds."""
        with self._translated():
            number: int = self._base.execute("pragma data_version").fetchone()[0]
        return number

    def charge(self, digest: bytes, usd: float) -> float | None:
        """Add to what a key has spent; return the sum over all processes, None for a key that is gone."""
        with self._translated():
            row = self._base.execute(
                "update keys set spent_usd = spent_usd + ? where digest = ? returning spent_usd",
                (usd, digest),
            ).fetchone()
        return None if row is None else float(row[0])

    def touch(self, digest: bytes) -> None:
        """Note that a key was used just now."""
        with self._translated():
            self._base.execute("update keys set last_used_at = ? where digest = ?", (_now(), digest))

    def _prepare(self, base: sqlite3.Connection) -> None:
        found: int = base.execute("pragma user_version").fetchone()[0]
        if found > _VERSION:
            raise GatewayError(f"{self._path} was made by a newer regrade", hint="update regrade")
        if not found:
            write_ahead(base, self._wait_s)
        # A process that is killed loses nothing; only a power cut may take the last writes.
        base.execute("pragma synchronous = normal")
        base.execute(_TABLE)
        if not found:
            base.execute(f"pragma user_version = {_VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            message = f"the file of keys {self._path} cannot be used: {error}"
            raise GatewayError(message, hint="name another with --keys FILE or REGRADE_KEYS") from error


def _own(path: Path) -> None:
    """See to it that the file is there and its owner's alone, whatever the umask; SQLite's log follows it."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened: closing it would drop the locks that another connection of this process holds.
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _check_name(name: str) -> None:
    if name.startswith(PREFIX):
        raise UsageError("that looks like a key", hint="give it a name, such as ci; the key is made for you")
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for a key"
        raise UsageError(message, hint="letters, digits, dot, dash and underscore; at most 64")


def _key(row: tuple[Any, ...]) -> Key:
    name, digest, created_at, last_used_at, rpm, tpm, budget_usd, models, spent_usd = row
    limits = KeyLimits(rpm, tpm, budget_usd, tuple(jsonio.loads(models)))
    return Key(name, digest, created_at, last_used_at, limits, spent_usd)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
