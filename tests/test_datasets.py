"""The datasets, the split behind them, the suites that ask them and the demo models of the package."""

import hashlib
import importlib
import json
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
DATASETS = ROOT / "datasets"
EVALS = ROOT / "evals"
MODELS = ROOT / "src" / "regrade" / "gateway" / "models"
TEST_FILES = sorted(path for path in DATASETS.glob("*.jsonl") if ".train." not in path.name)
TASK_NAMES = ("tickets", "arithmetic", "orders", "reading")
DRAWS = 5000


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """Import the modules of training that need the standard library only."""
    monkeypatch.syspath_prepend(str(ROOT))
    names = ("split", "make_datasets", "rows", "words", "ticket_phrases")
    return {name: importlib.import_module(f"training.{name}") for name in names}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_there_is_a_dataset_for_every_task() -> None:
    """No task has lost its file."""
    assert {path.name for path in TEST_FILES} == {f"{name}.jsonl" for name in TASK_NAMES}


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_dataset_is_large_enough_and_described(path: Path) -> None:
    """A dataset has 200 rows or more, ids that are unique across its splits, equal columns and a card."""
    rows = _rows(path)
    shots = _rows(path.with_suffix(".train.jsonl"))
    ids = [row["id"] for row in rows + shots]
    assert len(rows) >= 200
    assert len(set(ids)) == len(ids)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert f"# {path.stem}" in path.with_suffix(".md").read_text("utf-8")


def test_no_python_among_the_datasets() -> None:
    """The folder shares its name with a package and must never be taken for it."""
    assert not list(DATASETS.rglob("*.py"))


@pytest.mark.parametrize("name", TASK_NAMES)
def test_generators_reproduce_the_files(name: str, training: dict[str, ModuleType]) -> None:
    """Each committed file is exactly what the generators write today."""
    contents = training["make_datasets"].file_contents(training["split"].TASKS[name])
    for file, content in contents.items():
        assert (DATASETS / file).read_text("utf-8") == content


@pytest.mark.parametrize("name", TASK_NAMES)
def test_held_out_content_never_reaches_training(name: str, training: dict[str, ModuleType]) -> None:
    """Thousands of training draws meet neither the key nor the message of a held-out row."""
    split, render = training["split"], training["rows"].render
    task = split.TASKS[name]
    held_out = training["make_datasets"].test_rows(task)
    keys = {row.key for row in held_out}
    messages = {render(task.prompts[0], row.columns) for row in held_out}
    rng = Random(20)
    for _ in range(DRAWS):
        row = split.draw_row(task, rng, held_out=False)
        assert row.key not in keys
        assert render(task.prompts[0], row.columns) not in messages


def test_words_kept_for_held_out_rows_are_in_no_training_list(training: dict[str, ModuleType]) -> None:
    """A row marked as new or unseen is new to the model."""
    words, phrases = training["words"], training["ticket_phrases"]
    assert not set(words.NAMES) & set(words.NEW_NAMES)
    assert not set(words.CITIES) & set(words.NEW_CITIES)
    assert not set(words.ITEMS) & set(words.NEW_ITEMS)
    for label, unseen in phrases.UNSEEN_PHRASES.items():
        assert not set(phrases.PHRASES[label]) & set(unseen)


@pytest.mark.parametrize("name", TASK_NAMES)
def test_suites_ask_what_the_models_were_trained_on(name: str, training: dict[str, ModuleType]) -> None:
    """The prompt of each example suite renders, for every row, the very text that training showed."""
    render, task = training["rows"].render, training["split"].TASKS[name]
    prompt = YAML(typ="safe").load((EVALS / f"{name}.yaml").read_text("utf-8"))["prompt"]
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(prompt)
    for row in _rows(DATASETS / f"{name}.jsonl"):
        assert template.render(row) == render(task.prompts[0], row)


def test_models_are_those_of_the_catalogue() -> None:
    """Every shipped model is listed, every listed model is there, byte for byte, and small."""
    listed = json.loads((MODELS / "models.json").read_text("utf-8"))["models"]
    assert [model["id"] for model in listed] == ["demo/v1", "demo/v2", "demo/v2-q4", "demo/v3-bad"]
    assert {model["file"] for model in listed} == {path.name for path in MODELS.glob("*.gguf")}
    for model in listed:
        content = (MODELS / model["file"]).read_bytes()
        assert content.startswith(b"GGUF")
        assert len(content) == model["bytes"] <= 1_000_000
        assert hashlib.sha256(content).hexdigest() == model["sha256"]
