"""The report is one page that shows everything, runs nothing and loads nothing."""

import base64
import hashlib
import re
import xml.etree.ElementTree as ET

import html5lib

from regrade.exporters.html import HtmlReport
from regrade.views import Document, FlipsView, FlipView, ForestRow, ForestView, Mark


def page(document: Document) -> ET.Element:
    """Return the page as a browser reads it; a parse error is a failure."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    found: ET.Element = parser.parse(HtmlReport().export(document))
    for element in found.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return found


def said(element: ET.Element) -> str:
    """Return all text within."""
    return "".join(element.itertext())


def test_the_page_runs_and_loads_nothing(document: Document) -> None:
    """No script, no handler, no address: a report can be mailed and opened anywhere."""
    found = page(document)
    assert {"script", "img", "iframe", "object", "form", "base", "a:href"}.isdisjoint(
        e.tag for e in found.iter()
    )
    for element in found.iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert name not in {"style", "src", "srcset", "action"}
            if name == "href":
                assert value in {"#main", "data:,"}
    style = said(next(found.iter("style")))
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_the_one_style_sheet(document: Document) -> None:
    """Should escaping ever fail, the browser still runs nothing: the policy knows one style sheet only."""
    found = page(document)
    style = said(next(found.iter("style")))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(e.get("content") for e in found.iter("meta") if e.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert f"'sha256-{digest}'" in policy


def test_hidden_characters_show_as_code_points(gate: Document) -> None:
    """Controls, bidi overrides, tags and half characters are drawn as what they are."""
    text = HtmlReport().export(gate)
    text.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]", text)
    marks = {said(e) for e in page(gate).iter("span") if e.get("class") == "esc"}
    assert {"U+0000", "ESC", "U+D800", "U+202E", "U+2066", "U+E0041", "U+200D"} <= marks


def test_hostile_text_is_shown_as_text(gate: Document) -> None:
    """What a model wrote is there to be read, letter by letter."""
    text = said(page(gate))
    assert "<script>alert(1)</script>" in text
    assert "</details></summary></p><h1>forged</h1>" in text


def test_every_drawing_speaks(document: Document) -> None:
    """A chart has a role and its numbers as text; a mark without words is decoration."""
    found = page(document)
    drawings = [e for e in found.iter("svg") if e.get("class", "").startswith(("c", "g "))]
    assert drawings
    for drawing in drawings:
        if drawing.get("aria-hidden") != "true":
            assert drawing.get("role") == "img"
            title = drawing.find("title")
            assert title is not None
            assert said(title) == drawing.get("aria-label")


def test_ids_and_labels_fit(document: Document) -> None:
    """Every id is there once, and what is labelled by it finds it."""
    found = page(document)
    ids = [e.get("id") for e in found.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert {e.get("aria-labelledby") for e in found.iter() if e.get("aria-labelledby")} <= set(ids)


def test_marks_differ_by_shape() -> None:
    """Better, worse, unclear and nothing shown are told apart without colour."""
    marks: tuple[Mark, ...] = ("better", "worse", "unclear", "none")
    rows = tuple(
        ForestRow(mark, value, value - 1, value + 1, None, mark, "x") for value, mark in enumerate(marks)
    )
    found = page(Document("t", (), kind="comparison", forests=(ForestView("f", "points", rows),)))
    shapes = []
    for group in (e for e in found.iter("g") if e.get("class", "").startswith("k-")):
        dot = next(e for e in group.iter() if e.get("class") == "dot")
        shapes.append((dot.tag, group.get("class")))
    assert shapes == [("circle", "k-pass"), ("rect", "k-fail"), ("path", "k-unsure"), ("circle", "k-none")]


def test_a_flip_shows_both_sides() -> None:
    """A's own words are struck on its side, B's underlined on the other."""
    flip = FlipView(
        "s1", "1", "0", "question", "refund", "a b", "a c", (("same", "a "), ("out", "b"), ("in", "c"))
    )
    found = page(Document("t", (), kind="comparison", flips=(FlipsView("f", (flip,), (), 3, 0),)))
    assert [said(e) for e in next(found.iter("article")).iter("del")] == ["b"]
    assert [said(e) for e in next(found.iter("article")).iter("ins")] == ["c"]
    assert "1 of 3" in said(found)


def test_a_huge_document_stays_a_page(huge: Document) -> None:
    """Ten thousand flips and megabytes of text make a page that opens, and it says what is left out."""
    text = HtmlReport().export(huge)
    assert len(text) < 8_000_000
    assert "200 of 10,001; 9,801 are left out, so that this file stays small" in text
    assert "(first 20,000 of" in text


def test_long_flips_are_left_out_before_the_file_is_too_large_to_attach() -> None:
    """Of five pairs with 200 long flips each every list keeps some; the file stays under 5 MB and says so."""
    words = "word " * 3_000
    lost = tuple(FlipView(f"s{n}", "1", "0", words, "t", words, words) for n in range(200))
    views = tuple(FlipsView(f"f{n}", lost, lost[:50], 200, 50) for n in range(5))
    text = HtmlReport().export(Document("t", (), kind="comparison", flips=views))
    assert 2_000_000 < len(text.encode()) < 5_000_000
    kept = [int(one) for one in re.findall(r"<span>(\d+) of (?:200|50); \d+ are left out", text)]
    assert len(kept) == 10
    assert min(kept) > 0
    assert sum(kept) == text.count("<article")


def test_a_run_shows_intervals_and_slices(document: Document) -> None:
    """A run's metrics and slices are drawn from its summary."""
    if document.kind == "run":
        heads = [said(e) for e in page(document).iter("h2")]
        assert sum("by slice" in head for head in heads) == sum(
            1 for row in document.summary if row.slice and "." not in row.metric
        )


def test_nothing_is_said() -> None:
    """An empty document is a page that says so."""
    assert "no result was recorded" in said(page(Document("t", ())))
