"""What every loader keeps: documented arguments, JSON rows with a place, and the same rows again."""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regrade.plugins import BUILT_INS, Registry
from regrade.protocols import DatasetLoader, SkippingLoader
from regrade.spec import build
from regrade.types import Row

ROWS = [{"id": "a", "n": "1"}, {"id": "b", "n": "2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def _file(name: str, content: str) -> Callable[[Path], Any]:
    def make(folder: Path) -> Any:
        (folder / name).write_text(content)
        return name

    return make


def _parquet(folder: Path) -> Any:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    return "a.parquet"


def _function(folder: Path) -> Any:
    (folder / "rows.py").write_text(f"def rows():\n    return {ROWS}\n")
    return "rows.py:rows"


def _hugging_face(folder: Path) -> Any:
    (folder / "a.jsonl").write_text(LINES)
    return {"name": "json", "data_files": "a.jsonl", "split": "train", "streaming": True}


ARGUMENTS: dict[str, Callable[[Path], Any]] = {
    "jsonl": _file("a.jsonl", LINES),
    "json": _file("a.json", json.dumps(ROWS)),
    "csv": _file("a.csv", "id,n\na,1\nb,2\n"),
    "tsv": _file("a.tsv", "id\tn\na\t1\nb\t2\n"),
    "parquet": _parquet,
    "rows": lambda folder: ROWS,
    "hf": _hugging_face,
    "python": _function,
}


def test_every_loader_is_examined() -> None:
    """A new loader without an example here fails."""
    assert ARGUMENTS.keys() == BUILT_INS["loader"].keys()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_rows_are_json_with_a_place_and_come_again(name: str, tmp_path: Path) -> None:
    """The same rows of JSON values, twice, each with a line or ordinal that grows."""
    loader = build(Registry().load("loader", name), ARGUMENTS[name](tmp_path), tmp_path)
    assert isinstance(loader, DatasetLoader)
    first, second = list(loader.load()), list(loader.load())
    assert first == second
    assert [row.data for row in first] == ROWS
    assert json.loads(json.dumps([row.data for row in first])) == ROWS
    lines = [row.line for row in first]
    assert all(isinstance(row, Row) for row in first)
    assert lines == sorted(line for line in lines if line is not None)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_skipped_rows_change_nothing_about_the_others(name: str, tmp_path: Path) -> None:
    """A loader that can skip gives the rest with the same lines; after the last row comes nothing."""
    loader = build(Registry().load("loader", name), ARGUMENTS[name](tmp_path), tmp_path)
    assert isinstance(loader, DatasetLoader)
    if isinstance(loader, SkippingLoader):
        whole = list(loader.load())
        assert [list(loader.load_after(rows)) for rows in range(4)] == [whole, whole[1:], [], []]
    else:
        assert name != "jsonl"


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_documented(name: str) -> None:
    """Every argument of YAML stands in the docstring."""
    plugin = Registry().load("loader", name)
    documented = re.findall(r"^ {4}(\w+):", inspect.getdoc(plugin) or "", flags=re.MULTILINE)
    assert list(inspect.signature(plugin).parameters) == documented
