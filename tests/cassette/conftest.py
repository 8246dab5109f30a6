"""Cassettes with a clock and a time of day that tests set."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from regrade.cassette import Recorder, Redaction


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def ask(text: str, **more: Any) -> dict[str, Any]:
    """Return a chat request."""
    return {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0, **more}


def answer(text: str) -> bytes:
    """Return a whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}).encode()


def piece(text: str | None, *, finish: str | None = None, index: int = 0, **more: Any) -> str:
    """Return one event of a stream."""
    delta = {**({} if text is None else {"content": text}), **more}
    return json.dumps({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def record(tmp_path: Path, clock: Clock) -> Callable[..., Recorder]:
    """Return what makes a recorder for the test's cassette."""

    def make(redaction: Redaction | None = None) -> Recorder:
        now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
        return Recorder(tmp_path / "c", redaction, clock=clock, now=lambda: now)

    return make


def keep(recorder: Recorder, request: Any, content: bytes, status: int = 200, **more: Any) -> None:
    """Record one whole exchange."""
    take = recorder.begin("POST", "/chat/completions", request, **more)
    take.answered(status, {"Content-Type": "application/json"})
    take.body(content)
    take.end()
