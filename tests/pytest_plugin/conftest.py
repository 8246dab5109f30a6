"""A project with recorded models and a baseline, and pytest run in it as its users run it."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import regrade

ROWS = 120


@dataclass(frozen=True)
class Session:
    """What a session of pytest said.

    Attributes:
        code: Its exit code.
        text: All that it printed.
        counts: "passed", "failed", "errors", "deselected", ... with how many.
    """

    code: int
    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Project:
    """A folder with suites.

    Attributes:
        path: The folder.
    """

    path: Path

    def pytest(self, *arguments: str) -> Session:
        """Run pytest in the folder, in a process of its own."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, timeout=120, check=False
        )
        text = done.stdout + done.stderr
        last = text.strip().splitlines()[-1]
        counts = {name: int(count) for count, name in re.findall(r"(\d+) ([a-z]+)", last)}
        return Session(done.returncode, text, counts)

    def write(self, name: str, **content: Any) -> Path:
        """Write a suite of sums over recorded answers, with changes."""
        spec: dict[str, Any] = {
            "name": Path(name).stem,
            "dataset": {"path": "rows.jsonl", "id": "id", "input": "q", "target": "a"},
            "models": [model_of("good"), model_of("bad")],
            "prompt": "{{ q }}",
            "scorers": ["exact_match"],
        }
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w") as stream:
            YAML().dump({key: value for key, value in (spec | content).items() if value is not None}, stream)
        return path

    def runs(self) -> list[dict[str, Any]]:
        """Return the manifests of all runs."""
        return [json.loads(path.read_bytes()) for path in sorted(self.path.glob("results/*/run.json"))]


def model_of(name: str) -> dict[str, Any]:
    """Return a model whose answers are recorded beside the suite."""
    return {"name": name, "outputs": f"{name}.jsonl", "id": "{{ id }}", "text": "{{ text }}"}


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], dict[str, Any]]:
    """Return what makes a model whose answers are recorded."""
    return model_of


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose baseline `main` was made with the good model."""
    path = tmp_path_factory.mktemp("template")
    project = Project(path)
    evals = path / "evals"
    evals.mkdir()
    right = {f"s{n}": str(n + 1) for n in range(ROWS)}
    _lines(evals / "rows.jsonl", [{"id": f"s{n}", "q": f"{n}+1", "a": str(n + 1)} for n in range(ROWS)])
    _lines(evals / "good.jsonl", [{"id": key, "text": text} for key, text in right.items()])
    _lines(
        evals / "bad.jsonl",
        [
            {"id": key, "text": "\x1b[31mno idea" if n % 3 == 0 else text}
            for n, (key, text) in enumerate(right.items())
        ],
    )
    _lines(evals / "silent.jsonl", [{"id": "another", "text": "1"}])
    with contextlib.chdir(path):
        for name in ("sums", "lenient"):
            project.write(f"evals/{name}.yaml")
        regrade.run(["evals/sums.yaml", "evals/lenient.yaml"], models=["good"])
        regrade.set_baseline("main", answers=True)
    for one in path.glob("results/*/run.json"):
        shutil.rmtree(one.parent)
    for one in evals.glob("*.yaml"):
        one.unlink()
    return path


@pytest.fixture(scope="session")
def new_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Return what makes a fresh copy of the project."""

    def make() -> Project:
        path = tmp_path_factory.mktemp("project") / "work"
        shutil.copytree(template, path)
        return Project(path)

    return make


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Project:
    """Return a fresh copy of the project."""
    return new_project()
