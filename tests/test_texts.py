"""Fences and JSON are found among prose."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade import jsonio
from regrade.texts import clipped, fenced_blocks, find_json, shortened


def test_fenced_blocks() -> None:
    """Blocks come in order without their fences; an unfinished one reaches to the end."""
    text = "a\n```python\nx = 1\n```\nb\n~~~\n  y\n~~~\n````json\n```\n````\n```JSON x\n{}"
    assert fenced_blocks(text) == ["x = 1", "  y", "```", "{}"]
    assert fenced_blocks(text, "json") == ["```", "{}"]
    assert fenced_blocks(text, "") == ["  y"]
    assert fenced_blocks("no fence ``` here") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("7", 7),
        ('see [1]: {"a": 1} and [2]', {"a": 1}),
        ("first [1], then [2, 3]", [2, 3]),
        ('draft {"a": 1}, final {"a": 2}', {"a": 2}),
        ('use {name} as in {"a": "}"}', {"a": "}"}),
        ('```json\n{"a": 1}\n```\n```python\n{"a": 2}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```\nwhere {"a": 3} is wrong', {"a": 1}),
        ('```\nnone\n```\n{"a": 1}', {"a": 1}),
        ('```json {"a": 1}```', {"a": 1}),
    ],
)
def test_find_json(text: str, value: Any) -> None:
    """The whole text, then marked fences, then the last object, then the last array."""
    assert find_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "no", '{"a": [1], "b": ', '{"a": {"b": 1}, }', "[1] {", '{"a": "\\ud8', "{" * 9999]
)
def test_a_piece_of_broken_json_is_none(text: str) -> None:
    """What is inside something broken or unfinished never counts."""
    with pytest.raises(ValueError, match="JSON"):
        find_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_an_object_among_words_comes_back(value: dict[str, Any]) -> None:
    """Whatever an object holds, words and fences around it change nothing."""
    text = jsonio.dumps(value)
    assert find_json(f"Sure (see below): {text} - done") == value
    assert find_json(f"Sure:\n```json\n{text}\n```\nBye") == value


def test_shortened() -> None:
    """A text is shown on one line and cut."""
    assert clipped("a\n b") == "a b"
    assert shortened("a\n b") == '"a b"'
    assert shortened("x" * 81) == '"' + "x" * 79 + '…"'
