"""The demo models through compare and gate: a better model, a change that is none, a regression."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import regrade
from regrade.cli.main import main

EVALS = Path(__file__).parents[1] / "evals"


@dataclass(frozen=True)
class Gallery:
    """One run of two suites over all demo models.

    Attributes:
        run: The run.
        results: Where it lies.
    """

    run: regrade.Run
    results: Path

    def arm(self, model: str) -> str:
        """Return how compare and gate are told one of the models."""
        return f"{self.run.id},model=demo/{model}"

    def gate(self, a: str, b: str, *rules: str) -> regrade.GatedRun:
        """Hold one model against another."""
        return regrade.gate(
            self.arm(b), baseline=self.arm(a), results=self.results, rules=rules, record=False
        )


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """Run arithmetic and tickets, thirty rows each, on the embedded gateway."""
    results = tmp_path_factory.mktemp("gallery")
    specs = [EVALS / "arithmetic.yaml", EVALS / "tickets.yaml"]
    run = regrade.run(specs, limit=30, results=results)
    assert (run.status, run.manifest.counts["failed"]) == ("success", 0)
    return Gallery(run, results)


def test_a_better_model_passes(gallery: Gallery) -> None:
    """v1 to v2: both suites pass, and the comparison shows a gain beyond chance."""
    found = gallery.gate("v1", "v2")
    assert (found.outcome, found.exit_code, len(found.verdicts)) == ("PASS", 0, 2)
    changes = regrade.compare(gallery.arm("v1"), gallery.arm("v2"), results=gallery.results).changes
    (row,) = [one for one in changes if (one.eval, one.metric) == ("arithmetic", "accuracy")]
    assert row.difference is not None
    assert row.difference > 0
    assert row.losses == 0


def test_a_change_of_no_consequence_passes_and_says_what_it_could_have_missed(gallery: Gallery) -> None:
    """v2 to v2-q4: no drop, and the drop that thirty samples could have shown stands beside it."""
    found = gallery.gate("v2", "v2-q4")
    assert (found.outcome, found.exit_code) == ("PASS", 0)
    for one in found.verdicts:
        assert one.detectable is not None
        assert 0.1 < one.detectable < 0.3
    assert "may have stayed unseen" in found.paragraph
    margin = gallery.gate("v2", "v2-q4", "non_inferior accuracy 2%")
    assert (margin.outcome, margin.exit_code) == ("INCONCLUSIVE", 101)
    assert all(one.needed is not None and one.needed >= 149 for one in margin.verdicts)


def test_a_regression_fails_and_the_dead_task_is_named(
    gallery: Gallery, capsys: pytest.CaptureFixture[str]
) -> None:
    """v2 to v3-bad: 100; arithmetic fails, tickets do not, and every slice that stands out is its own."""
    arguments = [gallery.arm("v3-bad"), "--baseline", gallery.arm("v2"), "--results", str(gallery.results)]
    assert main(["gate", *arguments]) == 100
    shown = capsys.readouterr().out
    assert shown.split("FAIL", 1)[1]
    found = gallery.gate("v2", "v3-bad")
    assert {one.eval: one.outcome for one in found.verdicts} == {"arithmetic": "FAIL", "tickets": "PASS"}
    assert found.result.comparison is not None
    leads = found.result.comparison.leads
    assert leads
    assert {one.change.eval for one in leads} == {"arithmetic"}
    _, section = shown.split("Slices that stand out", 1)
    assert "arithmetic" in section.split("\n\n")[0]


def test_against_an_older_model_the_mean_hides_the_regression(gallery: Gallery) -> None:
    """v1 to v3-bad: tickets gain while arithmetic falls, and the gate fails on arithmetic alone."""
    found = gallery.gate("v1", "v3-bad")
    differences = {one.eval: one.difference or 0.0 for one in found.verdicts}
    assert differences["tickets"] >= 0 > differences["arithmetic"]
    assert {one.eval: one.outcome for one in found.verdicts} == {"arithmetic": "FAIL", "tickets": "PASS"}
