"""What a run writes down of its own models against each other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import regrade

Suite = Callable[..., Path]
RIGHT = [str(2 * n + 1) for n in range(20)]


def recorded(name: str, wrong: int) -> dict[str, Any]:
    """Return a model that answers the suite's samples, the first of them wrongly."""
    rows = [{"id": f"s{n}", "text": "0" if n < wrong else text} for n, text in enumerate(RIGHT)]
    Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"name": name, "outputs": f"{name}.jsonl", "id": "id", "text": "text"}


def test_pairs_of_models_stand_in_a_table_of_the_run(suite: Suite) -> None:
    """The figures are those of `compare` over the same two arms; p is adjusted over the three pairs."""
    run = regrade.run(suite(models=[recorded("a", 0), recorded("b", 12), recorded("c", 1)]))
    rows = [one for one in _comparisons(run) if one["metric"] == "accuracy"]
    assert [(one["model_a"], one["model_b"]) for one in rows] == [("a", "b"), ("a", "c"), ("b", "c")]
    alone = regrade.compare(f"{run.id},model=a", f"{run.id},model=b").changes[0]
    first = rows[0]
    assert (first["difference"], first["low"], first["high"], first["p"], first["losses"]) == (
        alone.difference,
        alone.low,
        alone.high,
        alone.p,
        alone.losses,
    )
    assert first["p_adjusted"] == 3 * alone.p  # type: ignore[operator] # a paired test has a p


def test_a_run_of_one_model_has_nothing_to_compare(suite: Suite) -> None:
    """No pair, no table."""
    run = regrade.run(suite(models=[recorded("a", 0)]))
    assert not (run.path / "comparisons.parquet").exists()


def test_scoring_again_compares_again(suite: Suite) -> None:
    """The table belongs to the scores beside it."""
    run = regrade.run(suite(models=[recorded("a", 0), recorded("b", 12)]))
    again = regrade.rescore(run.id)
    assert _comparisons(again) == _comparisons(run)


def _comparisons(run: regrade.Run) -> list[dict[str, Any]]:
    return pq.read_table(run.path / "comparisons.parquet").to_pylist()  # type: ignore[no-any-return] # pyarrow has no types
