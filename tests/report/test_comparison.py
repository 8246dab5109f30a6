"""A comparison as people read it."""

from dataclasses import asdict, replace
from typing import Any

from regrade.comparisons import Change, Comparison, Lead
from regrade.report import comparison_document

MINUS = "\N{MINUS SIGN}"
CHANGE = Change(
    eval="tickets",
    run_a="old",
    prompt_a="default",
    model_a="m",
    run_b="new",
    prompt_b="default",
    model_b="m",
    scorer="exact_match",
    metric="accuracy",
    better="higher",
    share=True,
    n=300,
    value_a=0.9333,
    value_b=0.69,
    difference=-0.2433,
    se=0.02,
    low=-0.287,
    high=-0.199,
    p=0.0002,
    p_adjusted=0.0004,
    wins=7,
    losses=80,
    ties=213,
    detectable=0.05,
)
SAME = replace(
    CHANGE, metric="parsed_rate", value_b=0.9333, difference=0.0, low=-0.01, high=0.01, p=1.0, p_adjusted=1.0
)


def document(*changes: Change, **more: Any) -> Any:
    """Return the document of a comparison."""
    whole: dict[str, Any] = {"leads": (), "flips": (), "notes": (), "level": 0.95} | more
    return comparison_document(Comparison("old", "new", changes, **whole))


def text(found: Any) -> str:
    """Return every word of the tables."""
    return " ".join(
        " ".join([view.title, *(" ".join(row) for row in view.rows), *view.notes]) for view in found.tables
    )


def test_what_changed_beyond_chance_is_said_first() -> None:
    """How many metrics were looked at, which fell, from what to what, with adjusted p."""
    said = document(CHANGE, SAME).paragraph
    for part in (
        "2 metrics",
        "1 metric worse",
        "tickets",
        "fell",
        "24",
        "93.3",
        "69.0",
        "p < 0.001 adjusted",
    ):
        assert part in said


def test_no_change_says_what_could_have_hidden() -> None:
    """The largest drop that could have stayed unseen."""
    said = document(SAME, replace(SAME, metric="accuracy", detectable=0.07)).paragraph
    assert "No change" in said
    assert "7 points" in said


def test_nothing_compared_is_no_silence() -> None:
    """Without one figure the paragraph says that, and the notes why."""
    blank = replace(CHANGE, p=None, difference=None, value_b=None, note="new has no such metric")
    found = document(blank, notes=("tickets: 3 samples left out.",))
    assert "Nothing could be compared" in found.paragraph
    assert found.notes == ("tickets: 3 samples left out.",)
    assert "new has no such metric" in text(found)


def test_the_table_holds_both_values_interval_p_counts_and_n() -> None:
    """In percent and points, signs as they are."""
    said = text(document(CHANGE))
    for part in (
        "93.3 %",
        "69.0 %",
        f"{MINUS}24",
        f"{MINUS}29 to {MINUS}20",
        "< 0.001",
        "7, 80",
        "213",
        "300",
    ):
        assert part in said


def test_a_rise_of_what_should_be_low_is_worse() -> None:
    """Failures up by ten points count as worse."""
    worse = replace(CHANGE, scorer="judge", metric="errors", better="lower", difference=0.1, value_b=1.0)
    assert "1 metric worse" in document(worse).paragraph
    assert document(worse).forests[0].rows[0].mark == "worse"
    assert document(CHANGE).forests[0].rows[0].mark == "worse"
    assert document(SAME).forests[0].rows[0].mark == "none"


def test_leads_are_marked_as_leads() -> None:
    """A table of its own, with the false discovery rate and the words that these are no verdicts."""
    lead = Lead(replace(CHANGE, slice="channel=chat", n=40), 0.004)
    found = document(CHANGE, leads=(lead,))
    said = text(found)
    assert "channel=chat" in said
    assert "no verdicts" in said
    assert "0.004" in said
    assert found.records["leads"][0]["q"] == 0.004


def test_records_are_the_changes_themselves() -> None:
    """Unrounded, every field."""
    assert list(document(CHANGE, SAME).records["changes"]) == [asdict(CHANGE), asdict(SAME)]
