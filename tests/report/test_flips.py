"""Answers word by word."""

from hypothesis import given
from hypothesis import strategies as st

from regrade.report.flips import word_diff
from regrade.views import DiffPart

WORDS = st.lists(st.text("abc<\x1b\u202e", min_size=1, max_size=3), max_size=12).map(" ".join)


def side(parts: tuple[DiffPart, ...], kind: str) -> list[str]:
    """Return the words of one text, put together again."""
    return "".join(text for own, text in parts if own in {"same", kind}).split()


def test_words_are_compared_and_not_letters() -> None:
    """`fifteen` for `fourteen` is one word out and one in, the rest stays."""
    assert word_diff("it is fourteen, sir", "it is fifteen, sir") == (
        ("same", "it is "),
        ("out", "fourteen, "),
        ("in", "fifteen, "),
        ("same", "sir"),
    )


def test_equal_and_empty_texts() -> None:
    """Nothing changed is one part; nothing against something is all in."""
    assert word_diff("a b", "a b") == (("same", "a b"),)
    assert word_diff("", "a b") == (("in", "a b"),)
    assert word_diff("a b", "") == (("out", "a b"),)
    assert word_diff("", "") == ()


@given(WORDS, WORDS)
def test_both_texts_can_be_read_out_of_it(a: str, b: str) -> None:
    """What is the same and out are the words of A, what is the same and in those of B."""
    parts = word_diff(a, b)
    assert side(parts, "out") == a.split()
    assert side(parts, "in") == b.split()


def test_very_long_texts_are_whole() -> None:
    """Beyond 1,500 words nothing is compared any more, and nothing is lost."""
    a, b = " ".join(["x"] * 5_000), " ".join(["x"] * 4_000 + ["y"])
    parts = word_diff(a, b)
    assert len(side(parts, "out")) == 5_000
    assert side(parts, "in")[-1] == "y"
