"""The official clients talk to other people's servers through the gateway: forwarded, recorded, replayed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Upstream

KEY_ENV = "PEER_API_KEY"
KEY = "sk-upstream-fedcba9876543210"
THEIRS = frozenset({"id", "created", "system_fingerprint", "timings", "cached_tokens", "id_slot"})
"""What no two answers share."""


@dataclass
class Session:
    """What was seen of one server.

    Attributes:
        direct: By the client that talks to it directly.
        recorded: By the same through a gateway that records.
        forwarded: By the same through one that only forwards.
        folder: Of the recording.
        model: What was asked.
    """

    direct: dict[str, Any]
    recorded: dict[str, Any]
    forwarded: dict[str, Any]
    folder: Path
    model: str


@pytest.fixture(scope="module")
def session(
    peer: Callable[[Path], AbstractContextManager[Any]],
    official: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Session:
    """Make every call directly and through both gateways; the server is gone afterwards."""
    folder = tmp_path_factory.mktemp("peer")
    client = official("python-3")
    with peer(folder) as server:
        upstream = Upstream(server.model, server.base_url, api_key_env=KEY_ENV, mode="record")
        settings = GatewaySettings(upstreams=(upstream,), record=str(folder / "cassette"))
        passing = GatewaySettings(upstreams=(replace(upstream, mode="forward"),))
        with (
            ThreadPoolExecutor() as others,
            Gateway(settings, {KEY_ENV: KEY}) as gateway,
            Gateway(passing, {KEY_ENV: KEY}) as plain,
        ):
            forwarded = others.submit(client, plain.base_url, model=server.model)
            recorded = client(gateway.base_url, model=server.model)
            seen = forwarded.result()
        direct = client(server.base_url, model=server.model, key=KEY)
    return Session(direct, recorded, seen, folder / "cassette", server.model)


def bare(value: Any) -> Any:
    """Return an answer without what no two share."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in THEIRS}
        if kept.get("usage", 0) is None:  # a recording asks for usage, which some then announce in each chunk
            del kept["usage"]
        return {key: bare(item) for key, item in kept.items()}
    return [bare(item) for item in value] if isinstance(value, list) else value


OF_THE_GATEWAY = frozenset({"models", "model", "too_hot", "no_key", "no_model", "headers"})
"""Where the gateway answers for itself."""


def test_what_a_server_says_passes_unharmed(session: Session) -> None:
    """Whole answers, streams, tools, refusals: through the gateway they are what they are without it."""
    asked = [call for call in session.direct if call not in OF_THE_GATEWAY]
    assert len(asked) > 12
    for call in asked:
        assert bare(session.recorded[call]) == bare(session.direct[call]), call
        assert bare(session.forwarded[call]) == bare(session.direct[call]), call


def test_the_gateway_keeps_its_own_rules(session: Session) -> None:
    """Models, keys, ranges and request ids are its own, however lax the server behind it is."""
    seen = session.recorded
    assert seen["models"] == {"answer": [session.model]}
    assert seen["model"] == {"answer": session.model}
    assert seen["too_hot"]["error"]["class"] == "BadRequestError"
    assert seen["no_key"]["error"]["class"] == "AuthenticationError"
    assert seen["no_model"]["error"]["class"] == "NotFoundError"
    assert seen["headers"]["answer"]["id"] is True


def test_a_replay_is_the_recorded_session(session: Session, official: Callable[[str], Any]) -> None:
    """With the server gone the client sees what it saw when it recorded, to the last chunk and id."""
    replayed_by(official("python-3"), session)


@pytest.mark.parametrize("name", ["python-2", "node"])
@pytest.mark.parametrize("peer", ["aimock"], indirect=True)
def test_another_client_replays_it_too(session: Session, official: Callable[[str], Any], name: str) -> None:
    """What one client recorded is the same to one of another version, and to one of another language."""
    replayed_by(official(name), session)


def replayed_by(client: Any, session: Session) -> None:
    """Replay a session and hold it against the recorded one."""
    with Gateway(GatewaySettings(replay=str(session.folder))) as gateway:
        seen = client(gateway.base_url, model=session.model)
    for call, found in seen.items():
        assert found == session.recorded[call], (call, found)


def test_no_key_is_recorded(session: Session) -> None:
    """Neither the client's key nor the upstream's stands in any file of the recording."""
    content = b"".join(path.read_bytes() for path in session.folder.rglob("*") if path.is_file())
    assert len(content) > 1000
    assert KEY.encode() not in content
    assert b"sk-test-0123456789abcdef" not in content
