"""What the server is to do: checked by the process that starts it, handed to the one that serves."""

import ipaddress
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

from regrade import jsonio
from regrade.gateway.connections import ConnectionLimits
from regrade.types import JsonObject

__all__ = ["TIMEOUT_S", "GatewaySettings", "Mode", "Pace", "Upstream"]

TIMEOUT_S = 600.0
"""Seconds without a byte from an upstream, where nobody says otherwise."""

Mode = Literal["demo", "forward", "record", "replay"]
"""Where the answers of a model come from."""

Pace = Literal["at-once", "recorded"]
"""How fast recorded streams are sent."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One model that another server runs.

    Attributes:
        id: What clients ask for, and what that server calls it.
        base_url: Of that server, without a trailing slash.
        api_key_env: The environment variable that holds its key; None sends no key.
        context_window: In tokens, for prompt and answer together; None when it is not known.
        max_connections: Requests that it gets at a time; more wait here, in order. None sets no limit.
        timeout_s: Seconds without a byte from it before a request is given up.
        prompt_price: US dollars for a million tokens of prompts.
        completion_price: US dollars for a million tokens of answers.
        mode: Of this model alone; None takes that of the server.
    """

    id: str
    base_url: str
    api_key_env: str | None = None
    context_window: int | None = None
    max_connections: int | None = None
    timeout_s: float = TIMEOUT_S
    prompt_price: float | None = None
    completion_price: float | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How to serve; travels as JSON to the serving process, so it holds no key.

    Attributes:
        host: Address to listen on.
        port: 0 takes a free one.
        demo: Ids of the demo models to run.
        upstreams: Models of other servers.
        only: Of the models of a recording, only these; empty is all.
        record: Folder of the cassette that keeps every exchange.
        replay: Folder of the cassette that answers.
        pace: How fast recorded streams are sent.
        repeat_last: Whether the last recorded answer to a request is given again when there are no more.
        redact: JSON paths whose values never reach the cassette.
        redact_patterns: Regular expressions whose matches never reach the cassette.
        keys: File of the keys that clients need; None lets any key in.
        limits: Of connections.
        faults: File of the faults to inject.
        log: File of the access log; "-" is standard error.
        log_prompts: Whether the access log holds requests too.
    """

    host: str = "127.0.0.1"
    port: int = 0
    demo: tuple[str, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    only: tuple[str, ...] = ()
    record: str | None = None
    replay: str | None = None
    pace: Pace = "at-once"
    repeat_last: bool = False
    redact: tuple[str, ...] = ()
    redact_patterns: tuple[str, ...] = ()
    keys: str | None = None
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    faults: str | None = None
    log: str | None = None
    log_prompts: bool = False

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches the server."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def encode(self) -> bytes:
        """Return it as one line of JSON."""
        return jsonio.encode(asdict(self)) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Self:
        """Return what `encode` wrote."""
        fields: JsonObject = jsonio.loads(line)
        upstreams = tuple(Upstream(**one) for one in fields.pop("upstreams"))
        limits = ConnectionLimits(**fields.pop("limits"))
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**{**fields, **lists, "upstreams": upstreams, "limits": limits})
