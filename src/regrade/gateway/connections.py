"""How long and how much a connection may, and which one goes when there are too many."""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any, Protocol

from regrade.errors import UsageError, did_you_mean

__all__ = ["Connection", "ConnectionLimits", "Connections", "connection_limits", "fitting"]

_SITE_BITS = 64
_OTHER_FILES = 200


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may take, and how many there may be; times in seconds.

    None of it limits an answer: a model may think as long as it likes, and a stream be as long as it is.

    Attributes:
        first_byte_s: From the connection to the first byte of its first request.
        headers_s: From the first byte of a request to the end of its headers.
        header_bytes: Of request line and headers together, trailers included.
        header_count: How many headers.
        body_pause_s: Between two pieces of a body.
        body_s: For a whole body.
        body_bytes: Of a body.
        rest_s: For the rest of a body that was answered before it was read.
        write_s: For a client to take what waits for it.
        keep_alive_s: Between two requests.
        connections: At a time.
        per_address: At a time from one address, or one network of IPv6; loopback is exempt.
    """

    first_byte_s: float = 10.0
    headers_s: float = 10.0
    header_bytes: int = 64 * 1024
    header_count: int = 100
    body_pause_s: float = 30.0
    body_s: float = 300.0
    body_bytes: int = 16 * 1024 * 1024
    rest_s: float = 5.0
    write_s: float = 60.0
    keep_alive_s: float = 75.0
    connections: int = 2000
    per_address: int = 1500


class Connection(Protocol):
    """A connection that can be told to go."""

    def give_way(self) -> None:
        """Close at once: no request of it is being answered."""
        ...


class Connections:
    """All connections of a server.

    When there are too many, the one goes that has kept the server waiting for a request the longest; only
    where all are being answered the newcomer is refused.

    Args:
        limits: Of the server.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._sources: dict[Connection, str | None] = {}
        self._by_source: Counter[str] = Counter()
        self._waiting: dict[Connection, None] = {}  # for a request or the rest of one; oldest first

    def __len__(self) -> int:
        return len(self._sources)

    def enter(self, connection: Connection, address: str | None) -> bool:
        """Take a connection in; return False when there is no room for it.

        Args:
            connection: The newcomer.
            address: Where it comes from; None when there is no such thing.
        """
        source = _source(address)
        if source is not None and self._by_source[source] >= self.limits.per_address:
            return False
        if len(self._sources) >= self.limits.connections and not self._make_room():
            return False
        self._sources[connection] = source
        if source is not None:
            self._by_source[source] += 1
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._waiting.pop(connection, None)
        if connection not in self._sources:
            return
        source = self._sources.pop(connection)
        if source is not None:
            self._by_source[source] -= 1
            if not self._by_source[source]:
                del self._by_source[source]

    def waits(self, connection: Connection) -> None:
        """Note that the server waits for this client."""
        if connection in self._sources:
            self._waiting.setdefault(connection)

    def works(self, connection: Connection) -> None:
        """Note that this client waits for the server."""
        self._waiting.pop(connection, None)

    def _make_room(self) -> bool:
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.give_way()
        return True


def connection_limits(texts: Iterable[str]) -> ConnectionLimits:
    """Return the usual limits with some of them set, each as `connections=4000`.

    Raises:
        UsageError: When there is no such limit, or its value is no positive number.
    """
    usual = asdict(ConnectionLimits())
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in usual:
            hint = did_you_mean(name, usual) or f"there are {', '.join(usual)}"
            raise UsageError(f"there is no limit {name!r} of connections", hint=hint)
        kind = int if isinstance(usual[name], int) else float
        try:
            found[name] = kind(value.replace("_", ""))
        except ValueError:
            found[name] = 0
        if not 0 < found[name] < float("inf"):
            what = "a whole number of at least 1" if kind is int else "a number of seconds"
            raise UsageError(f"--limit {name} needs {what}, not {value!r}", hint=f"such as {name}=60")
    return ConnectionLimits(**found)


def fitting(limits: ConnectionLimits) -> ConnectionLimits:
    """Let this process open the files it takes, two a connection; return what there can be of them."""
    if find_spec("resource") is None:  # Windows, which has no such limit
        return limits
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * limits.connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            return replace(limits, connections=max(1, (soft - _OTHER_FILES) // 2))
    return limits


def _source(address: str | None) -> str | None:
    """Return what counts as one source: an IPv4 address, a /64 of IPv6; None for this machine itself."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            network = ipaddress.IPv6Network((int(found), _SITE_BITS), strict=False)
            return None if found.is_loopback else str(network)
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)
