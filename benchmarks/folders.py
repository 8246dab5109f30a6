"""Makes results folders for benchmarks: many small runs, and one of a million samples, in the layout of real ones.

Tables are written a row group at a time, so that the memory does not grow with the samples; the same arguments give the
same files.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regrade.store import Manifest, RunFolder, write_comparisons, write_summary
from regrade.store.schema import COMPARISONS, SAMPLES, SCORES
from regrade.types import SummaryRow

MODELS = ("demo/v1", "demo/v2", "demo/v3-bad", "demo/v4")
LABELS = [f"label-{number}" for number in range(8)]
NEEDLE = "quetzalcoatlus"
_BLOCK = 4096
_KINDS = ("timeout", "rate_limit", "server_error", "content_filter")
_MEASURES: dict[str, Any] = {
    "scorer": "classification",
    "bounds": [0.0, 1.0],
    "better": "higher",
    "folder": ".",
    "judged": False,
    "recipe": "r",
    "code": "",
    "metrics": [{"name": "accuracy", "plugin": "accuracy", "arguments": None}],
}
_START = datetime(2026, 1, 1, tzinfo=UTC)


def big_run(results: Path, samples: int, seed: int = 1) -> Path:
    """Write a run of so many rows, four models over a quarter of them each; one in 100,000 holds the needle."""
    folder = RunFolder(results / "20260201-000000-big000")
    folder.path.mkdir(parents=True)
    schema = SAMPLES.append(pa.field("score.classification", pa.float64())).append(
        pa.field("score.graded", pa.float64())
    )
    with (
        pq.ParquetWriter(folder.table_path("samples"), schema, compression="zstd") as rows,
        pq.ParquetWriter(folder.table_path("scores"), SCORES, compression="zstd") as scores,
    ):
        for block in _blocks(samples, seed):
            rows.write_table(_table(block, schema))
            for scorer in ("classification", "graded"):
                scores.write_table(_scores(block, scorer))
    _manifest(folder, "big", samples // len(MODELS), _START + timedelta(days=31))
    write_summary(folder, list(_summary("big", 0, samples // len(MODELS))))
    return folder.path


def small_runs(results: Path, runs: int) -> None:
    """Write so many runs of eight evals in turn, with summary, comparisons and a gate each."""
    for number in range(runs):
        at = _START + timedelta(hours=number)
        folder = RunFolder(results / f"{at:%Y%m%d-%H%M%S}-{number:06x}")
        folder.path.mkdir(parents=True)
        name = f"eval-{number % 8}"
        _manifest(folder, name, 200, at)
        write_summary(folder, list(_summary(name, number, 200)))
        write_comparisons(folder, list(_pairs(name)))
        gate = {"v": 1, "at": at.isoformat(), "run": folder.id, "outcome": "PASS", "paragraph": "Held. " * 20}
        (folder.path / "gates.jsonl").write_text(json.dumps(gate) + "\n")


def _manifest(folder: RunFolder, name: str, samples: int, at: datetime) -> None:
    models = [{"eval": name, "name": model, "id": model, "provider": "openai"} for model in MODELS]
    planned = dict.fromkeys(MODELS, samples)
    total = samples * len(MODELS)
    Manifest(
        folder.id,
        "success",
        created_at=at.isoformat(),
        finished_at=(at + timedelta(minutes=5)).isoformat(),
        specs=[
            {"name": name, "file": f"{name}.yaml", "spec": {"name": name, "prompts": {"p": {"user": "x"}}}}
        ],
        models=models,  # type: ignore[arg-type] # plain JSON
        measures={name: [_MEASURES]},
        datasets={name: {"samples": samples, "fingerprint": "f" * 32}},
        tags=["nightly"],
        planned=planned,
        counts={"planned": total, "finished": total, "failed": 0},
    ).write(folder.manifest_path)


def _summary(name: str, number: int, n: int) -> Iterator[SummaryRow]:
    for place, model in enumerate(MODELS):
        for metric in ("accuracy", "macro_f1", "parsed_rate", "failure_rate", "latency_p50", "latency_p95"):
            for part in ("", *(f"channel=c{channel}" for channel in range(6))):
                value = 0.7 + 0.05 * place + 0.0001 * (number % 50)
                scorer = "" if "_" in metric and metric != "macro_f1" else "classification"
                yield SummaryRow(
                    name, "p", model, scorer, metric, "higher", part, value, 0.01, value - 0.02,
                    value + 0.02, 0.95, n, 0, "score",
                )  # fmt: skip


def _pairs(name: str) -> Iterator[dict[str, Any]]:
    numbers: dict[str, Any] = {one.name: 0 if pa.types.is_integer(one.type) else 0.01 for one in COMPARISONS}
    texts = {one.name: "" for one in COMPARISONS if one.type == pa.string()}
    for a in range(len(MODELS)):
        for b in range(a + 1, len(MODELS)):
            own = {
                "eval": name,
                "model_a": MODELS[a],
                "model_b": MODELS[b],
                "metric": "accuracy",
                "share": True,
            }
            yield {**numbers, **texts, **own}


def _sentences(random: np.random.Generator, count: int) -> pa.Array:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(random.choice(letters, random.integers(2, 10))) for _ in range(5000)])
    return pa.array([" ".join(words[random.integers(0, 5000, 14)]) + ". " for _ in range(count)])


def _blocks(samples: int, seed: int) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng(seed)
    pool = _sentences(random, 20_000)
    names = pa.array(LABELS)
    channels = pa.array(
        [json.dumps({"channel": f"c{n % 7}", "length": n, "odd.name": n % 3}) for n in range(70)]
    )
    each = samples // len(MODELS)
    for start in range(0, samples, _BLOCK):
        place = np.arange(start, min(start + _BLOCK, samples))
        count = len(place)
        expected = random.integers(0, len(LABELS), count)
        right = random.random(count) < 0.7 + 0.05 * (place // each)
        failed = random.random(count) < 0.01
        found = np.where(right, expected, random.integers(0, len(LABELS), count))

        def text(parts: int, count: int = count) -> pa.Array:
            drawn = [pool.take(pa.array(random.integers(0, len(pool), count))) for _ in range(parts)]
            return pc.binary_join_element_wise(*drawn, "")

        question, answer = text(2), text(4)
        needle = pa.array(place % 100_000 == 77_777)
        answer = pc.if_else(needle, pc.binary_join_element_wise(answer, NEEDLE, ""), answer)
        ids = pc.binary_join_element_wise("sample-", pa.array(place % each).cast(pa.string()), "")
        quoted = pc.binary_join_element_wise('[{"role":"user","content":"', question, '"}]', "")
        ok = pa.array(~failed)
        yield {
            "eval": pa.array(["big"] * count),
            "prompt": pa.array(["p"] * count),
            "model": pa.array(MODELS).take(pa.array(np.minimum(place // each, len(MODELS) - 1))),
            "sample_id": ids,
            "epoch": pa.array(np.ones(count, dtype=np.int32)),
            "role": pa.array(["answer"] * count),
            "ok": ok,
            "text": pc.if_else(ok, answer, None),
            "finish_reason": pa.array(["stop"] * count),
            "parsed": ok,
            "prompt_tokens": pa.array(random.integers(40, 90, count)),
            "completion_tokens": pa.array(random.integers(80, 200, count)),
            "cost_usd": pa.array(random.integers(1, 4000, count) / 1e6),
            "cached": pa.array(np.zeros(count, dtype=bool)),
            "ttft_s": pa.array(random.gamma(4, 0.05, count)),
            "latency_s": pc.if_else(ok, pa.array(random.gamma(4, 0.2, count)), None),
            "queue_s": pa.array(random.random(count)),
            "attempts": pa.array(np.where(random.random(count) < 0.02, 2, 1).astype(np.int32)),
            "failure_kind": pc.if_else(ok, None, pa.array(_KINDS).take(pa.array(place % len(_KINDS)))),
            "failure_message": pc.if_else(ok, None, "the endpoint said no"),
            "fingerprint": pc.utf8_lpad(pa.array(place % each).cast(pa.string()), 32, "0"),
            "input": question,
            "target": names.take(pa.array(expected)),
            "messages": quoted,
            "params": pa.array(['{"temperature":0,"max_tokens":200}'] * count),
            "metadata": channels.take(pa.array(place % 70)),
            "hash": pc.utf8_lpad(pa.array(place * 7919).cast(pa.string()), 32, "0"),
            "score.classification": pc.if_else(ok, pa.array((found == expected).astype(float)), None),
            "score.graded": pc.if_else(ok, pa.array(random.beta(4, 1, count)), None),
            "label": pc.if_else(ok, names.take(pa.array(found)), None),
        }


def _table(block: dict[str, Any], schema: pa.Schema) -> pa.Table:
    count = len(block["ok"])
    arrays = [
        block[one.name].cast(one.type) if one.name in block else pa.nulls(count, one.type) for one in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _scores(block: dict[str, Any], scorer: str) -> pa.Table:
    count = len(block["ok"])
    same = pa.array([scorer] * count)
    own = {
        **{name: block[name] for name in ("eval", "prompt", "model", "sample_id", "epoch", "role")},
        "scorer": same,
        "metric": same,
        "version": pa.array(["1"] * count),
        "value": block[f"score.{scorer}"],
        "parsed": block["ok"],
        "reason": pa.array(["said so"] * count),
    }
    if scorer == "classification":
        own |= {"label": block["label"], "expected": block["target"]}
    table = _table({**own, "ok": block["ok"]}, SCORES)
    return table.filter(block["ok"])
