"""Recorded outputs of real models, in the folder REGRADE_REAL_DATA, and a server that replays them."""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the recorded outputs."""
    name = os.environ.get("REGRADE_REAL_DATA")
    if not name:
        pytest.skip("REGRADE_REAL_DATA names no folder of recorded outputs")
    return Path(name)


@dataclass
class Replay:
    """An endpoint that answers every model and prompt as it was recorded; repeats in recorded order."""

    form: Callable[[str], dict[str, Any]]
    base_url: str = ""
    recorded: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    asked: int = 0

    def record(self, model: str, prompt: str, answer: str) -> None:
        """Keep an answer."""
        self.recorded[model, prompt].append(answer)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the next recorded answer."""
        self.asked += 1
        answers = self.recorded[body["model"], body["messages"][-1]["content"]]
        return self.form(answers.pop(0))


@pytest.fixture
def replay(serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]) -> Replay:
    """Return the replaying endpoint, without any record yet."""
    found = Replay(answer)

    async def handle(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(found.answer(body))

    found.base_url = serve(handle).base_url
    return found
