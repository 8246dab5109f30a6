"""Keys reach the endpoint and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.cli.main import main

KEY = "my-private-0123456789abcdef"


@pytest.mark.parametrize("place", ["environment", ".env"])
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_key_stands_in_no_file_and_no_message(
    suite: Callable[..., Path],
    sums: Any,
    place: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever the endpoint answers, even the key itself, the key is in no file, not on stdout or stderr."""
    spec = suite(models=[{"name": "good", "base_url": sums.base_url, "api_key_env": "SUMS_KEY"}], rows=3)
    if place == ".env":
        Path(".env").write_text(f"SUMS_KEY={KEY}\n")
    else:
        monkeypatch.setenv("SUMS_KEY", KEY)
    if status != 200:
        sums.before = lambda *_: web.Response(status=status, text=f"I do not like Bearer {KEY} nor {KEY}")
    assert main(["run", str(spec), "--max-retries", "0", "--debug"]) == (0 if status == 200 else 1)
    assert sums.endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    said = "".join(capfd.readouterr())
    assert "good" in said
    assert KEY not in said
    for file in Path("results").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_a_word_in_place_of_a_key_is_left_in_answers(
    suite: Callable[..., Path], sums: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local servers are given "3" or "none" as a key; an answer that says the same is scored as it came."""
    spec = suite(models=[{"name": "good", "base_url": sums.base_url, "api_key_env": "SUMS_KEY"}], rows=3)
    monkeypatch.setenv("SUMS_KEY", "3")
    rows = regrade.run(spec).samples.to_pylist()
    assert "3" in {row["text"] for row in rows}
    assert sums.endpoint.headers[0]["Authorization"] == "Bearer 3"


def test_a_key_in_a_spec_is_refused(
    suite: Callable[..., Path], sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A literal key in YAML is an error that names the way to do it, and does not repeat the key."""
    spec = suite(models=[{"name": "good", "base_url": sums.base_url, "api_key": KEY}])
    assert main(["validate", str(spec)]) == 2
    said = capsys.readouterr().err
    assert "api_key_env" in said
    assert KEY not in said


def test_a_missing_key_is_an_error_before_anything_is_sent(
    suite: Callable[..., Path], sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the variable to set."""
    spec = suite(models=[{"name": "good", "base_url": sums.base_url, "api_key_env": "SUMS_KEY"}])
    assert main(["run", str(spec)]) == 2
    assert "SUMS_KEY" in capsys.readouterr().err
    assert sums.asked == []
