"""A difference is cut down to its changes, and nothing is lost in silence."""

from hypothesis import given
from hypothesis import strategies as st

from regrade.pages.diffs import condensed, side
from regrade.views import DiffPart

PARTS = st.lists(st.tuples(st.sampled_from(["same", "out", "in"]), st.text(max_size=500)), max_size=8)


def test_short_texts_stay_whole() -> None:
    """What is short is not cut."""
    diff: list[DiffPart] = [("same", "a "), ("out", "b"), ("in", "c"), ("same", " d")]
    assert [one[:2] for one in condensed(diff)] == diff


def test_long_same_text_is_cut_around_changes() -> None:
    """What surrounds a change stays; how much is left out is said."""
    text = "x" * 1_000
    parts = condensed([("same", text), ("out", "b"), ("same", text), ("in", "c"), ("same", text)])
    assert [one.left_out for one in parts] == [920, 0, 0, 0, 840, 0, 0, 0, 920]
    assert "[… 840 characters …]" in side(parts, of="in")


def test_long_changes_and_many_parts_are_cut() -> None:
    """A change of a megabyte and a difference of thousands of parts are bounded, and said to be."""
    assert condensed([("out", "x" * 1_000_000)])[-1] == ("out", "", 998_000)
    many: list[DiffPart] = [("out", "a "), ("in", "b ")] * 5_000
    assert len(condensed(many)) == 402
    assert condensed(many)[-2:] == [("out", "", 9_600), ("in", "", 9_600)]


def test_a_side_counts_what_is_left_out_of_it_alone() -> None:
    """Of five megabytes against a word, the word stands alone; the rest that is not at hand is counted."""
    parts = condensed([("out", "x" * 100_000), ("in", "no")], (4_900_000, 0))
    assert side(parts, of="in") == "<ins>no</ins>"
    assert side(parts, of="out").count("characters") == 1
    assert "[… 4,998,000 characters …]" in side(parts, of="out")


@given(PARTS, st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_every_character_is_shown_or_counted(parts: list[DiffPart], rest: tuple[int, int]) -> None:
    """Of either answer, what is shown and what is said to be left out is what there was."""
    shown = condensed(parts, rest)
    for of, more in zip(("out", "in"), rest, strict=True):
        mine = [one for one in shown if one.kind in {"same", of}]
        there = sum(len(one.text) + one.left_out for one in mine)
        assert there == sum(len(text) for kind, text in parts if kind in {"same", of}) + more


def test_each_side_shows_its_own_words() -> None:
    """A's side strikes what B does not have; B's side underlines what is new; both escape."""
    parts = condensed([("same", "<i> "), ("out", "b "), ("in", "c ")])
    assert side(parts, of="out") == "&lt;i&gt; <del>b</del> "
    assert side(parts, of="in") == "&lt;i&gt; <ins>c</ins> "
