"""The JSON Schema that editors check specs with says what the loader says."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from regrade.api import spec_schema

ROOT = Path(__file__).parents[2]
MINIMAL = {
    "name": "a",
    "dataset": "a.jsonl",
    "models": ["m"],
    "prompt": "{{ q }}",
    "scorers": ["exact_match"],
}


def problems(spec: dict[str, Any]) -> list[str]:
    """Return what the schema says against a spec."""
    return [error.message for error in Draft202012Validator(spec_schema()).iter_errors(spec)]


def test_the_published_schema_is_the_current_one() -> None:
    """`docs/spec.schema.json` is what `regrade schema` prints; run it again after a change of the spec."""
    assert json.loads((ROOT / "docs/spec.schema.json").read_text()) == spec_schema()


@pytest.mark.parametrize("path", sorted((ROOT / "evals").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_example_suites_satisfy_it_and_name_it(path: Path) -> None:
    """Every example carries the editor's first line and is valid."""
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/spec.schema.json"
    assert problems(YAML(typ="safe", pure=True).load(path)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"nmae": "x"},
        {"epochs": 0},
        {"parameters": {"temperature": 3}},
        {"dataset": {"path": "a.jsonl", "were": "x"}},
        {"scorers": [{"numeric": {"tolerence": 1}}]},
        {"models": [{"name": "m", "endpoint": "talk"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_loader_refuses_is_underlined_in_the_editor(change: dict[str, Any]) -> None:
    """Unknown keys, bad values and unknown arguments violate the schema as well."""
    assert problems(MINIMAL) == []
    assert problems({**MINIMAL, **change})


def test_an_including_spec_may_leave_to_the_included_file_what_it_gives() -> None:
    """With `include` only the name is required; without it everything is."""
    assert problems({"name": "a", "include": "shared.yaml"}) == []
    assert problems({"name": "a"})
