"""The keys as a running server sees them: looked up in memory, and never older than about a second."""

import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from regrade.errors import GatewayError
from regrade.gateway.keys import Key, KeyStore, digest_of

__all__ = ["KeyRing"]

_LOOK_S = 0.5
_TOUCH_S = 60.0
_PATIENCE_S = 0.05
_Place: TypeAlias = tuple[int, int]
_log = logging.getLogger(__name__)


class KeyRing:
    """Looks keys up and keeps count of what they spend.

    Where no key was ever made, `is_open` says so. Once there was one it stays closed, also when the last is
    revoked or the file disappears. A file that cannot be read for a while changes nothing.

    Args:
        path: The file of keys; it need not exist yet.
        clock: Seconds, monotonic.

    Raises:
        GatewayError: When the file is there and cannot be used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._store: KeyStore | None = None
        self._place: _Place | None = None
        self._version = 0
        self._keys: list[Key] = []
        self._spent: dict[bytes, float] = {}
        self._unwritten: dict[bytes, float] = {}
        self._touched: dict[bytes, float] = {}
        self._looked_at = clock()
        self.is_open = True
        self._look()

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        self._write_down()
        if self._store:
            self._store.close()
            self._store = None

    def find(self, secret: str) -> Key | None:
        """Return the key that a client sent, or None.

        Takes as long for a wrong key as for a right one: all digests are compared, each in constant time.
        """
        self._refresh()
        wanted = digest_of(secret)
        found: Key | None = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, wanted):
                found = key
        if found:
            self._touch(found)
        return found

    def spent(self, key: Key) -> float:
        """Return the US dollars a key has spent, as far as this server knows."""
        return self._spent.get(key.digest, 0.0) + self._unwritten.get(key.digest, 0.0)

    def charge(self, key: Key, usd: float) -> None:
        """Add the price of an answer; it is on disk when this returns, unless another process holds the file.

        Then it is written with the next one, and counts here meanwhile.
        """
        self._unwritten[key.digest] = self._unwritten.get(key.digest, 0.0) + usd
        self._write_down()

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._looked_at < _LOOK_S:
            return
        self._looked_at = now
        try:
            self._look()
        except GatewayError as error:
            _log.warning("%s; the keys known so far stay in force", error.message)
        self._write_down()

    def _look(self) -> None:
        place = _place_of(self._path)
        if place is None:
            return
        if self._store is None or place != self._place:
            if self._store:
                self._store.close()
                self._store = None
            self._store = KeyStore(self._path, _PATIENCE_S)  # a server must not stand still
            self._place = place
            self._version = 0
        version = self._store.version()
        if version != self._version:
            self._keys = self._store.in_force()
            self._spent = {key.digest: key.spent_usd for key in self._keys}
            self.is_open = self.is_open and self._store.is_empty()
            self._version = version

    def _write_down(self) -> None:
        if self._store is None:
            return
        for digest, usd in list(self._unwritten.items()):
            try:
                total = self._store.charge(digest, usd)
            except GatewayError as error:
                _log.warning("%s; what was spent is written later", error.message)
                return
            del self._unwritten[digest]
            if total is not None:
                self._spent[digest] = total

    def _touch(self, key: Key) -> None:
        now = self._clock()
        last = self._touched.get(key.digest)
        if self._store is None or (last is not None and now - last < _TOUCH_S):
            return
        self._touched[key.digest] = now
        try:
            self._store.touch(key.digest)
        except GatewayError as error:
            _log.warning("%s; that the key was used is not noted", error.message)


def _place_of(path: Path) -> _Place | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
