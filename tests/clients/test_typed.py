"""The gateway as it is typed: record an application's traffic, then replay it with nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from regrade.gateway.process import demo_gateway

CALLS = ("models", "model", "chat", "stream", "stream_usage", "legacy", "legacy_stream", "logprobs", "parsed")
CATALOGUE = """\
upstreams:
  here: {{base_url: "{base_url}", api_key_env: HERE_KEY}}
models:
  demo/v2: {{upstream: here, context_window: 512}}
"""


@contextmanager
def typed(*arguments: str, **env: str) -> Iterator[str]:
    """Run `regrade gateway` until the end of the block, and give its base URL."""
    command = [sys.executable, "-m", "regrade", "gateway", "--port", "0", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**kept, **env}) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:"), line
        yield line.split()[1]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.fixture(scope="module")
def recorded(
    official: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Work in a folder with `cassettes/app`, forwarded and recorded; give what the application saw then."""
    with contextlib.chdir(tmp_path_factory.mktemp("typed")):
        with demo_gateway(["demo/v2"]) as upstream:
            Path("models.yaml").write_text(CATALOGUE.format(base_url=upstream.base_url))
            with typed("--record", "cassettes/app", HERE_KEY="sk-here-0123456789") as base_url:
                seen: dict[str, Any] = official("python-3")(base_url, *CALLS)
        yield seen


def test_an_application_is_recorded_and_replayed(
    recorded: dict[str, Any], official: Callable[[str], Any]
) -> None:
    """Forward with `--record`, stop everything, `--replay`: the same is seen, with no key set."""
    with typed("--replay", "cassettes/app") as base_url:
        replayed = official("python-3")(base_url, *CALLS)
    assert replayed == recorded
    assert all("answer" in found for found in recorded.values())


def test_a_recording_can_be_replayed_faultily(
    recorded: dict[str, Any], official: Callable[[str], Any]
) -> None:
    """Faults stand in front of every mode: a client is tested with its own recorded traffic."""
    Path("faults.yaml").write_text("faults: [{fault: rate_limit, first: 1}]\n")
    with typed("--replay", "cassettes/app", "--faults", "faults.yaml") as base_url:
        limited, replayed = official("python-3").each(base_url, "chat", "chat", model="demo/v2")
    assert limited["error"]["class"] == "RateLimitError"
    assert replayed == recorded["chat"]
