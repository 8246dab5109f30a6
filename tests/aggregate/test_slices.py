import json

import pyarrow as pa
import pytest

from regrade.aggregate import EvalMetrics, ScorerMetrics, summarise
from regrade.aggregate.columns import Reader
from regrade.aggregate.slices import Slice, slice_of
from regrade.metrics.means import Mean
from regrade.store.schema import SAMPLES, SCORES
from regrade.types import Json, SummaryRow


def _slice(name: str, *metadata: Json) -> Slice:
    """Read one slice of samples with such metadata."""
    batch = pa.record_batch({"metadata": [None if one is None else json.dumps(one) for one in metadata]})
    rows = Reader([name]).read([batch], ["metadata"])
    return slice_of(name, rows.texts(f"slice.{name}"), rows.ints(f"slice.{name}"))


def test_values_become_texts_in_first_appearance() -> None:
    """Texts stay as they are, others are written as JSON; a sample without the value is in no slice."""
    found = _slice("k", {"k": "b"}, {"k": 1}, {"k": True}, {}, {"k": None}, None, {"k": "b"})
    assert found.texts == ("b", "1", "true")
    assert [part.tolist() for part in found.members] == [[0, 6], [1], [2]]
    assert found.left_out == 0


def test_dots_lead_into_objects() -> None:
    """A name with dots is a path, unless a field has that very name."""
    metadata = ({"source": {"kind": "web"}}, {"source.kind": "book"}, {"source": "x"})
    found = _slice("source.kind", *metadata)
    assert found.texts == ("web", "book")
    assert [part.tolist() for part in found.members] == [[0], [1]]
    assert _slice("none", *metadata).texts == ()


def test_the_largest_fifty_values_are_kept() -> None:
    """Of more values those with the most samples stay, and the rest is counted."""
    values = [{"k": i} for i in range(60)] + [{"k": i} for i in range(20, 60)]
    found = _slice("k", *values)
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
        pa.Table.from_pylist(requests, schema=SAMPLES).to_batches(),
        pa.Table.from_pylist(scores, schema=SCORES).to_batches(),
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


def test_equal_metadata_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many samples with few different objects cost no more than those."""
    parsed: list[str] = []

    def loads(text: str) -> Json:
        parsed.append(text)
        return json.loads(text)

    monkeypatch.setattr("regrade.aggregate.slices.loads", loads)
    found = _slice("k", *({"k": i % 4} for i in range(2_000)))
    assert [len(part) for part in found.members] == [500] * 4
    assert len(parsed) == 4
