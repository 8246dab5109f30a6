"""The official clients, each run by its own driver in an environment of its own."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
KEY = "sk-test-0123456789abcdef"
CLIENTS = ("python-2", "python-3", "node")
CALLS = (
    "models",
    "model",
    "chat",
    "stream",
    "stream_usage",
    "concurrent",
    "stop_text",
    "stop_list",
    "max_tokens",
    "too_hot",
    "no_key",
    "no_model",
    "legacy",
    "legacy_stream",
    "several",
    "logprobs",
    "tools",
    "tools_stream",
    "parsed",
    "parts",
    "headers",
    "abort",
)
"""What the drivers can do; each line of `driver.py` says what it asks."""

Seen = dict[str, dict[str, Any]]
"""By call: its `answer`, or the `error` that the client raised."""


@dataclass(frozen=True)
class Client:
    """One official client.

    Attributes:
        name: Which.
        command: Starts its driver.
    """

    name: str
    command: tuple[str, ...]

    def __call__(self, base_url: str, *calls: str, model: str = "demo/v2", key: str = KEY) -> Seen:
        """Make calls, all when none is named, and return what the client saw."""
        names = calls or CALLS
        return dict(zip(names, self.each(base_url, *names, model=model, key=key), strict=True))

    def each(self, base_url: str, *calls: str, model: str, key: str = KEY) -> list[dict[str, Any]]:
        """Make calls, some of them perhaps several times, and return what the client saw of each."""
        done = subprocess.run(
            [*self.command, base_url, key, model, *calls],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        seen: list[dict[str, Any]] = json.loads(done.stdout)["seen"]
        return seen


def find_client(name: str) -> Client:
    """Return a client that `make test` has installed; skip, saying so, where it is not."""
    if name == "node":
        node, folder = shutil.which("node"), BUILD / "node"
        if node is None or not (folder / "node_modules/openai").exists():
            pytest.skip("the client for Node is not installed: apt-get install nodejs npm, then `make test`")
        return Client(name, (node, str(HERE / "driver.mjs"), str(folder.resolve())))
    python = BUILD / name.replace("python-", "openai") / "bin/python"
    if not python.exists():
        pytest.skip(f"{python.parent.parent} holds no client; `make test` installs it")
    return Client(name, (str(python), "-I", str(HERE / "driver.py")))


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Return each official client in turn."""
    return find_client(request.param)


@pytest.fixture(scope="session")
def official() -> Callable[[str], Client]:
    """Return what finds a client by name."""
    return find_client
