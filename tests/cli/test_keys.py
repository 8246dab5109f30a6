"""`regrade gateway keys` as it is typed, and the server that it opens and closes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from regrade.cli.main import main
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's file of keys, which does not exist yet."""
    path = tmp_path / "regrade/keys.sqlite"
    monkeypatch.setenv("REGRADE_KEYS", str(path))
    return path


@pytest.fixture
def keys(file: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Return what types `regrade gateway keys ...` and gives exit code, output and errors."""

    def typed(*arguments: str) -> tuple[int, str, str]:
        code = main(["gateway", "keys", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return typed


def test_a_new_key_is_all_that_is_printed(keys: Typed, file: Path) -> None:
    """A script takes it from standard output; what to know about it stands beside."""
    code, out, err = keys("add", "ci", "--rpm", "60")
    assert code == 0
    assert out.startswith("uai_")
    assert len(out.split()) == 1
    assert "only now" in err
    assert str(file) in err
    assert out.strip() not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_key_that_nobody_saw_does_not_come_to_be(keys: Typed, file: Path) -> None:
    """Where it cannot be printed there is no key, and the name is free."""
    command = [sys.executable, "-m", "regrade", "gateway", "keys", "add", "ci"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command, check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert "standard output: No space left on device" in ended.stderr
    assert "make room" in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert json.loads(keys("list", "--json")[1]) == []
    assert keys("add", "ci")[0] == 0


def test_a_narrow_list_says_what_it_leaves_out(keys: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 40 columns a note names the columns that are not shown."""
    monkeypatch.setattr("regrade.cli.terminal._PLAIN_WIDTH", 40)
    monkeypatch.setenv("COLUMNS", "40")
    keys("add", "ci", "--rpm", "600", "--models", "qwen/qwen3-235b-a22b,google/*")
    shown = " ".join(keys("list")[1].split())
    assert "ci" in shown
    assert "Left out for want of width:" in shown
    assert "created" in shown.partition("Left out")[2]


def test_the_list_shows_everything_but_keys(keys: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, limits and spending within 80 columns; the same as JSON."""
    monkeypatch.setenv("COLUMNS", "80")
    assert "make one with" in keys("list")[1]
    assert json.loads(keys("list", "--json")[1]) == []
    limits = [
        "--rpm",
        "600",
        "--tpm",
        "1_000_000",
        "--budget",
        "$2.50",
        "--models",
        "qwen/*,z-ai/glm-4.7-flash",
    ]
    secrets = [keys("add", "nightly-evals", *limits)[1].strip(), keys("add", "b")[1].strip()]
    _, out, _ = keys("list")
    assert max(map(len, out.splitlines())) <= 80
    for words in ("nightly-evals", "600", "1,000,000", "$2.50", "qwen/*", "never", "all"):
        assert words in out
    record = next(one for one in json.loads(keys("list", "--json")[1]) if one["name"] == "nightly-evals")
    assert record["models"] == ["qwen/*", "z-ai/glm-4.7-flash"]
    assert (record["rpm"], record["tpm"], record["budget_usd"], record["spent_usd"]) == (600, 10**6, 2.5, 0.0)
    assert not any(secret in out + str(record) for secret in secrets)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "needs a name"),
        (["add", "ci"], "named 'ci' already"),
        (["add", "b", "--rpm", "0"], "at least 1"),
        (["add", "b", "--budget", "-1"], "not an amount"),
        (["add", "b", "--models", ","], "names no model"),
        (["add", "b", "--json"], "goes with `keys list`"),
        (["revoke", "cii"], 'did you mean "ci"?'),
        (["revoke", "ci", "--tpm", "1"], "--tpm goes with `keys add`"),
        (["list", "ci"], "lists them all"),
        (["remove", "ci"], "invalid choice: 'remove'"),
    ],
)
def test_a_wrong_command_is_one_error(keys: Typed, arguments: list[str], words: str) -> None:
    """The message says what to change, and nothing is done."""
    keys("add", "ci")
    code, out, err = keys(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert [one["name"] for one in json.loads(keys("list", "--json")[1])] == ["ci"]


def test_revoking_makes_no_file(keys: Typed, file: Path) -> None:
    """A mistyped path is an error, not a new and empty file."""
    code, _, err = keys("revoke", "ci", "--keys", str(file.with_name("other")))
    assert code == 2
    assert "does not exist" in err
    assert not file.parent.exists()


def accepts(gateway: Gateway, key: str) -> bool:
    """Return whether the server lets a key in."""
    with openai.OpenAI(base_url=gateway.base_url, api_key=key, max_retries=0, timeout=10) as client:
        try:
            client.models.list()
        except openai.AuthenticationError:
            return False
        return True


def soon(condition: Callable[[], bool]) -> bool:
    """Return whether something comes true while a server may take its second to see a change."""
    until = time.monotonic() + 10
    while not condition():
        if time.monotonic() > until:
            return False
    return True


def test_a_running_server_follows_the_commands(keys: Typed, file: Path) -> None:
    """From any key to one key to another to none, without a restart."""
    with Gateway(GatewaySettings(demo=("demo/v1",), keys=str(file))) as gateway:
        assert gateway.takes_any_key
        assert accepts(gateway, "anything")
        first = keys("add", "first")[1].strip()
        assert soon(lambda: not accepts(gateway, "anything"))
        assert not gateway.takes_any_key
        assert accepts(gateway, first)
        second = keys("add", "second")[1].strip()
        assert soon(lambda: accepts(gateway, second))
        keys("revoke", "first")
        assert soon(lambda: not accepts(gateway, first))
        assert accepts(gateway, second)
        keys("revoke", "second")
        assert soon(lambda: not accepts(gateway, second))
        assert not accepts(gateway, "anything")


@contextmanager
def typed_gateway(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `regrade gateway --demo`; give the process and what it showed."""
    command = [sys.executable, "-m", "regrade", "gateway", "--demo", "--port", "0", "--models", "demo/v1"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        try:
            yield process, shown
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def test_other_addresses_are_served_with_keys_only(
    keys: Typed, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without one the server does not start and says how to make one; with one it does."""
    for _ in range(2):
        assert main(["gateway", "--demo", "--host", "0.0.0.0", "--port", "0"]) == 2
        assert "regrade gateway keys add NAME" in capsys.readouterr().err
        keys("add", "gone")
        keys("revoke", "gone")
    secret = keys("add", "ci")[1].strip()
    with typed_gateway("--host", "0.0.0.0") as (process, shown):
        assert "Clients need a key" in shown
        assert secret not in shown
        base_url = shown.split()[1]
        with openai.OpenAI(base_url=base_url, api_key=secret, max_retries=0) as client:
            assert [one.id for one in client.models.list()] == ["demo/v1"]
        # What everybody on the machine sees of both processes.
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        pids = [str(process.pid), *(listed.read_text().split() if listed.exists() else [])]
        lines = [Path(f"/proc/{pid}/cmdline") for pid in pids]
        assert not any(secret.encode() in line.read_bytes() for line in lines if line.exists())


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("conections=9", 'did you mean "connections"?'),
        ("connections=many", "a whole number of at least 1"),
        ("body_s=0", "a number of seconds"),
        ("connections", "needs a whole number"),
    ],
)
def test_a_wrong_limit_is_one_error(capsys: pytest.CaptureFixture[str], limit: str, words: str) -> None:
    """The message names the limit and what it takes."""
    assert main(["gateway", "--demo", "--limit", limit]) == 2
    assert words in capsys.readouterr().err
