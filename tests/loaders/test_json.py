"""JSON Lines and JSON: streamed rows, and one clear error that names the place."""

import gzip
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from regrade.errors import DatasetError, UsageError
from regrade.loaders.json_file import JsonFile
from regrade.loaders.json_lines import JsonLines
from regrade.types import Row


def refused(load: Callable[[], object], *parts: str) -> None:
    """Check that reading fails with one error that holds all parts."""
    with pytest.raises(DatasetError) as error:
        list(load())  # type: ignore[call-overload] # loaders yield rows
    assert [part for part in parts if part not in str(error.value)] == []


def write(path: Path, content: str | bytes) -> str:
    """Write a file and return its name."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_rows_carry_their_line(tmp_path: Path) -> None:
    """Blank lines are skipped and still counted."""
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a": 2}\n')
    assert list(JsonLines(path).load()) == [Row({"a": 1}, 1), Row({"a": 2}, 3)]


@pytest.mark.parametrize(
    "content",
    ['{"a": "é"}\n'.encode(), b"\xef\xbb\xbf" + '{"a": "é"}\n'.encode(), '{"a": "é"}'.encode()],
    ids=["plain", "byte order mark", "no line end"],
)
def test_utf8_in_its_forms(tmp_path: Path, content: bytes) -> None:
    """A byte order mark and a missing last line end make no difference."""
    path = write(tmp_path / "a.jsonl", content)
    assert [row.data for row in JsonLines(path).load()] == [{"a": "é"}]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252"])
def test_other_encodings_by_name(tmp_path: Path, encoding: str) -> None:
    """`encoding:` names any that Python knows."""
    path = write(tmp_path / "a.jsonl", '{"a": "é"}\n{"a": "ü"}\n'.encode(encoding))
    assert [row.data["a"] for row in JsonLines(path, encoding).load()] == ["é", "ü"]


def test_gzip_is_read_as_it_is(tmp_path: Path) -> None:
    """A name ending in .gz is decompressed on the way."""
    path = write(tmp_path / "a.jsonl.gz", gzip.compress(b'{"a": 1}\n'))
    assert [row.data for row in JsonLines(path).load()] == [{"a": 1}]
    path = write(tmp_path / "b.json.gz", gzip.compress(b'[{"a": 1}]'))
    assert [row.data for row in JsonFile(path).load()] == [{"a": 1}]


def test_damaged_gzip_is_said(tmp_path: Path) -> None:
    """Half a gzip file is no end of data."""
    whole = gzip.compress(b'{"a": 1}\n' * 1000)
    refused(
        JsonLines(write(tmp_path / "a.jsonl.gz", whole[:-20])).load, "a.jsonl.gz", "not a whole gzip file"
    )
    refused(JsonLines(write(tmp_path / "b.jsonl.gz", b"plain")).load, "b.jsonl.gz", "not a whole gzip file")


def test_what_is_not_json_is_named_with_line_and_column(tmp_path: Path) -> None:
    """Line 37 is broken: the error says so, and shows what stands there."""
    lines = ['{"a": 1}'] * 36 + ['{"a": 1, b}'] + ['{"a": 1}']
    refused(JsonLines(write(tmp_path / "a.jsonl", "\n".join(lines))).load, "a.jsonl:37:10", "not JSON", "b}")


def test_a_list_in_json_lines_hints_at_the_other_loader(tmp_path: Path) -> None:
    """A JSON file under the wrong suffix is recognised."""
    refused(JsonLines(write(tmp_path / "a.jsonl", "[\n{}\n]")).load, "a.jsonl:1", "json: {path")


def test_a_row_must_be_an_object(tmp_path: Path) -> None:
    """A line that is JSON but no row is refused with its line."""
    refused(JsonLines(write(tmp_path / "a.jsonl", '{"a": 1}\n[1]\n')).load, "a.jsonl:2", "this is a list")


def test_wrong_encoding_names_line_and_byte(tmp_path: Path) -> None:
    """Latin-1 read as UTF-8 fails at the byte, with the way out."""
    path = write(tmp_path / "a.jsonl", b'{"a": "x"}\n{"a": "\xe9"}\n')
    refused(JsonLines(path).load, "a.jsonl:2", "byte 0xe9 at offset 18", "encoding:")
    path = write(tmp_path / "b.jsonl", '{"a": 1}'.encode("utf-16"))
    refused(JsonLines(path).load, "b.jsonl", "encoding: utf-16")


def test_an_unknown_encoding_is_a_usage_error(tmp_path: Path) -> None:
    """The name is checked before any file is opened."""
    with pytest.raises(UsageError, match='unknown encoding "utf-9"'):
        JsonLines("a.jsonl", "utf-9")


def test_files_that_are_no_data(tmp_path: Path) -> None:
    """Empty, missing, a folder, a pointer: each is one sentence."""
    write(tmp_path / "tickets.jsonl", "{}")
    refused(JsonLines(write(tmp_path / "a.jsonl", "")).load, "a.jsonl", "empty")
    refused(JsonLines(str(tmp_path / "tikets.jsonl")).load, "no such file", 'did you mean "tickets.jsonl"?')
    refused(JsonLines(str(tmp_path / "no/a.jsonl")).load, "no such file", "there is no folder")
    refused(JsonLines(str(tmp_path)).load, "this is a folder")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    refused(JsonLines(write(tmp_path / "l.jsonl", pointer)).load, "l.jsonl", "git-LFS", "git lfs pull")


def test_what_json_allows_is_read(tmp_path: Path) -> None:
    """Lone surrogates and integers of any size are JSON; NaN is not, and the error says what to write."""
    path = write(tmp_path / "a.jsonl", '{"a": "\\ud800", "b": 123456789012345678901234567890}\n')
    assert next(iter(JsonLines(path).load())).data == {"a": "\ud800", "b": 123456789012345678901234567890}
    refused(JsonLines(write(tmp_path / "b.jsonl", '{"a": NaN}\n')).load, "b.jsonl:1", "NaN", "null")


def test_a_million_rows_are_not_read_to_give_ten(tmp_path: Path) -> None:
    """Rows come as the file is read: a broken end does not disturb its beginning."""
    lines = (json.dumps({"id": n, "text": "x" * 50}) for n in range(50_000))
    content = "\n".join(lines)
    rows = list(islice(JsonLines(write(tmp_path / "a.jsonl", content + "\nbroken")).load(), 10))
    assert [row.data["id"] for row in rows] == list(range(10))
    as_list = "[" + content.replace("\n", ",") + ", broken"
    rows = list(islice(JsonFile(write(tmp_path / "a.json", as_list)).load(), 10))
    assert [row.data["id"] for row in rows] == list(range(10))


def test_a_loader_starts_over(tmp_path: Path) -> None:
    """A second call yields the same rows."""
    loader = JsonLines(write(tmp_path / "a.jsonl", '{"a": 1}\n{"a": 2}\n'))
    assert list(loader.load()) == list(loader.load())


def test_rows_at_a_place_in_a_json_document(tmp_path: Path) -> None:
    """`at` walks through keys; rows have ordinals; numbers stay what they are."""
    document = {"meta": {"n": 2}, "data": {"rows": [{"a": 1}, {"a": 2.5}]}}
    path = write(tmp_path / "a.json", json.dumps(document))
    assert list(JsonFile(path, at="data.rows").load()) == [Row({"a": 1}, 1), Row({"a": 2.5}, 2)]


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    """The error names the key, what there is instead, and where lists are."""
    path = write(tmp_path / "a.json", json.dumps({"outputs": [{"a": 1}], "canary": "x"}))
    refused(JsonFile(path, at="output").load, "a.json", 'no key "output"', 'did you mean "outputs"?')
    refused(JsonFile(path, at="outputs.a").load, "a.json", 'no key "a" under outputs')
    refused(JsonFile(path).load, "a.json", "holds an object", "`at: outputs`")
    refused(JsonFile(path, at="canary").load, "a.json", "leads to a single value")


def test_broken_json_names_line_and_column(tmp_path: Path) -> None:
    """A document that stops being JSON is told with the place in it."""
    refused(JsonFile(write(tmp_path / "a.json", '[\n{"a": 1},\n{"a" 2}\n]')).load, "a.json:3:6", "not JSON")
    refused(JsonFile(write(tmp_path / "b.json", '[{"a": 1}')).load, "b.json", "not JSON")
    refused(JsonFile(write(tmp_path / "c.json", '[{"a": NaN}]')).load, "c.json", "not JSON")


def test_an_empty_list_has_no_rows(tmp_path: Path) -> None:
    """Whoever wanted samples says that there are none."""
    assert list(JsonFile(write(tmp_path / "a.json", "[]")).load()) == []
