"""Answers as JSON, code, Markdown or text."""

import pytest

from regrade.pages.answers import as_json, shown_answer
from regrade.pages.markdown import markdown


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a": [1]}', "JSON"),
        (' [1, {"a": null}]\n', "JSON"),
        ("```json\n{}\n```", "code, json"),
        ("```\nx = 1\n```", "code"),
        ("# Head", "Markdown"),
        ("15-7=8, 5-4-1=0\n#### 0", "text"),
        ("so\n#### $1,234.50", "text"),
        ("#### 3 reasons", "Markdown"),
        ("- one\n- two", "Markdown"),
        ("so **bold**", "Markdown"),
        ("see [it](x)", "Markdown"),
        ("| a |\n|---|\n| b |", "Markdown"),
        ("refund", "text"),
        ("2 * 3 * 4 = 24", "text"),
        ("snake_case_name", "text"),
        ("{not json}", "text"),
        ("12", "text"),
        ('"a"', "text"),
        ("", "text"),
    ],
)
def test_an_answer_is_shown_as_what_it_is(text: str, kind: str) -> None:
    """By its signs alone; what has none is a text."""
    assert shown_answer(text).kind == kind


def test_json_is_laid_out_with_all_its_characters() -> None:
    """Over lines, nothing escaped that was not; what nests too deep stays as it is."""
    assert as_json('{"a":["\u00fc",1.50]}') == '{\n  "a": [\n    "\u00fc",\n    1.5\n  ]\n}'
    assert as_json("[" * 100_000 + "]" * 100_000) is None


def test_markdown_has_no_attribute_of_foreign_hands() -> None:
    """Addresses are words; a language of code is a caption; alignment is a class of ours."""
    html = markdown(
        '[a](http://x "t")\n\n```py" onload="x\n1\n```\n\n|a|b|\n|-:|:-:|\n|1|2|\n'
        '\n9. x\n\n## y\n\n![z](u "v")\n\n~~s~~'
    )
    assert "href" not in html
    assert "style" not in html
    assert "title" not in html
    assert "onload" not in html.replace("py&#34;", "").replace("onload=&#34;x", "")
    assert 'a <span class="xs any">(http://x)</span>' in html
    assert '<td class="num">1</td>' in html
    assert '<ol start="9">' in html
    assert "<h5>y</h5>" in html
    assert '<span class="tag">image: z</span> <span class="xs any">(u)</span>' in html


def test_hidden_characters_are_shown_in_markdown_too() -> None:
    """Those of the text, those that a reference makes, and those that would pass for our own marks."""
    html = markdown("a\u202eb &#x202E; &#xE000;FFFFFF&#xE001; \ue000001B\ue001 `\x1b[0m` \x00")
    for sign in "\u202e\ue000\ue001\x1b\x00":
        assert sign not in html
    assert html.count('<span class="esc">U+202E</span>') == 2
    assert '<span class="esc">U+0000</span>' in html
    assert '<code><span class="esc">ESC</span>[0m</code>' in html


@pytest.mark.parametrize("piece", ["[", "![a", "[a](", "*a **a ", "_a __b ", "<", "&"])
def test_what_is_slow_to_read_is_not_read(piece: str) -> None:
    """Time grows with the square of some signs; nobody writes Markdown with hundreds of them."""
    assert shown_answer("# x\n" + piece * 1_000).kind == "text"
    assert shown_answer("# x\n" + piece * 20).kind == "Markdown"
