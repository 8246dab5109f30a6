"""Nothing that hides, or changes how other text looks, reaches a reader unseen."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from regrade.pages.visible import cut, plain, visible

TEXT = st.text(st.characters(exclude_categories=()))


def test_hidden_characters_are_named() -> None:
    """Controls, bidi marks, zero-width and half characters are code points, in text and in HTML."""
    assert plain("a\x1b[0m\u202eb\u200b\ud800") == "a[ESC][0m[U+202E]b[U+200B][U+D800]"
    assert plain("\ufdd0\U0001fffe") == "[U+FDD0][U+1FFFE]"
    assert visible("<a\x00") == '&lt;a<span class="esc">U+0000</span>'


def test_line_breaks_and_tabs_are_kept() -> None:
    """Windows' line breaks are line breaks; a lone carriage return hides what stands before it."""
    assert plain("a\r\nb\tc\rd") == "a\nb\tc[U+000D]d"


def test_joiners_are_kept_where_they_join() -> None:
    """Families of emoji and Persian words stay whole; between ASCII letters a joiner only hides."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert plain(family) == family
    assert plain(persian) == persian
    assert plain("a\u200db") == "a[U+200D]b"


@given(TEXT)
def test_no_hidden_character_is_left(text: str) -> None:
    """For any text: what is written can be encoded and holds no control and no bidi override."""
    shown = plain(text)
    shown.encode()
    left = {char for char in shown if unicodedata.category(char) in {"Cc", "Cs", "Co"}}
    assert left <= {"\n", "\t"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(TEXT)
def test_html_of_any_text_is_text(text: str) -> None:
    """For any text: its HTML holds no tag but the mark of a code point."""
    left = str(visible(text)).replace('<span class="esc">', "").replace("</span>", "")
    assert "<" not in left


def test_a_cut_says_how_much_there_is() -> None:
    """A long text is cut and counted, a short one is left alone."""
    assert cut("abc", 3) == "abc"
    assert cut("abcd" * 1_000, 3) == "abc… (first 3 of 4,000 characters)"
