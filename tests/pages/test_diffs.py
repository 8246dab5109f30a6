"""A difference is cut down to its changes, and nothing is lost in silence."""

from hypothesis import given
from hypothesis import strategies as st

from regrade.pages.diffs import condensed, side
from regrade.views import DiffPart

PARTS = st.lists(st.tuples(st.sampled_from(["same", "out", "in"]), st.text(max_size=500)), max_size=8)


def test_short_texts_stay_whole() -> None:
    """What is short is not cut."""
    diff: list[DiffPart] = [("same", "a "), ("out", "b"), ("in", "c"), ("same", " d")]
    assert condensed(diff) == diff


def test_long_same_text_is_cut_around_changes() -> None:
    """What surrounds a change stays; how much is left out is said."""
    text = "x" * 1_000
    parts = condensed([("same", text), ("out", "b"), ("same", text), ("in", "c"), ("same", text)])
    assert [kind for kind, _ in parts] == ["gap", "same", "out", "same", "gap", "same", "in", "same", "gap"]
    assert parts[0][1] == "[… 920 characters …]"
    assert parts[4][1] == "[… 840 characters …]"


def test_long_changes_and_many_parts_are_cut() -> None:
    """A change of a megabyte and a difference of thousands of parts are bounded, and said to be."""
    assert condensed([("out", "x" * 1_000_000)])[-1] == ("gap", "[… 998,000 characters …]")
    many: list[DiffPart] = [("out", "a "), ("in", "b ")] * 5_000
    assert len(condensed(many)) == 401
    assert condensed(many)[-1] == ("gap", "[… 19,200 characters …]")


@given(PARTS)
def test_every_character_is_shown_or_counted(parts: list[DiffPart]) -> None:
    """What is shown and what gaps count is what there was."""
    shown = condensed(parts)
    counted = sum(int(text.split()[1].replace(",", "")) for kind, text in shown if kind == "gap")
    there = sum(len(text) for kind, text in shown if kind != "gap")
    assert there + counted == sum(len(text) for _, text in parts)


def test_each_side_shows_its_own_words() -> None:
    """A's side strikes what B does not have; B's side underlines what is new; both escape."""
    parts = condensed([("same", "<i> "), ("out", "b "), ("in", "c ")])
    assert side(parts, of="out") == "&lt;i&gt; <del>b</del> "
    assert side(parts, of="in") == "&lt;i&gt; <ins>c</ins> "
