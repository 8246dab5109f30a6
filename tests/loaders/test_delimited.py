"""CSV and TSV: texts by header, right line numbers, and rows that do not fit refused."""

from pathlib import Path

import pytest

from regrade.errors import DatasetError, UsageError
from regrade.loaders.delimited import Csv, Tsv
from regrade.types import Row


def write(path: Path, content: str) -> str:
    """Write a file as it is and return its name."""
    path.write_bytes(content.encode())
    return str(path)


def refused(path: str, *parts: str) -> None:
    """Check that reading fails with one error that holds all parts."""
    with pytest.raises(DatasetError) as error:
        list(Csv(path).load())
    assert [part for part in parts if part not in str(error.value)] == []


def test_rows_are_texts_by_header(tmp_path: Path) -> None:
    """Nothing is guessed: 01 stays 01."""
    assert list(Csv(write(tmp_path / "a.csv", "a,b\n01,x\n")).load()) == [Row({"a": "01", "b": "x"}, 2)]


def test_tabs_and_other_delimiters(tmp_path: Path) -> None:
    """TSV splits at tabs, `delimiter` at any one character."""
    assert next(iter(Tsv(write(tmp_path / "a.tsv", "a\tb\n1\t2\n")).load())).data == {"a": "1", "b": "2"}
    assert next(iter(Csv(write(tmp_path / "a.csv", "a;b\n1;2\n"), ";").load())).data == {"a": "1", "b": "2"}
    with pytest.raises(UsageError, match="one character"):
        Csv("a.csv", ";;")


def test_lines_are_counted_through_quoted_line_ends(tmp_path: Path) -> None:
    """A row's line is where it begins, whatever its fields hold."""
    path = write(tmp_path / "a.csv", 'a,b\r\n"x\ny",1\r\n\r\n"say ""hi""",2\r\n')
    assert list(Csv(path).load()) == [Row({"a": "x\ny", "b": "1"}, 2), Row({"a": 'say "hi"', "b": "2"}, 5)]


def test_a_row_with_another_number_of_fields(tmp_path: Path) -> None:
    """Too many and too few are both refused, with line, counts and columns."""
    refused(write(tmp_path / "a.csv", "a,b\n1,2\n1,2,3\n"), "a.csv:3", "3 fields", "the header has 2: a, b")
    refused(write(tmp_path / "b.csv", "a,b\n1\n"), "b.csv:2", "1 fields")


def test_a_column_twice(tmp_path: Path) -> None:
    """Which of two columns of one name is meant is nobody's guess."""
    refused(write(tmp_path / "a.csv", "a,b,a\n1,2,3\n"), "a.csv:1", '"a" stands twice')


def test_a_quote_that_never_closes(tmp_path: Path) -> None:
    """The row that opened it is named, not the end of the file."""
    refused(write(tmp_path / "a.csv", 'a,b\n1,2\n"x,2\n3,4\n'), "a.csv:3", "never closes")


def test_long_fields_are_no_error(tmp_path: Path) -> None:
    """A document of a megabyte fits into a field."""
    path = write(tmp_path / "a.csv", "a\n" + "x" * 1_000_000 + "\n")
    assert len(next(iter(Csv(path).load())).data["a"]) == 1_000_000


def test_other_files_are_said_as_for_json(tmp_path: Path) -> None:
    """Empty and wrongly encoded files are one clear error here too."""
    refused(write(tmp_path / "a.csv", ""), "empty")
    (tmp_path / "b.csv").write_bytes(b"a\n\xe9\n")
    refused(str(tmp_path / "b.csv"), "b.csv:2", "byte 0xe9 at offset 2")
