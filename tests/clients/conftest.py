"""The official clients and servers that nobody here wrote, each in an environment of its own."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from regrade.gateway.models import demo_models

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
KEY = "sk-test-0123456789abcdef"
UPSTREAM_KEY = "sk-upstream-fedcba9876543210"
"""What the upstream wants; it stands in an environment variable and in no file."""
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

Missing = Callable[[str], NoReturn]
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


def find_client(name: str, missing: Missing) -> Client:
    """Return a client that `make test` has installed."""
    if name == "node":
        node, folder = shutil.which("node"), BUILD / "node"
        if node is None or not (folder / "node_modules/openai").exists():
            missing("the client for Node is not installed: apt-get install nodejs npm, then `make test`")
        return Client(name, (node, str(HERE / "driver.mjs"), str(folder.resolve())))
    python = BUILD / name.replace("python-", "openai") / "bin/python"
    if not python.exists():
        missing(f"{python.parent.parent} holds no client; `make test` installs it")
    return Client(name, (str(python), "-I", str(HERE / "driver.py")))


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest, missing: Missing) -> Client:
    """Return each official client in turn."""
    return find_client(request.param, missing)


@pytest.fixture(scope="session")
def official(missing: Missing) -> Callable[[str], Client]:
    """Return what finds a client by name."""
    return lambda name: find_client(name, missing)


@dataclass(frozen=True)
class Peer:
    """A running server.

    Attributes:
        base_url: Where it listens.
        model: What it is asked for.
    """

    base_url: str
    model: str


FIXTURES = {
    "fixtures": [
        {
            "match": {"userMessage": "Label this", "toolName": "route"},
            "response": {"toolCalls": [{"name": "route", "arguments": {"team": "shipping"}}]},
        },
        {
            "match": {"userMessage": "Label this", "responseFormat": "json_schema"},
            "response": {"content": '{"team": "shipping"}'},
        },
        {
            "match": {"userMessage": "Label this"},
            "response": {"content": "It is about shipping, the late parcel that is."},
        },
    ]
}


@contextmanager
def run_llmock(folder: Path, missing: Missing) -> Iterator[Peer]:
    """Run the examiner of PyPI, with no fault switched on."""
    program = BUILD / "llmock/bin/llmock"
    if not program.exists():
        missing("llmock is not installed in build/llmock; `make test` does that")
    port = free_port()
    command = [str(program), "serve", "--port", str(port), "--response-style", "echo"]
    with running(command, port):
        yield Peer(f"http://127.0.0.1:{port}/v1", "gpt-4o")


@contextmanager
def run_aimock(folder: Path, missing: Missing) -> Iterator[Peer]:
    """Run the mock of npm."""
    node, program = shutil.which("node"), BUILD / "node/node_modules/@copilotkit/aimock/dist/cli.js"
    if node is None or not program.exists():
        missing("aimock is not installed in build/node: apt-get install nodejs npm, then `make test`")
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    port = free_port()
    command = [node, str(program), "-p", str(port), "-f", str(fixtures), "--log-level", "silent"]
    with running(command, port):
        yield Peer(f"http://127.0.0.1:{port}/v1", "gpt-4o")


@contextmanager
def run_llama(folder: Path, missing: Missing) -> Iterator[Peer]:
    """Run llama.cpp's own server with a shipped model; it wants a key."""
    (model,) = demo_models(["demo/v2"])
    command = [sys.executable, str(HERE / "llama.py"), str(model.path), "tiny", UPSTREAM_KEY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Peer(process.stdout.readline().strip(), "tiny")
        process.kill()


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """Run a server, from when it listens."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield
        process.kill()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


PEERS: dict[str, Callable[[Path, Missing], AbstractContextManager[Peer]]] = {
    "llmock": run_llmock,
    "aimock": run_aimock,
    "llama.cpp": run_llama,
}


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest, missing: Missing) -> Callable[[Path], AbstractContextManager[Peer]]:
    """Return what runs each server in turn."""
    return lambda folder: PEERS[request.param](folder, missing)
