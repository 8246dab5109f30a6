"""A run asks, scores and stores; what failed is a row and never a zero."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web

import regrade
from regrade.errors import RunStoppedError, SpecError, UsageError

Suite = Callable[..., Path]


def value(run: regrade.Run, metric: str, model: str = "good") -> float | None:
    """Return a metric of the whole eval."""
    rows = [row for row in run.summary_rows if row.metric == metric and row.model == model and not row.slice]
    return rows[0].value


def test_a_run_leaves_tables_that_convert(suite: Suite, sums: Any) -> None:
    """Samples, scores and summary are Arrow tables, one row a request, score and metric."""
    run = regrade.run(suite())
    assert run.status == "success"
    assert run.samples.num_rows == run.scores.num_rows == len(sums.asked) == 20
    assert value(run, "accuracy") == 1.0
    frame = run.samples.to_pandas()
    assert list(frame["text"][:3]) == ["1", "3", "5"]
    assert list(frame["score.exact_match"]) == [1.0] * 20
    summary = pl.from_arrow(run.summary)
    assert isinstance(summary, pl.DataFrame)
    assert summary["eval"].unique().to_list() == ["sums"]
    assert (run.folder.path / "summary.csv").read_text().startswith('"eval"')


def test_rows_stand_in_the_order_of_the_plan(suite: Suite) -> None:
    """Whatever order answers come in, tables have dataset order."""
    run = regrade.run(suite(), max_connections=16)
    assert run.samples["sample_id"].to_pylist() == [f"s{n}" for n in range(20)]


def test_several_specs_and_folders_make_one_run(suite: Suite, workdir: Path) -> None:
    """Files and folders may be mixed; every eval is in the same tables."""
    suite("one")
    (workdir / "more").mkdir()
    for name in ("two", "three"):
        suite(name)
        for file in (f"{name}.yaml", f"{name}.jsonl"):
            Path(file).rename(Path("more") / file)
    run = regrade.run(["one.yaml", "more"], limit=3)
    assert sorted(set(run.samples["eval"].to_pylist())) == ["one", "three", "two"]
    assert run.samples.num_rows == 9


@pytest.mark.parametrize(("limit", "count"), [(5, 5), (0.1, 2), (None, 20)])
def test_a_limit_is_a_count_or_a_fraction(suite: Suite, limit: float | None, count: int) -> None:
    """`limit=5` takes five samples, `limit=0.1` a tenth."""
    assert regrade.run(suite(), limit=limit).samples.num_rows == count


def test_epochs_ask_again_with_other_seeds(suite: Suite, sums: Any) -> None:
    """Every epoch is a request of its own, and sends a seed of its own where one is set."""
    run = regrade.run(suite(parameters={"seed": 1}), epochs=3, limit=4)
    assert sorted(run.samples["epoch"].to_pylist()) == [1] * 4 + [2] * 4 + [3] * 4
    assert len({body["seed"] for body in sums.endpoint.bodies}) == 12
    assert value(run, "accuracy") == 1.0
    assert next(row for row in run.summary_rows if row.metric == "accuracy").n == 4


def test_globs_take_what_the_endpoint_lists(suite: Suite, sums: Any) -> None:
    """`*` and `google/*` resolve through GET /models, in the order of its list."""
    sums.endpoint.models = ["google/a", "weak", "google/b"]
    path = suite(models=[{"name": "google/*", "base_url": sums.base_url}])
    run = regrade.run(path, limit=1)
    assert run.samples["model"].to_pylist() == ["google/a", "google/b"]
    everything = suite("all", models=[{"name": "*", "base_url": sums.base_url}])
    assert set(regrade.run(everything, limit=1).samples["model"].to_pylist()) == {
        "google/a",
        "weak",
        "google/b",
    }


def test_models_chosen_by_the_caller_replace_the_list(suite: Suite, sums: Any) -> None:
    """`models=` takes names or globs of listed models."""
    tables = [{"name": name, "base_url": sums.base_url} for name in ("good", "weak", "other")]
    run = regrade.run(suite(models=tables), models=["w*", "other"], limit=2)
    assert set(run.samples["model"].to_pylist()) == {"weak", "other"}


def test_two_models_are_told_apart(suite: Suite, sums: Any) -> None:
    """The worse model has the worse number, and the slices say where."""
    tables = [{"name": name, "base_url": sums.base_url} for name in ("good", "weak")]
    run = regrade.run(suite(models=tables, slices=["parity"]))
    assert (value(run, "accuracy"), value(run, "accuracy", "weak")) == (1.0, 0.5)
    rows = [row for row in run.summary_rows if (row.model, row.metric) == ("weak", "accuracy")]
    slices = {row.slice: row.value for row in rows}
    assert slices == {"": 0.5, "parity=0": 1.0, "parity=1": 0.0}


def test_a_failed_request_is_a_row_and_not_a_zero(suite: Suite, sums: Any) -> None:
    """One refused sample leaves the accuracy of the others at 100 %, and is counted as failed."""
    refusal = {"error": {"message": "too odd"}}
    sums.before = lambda question, _: web.json_response(refusal, status=400) if question == "7+8" else None
    run = regrade.run(suite())
    assert run.status == "success"
    failed = [row for row in run.samples.to_pylist() if not row["ok"]]
    assert [(row["sample_id"], row["failure_kind"]) for row in failed] == [("s7", "bad_request")]
    assert "too odd" in failed[0]["failure_message"]
    assert "s7" not in run.scores["sample_id"].to_pylist()
    row = next(row for row in run.summary_rows if row.metric == "accuracy")
    assert (row.value, row.n, row.n_failed) == (1.0, 19, 1)
    assert value(run, "failure_rate") == 0.05


def test_when_everything_failed_the_run_is_an_error(suite: Suite, sums: Any) -> None:
    """A run without one answer is no success."""
    sums.before = lambda *_: web.Response(status=404, text="no such model")
    run = regrade.run(suite())
    assert run.status == "error"
    assert run.manifest.message == "every request failed"


def test_a_refused_key_stops_the_run_at_once(suite: Suite, sums: Any) -> None:
    """After three 401 nothing more is sent, and the error says which key."""
    sums.before = lambda *_: web.json_response({"error": "bad key"}, status=401)
    with pytest.raises(RunStoppedError, match="refuses the request without a key"):
        regrade.run(suite(), max_connections=1)
    assert len(sums.asked) == 3


def test_generation_parameters_are_sent_as_they_are(suite: Suite, sums: Any) -> None:
    """Spec, model and extra_body all reach the body; the model's own win."""
    table = {"name": "good", "base_url": sums.base_url, "parameters": {"temperature": 0.2}}
    parameters = {"temperature": 1.5, "max_tokens": 8, "stop": ["\n"], "extra_body": {"top_k": 4}}
    regrade.run(suite(models=[table], parameters=parameters), limit=1)
    body = sums.endpoint.bodies[0]
    assert body == {
        "model": "good",
        "messages": [{"role": "user", "content": "0+1"}],
        "temperature": 0.2,
        "max_tokens": 8,
        "stop": ["\n"],
        "top_k": 4,
    }


