"""Starting and ending the process that serves."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest

from regrade.errors import GatewayError, MissingExtraError, UsageError
from regrade.gateway.process import Gateway, demo_gateway
from regrade.gateway.settings import GatewaySettings

ONE = ("demo/v1",)


def is_gone(base_url: str) -> bool:
    """Return whether nothing listens any more; waits for it for a while."""
    address = urlsplit(base_url)
    assert address.hostname
    assert address.port
    for _ in range(500):
        try:
            with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
                connection.recv(1)
        except ConnectionRefusedError:
            return True
        except ConnectionError:
            continue
    return False


def test_stop_ends_the_child_and_can_be_repeated() -> None:
    """After `stop` nothing listens on the port; a second `stop` does no harm."""
    gateway = demo_gateway(ONE).start()
    gateway.stop()
    gateway.stop()
    assert is_gone(gateway.base_url)


def test_only_models_that_are_asked_for_are_loaded() -> None:
    """The catalogue of a running gateway is what its starter asked for."""
    with demo_gateway(ONE) as gateway, openai.OpenAI(base_url=gateway.base_url, api_key="k") as client:
        assert [one.id for one in client.models.list()] == list(ONE)


def test_a_killed_parent_leaves_nothing_behind() -> None:
    """`kill -9` of the process that started it ends the child as well."""
    code = (
        "import sys; from regrade.gateway.process import demo_gateway\n"
        "print(demo_gateway(['demo/v1']).start().base_url, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        base_url = parent.stdout.readline().strip()
        assert base_url.startswith("http://127.0.0.1:")
        parent.kill()
    assert is_gone(base_url)


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_other_names_of_loopback_are_served(host: str) -> None:
    """An IPv6 address stands in brackets in the base URL, as clients need it."""
    with (
        Gateway(GatewaySettings(host, demo=ONE)) as gateway,
        openai.OpenAI(base_url=gateway.base_url, api_key="k") as client,
    ):
        assert next(iter(client.models.list())).id == "demo/v1"


def test_ctrl_c_reaches_the_parent_alone(gateway: Gateway) -> None:
    """The child is in a session of its own, so that a terminal's interrupt passes it by."""
    assert gateway._process
    assert os.getsid(gateway._process.pid) != os.getsid(0)


def test_a_port_in_use_is_one_clear_error() -> None:
    """The message names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GatewayError, match=rf"127\.0\.0\.1 port {port}.*\n.*--port"):
            Gateway(GatewaySettings(port=port, demo=ONE)).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", ""])
def test_only_loopback_is_served(host: str) -> None:
    """Any key is accepted, hence no other machine may come near."""
    with pytest.raises(UsageError, match="serves only this machine"):
        Gateway(GatewaySettings(host))


def test_an_unknown_model_is_refused_before_anything_starts() -> None:
    """The nearest shipped model is named."""
    with pytest.raises(UsageError, match='did you mean "demo/v2"'):
        demo_gateway(["demo/v22"])


def test_without_the_runtime_the_other_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where xllamacpp is missing the error names the extra and any endpoint instead."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"regrade\[demo\](.|\n)*OPENAI_BASE_URL"):
        demo_gateway().start()


def test_a_child_that_does_not_start_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it wrote to standard error is part of the message."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no memory left' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(GatewayError, match=r"did not start; it said:\nno memory left\n.*OPENAI_BASE_URL"):
        demo_gateway(ONE).start()


def test_a_child_that_dies_ends_the_wait() -> None:
    """Whoever waits for a gateway is told when it has died."""
    with demo_gateway(ONE) as gateway:
        assert gateway._process
        kill = threading.Timer(0.05, os.kill, (gateway._process.pid, signal.SIGKILL))
        kill.start()
        with pytest.raises(GatewayError, match="ended with exit code -9"):
            gateway.wait()
        kill.join()
