"""Canonical JSON, hashes and atomic writes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.jsonio import atomic_write, canonical, content_hash, dumps, loads, read_lines

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_json_round_trips(value: object) -> None:
    """What was written is read back unchanged."""
    assert loads(dumps(value)) == value


@given(st.dictionaries(st.text(), st.integers(-(2**53), 2**53)))
def test_the_hash_does_not_depend_on_key_order(value: dict[str, int]) -> None:
    """Two objects with the same entries have the same hash, whatever the order of their keys."""
    assert content_hash(dict(reversed(value.items()))) == content_hash(value)


def test_the_hash_tells_types_and_values_apart() -> None:
    """Values that JSON tells apart have different hashes."""
    values = [1, "1", [1], {"1": 1}, None, "", [], {}, True]
    assert len({content_hash(value) for value in values}) == len(values)


def test_text_that_utf8_cannot_carry_has_a_hash() -> None:
    """A lone surrogate, legal in JSON files, does not break hashing, and neither do huge integers."""
    assert canonical({"a": ["\ud800", 2**80]})
    assert content_hash("\ud800") != content_hash("\ud801")


def test_an_interrupted_write_leaves_the_old_content(tmp_path: Path) -> None:
    """When writing fails, the old file stays whole and nothing is left beside it."""
    path = tmp_path / "x.json"
    atomic_write(path, lambda stream: stream.write(b"old"))

    def fail(_stream: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        atomic_write(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    """Blank lines are passed over but counted."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"1\n\n  \r\n2\r\n3")
    assert list(read_lines(path)) == [(1, b"1"), (4, b"2"), (5, b"3")]
