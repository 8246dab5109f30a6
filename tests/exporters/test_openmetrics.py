"""OpenMetrics text that a strict reader takes."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from regrade.exporters.openmetrics import OpenMetrics
from regrade.types import SummaryRow
from regrade.views import CaseView, Document


def families(document: Document) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return name to labels and values, as Prometheus' own reader has them."""
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(  # type: ignore[no-untyped-call]
            OpenMetrics().export(document)
        )
    }


def test_no_label_forges_a_line(document: Document) -> None:
    """Quotes, line breaks and back slashes in names stay within their label."""
    text = OpenMetrics().export(document)
    assert text.endswith("# EOF\n")
    assert text.count("# EOF\n") == 1
    assert set(families(document)) <= {
        "regrade_value",
        "regrade_difference",
        "regrade_samples",
        "regrade_failures",
        "regrade_verdicts",
    }
    assert all(line.startswith(("regrade_", "# ")) for line in text.splitlines())


def test_values_of_a_run() -> None:
    """Each metric of all samples is there exactly; slices and missing values are not."""
    rows = tuple(
        SummaryRow("e", "p", "m", "s", metric, "higher", part, value, None, None, None, 0.95, 7, 2, "")
        for metric, part, value in (("acc", "", 1 / 3), ("acc", "x=y", 0.1), ("none", "", None))
    )
    rows += (SummaryRow("e", "p", "m", "", "cost", "lower", "", None, None, None, None, 0.95, 0, 9, ""),)
    found = families(Document("run", rows))
    labels = {"eval": "e", "prompt": "p", "model": "m"}
    assert found["regrade_value"] == [({**labels, "scorer": "s", "metric": "acc"}, 1 / 3)]
    assert found["regrade_samples"] == [(labels, 7)]
    assert found["regrade_failures"] == [(labels, 2)]


def test_differences_of_a_comparison() -> None:
    """A change gives the candidate's value and the difference; the same rows under two names count once."""
    row = {"eval": "e", "model_b": "m", "prompt_b": "p", "metric": "acc", "value_b": 0.5, "difference": -0.25}
    cases = tuple(CaseView("e", name, "FAIL", "", "") for name in "ab")
    found = families(
        Document(
            "a",
            (),
            kind="gate",
            cases=cases,
            records={
                "verdicts": (row,),
                "changes": (row, {**row, "metric": "x", "value_b": float("nan"), "difference": None}),
            },
        )
    )
    labels = {"eval": "e", "prompt": "p", "model": "m", "metric": "acc"}
    assert found["regrade_value"] == [(labels, 0.5)]
    assert found["regrade_difference"] == [(labels, -0.25)]
    assert found["regrade_verdicts"] == [({"outcome": "FAIL"}, 2)]
