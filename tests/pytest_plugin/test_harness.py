"""The fixture `regrade` in tests of its users."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = """
import pytest
from regrade import RegradeError


@pytest.fixture(scope="module")
def good(regrade):
    return regrade.run("evals/sums.yaml", models=["good"])


@pytest.fixture(scope="module")
def bad(regrade):
    return regrade.run("evals/sums.yaml", models=["bad"])


def test_limits(good):
    assert good.summary.num_rows and good.samples.num_rows == 120
    good.assert_at_least("exact_match", 0.99, model="good", prompt="default", confident=False)
    good.assert_at_most("failure_rate", 0)
    good.assert_at_least("accuracy", 1, slice={"kind": "a b"})


def test_too_low(bad):
    bad.assert_at_least("accuracy", 0.9)


def test_regression(bad):
    bad.assert_no_regression(baseline="main,model=good")


def test_no_regression(good):
    assert good.assert_no_regression("accuracy", baseline="main", margin=0.1).outcome == "PASS"
    good.assert_gate(["at_least accuracy 0.5"])


def test_gate_asserts_nothing(bad):
    assert bad.gate(["at_least accuracy 0.9"]).outcome == "FAIL"


def test_unknown_metric(good):
    with pytest.raises(RegradeError, match="has no metric"):
        good.assert_at_least("acuracy", 0.9)


def test_slice_that_reads_as_a_field(good):
    with pytest.raises(RegradeError, match="has no metadata .model."):
        good.assert_at_least("accuracy", 0.9, slice={"model": "x"})


def test_no_answer(regrade):
    with pytest.raises(AssertionError, match="every request failed"):
        regrade.run("evals/silent.yaml", limit=1)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_inside_a_loop(regrade):
    with pytest.raises(RegradeError, match="await regrade.arun"):
        regrade.run("evals/sums.yaml")
    run = await regrade.arun("evals/sums.yaml", limit=2, models=["good"])
    run.assert_at_least("accuracy", 1)
    assert "RunUnderTest" in repr(run)
"""

PAGE = (Path(__file__).parents[2] / "docs/pytest.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("```python\n")[2].partition("```")[0]


def test_an_eval_inside_of_tests(project: Any, recorded: Callable[..., dict[str, Any]]) -> None:
    """Assertions fail with the verdict and the flips, mistakes with their message; the docs' example runs."""
    rows = (project.path / "evals/rows.jsonl").read_text()
    (project.path / "evals/rows.jsonl").write_text(rows.replace('"id"', '"kind": "a b", "id"'))
    metadata = {"path": "rows.jsonl", "id": "id", "input": "q", "target": "a", "metadata": ["kind"]}
    project.write("evals/sums.yaml", dataset=metadata)
    project.write("evals/silent.yaml", models=[recorded("silent")])
    (project.path / "test_of_docs.py").write_text(
        EXAMPLE.replace("demo/v2", "good").replace("tickets", "sums")
    )
    (project.path / "test_evals.py").write_text(TESTS)
    said = project.pytest("test_evals.py", "test_of_docs.py", "-W", "error")
    assert said.counts == {"failed": 2, "passed": 9}, said.text
    assert "GateAssertionError: FAIL" in said.text
    assert "66.7 %, and at least 90.0 % was asked" in said.text
    assert "changed by exact_match: 40 lost, 0 gained" in said.text
    assert "harness.py" not in said.text
