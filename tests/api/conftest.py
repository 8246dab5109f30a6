"""A suite of sums against a real endpoint on loopback, and how a test changes either."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from ruamel.yaml import YAML


@dataclass
class Sums:
    """An endpoint that adds; a test may say what it does for a question before it answers.

    Attributes:
        base_url: Where it listens.
        asked: Every question that arrived, in order.
        before: Called with the question and its ordinal; what it returns is sent instead.
    """

    form: Callable[..., dict[str, Any]]
    endpoint: Any = None
    asked: list[str] = field(default_factory=list)
    before: Callable[[str, int], web.StreamResponse | None] = lambda question, number: None

    @property
    def base_url(self) -> str:
        """Return where it listens."""
        return str(self.endpoint.base_url)

    def answer(self, body: dict[str, Any]) -> web.StreamResponse:
        """Answer one request."""
        question = body["messages"][-1]["content"]
        self.asked.append(question)
        instead = self.before(question, len(self.asked))
        if instead is not None:
            return instead
        left, right = question.split("+")
        wrong = body["model"] == "weak" and int(left) % 2
        return web.json_response(self.form(str(int(left) + int(right) + bool(wrong))))


@pytest.fixture
def sums(serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]) -> Sums:
    """Return the adding endpoint."""
    found = Sums(answer)

    async def handle(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return found.answer(body)

    found.endpoint = serve(handle)
    return found


@pytest.fixture
def suite(workdir: Path, sums: Sums) -> Callable[..., Path]:
    """Return what writes the suite of sums, with changes; 20 rows, one model named `good`."""

    def write(name: str = "sums", rows: int = 20, **changes: Any) -> Path:
        lines = (
            json.dumps({"id": f"s{n}", "q": f"{n}+{n + 1}", "a": str(2 * n + 1), "parity": n % 2})
            for n in range(rows)
        )
        Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        spec: dict[str, Any] = {
            "name": name,
            "dataset": {"path": f"{name}.jsonl", "input": "q", "target": "a", "metadata": ["parity"]},
            "models": [{"name": "good", "base_url": sums.base_url}],
            "prompt": "{{ q }}",
            "scorers": ["exact_match"],
        }
        path = Path(f"{name}.yaml")
        with path.open("w") as stream:
            YAML().dump(spec | changes, stream)
        return path

    return write
