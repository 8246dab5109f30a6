"""Times the comparison of two stored runs of 200,000 samples by five metrics, bootstraps included.

Usage: python benchmarks/compare.py [--samples 200000] [--repeats 3]

The runs are written straight into result tables; each measurement is a fresh process. The floor is reading the
same columns of the same tables with pyarrow.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LABELS = [f"label-{number}" for number in range(8)]
MEASURES = [
    {
        "scorer": "classification",
        "bounds": [0.0, 1.0],
        "better": "higher",
        "folder": ".",
        "metrics": [
            {"name": name, "plugin": name, "arguments": None} for name in ("accuracy", "macro_f1", "mcc")
        ],
    },
    {
        "scorer": "graded",
        "bounds": [0.0, 1.0],
        "better": "higher",
        "folder": ".",
        "metrics": [{"name": "mean", "plugin": "mean", "arguments": None}],
    },
    {
        "scorer": "length",
        "bounds": None,
        "better": "lower",
        "folder": ".",
        "metrics": [{"name": "mean", "plugin": "mean", "arguments": None}],
    },
]


def write_run(folder: Path, name: str, samples: int, seed: int) -> None:
    """Write the tables of a run whose answers are right four times of five."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from regrade.store.manifest import Manifest
    from regrade.store.schema import SAMPLES, SCORES

    random, shared = np.random.default_rng(seed), np.random.default_rng(1)
    expected = shared.integers(0, len(LABELS), samples)
    right = random.random(samples) < 0.8 + 0.004 * seed
    found = np.where(right, expected, random.integers(0, len(LABELS), samples))
    ids = [f"sample-{number:06d}" for number in range(samples)]
    names = np.array(LABELS, dtype=object)
    key = {
        "eval": ["big"] * samples,
        "prompt": ["default"] * samples,
        "model": ["m"] * samples,
        "sample_id": ids,
        "epoch": [1] * samples,
        "role": ["answer"] * samples,
    }
    requests = {
        **key,
        "ok": [True] * samples,
        "cached": [False] * samples,
        "text": names[found].tolist(),
        "prompt_tokens": random.integers(20, 60, samples),
        "completion_tokens": random.integers(1, 9, samples),
        "latency_s": random.gamma(4, 0.05, samples),
        "attempts": [1] * samples,
        "fingerprint": [f"{number:032x}" for number in range(samples)],
        "metadata": [
            json.dumps({"channel": f"c{number % 7}", "long": number % 3 == 0}) for number in range(samples)
        ],
    }
    score = {**key, "version": ["1"] * samples, "parsed": [True] * samples}
    tables = [
        {
            **score,
            "scorer": ["classification"] * samples,
            "value": (found == expected).astype(float),
            "label": names[found].tolist(),
            "expected": names[expected].tolist(),
        },
        {**score, "scorer": ["graded"] * samples, "value": random.beta(4, 1, samples)},
        {**score, "scorer": ["length"] * samples, "value": random.gamma(9, 3, samples)},
    ]
    path = folder / name
    path.mkdir(parents=True)

    def table(columns: dict[str, object], schema: pa.Schema) -> pa.Table:
        arrays = [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(samples, field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(arrays, schema=schema)

    pq.write_table(
        table(requests, SAMPLES), path / "samples.parquet", compression="zstd", row_group_size=8192
    )
    parts = [table({**one, "metric": one["scorer"]}, SCORES) for one in tables]
    pq.write_table(pa.concat_tables(parts), path / "scores.parquet", compression="zstd", row_group_size=8192)
    specs = [{"name": "big", "file": "big.yaml", "spec": {"name": "big"}}]
    Manifest(name, "success", specs=specs, measures={"big": MEASURES}).write(path / "run.json")


def measured(folder: Path, what: str) -> tuple[float, float]:
    """Return seconds and peak MB of one fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", what, str(folder)], capture_output=True, text=True, check=True
    )
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def one(what: str, folder: Path) -> None:
    """Do it once in this process, imports left out, and print seconds and peak memory."""
    import pyarrow.parquet as pq

    import regrade
    from regrade.aggregate.arms import ARM_SCORE_COLUMNS, arm_request_columns

    assert regrade.compare
    began = time.perf_counter()
    if what == "floor":
        for run in ("a", "b"):
            for table, columns in (("samples", arm_request_columns()), ("scores", ARM_SCORE_COLUMNS)):
                for _ in pq.ParquetFile(folder / run / f"{table}.parquet").iter_batches(
                    4096, columns=list(columns)
                ):
                    pass
    elif what == "pure":
        from regrade.api.sources import ArmChoice, lay_out, open_recorded
        from regrade.compare import compare_pairs, join, match_arms
        from regrade.plugins import Registry

        sides = [(open_recorded(folder, run), ArmChoice(run)) for run in ("a", "b")]
        a, b = lay_out(sides, Registry())
        began = time.perf_counter()
        compare_pairs(("a", "b"), [join(*pair) for pair in match_arms(a, b)[0]], [], 0.95, 0)
    else:
        found = regrade.compare("a", "b", results=folder)
        assert len([row for row in found.changes if row.p is not None]) >= 5, found.changes
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def main() -> None:
    """Print medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one[0], Path(args.one[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, run in enumerate(("a", "b")):
            write_run(folder, run, args.samples, seed)
        rows = {
            "floor": "read the tables",
            "pure": "compare, tables laid out",
            "whole": "compare, from disk to flips",
        }
        for what, label in rows.items():
            found = [measured(folder, what) for _ in range(args.repeats)]
            seconds, peak = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"{label:<30}{seconds:6.2f} s{peak:8.0f} MB")


if __name__ == "__main__":
    main()
