"""How the dashboard is served, checked before anything listens."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from regrade.errors import UsageError
from regrade.store import cache_folder

__all__ = ["DashboardSettings", "is_loopback"]

_SHORTEST_TOKEN = 8


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """How to serve.

    Attributes:
        host: Address to listen on.
        port: 0 takes a free one.
        token: What readers must know; empty asks for none.
        behind_proxy: Whether a reverse proxy stands in front that lets in whom it should.
        allow_hosts: Names, beside its own address, by which browsers reach it.
        cache: Folder for what was computed; None takes the user's cache folder.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default="", repr=False)
    behind_proxy: bool = False
    allow_hosts: tuple[str, ...] = ()
    cache: Path | None = None

    def cache_file(self) -> Path | str:
        """Return where the index keeps what it read, as `ResultsIndex` takes it."""
        return "" if self.cache is None else self.cache / "index.sqlite"

    def changes_file(self) -> Path:
        """Return where changes between runs are kept."""
        return (cache_folder() if self.cache is None else self.cache) / "changes.sqlite"

    def check(self) -> None:
        """Refuse what would open the results to others.

        Raises:
            UsageError: An address that other machines reach without a token, or a token that can be guessed.
        """
        if self.token and len(self.token) < _SHORTEST_TOKEN:
            raise UsageError(
                f"a token of {len(self.token)} characters can be guessed",
                hint="make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        if not (is_loopback(self.host) or self.token or self.behind_proxy):
            raise UsageError(
                f"other machines reach {self.host}, and not everybody there is to read the results",
                hint="ask for a token (REGRADE_TOKEN, or --token), or put a reverse proxy in front that asks "
                "for a password (--behind-proxy), or leave --host out",
            )


def is_loopback(host: str) -> bool:
    """Return whether an address is this machine's alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
