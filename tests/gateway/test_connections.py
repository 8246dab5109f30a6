"""How connections are counted, and what limits the system leaves."""

import resource
from typing import Any

import pytest

from regrade.gateway.connections import ConnectionLimits, Connections, fitting


class Fake:
    """A connection."""

    def __init__(self, book: Connections) -> None:
        self.book = book
        self.gone = False

    def give_way(self) -> None:
        """Take note."""
        self.gone = True


def entered(book: Connections, address: str | None) -> bool:
    """Return whether another connection from an address is let in."""
    return book.enter(Fake(book), address)


@pytest.mark.parametrize(
    ("first", "second", "other"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ("::ffff:203.0.113.7", "203.0.113.7", "::ffff:203.0.113.9"),
        ("fe80::1%eth0", "fe80::2%eth1", "2001:db8::1"),
    ],
)
def test_one_address_does_not_take_all(first: str, second: str, other: str) -> None:
    """What one machine can call itself counts as one: an IPv4 address however written, a network of IPv6."""
    book = Connections(ConnectionLimits(per_address=1))
    connection = Fake(book)
    assert book.enter(connection, first)
    assert not entered(book, second)
    assert entered(book, other)
    book.leave(connection)
    book.leave(connection)
    assert entered(book, second)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", None, "unix"])
def test_this_machine_is_not_limited_by_address(address: str | None) -> None:
    """A thousand streams from here are fine."""
    book = Connections(ConnectionLimits(per_address=1))
    assert all(entered(book, address) for _ in range(1000))
    assert len(book) == 1000


def test_whoever_waits_the_longest_gives_way() -> None:
    """In the order in which they began to wait; those that are answered stay."""
    book = Connections(ConnectionLimits(connections=3))
    one, two, three = Fake(book), Fake(book), Fake(book)
    for connection in (one, two, three):
        assert book.enter(connection, None)
    for connection in (three, one, two, three):
        book.waits(connection)
    book.works(three)
    assert entered(book, None)
    assert [one.gone, two.gone, three.gone] == [True, False, False]
    assert entered(book, None)
    assert [two.gone, three.gone] == [True, False]
    assert not entered(book, None)
    book.waits(one)
    assert not entered(book, None), "whoever is gone makes no room"
    assert len(book) == 3


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "connections"),
    [
        (100_000, 100_000, None, 2000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 2000),
        (1024, 100_000, 4200, 2000),
        (1024, resource.RLIM_INFINITY, 4200, 2000),
        (1024, 2200, 2200, 1000),
    ],
)
def test_connections_fit_the_files_that_may_be_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, connections: int
) -> None:
    """Two files a connection may be open where the system allows it; else there are fewer."""
    changed: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changed.append(limits))
    assert fitting(ConnectionLimits()).connections == connections
    assert changed == ([] if raised is None else [(raised, hard)])
