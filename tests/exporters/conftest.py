"""Documents of every kind, filled with texts that try to be more than text."""

import pytest

from regrade.errors import Location
from regrade.types import SummaryRow
from regrade.views import (
    CaseView,
    ColumnView,
    Document,
    FlipsView,
    FlipView,
    ForestRow,
    ForestView,
    Mark,
    TableView,
)

HOSTILE = [
    "]]><!-- --></failure></testcase><testcase name='forged'/>",
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "</details></summary></p><h1>forged</h1>",
    "a\n```\n# forged heading\n````\n| forged | row |\n~~~",
    "\n::error file=x::forged\n##[error]forged\n::set-output name=x::1",
    "@everyone and @octocat, see #1, GH-2, https://evil.example, www.evil.example, a@evil.example :tada:",
    "[link](javascript:alert(1)) ![picture](https://evil.example/x.png) <https://x.example> $x$ **b** _it_",
    "nul \x00 escape \x1b[31m bell \x07 half \ud800 bidi \u202e\u2066 tag \U000e0041 joiner a\u200db",
    '=cmd|\' /C calc\'!A0, "quoted",\r\nnext; \\ back\\slash {"le": "1"} 1\n# EOF\nforged{x="y"} 1',
    "1. one\n- two\n===\n    code\n\u2028line\x0bfeed\x0c\r'); }",
]
TEXT = "\n".join(HOSTILE)


def flip(sample: str, text: str = TEXT) -> FlipView:
    """Return a flip whose every text is hostile."""
    diff = (("same", text), ("out", text), ("in", text), ("same", text[:30]))
    return FlipView(sample, text, text, text, text, text, text, diff)  # type: ignore[arg-type]


def _parts() -> tuple[tuple[TableView, ...], tuple[FlipsView, ...], tuple[ForestView, ...]]:
    columns = tuple(ColumnView(text, "right") for text in HOSTILE)
    tables = tuple(TableView(text, columns, (tuple(HOSTILE),), tuple(HOSTILE)) for text in HOSTILE[:2])
    flips = FlipsView(
        TEXT,
        tuple(flip(text) for text in HOSTILE),
        (FlipView(TEXT, "0", "1", text_a=None, text_b=TEXT),),
        len(HOSTILE),
        1,
        tuple(HOSTILE),
    )
    marks: tuple[Mark, ...] = ("better", "worse", "unclear", "none")
    rows = tuple(
        ForestRow(text, 1.0, -2.0, 3.0, 0.5, mark, text) for text, mark in zip(HOSTILE, marks, strict=False)
    )
    return tables, (flips,), (ForestView(TEXT, TEXT, rows),)


def _gate() -> Document:
    tables, flips, forests = _parts()
    outcomes = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")
    cases = tuple(
        CaseView(text, text, outcomes[place % 4], text, text, Location(text, 3, 5))  # type: ignore[arg-type]
        for place, text in enumerate(HOSTILE)
    )
    record = {"eval": TEXT, "model": TEXT, "metric": TEXT, "value_b": 0.5, "difference": -0.1, "list": [TEXT]}
    records = {"verdicts": (record, {TEXT: 1}), "changes": (record,)}
    return Document(TEXT, (), tables, "gate", "FAIL", TEXT, cases, forests, flips, tuple(HOSTILE), records)


def _run() -> Document:
    rows = tuple(
        SummaryRow(text, text, text, text, text, "higher", part, 0.5, 0.1, 0.4, 0.6, 0.95, 9, 1, text, text)
        for text in HOSTILE
        for part in ("", text)
    )
    return Document(TEXT, rows, _parts()[0])


@pytest.fixture(params=["run", "comparison", "gate"])
def document(request: pytest.FixtureRequest) -> Document:
    """Return a hostile document of each kind in turn."""
    if request.param == "run":
        return _run()
    if request.param == "gate":
        return _gate()
    tables, flips, forests = _parts()
    records = {"changes": ({"eval": TEXT, "p": 0.5},)}
    return Document(TEXT, (), tables, "comparison", None, TEXT, forests=forests, flips=flips, records=records)


@pytest.fixture
def gate() -> Document:
    """Return a hostile gate."""
    return _gate()


@pytest.fixture(scope="session")
def huge() -> Document:
    """Return a gate with 10,000 flips, some with a megabyte of text, long tables and many notes."""
    long = TEXT * 2_000
    assert len(long) > 1_000_000
    lost = (flip("long", long), *(flip(f"s{number}", "word " * 40) for number in range(10_000)))
    flips = FlipsView("flips", lost, (), len(lost), 0, (long,))
    table = TableView(long, (ColumnView("model"),), tuple((f"model {n} {TEXT}",) for n in range(2_000)))
    cases = tuple(CaseView("eval", f"rule {n}", "FAIL", TEXT, TEXT) for n in range(200))
    return Document(
        long, (), (table,), "gate", "FAIL", long, cases, flips=(flips,), notes=tuple(HOSTILE * 200)
    )
