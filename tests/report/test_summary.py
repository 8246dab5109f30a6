"""The result table says what a reader needs and nothing false."""

from typing import Any

from regrade.report import summary_tables
from regrade.types import SummaryRow


def row(**changes: Any) -> SummaryRow:
    """Return a summary row with plausible defaults."""
    base: dict[str, Any] = {
        "eval": "tickets", "prompt": "default", "model": "a", "scorer": "exact_match", "metric": "accuracy",
        "better": "higher", "slice": "", "value": 0.9, "se": 0.01, "low": 0.88, "high": 0.92, "level": 0.95,
        "n": 300, "n_failed": 0, "method": "score",
    }  # fmt: skip
    return SummaryRow(**(base | changes))


def test_one_table_an_eval_and_one_row_a_model() -> None:
    """Evals and models stand in the order of the rows."""
    views = summary_tables([row(), row(model="b"), row(eval="orders")])
    assert [view.title for view in views] == ["tickets", "orders"]
    assert [line[0] for line in views[0].rows] == ["a", "b"]


def test_prompts_have_a_column_when_there_are_several() -> None:
    """With one prompt its name is noise; with two it tells the arms apart."""
    one, two = summary_tables([row()]), summary_tables([row(), row(prompt="short")])
    assert one[0].columns[0].head == "model"
    assert [column.head for column in two[0].columns][:2] == ["prompt", "model"]


def test_failures_have_their_own_column_and_a_sentence() -> None:
    """Failed requests are counted apart, and the note says that they are not wrong answers."""
    view = summary_tables([row(n=290, n_failed=10)])[0]
    heads = [column.head for column in view.columns]
    assert view.rows[0][heads.index("n")] == "290"
    assert view.rows[0][heads.index("failed")] == "10"
    assert any("not counted as wrong" in note for note in view.notes)


def test_every_kind_of_failure_is_named_with_its_share() -> None:
    """Who sees failures learns at once of which kind they are, and where."""
    of_kind = row(scorer="", metric="failure_rate.connect", value=0.25, n=300, n_failed=75)
    (view,) = summary_tables([row(n=225, n_failed=75), of_kind])
    assert "Failed by connect: 25 % of a." in view.notes


def test_requests_are_shown_in_their_units() -> None:
    """Latency is a span, tokens are counts, cost is money; what nobody measured has no column."""
    rows = [
        row(),
        row(scorer="", metric="latency_p50", value=0.2, low=None, high=None),
        row(scorer="", metric="cost_usd", value=0.5, low=None, high=None),
        row(scorer="", metric="completion_tokens", value=None, low=None, high=None),
    ]
    view = summary_tables(rows)[0]
    assert [column.head for column in view.columns] == ["model", "accuracy %", "n", "failed", "p50", "cost"]
    assert view.rows[0][-2:] == ("0.20 s", "$0.50")


def test_an_arm_without_a_value_shows_a_dash() -> None:
    """A model of which every request failed has a dash, never a zero."""
    view = summary_tables([row(value=None, se=None, low=None, high=None, n=0, n_failed=5)])[0]
    assert view.rows[0][1] == "\u2013"


def test_slices_follow_when_asked() -> None:
    """Slices have a table of their own with a column for every model."""
    rows = [row(), row(slice="kind=a"), row(slice="kind=b"), row(slice="kind=a", model="b")]
    assert len(summary_tables(rows)) == 1
    view = summary_tables(rows, slices=True)[1]
    assert [line[0] for line in view.rows] == ["kind=a", "kind=b"]
    assert view.rows[1][2] == "\u2013"
