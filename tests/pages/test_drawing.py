"""Templates and style sheets come with the package, and escape by themselves."""

import re

from regrade.pages.drawing import ASSETS, _environment, asset, styles

SHEETS = [name for name in ASSETS if name.endswith(".css")]


def test_a_template_that_forgets_to_escape_still_does() -> None:
    """A value printed plainly is escaped, its hidden characters named, in text and in attributes."""
    template = _environment().from_string('<p title="{{ it }}">{{ it }}</p>')
    assert template.render(it='"<\u202e') == '<p title="&#34;&lt;[U+202E]">&#34;&lt;[U+202E]</p>'


def test_the_style_sheets_load_nothing_and_close_nothing() -> None:
    """They hold no address, no import, and no tag that would end them."""
    text = styles(*SHEETS)
    assert "url(" not in text
    assert "@import" not in text
    assert "<" not in text


def test_every_colour_of_the_pages_is_a_token() -> None:
    """The pages' own sheet names no colour: light, dark and print follow the tokens."""
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!\s*\{)|rgb\(|hsl\(", styles("base.css", "dashboard.css"))


def test_every_token_that_is_used_exists() -> None:
    """A misspelt custom property would silently fall back."""
    defined = set(re.findall(r"(--[\w-]+):", styles(*SHEETS)))
    assert set(re.findall(r"var\((--[\w-]+)\)", styles(*SHEETS))) <= defined


def test_every_rule_of_the_style_sheets_stands_where_it_should() -> None:
    """Braces are balanced, and at most a media query is around a rule: paper is told from screens."""
    for name in SHEETS:
        depth = 0
        for char in re.sub(r"/\*.*?\*/", "", asset(name), flags=re.DOTALL):
            depth += {"{": 1, "}": -1}.get(char, 0)
            assert 0 <= depth <= 3
        assert depth == 0
    assert [styles(name).count("@media print") for name in SHEETS] == [1, 1, 1]
