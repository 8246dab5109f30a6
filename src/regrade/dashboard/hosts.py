"""By which names the server may be asked: DNS rebinding makes a browser ask by another one."""

import ipaddress
import socket
from collections.abc import Iterable

from regrade.dashboard.settings import DashboardSettings, is_loopback

__all__ = ["Hosts"]

_LOCAL = ("localhost", "127.0.0.1", "::1")


class Hosts:
    """Tells whether a Host header names what the server listens on.

    A page of another site can have its own name resolved to this machine; the browser then sends that name.
    An IP address cannot be rebound, so where the server listens on all addresses any of them will do.

    Args:
        settings: What it listens on, and names that were allowed.
        own_names: Names of this machine, which count when it listens to others.
    """

    def __init__(self, settings: DashboardSettings, own_names: Iterable[str] = ()) -> None:
        self._any_address = _is_unspecified(settings.host)
        names = {settings.host, *settings.allow_hosts}
        if is_loopback(settings.host) or self._any_address:
            names |= set(_LOCAL)
        if self._any_address:
            names |= set(own_names) or {socket.gethostname()}
        self._names = {_plain(name) for name in names}

    def allow(self, header: str) -> bool:
        """Return whether a request with this Host header is answered; the port is the connection's own."""
        name = _name(header)
        if name is None:
            return False
        return _plain(name) in self._names or (self._any_address and _is_address(name))


def _name(header: str) -> str | None:
    """Return the name in a Host header without port; None where it is none."""
    if header.startswith("["):
        name, bracket, port = header[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, bracket, port = header.partition(":")
        bracket = "]"
    return name if name and bracket and (not port or port.isdecimal()) else None


def _plain(name: str) -> str:
    return name.casefold().removesuffix(".").strip("[]")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