def test_a_notebook_awaits_the_same(suite: Suite) -> None:
    """Inside a running loop `arun` works, and `run` says so instead of failing somewhere deep."""
    path = suite()

    async def cell() -> str:
        with pytest.raises(UsageError, match="already running"):
            regrade.run(path)
        return (await regrade.arun(path, limit=1)).status

    assert asyncio.run(cell()) == "success"


def test_nothing_is_sent_when_a_row_does_not_fit(suite: Suite, sums: Any, workdir: Path) -> None:
    """The whole dataset is read before the first request is paid for."""
    path = suite()
    with Path("sums.jsonl").open("a") as stream:
        stream.write('{"id": "s20", "a": "1"}\n')
    with pytest.raises(UsageError, match='no column "q"') as error:
        regrade.run(path)
    assert "sums.jsonl:21" in str(error.value)
    assert sums.asked == []


def test_a_metric_that_the_epochs_cannot_give_is_refused_before_the_run(suite: Suite, sums: Any) -> None:
    """pass@5 of two epochs is an error now, not after the money is spent."""
    path = suite(epochs=2, metrics=[{"pass_at_k": {"k": 5}}])
    with pytest.raises(UsageError, match="pass_at_k with k = 5"):
        regrade.run(path)
    assert sums.asked == []


def test_a_scorer_that_can_judge_nothing_is_refused_before_the_run(suite: Suite, sums: Any) -> None:
    """Without a target there is nothing to match: one error at the scorer, and no request."""
    path = suite(dataset={"path": "sums.jsonl", "input": "q"})
    with pytest.raises(SpecError, match="exact_match can judge no sample: the sample has no target"):
        regrade.run(path)
    assert sums.asked == []


def test_recorded_outputs_in_row_order_need_equal_counts(suite: Suite, workdir: Path) -> None:
    """One answer too few is a clear error before anything is scored."""
    Path("out.jsonl").write_text('{"t": "1"}\n' * 19)
    path = suite(models=[{"name": "old", "outputs": "out.jsonl", "text": "t"}])
    with pytest.raises(UsageError, match=r"19.*20|20.*19"):
        regrade.run(path)


def test_a_key_revoked_midway_keeps_everything(suite: Suite, sums: Any) -> None:
    """From the tenth answer on the key is refused: the run stops, and goes on later where it was."""
    sums.before = lambda _, count: web.Response(status=401) if count > 10 else None
    with pytest.raises(RunStoppedError):
        regrade.run(suite(), max_connections=2)
    (folder,) = Path("results").iterdir()
    assert regrade.open_run(folder.name).samples["ok"].to_pylist().count(True) == 10
    sums.before = lambda *_: None
    sums.asked.clear()
    assert regrade.run(resume=folder.name).status == "success"
    assert len(sums.asked) == 10
