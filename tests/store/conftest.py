"""Runs whose samples are asked about: real ones over recorded outputs, and tables of any content."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import regrade
from regrade.store import Manifest, RunFolder
from regrade.store.sample_queries import SampleQueries
from regrade.store.schema import SAMPLES, SCORES

Row = dict[str, Any]


@pytest.fixture(scope="session")
def sorted_run(tmp_path_factory: pytest.TempPathFactory) -> regrade.Run:
    """Return a real run: 40 tickets, two prompts, three models (one good, one bad, one that mostly fails)."""
    labels = ("billing", "login", "other")
    rows = [
        {"id": f"s{n}", "q": f"Ticket {n}", "a": labels[n % 3], "channel": ("chat", "mail")[n % 2]}
        for n in range(40)
    ]
    folder = tmp_path_factory.mktemp("sorted")
    (folder / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def recorded(name: str, said: Callable[[int], str], kept: Callable[[int], bool]) -> Row:
        lines = [json.dumps({"id": f"s{n}", "text": said(n)}) + "\n" for n in range(40) if kept(n)]
        (folder / f"{name}.jsonl").write_text("".join(lines))
        return {"name": name, "outputs": f"{name}.jsonl", "id": "id", "text": "text"}

    models = [
        recorded("good", lambda n: labels[n % 3], lambda n: n != 7),
        recorded("bad", lambda n: labels[n % 2] if n % 5 else "no idea at all", lambda n: True),
        recorded("absent", lambda n: labels[n % 3], lambda n: n < 3),
    ]
    spec = {
        "name": "tickets",
        "dataset": {"path": "tickets.jsonl", "input": "q", "target": "a", "metadata": ["channel"]},
        "models": models,
        "prompts": {"bare": "{{ q }}", "polite": "Please: {{ q }}"},
        "scorers": [
            {"classification": {"labels": list(labels), "metrics": ["accuracy", "parsed_rate"]}},
            {"exact_match": {"metrics": ["accuracy"]}},
        ],
        "slices": ["channel"],
    }
    (folder / "tickets.yaml").write_text(json.dumps(spec))
    return regrade.run(folder / "tickets.yaml", results=folder / "results")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Callable[..., SampleQueries]]:
    """Return what makes queries over a run of any rows."""
    opened: list[SampleQueries] = []

    def make(
        rows: Sequence[Row],
        scores: Sequence[Row] = (),
        *,
        scorers: Sequence[str] = (),
        without: Sequence[str] = (),
        name: str = "run",
        against: Path | None = None,
    ) -> SampleQueries:
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        Manifest(folder.id, "success").write(folder.manifest_path)
        fields = [field for field in SAMPLES if field.name not in without]
        fields += [pa.field(f"score.{scorer}", pa.float64()) for scorer in scorers]
        known = [
            {
                "eval": "e",
                "prompt": "p",
                "model": "m",
                "epoch": 1,
                "role": "answer",
                "ok": True,
                "cached": False,
            }
            | {"sample_id": f"s{place}"}
            | row
            for place, row in enumerate(rows)
        ]
        _write(folder, "samples", known, pa.schema(fields, metadata=SAMPLES.metadata))
        key = {"eval": "e", "prompt": "p", "model": "m", "epoch": 1, "role": "answer"}
        _write(folder, "scores", [key | row for row in scores], SCORES)
        queries = SampleQueries(folder, against)
        opened.append(queries)
        return queries

    yield make
    for queries in opened:
        queries.close()


def _write(folder: RunFolder, name: str, rows: Sequence[Row], schema: pa.Schema) -> None:
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    laid = pa.Table.from_arrays(columns, schema=schema)
    pq.write_table(laid, folder.table_path(name), row_group_size=8)
