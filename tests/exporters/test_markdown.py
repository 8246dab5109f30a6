"""Markdown for comments: nothing foreign has power over it, and it always fits."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from regrade.exporters.escaping import fenced, markdown_text
from regrade.exporters.markdown import Markdown
from regrade.views import CaseView, Document, FlipsView, FlipView

OURS = re.compile(r"</?(del|ins|i)>|<br>|</details>\n?|<details><summary>[^<>]*</summary>\n?")


def tokens(text: str) -> list[Token]:
    """Return all tokens as a reader of GitHub's dialect sees them."""

    def flat(found: list[Token]) -> Iterator[Token]:
        for token in found:
            yield token
            yield from flat(token.children or [])

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return list(flat(parser.parse(text)))


def test_html_and_links_are_only_ours(document: Document) -> None:
    """No name and no answer brings a tag, link, picture, heading, emphasis or code block of its own."""
    found = tokens(Markdown().export(document))
    html = [token.content for token in found if token.type.startswith("html")]
    assert [content for content in html if not OURS.fullmatch(content)] == []
    assert {token.type for token in found} & {
        "link_open",
        "image",
        "code_block",
        "hr",
    } == set()
    assert {"em_open", "s_open"} & {token.type for token in found} == set()
    code = {token.content for token in found if token.type == "code_inline"}
    assert code <= {"-o report.html", "-o report.json", "regrade show"}
    assert {token.info for token in found if token.type == "fence"} <= {"text"}
    assert not any("forged" in token.content for token in found if token.type == "heading_open")
    headings = 1 + len(document.tables) + len(document.flips)
    assert sum(token.type == "heading_open" for token in found) == headings


def test_folds_are_balanced(document: Document) -> None:
    """Every fold that opens is closed, whatever stands in it."""
    text = Markdown().export(document)
    lines = text.split("\n")
    folds = sum(line.startswith("<details>") for line in lines)
    assert lines.count("</details>") == folds
    assert bool(folds) == bool(document.flips)


def test_nobody_is_mentioned_and_nothing_linked_afterwards(document: Document) -> None:
    """GitHub looks for names, issues, addresses and emoji in the finished page; it finds none of ours."""
    for token in tokens(Markdown().export(document)):
        if token.type in {"text", "html_block"}:
            shown = token.content.replace("&#64;", "@").replace("&#8203;", "\u200b")
            assert not re.search(r"@\w|(?<!&)#\d|://|www\.|GH-\d|:\w+:", shown), shown


def test_hidden_characters_are_shown(document: Document) -> None:
    """No control, bidi or half character reaches the comment."""
    text = Markdown().export(document)
    text.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "U&#43;202E" in text


def test_a_fence_is_longer_than_any_inside() -> None:
    """Backticks in an answer end no code block; each line is quoted."""
    lines = fenced("a\n`````\nb", 100)
    assert lines == ["> ``````text", "> a", "> `````", "> b", "> ``````"]
    assert fenced("abc", 2)[-1] == "> first 2 of 3 characters"


def test_ordinary_names_stay_readable() -> None:
    """Names of metrics, numbers and models are written as they are."""
    for text in (
        "exact_match",
        "demo/v1",
        "\N{MINUS SIGN}3.2 (-5.1 to 1.3)",
        "12.5",
        "-3",
        "channel=chat",
        "10:30:00 h",
    ):
        assert markdown_text(text).replace("&#8203;", "") == text


def test_what_begins_a_block_is_disarmed() -> None:
    """A text that begins like a list, a rule or a heading begins none."""
    for text in ("1. one", "2) two", "- three", "---", "===", "+ four", "> five", "# six"):
        kinds = {token.type for token in tokens(f"before\n{markdown_text(text)}\n\n{markdown_text(text)}")}
        assert kinds == {"paragraph_open", "inline", "text", "softbreak", "paragraph_close"}


def test_it_fits_a_comment_and_says_what_was_cut(huge: Document) -> None:
    """However much there is, the text stays under 65,536 characters; it says the verdict and what was cut."""
    text = Markdown().export(huge)
    assert len(text) < 65_536
    assert text.startswith("## ✘ FAIL: ")
    assert re.search(r"Left out to fit a comment: [\d,]+ notes, [\d,]+ table rows, 10,001 flips\.", text)
    assert "report.html" in text


def test_flips_are_cut_before_tables() -> None:
    """A table that fits stays whole, however many flips there are."""
    lost = tuple(FlipView(f"s{n}", "1", "0", diff=(("out", "yes"), ("in", "no"))) for n in range(2_000))
    cases = tuple(CaseView("e", f"rule {n}", "PASS", "fine", "") for n in range(50))
    flips = (FlipsView("f", lost, (), 5_000, 0),)
    text = Markdown().export(Document("t", (), (), "gate", "PASS", cases=cases, flips=flips))
    assert text.count("✔ PASS | e | rule") == 50
    assert "5,000 lost (passed with A, failed with B), 0 gained." in text
    assert "Of the lost the first 2,000 are listed." in text
    cut = re.search(r"comment: ([\d,]+) flips\.", text)
    assert cut is not None
    assert int(cut[1].replace(",", "")) + text.count("<details>") == 2_000


def test_answers_without_a_difference_stand_below_each_other() -> None:
    """Where one answer is not stored the other is quoted, cut and counted; a prompt and a target as well."""
    view = FlipView("s", "1", "0", "ask\nme", "right", None, "word\n" * 1_000)
    text = Markdown().export(Document("t", (), flips=(FlipsView("f", (view,), (), 1, 0, ("flaky",)),)))
    assert "> ask\n> me\n" in text
    assert "**Target** right" in text
    assert "**A** (not stored)\n\n**B**\n\n> ```text\n> word\n" in text
    assert "> first 600 of 5,000 characters" in text
    assert "flaky" in text


def test_answers_that_are_alike_are_quoted_once() -> None:
    """Another repeat differs: no difference is drawn where none is to be seen."""
    view = FlipView("s", "1", "0.667", text_a="yes", text_b="yes", alike="the first repeats are alike")
    text = Markdown().export(Document("t", (), flips=(FlipsView("f", (view,), (), 1, 0),)))
    assert "**A and B (the first repeats are alike)**" in text
    assert text.count("> yes") == 1


def test_a_long_difference_is_cut() -> None:
    """A flip takes no more than its share, and its end shows that it is cut."""
    view = FlipView("s", "1", "0", diff=(("out", "a " * 900), ("in", "b " * 900), ("same", "end")))
    text = Markdown().export(Document("t", (), flips=(FlipsView("f", (view,), (), 1, 0),)))
    assert len(text) < 2_500
    assert "</del> …\n" in text


def test_a_difference_is_struck_and_underlined() -> None:
    """Words of A alone are struck, words of B alone underlined, and spaces between words stay."""
    view = FlipView(
        "s", "1", "0", diff=(("same", "it is "), ("out", "a\nrefund "), ("in", "billing "), ("same", "now"))
    )
    text = Markdown().export(Document("t", (), flips=(FlipsView("f", (view,), (), 1, 0),)))
    assert "it is <del>a<br>refund</del> <ins>billing</ins> now" in text
