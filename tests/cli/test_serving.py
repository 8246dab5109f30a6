"""`regrade gateway` as it is typed."""

import signal
import socket
import subprocess
import sys

import pytest

from regrade.cli.main import main


def test_the_gateway_serves_until_ctrl_c() -> None:
    """It shows base URL, models and something to type at once, and ends quietly with exit code 0."""
    command = [sys.executable, "-m", "regrade", "gateway", "--demo", "--port", "0", "--models", "demo/v1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert "serving http://127.0.0.1:" in shown
    assert "demo/v1" in shown
    assert "/api/v1/chat/completions" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "--demo"),
        (["--demo", "--host", "0.0.0.0"], 2, "only this machine"),
        (["--demo", "--port", "99999"], 2, "not a port"),
        (["--demo", "--models", "demo/v0"], 2, "no demo model"),
    ],
)
def test_a_wrong_command_is_one_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    """Nothing is started, and the message says what to change."""
    assert main(["gateway", *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["gateway", "--demo", "--port", str(port), "--models", "demo/v1"]) == 1
    assert f"port {port}" in capsys.readouterr().err
