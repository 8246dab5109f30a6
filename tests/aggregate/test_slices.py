import json

import numpy as np
import pyarrow as pa

from regrade.aggregate import EvalMetrics, ScorerMetrics, summarise
from regrade.aggregate.slices import read_slices
from regrade.metrics.means import Mean
from regrade.store.schema import SAMPLES, SCORES
from regrade.types import Json, SummaryRow


def _metadata(*objects: Json) -> pa.ChunkedArray:
    return pa.chunked_array([[None if one is None else json.dumps(one) for one in objects]], pa.string())


def test_values_become_texts_in_first_appearance() -> None:
    """Texts stay as they are, others are written as JSON; a sample without the value is in no slice."""
    (found,) = read_slices(
        _metadata({"k": "b"}, {"k": 1}, {"k": True}, {}, {"k": None}, None, {"k": "b"}), ["k"]
    )
    assert found.texts == ("b", "1", "true")
    assert [part.tolist() for part in found.members] == [[0, 6], [1], [2]]
    assert found.left_out == 0


def test_dots_lead_into_objects() -> None:
    """A name with dots is a path, unless a field has that very name."""
    first, second = read_slices(
        _metadata({"source": {"kind": "web"}}, {"source.kind": "book"}, {"source": "x"}),
        ["source.kind", "none"],
    )
    assert first.texts == ("web", "book")
    assert [part.tolist() for part in first.members] == [[0], [1]]
    assert second.texts == ()


def test_the_largest_fifty_values_are_kept() -> None:
    """Of more values those with the most samples stay, and the rest is counted."""
    values = [{"k": i} for i in range(60)] + [{"k": i} for i in range(20, 60)]
    (found,) = read_slices(_metadata(*values), ["k"])
    assert len(found.texts) == 50
    assert found.left_out == 10
    assert found.texts[:11] == (*map(str, range(10)), "20")


def _rows(count: int) -> list[SummaryRow]:
    key = [
        {"eval": "e", "prompt": "p", "model": model, "sample_id": str(i), "epoch": 1, "role": "answer"}
        for model in ("m", "n")
        for i in range(count)
    ]
    requests = [
        {**one, "ok": True, "cached": False, "metadata": json.dumps({"k": int(one["sample_id"]) // 2})}
        for one in key[: count * 2 - 2]
    ]
    scores = [
        {**one, "scorer": "s", "metric": "s", "value": float(int(one["sample_id"]) % 2), "parsed": True}
        for one in key
    ]
    plan = EvalMetrics((ScorerMetrics("s", (0, 1), "higher", (("mean", Mean()),)),), ("k",))
    return summarise(
        pa.Table.from_pylist(requests, schema=SAMPLES),
        pa.Table.from_pylist(scores, schema=SCORES),
        {"e": plan},
    )


def test_metrics_repeat_for_every_slice() -> None:
    """After the arm's own rows its scorers' metrics follow for each value that the arm has."""
    rows = _rows(6)
    parts = [(row.model, row.slice, row.value, row.n) for row in rows if row.slice]
    assert parts == [
        *(("m", f"k={k}", 0.5, 2) for k in range(3)),
        *(("n", f"k={k}", 0.5, 2) for k in range(2)),
    ]
    assert {row.scorer for row in rows if row.slice} == {"s"}


def test_left_out_values_are_said() -> None:
    """A row for each arm tells how many values have no rows of their own."""
    found = [row for row in _rows(120) if row.metric == "slice_values_left_out.k"]
    assert [(row.model, row.value, row.slice) for row in found] == [("m", 10.0, ""), ("n", 10.0, "")]
    assert "10 values more than the 50 shown" in found[0].note


def test_equal_metadata_is_parsed_once() -> None:
    """Two hundred thousand samples with few different objects cost no more than those."""
    few = pa.array([json.dumps({"k": i}) for i in range(4)])
    column = pa.chunked_array([few.take(pa.array(np.arange(200_000) % 4))])
    (found,) = read_slices(column, ["k"])
    assert [len(part) for part in found.members] == [50_000] * 4
