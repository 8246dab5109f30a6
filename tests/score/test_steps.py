"""Steps find the answer and even out its form, in the order written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.errors import UsageError
from regrade.score.steps import compile_steps
from regrade.types import Json

TEXT = 'First line.\n\nSo the answer is 4.\n```json\n{"a": {"b": [5, "six"]}}\n```\nthe answer is 7.\n\n'


@pytest.mark.parametrize(
    ("extract", "found"),
    [
        (None, TEXT),
        ([], TEXT),
        ("first_line", "First line."),
        ("last_line", "the answer is 7."),
        ("first_word", "First"),
        (["last_line", {"regex": r"\d"}], "7"),
        ({"regex": r"answer is \d"}, "answer is 4"),
        ({"regex": r"answer is (\d)"}, "4"),
        ({"regex": r"answer is (\d)", "find": "last"}, "7"),
        ({"regex": r"(answer) is (?P<n>\d)", "group": "n"}, "4"),
        ({"regex": r"(answer) is (\d)", "group": 0}, "answer is 4"),
        ({"regex": r"(?m)^(none)"}, None),
        ({"regex": "(x)|First"}, None),
        ({"after": "answer is"}, "7."),
        ({"after": "nowhere"}, None),
        ({"after": "7."}, None),
        ({"before": "\n"}, "First line."),
        ({"before": "nowhere"}, TEXT.strip()),
        ({"before": "First"}, None),
        ("fence", '{"a": {"b": [5, "six"]}}'),
        ({"fence": "json"}, '{"a": {"b": [5, "six"]}}'),
        ({"fence": "python"}, None),
        ({"json_path": "$.a.b[0]"}, "5"),
        ({"json_path": "a.b[1]"}, "six"),
        ({"json_path": "$.a.b"}, '[5,"six"]'),
        ({"json_path": "$.c"}, None),
        ({"after": "answer is", "before": "."}, "7"),
        (["fence", {"json_path": "$.a.b[1]"}, {"regex": "s(.)x"}], "i"),
    ],
)
def test_extract(extract: Json, found: str | None) -> None:
    """Each step hands its piece to the next; nothing found, or only white space, is None."""
    assert compile_steps(extract).extract(TEXT) == found


@pytest.mark.parametrize(
    "extract", ["first_line", "last_line", "first_word", "fence", {"json_path": "$"}, {"regex": ""}]
)
def test_nothing_is_found_in_nothing(extract: Json) -> None:
    """An empty or blank answer has no pieces."""
    for text in ("", " \n\t"):
        assert compile_steps({"regex": ".*"} if extract == {"regex": ""} else extract).extract(text) is None


@pytest.mark.parametrize(
    ("normalize", "text", "result"),
    [
        (None, " A\n", " A\n"),
        ("strip", " A\n", "A"),
        ("casefold", "Straße", "strasse"),
        ("punctuation", "it's \N{LEFT DOUBLE QUOTATION MARK}5$\N{RIGHT DOUBLE QUOTATION MARK}!", "its 5"),
        ("articles", "The end of a tale, anthem", "end of tale, anthem"),
        ("whitespace", " a \n\t b ", "a b"),
        ({"replace": {r"(\d+) ?EUR": r"\1"}}, "5 EUR", "5"),
        ({"replace": {"a": "b", "b": "c"}}, "ab", "cc"),
        (["casefold", "articles", {"replace": {"-": " "}}, "strip"], "The A-Team ", "team"),
        ({"strip": None, "casefold": None}, " A ", "a"),
    ],
)
def test_normalize(normalize: Json, text: str, result: str) -> None:
    """Steps are applied in the order written."""
    assert compile_steps(None, normalize).normalize(text) == result


@pytest.mark.parametrize(
    ("extract", "message", "hint"),
    [
        ("lastline", 'unknown extract step "lastline"', 'did you mean "last_line"?'),
        ("zzz", "unknown extract step", "steps: regex, after, before"),
        ("after", "needs a text as its argument, not None", None),
        ({"after": ""}, "needs a text", None),
        ({"after": 5}, "needs a text as its argument, not 5", None),
        ({"last_line": 2}, "takes no argument, not 2", None),
        ({"regex": "("}, 'extract step "regex": missing \\)', None),
        ({"regex": "a", "group": 1}, "has no group 1", None),
        ({"regex": "(a)", "group": True}, "has no group True", None),
        ({"regex": "(a)", "group": [1]}, "has no group", None),
        ({"regex": "a", "find": "middle"}, "first or last", None),
        ({"after": "a", "group": 1}, 'has "group" without a "regex"', None),
        ({"json_path": "$.["}, "is no valid path", None),
        ({"json_path": "$.a[?("}, "is no valid path", None),
        ({"fence": 1}, "needs a text", None),
        (5, "takes names of steps", None),
        ([["first_line"]], "takes names of steps", None),
    ],
)
def test_extract_steps_that_cannot_work(extract: Json, message: str, hint: str | None) -> None:
    """A wrong step is one clear error with the nearest name."""
    with pytest.raises(UsageError, match=message) as caught:
        compile_steps(extract)
    assert (caught.value.hint or "").startswith(hint or "")


@pytest.mark.parametrize(
    ("normalize", "message"),
    [
        ("lowercase", 'unknown normalize step "lowercase"'),
        ({"strip": "x"}, "takes no argument"),
        ({"replace": "x"}, "needs a mapping"),
        ({"replace": {}}, "needs a mapping"),
        ({"replace": {"a": 1}}, "replaces by a text"),
        ({"replace": {"(": "a"}}, "missing"),
        ({"replace": {"a": r"\1"}}, "invalid group reference"),
        ({"replace": {"a": r"\g<x>"}}, "unknown group name"),
        ("first_line", "unknown normalize step"),
    ],
)
def test_normalize_steps_that_cannot_work(normalize: Json, message: str) -> None:
    """Arguments and patterns are checked before any answer is seen."""
    with pytest.raises(UsageError, match=message):
        compile_steps(None, normalize)


@given(st.text())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    """All plain steps together reach a form that stays."""
    steps = compile_steps(None, ["casefold", "punctuation", "articles", "whitespace", "strip"])
    once = steps.normalize(text)
    assert compile_steps(None, ["punctuation", "articles", "whitespace", "strip"]).normalize(once) == once
