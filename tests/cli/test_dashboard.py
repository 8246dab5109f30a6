"""`regrade dashboard` as it is typed."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from regrade.cli.main import main


def test_the_dashboard_serves_until_ctrl_c(workdir: Path) -> None:
    """It shows its address at once, answers there, writes nothing beside, and ends with exit code 0."""
    (workdir / "results").mkdir()
    command = [sys.executable, "-m", "regrade", "dashboard"]
    env = {**os.environ, "REGRADE_CACHE_DIR": str(workdir / "cache"), "CI": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout
        address = process.stdout.readline().removeprefix("serving ").strip()
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert sorted(one.name for one in workdir.iterdir()) == ["cache", "results"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "other machines reach"),
        (["--port", "99999"], "not a port"),
        (["--token", "short"], "can be guessed"),
        (["--host", "no.such.host.invalid", "--behind-proxy"], "cannot listen on"),
        (["reslts"], "there is no folder reslts"),
    ],
)
def test_a_wrong_command_is_one_error(
    capsys: pytest.CaptureFixture[str], workdir: Path, arguments: list[str], words: str
) -> None:
    """Nothing is served, and the message says what to change."""
    assert main(["dashboard", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str], workdir: Path) -> None:
    """The message names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"port {port}" in error
    assert "--port 0" in error


def test_the_token_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command line is seen by other users of a machine; help never shows what is set."""
    monkeypatch.setenv("REGRADE_TOKEN", "correct-horse-battery")
    assert main(["dashboard", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "REGRADE_TOKEN" in shown
    assert "correct-horse" not in shown
