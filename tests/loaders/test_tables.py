"""Parquet, Hugging Face datasets, inline rows and functions give plain JSON rows."""

import datetime as dt
import decimal
import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regrade.errors import DatasetError, MissingExtraError, UsageError
from regrade.loaders.function import Function
from regrade.loaders.hugging_face import HuggingFace
from regrade.loaders.inline import InlineRows
from regrade.loaders.parquet import Parquet
from regrade.types import Row

datasets = importlib.import_module("datasets")  # by name: the project has a folder of that name

TYPED = {
    "text": ["a", None],
    "number": [1, 2],
    "share": [0.5, float("nan")],
    "flag": [True, False],
    "day": [dt.date(2026, 1, 2), None],
    "at": [dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), None],
    "price": [decimal.Decimal("1.10"), None],
    "raw": [b"abc", b"\xff\x00"],
    "nested": [{"x": [1, 2]}, {"x": []}],
}
PLAIN: list[dict[str, Any]] = [
    {
        "text": "a",
        "number": 1,
        "share": 0.5,
        "flag": True,
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:00+00:00",
        "price": "1.10",
        "raw": "abc",
        "nested": {"x": [1, 2]},
    },
    {
        "text": None,
        "number": 2,
        "share": None,
        "flag": False,
        "day": None,
        "at": None,
        "price": None,
        "raw": "/wA=",
        "nested": {"x": []},
    },
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of Hugging Face in the test's own folder, and the hub out of reach."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf-cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def refused(loader: Any, *parts: str) -> None:
    """Check that reading fails with one error that holds all parts."""
    with pytest.raises(DatasetError) as error:
        list(loader.load())
    assert [part for part in parts if part not in str(error.value)] == []


def test_parquet_values_become_json(tmp_path: Path) -> None:
    """Dates, decimals, bytes, nested values and NaN have a form that JSON can hold."""
    pq.write_table(pa.table(TYPED), tmp_path / "a.parquet")
    assert list(Parquet(str(tmp_path / "a.parquet")).load()) == [Row(PLAIN[0], 1), Row(PLAIN[1], 2)]


def test_parquet_columns_can_be_chosen(tmp_path: Path) -> None:
    """Only what is asked for is read, and a wrong name lists the right ones."""
    pq.write_table(pa.table(TYPED), tmp_path / "a.parquet")
    path = str(tmp_path / "a.parquet")
    assert [row.data for row in Parquet(path, ["number"]).load()] == [{"number": 1}, {"number": 2}]
    refused(Parquet(path, ["numbre"]), "a.parquet", 'no column "numbre"', "columns: text, number")


def test_what_is_no_parquet_is_said(tmp_path: Path) -> None:
    """Text under the wrong name is one sentence, not a traceback of Arrow."""
    (tmp_path / "a.parquet").write_text("hello, this is text")
    refused(Parquet(str(tmp_path / "a.parquet")), "a.parquet", "not a Parquet file")
    refused(Parquet(str(tmp_path / "b.parquet")), "no such file")


def test_local_data_files_load_without_the_hub(tmp_path: Path) -> None:
    """`name: json` with `data_files` reads local files offline, streamed or not."""
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    files = {"test": str(tmp_path / "a.jsonl")}
    for streaming in (False, True):
        loader = HuggingFace("json", data_files=files, split="test", streaming=streaming)
        assert list(loader.load()) == [Row({"a": 1}, 1), Row({"a": 2}, 2)]


def test_datasets_saved_to_disk(tmp_path: Path) -> None:
    """One dataset, or a dictionary of splits of which one must be named."""
    one = datasets.Dataset.from_dict({"a": [1, 2]})
    one.save_to_disk(str(tmp_path / "one"))
    assert [row.data for row in HuggingFace(disk=str(tmp_path / "one")).load()] == [{"a": 1}, {"a": 2}]
    datasets.DatasetDict({"train": one, "test": one.select([1])}).save_to_disk(str(tmp_path / "two"))
    path = str(tmp_path / "two")
    assert [row.data for row in HuggingFace(disk=path, split="test").load()] == [{"a": 2}]
    refused(HuggingFace(disk=path), "which split?", "train, test")
    refused(HuggingFace(disk=path, split="tset"), 'no split "tset"', 'did you mean "test"?')
    refused(HuggingFace(disk=str(tmp_path / "three")), "cannot be loaded", "there is no folder")


def test_without_the_hub_the_error_names_the_local_ways() -> None:
    """Offline is one clear error."""
    refused(HuggingFace("org/set", split="test"), "hf: org/set", "cannot be loaded")


def test_a_column_without_a_form_is_named(tmp_path: Path) -> None:
    """What is neither text nor number is refused with the column's name."""
    path = tmp_path / "rows.py"
    path.write_text("def rows():\n    yield {'a': object()}\n")
    refused(Function(f"{path}:rows"), 'the column "a" holds values of type object')


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `datasets` the error says what to install."""

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(MissingExtraError, match="datasets") as error:
        list(HuggingFace("org/set").load())
    assert "regrade[hf]" in str(error.value)


def test_either_a_name_or_a_folder() -> None:
    """A dataset comes from one place."""
    with pytest.raises(UsageError, match="either"):
        HuggingFace()


def test_inline_rows() -> None:
    """Rows of the spec come as they stand."""
    assert list(InlineRows([{"a": 1}, {"a": 2}]).load()) == [Row({"a": 1}, 1), Row({"a": 2}, 2)]


def test_a_function_yields_rows(tmp_path: Path) -> None:
    """Arguments reach it; every call starts over."""
    path = tmp_path / "rows.py"
    path.write_text("def rows(count):\n    return ({'n': n} for n in range(count))\n")
    loader = Function(f"{path}:rows", {"count": 2})
    assert list(loader.load()) == list(loader.load()) == [Row({"n": 0}, 1), Row({"n": 1}, 2)]


def test_a_function_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    """Whether it raises at once or midway, the error points into the user's file."""
    path = tmp_path / "rows.py"
    path.write_text("def rows():\n    yield {'n': 1}\n    raise ValueError('no more')\n")
    refused(Function(f"{path}:rows"), "rows.py:3", "raised ValueError: no more")
    path = tmp_path / "others.py"
    path.write_text("def rows(needed):\n    return []\n\ndef texts():\n    return ['a']\n")
    refused(Function(f"{path}:rows"), "raised TypeError", "needed")
    refused(Function(f"{path}:texts"), "row 1 must be a mapping, this is of type str")
    with pytest.raises(UsageError, match=r"file\.py:name"):
        Function("rows")
