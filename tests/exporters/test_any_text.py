"""Whatever a model or a user calls things, every format stays what it is."""

import json
import xml.etree.ElementTree as ET

import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from regrade.plugins import Registry
from regrade.views import CaseView, ColumnView, Document, FlipsView, FlipView, TableView

TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.text(
    "<>&'\"`|\n\r@#:[]!-=_*~\\x1", max_size=40
)


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_every_format_is_read_back(text: str) -> None:
    """One case, one row and one flip with any text in them are one of each for a reader."""
    flip = FlipView(text, text, text, text, text, text, text, (("out", text), ("in", text)))
    document = Document(
        text,
        (),
        (TableView(text, (ColumnView(text),), ((text,),), (text,)),),
        "gate",
        "FAIL",
        text,
        (CaseView(text, text, "FAIL", text, text),),
        flips=(FlipsView(text, (flip,), (), 1, 0),),
        notes=(text,),
        records={"verdicts": ({"eval": text, "metric": text, "value_b": 1.0},)},
    )
    exports = {
        name: Registry().load("exporter", name)().export(document)
        for name in ("html", "json", "junit.xml", "md", "metrics.txt")
    }
    assert json.loads(exports["json"])["kind"] == "gate"
    assert len(list(ET.fromstring(exports["junit.xml"].encode()).iter("testcase"))) == 1
    families = text_string_to_metric_families(exports["metrics.txt"])  # type: ignore[no-untyped-call]
    assert len(list(families)) == 2
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(exports["html"])
    assert [len(list(page.iter(tag))) for tag in ("article", "script", "style", "del", "h1")] == [
        1,
        0,
        1,
        2 if text.strip() else 1,  # one is in the legend
        1,
    ]
    markdown = MarkdownIt("commonmark").enable("table").parse(exports["md"])
    kinds = [token.type for token in markdown]
    assert [kinds.count(kind) for kind in ("heading_open", "table_open", "html_block", "tr_open")] == [
        3,
        1,
        2,
        2,
    ]
