"""`regrade gateway` as it is typed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

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


def test_the_example_catalogue_is_one(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed can be served once a key is there; without any, the variables are named."""
    assert main(["gateway", "--example-catalogue"]) == 0
    Path("models.yaml").write_text(capsys.readouterr().out)
    assert main(["gateway", "--forward"]) == 2
    message = capsys.readouterr().err
    assert "OPENROUTER_API_KEY" in message
    assert ".env" in message


def test_a_catalogue_is_served_until_sigterm(workdir: Path) -> None:
    """Within 80 columns: what is served, from where, and which keys are missing; a key from .env is found."""
    Path("catalogue.yaml").write_text(
        "models:\n"
        "  vendor/a-model-with-a-long-name: {base_url: 'https://api.vendor.example/v1', api_key_env: A_KEY}\n"
        "  other: {base_url: 'http://localhost:1/v1', api_key_env: OTHER_KEY, context_window: 262_144}\n"
    )
    Path(".env").write_text("A_KEY=sk-never-shown\n")
    env = {**os.environ, "REGRADE_CATALOGUE": "catalogue.yaml", "REGRADE_PORT": "0", "COLUMNS": "80"}
    command = [sys.executable, "-m", "regrade", "gateway", "--forward", "--log", "access.jsonl"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    rows = [line.split() for line in shown.splitlines()]
    assert ["vendor/a-model-with-a-long-name", "forward", "api.vendor.example"] in rows
    assert ["other", "not", "served", "set", "OTHER_KEY"] in rows
    assert max(map(len, shown.split("Try it")[0].splitlines())) <= 80
    assert "sk-never-shown" not in shown
    assert Path("access.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--replay", "nothing"], "no cassette in nothing"),
        (["--forward"], "models.yaml: no such file"),
        (["--demo", "--replay", "x"], "--demo and --replay"),
        (["--demo", "--pace", "slow"], "neither at-once nor recorded"),
        (["--record", "x", "--redact", "$["], "--redact $["),
        (["--demo", "--log", "missing/folder/log"], "--log missing/folder/log: cannot be written"),
    ],
)
def test_what_cannot_be_served_is_one_error(
    workdir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """With the flag or the file that is at fault, and nothing left behind."""
    assert main(["gateway", "--port", "0", *arguments]) in {1, 2}
    assert words in capsys.readouterr().err
    assert list(workdir.iterdir()) == []


def test_a_pace_in_the_environment_is_for_replays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not keep another gateway from starting; the flag is refused as ever."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["gateway", "--demo", "--models", "demo/v1", "--port", str(taken.getsockname()[1])]
        assert main([*command, "--pace", "recorded"]) == 2
        assert "--pace goes with --replay" in capsys.readouterr().err
        monkeypatch.setenv("REGRADE_PACE", "recorded")
        assert main(command) == 1
    assert "cannot listen" in capsys.readouterr().err
