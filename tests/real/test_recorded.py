"""Published figures of real models come out exactly, from files of outputs and over HTTP alike."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import regrade
from regrade.errors import DatasetError

WAYS = ["outputs", "http"]
METHODS = {"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
WILSON = {
    "6b_finetuning": (19.54, 23.99),
    "6b_verification": (36.45, 41.71),
    "175b_finetuning": (32.20, 37.33),
    "175b_verification": (53.56, 58.91),
}
BBH = {
    "boolean_expressions": (88.4, 92.8),
    "date_understanding": (63.6, 87.2),
    "object_counting": (45.2, 93.2),
    "causal_judgement": (63.64, 54.01),
    "word_sorting": (50.4, 40.4),
}
PRIME = {"gpt-4-0314": 84.0, "gpt-4-0613": 51.1, "gpt-3.5-turbo-0301": 49.6, "gpt-3.5-turbo-0613": 76.2}
LENGTHS = {"gpt-4-0314": 638.3, "gpt-4-0613": 3.9, "gpt-3.5-turbo-0301": 730.4, "gpt-3.5-turbo-0613": 891.2}
SENSITIVE = {"gpt-4-0314": 21, "gpt-4-0613": 5, "gpt-3.5-turbo-0301": 2, "gpt-3.5-turbo-0613": 8}
# judge: accuracy, same verdict in both orders, right in both, first-shown picked, unparsed of 200
JUDGES = {
    "GPT-4": (95.5, 95, 93, 50.5, 0),
    "ChatGPT": (81.5, 71, 67, 60.5, 0),
    "PaLM2": (83.0, 80, 73, 54.0, 4),
    "Falcon": (74.0, 52, 50, 74.0, 0),
}
YES_OR_NO = (
    r"(?is)(?:(?<![^\s,.])|(?<=\[))"
    r"(?:yes|no(?!.*(?:(?<![^\s,.])yes(?![^\s,.])|\[yes\])))(?:(?=\])|(?![^\s,.]))"
)
"""The published rule: `yes` as a word of its own wins over `no`; commas and dots are white space."""


def write(name: str, **spec: Any) -> Path:
    """Write a spec into the working folder."""
    path = Path(f"{name.replace('/', '-')}.yaml")
    with path.open("w") as stream:
        YAML().dump({"name": name, **spec}, stream)
    return path


def asked(way: str, by_model: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked of all models: over HTTP of the first one alone, which takes every row once."""
    return dict(list(by_model.items())[: 1 if way == "http" else None])


def models(way: str, replay: Any, tables: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models as recorded files, or at the replaying endpoint."""
    if way == "http":
        return [{"name": name, "base_url": replay.base_url} for name in tables]
    return [{"name": name, **table} for name, table in tables.items()]


def accuracy(run: regrade.Run) -> dict[tuple[str, str], float]:
    """Return eval and model to accuracy in percent; every request must have been scored."""
    assert run.manifest.counts["failed"] == 0
    rows = [row for row in run.summary_rows if row.metric == "accuracy" and not row.slice]
    return {(row.eval, row.model): (row.value or 0.0) * 100 for row in rows}


@pytest.mark.parametrize("way", WAYS)
def test_gsm8k(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Four methods of GSM8K have 286, 515, 458 and 742 of 1,319 right, with Wilson's intervals."""
    path = real_data / "gsm8k/example_model_solutions.jsonl"
    for line in path.read_text().splitlines():
        row = json.loads(line)
        for method in asked(way, METHODS):
            replay.record(method, row["question"], row[method]["solution"])
    tables = {method: {"outputs": str(path), "text": f"{method}.solution"} for method in METHODS}
    spec = write(
        "gsm8k",
        dataset={"path": str(path), "input": "question", "target": "ground_truth"},
        models=models(way, replay, asked(way, tables)),
        prompt="{{ question }}",
        scorers=[{"numeric": {"find": "marker", "marker": "A:"}}],
    )
    run = regrade.run(spec, max_connections=64)
    assert accuracy(run).keys() == {("gsm8k", method) for method in asked(way, METHODS)}
    for row in run.summary_rows:
        if row.metric == "accuracy":
            assert row.value is not None
            assert row.low is not None
            assert row.high is not None
            assert round(row.value * row.n) == METHODS[row.model]
            assert row.n == 1319
            assert (round(row.low * 100, 2), round(row.high * 100, 2)) == WILSON[row.model]
    assert replay.asked == (0 if way == "outputs" else 1319)


@pytest.mark.parametrize("way", WAYS)
def test_bbh(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Five BBH tasks under both prompts have the accuracies that were published with the outputs."""
    specs = []
    for task in BBH:
        for prompt in ("direct", "cot"):
            path = real_data / f"bbh/{task}.{prompt}.json"
            recorded = json.loads(path.read_text())["outputs"]
            examples = json.loads((real_data / f"bbh/{task}.task.json").read_text())["examples"]
            name = f"{prompt}-{task}"
            for example, output in zip(examples, recorded, strict=True):
                replay.record(name, f"{prompt} Q: {example['input']}", output["prediction"])
            cot = {"extract": {"regex": r"(?m)the answer is (.*?)\.?$"}}
            table = {"outputs": str(path), "at": "outputs", "text": "prediction"}
            specs.append(
                write(
                    f"{task}/{prompt}",
                    dataset={
                        "json": {"path": str(real_data / f"bbh/{task}.task.json"), "at": "examples"},
                        "id": "row",  # causal_judgement repeats two of its prompts
                    },
                    models=models(way, replay, {name: table}),
                    prompt=f"{prompt} Q: {{{{ input }}}}",
                    scorers=[{"exact_match": cot if prompt == "cot" else {}}],
                )
            )
    found = accuracy(regrade.run(specs, max_connections=64))
    expected = {
        (f"{task}/{prompt}", f"{prompt}-{task}"): value
        for task, values in BBH.items()
        for prompt, value in zip(("direct", "cot"), values, strict=True)
    }
    assert {key: round(value, 2) for key, value in found.items()} == expected


@pytest.mark.parametrize("way", WAYS)
def test_bbh_as_multiple_choice(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Dates with their options under `choices:` give the published figures, read as text."""
    for prompt, published in zip(("direct", "cot"), BBH["date_understanding"], strict=True):
        path = real_data / f"bbh/date_understanding.{prompt}.json"
        task = real_data / "bbh/date_understanding.task.json"
        recorded = json.loads(path.read_text())["outputs"]
        examples = json.loads(task.read_text())["examples"]
        for example, output in zip(examples, recorded, strict=True):
            replay.record(prompt, f"{prompt} Q: {example['input']}", output["prediction"])
        spec = write(
            f"dates/{prompt}",
            dataset={"json": {"path": str(task), "at": "examples"}, "id": "row"},
            models=models(
                way, replay, {prompt: {"outputs": str(path), "at": "outputs", "text": "prediction"}}
            ),
            prompt=f"{prompt} Q: {{{{ input }}}}",
            choices={
                "options": '{{ input.partition("Options:\\n")[2].split("\\n") }}',
                "mode": "auto" if way == "outputs" else "text",
            },
            scorers=["choice"],
        )
        run = regrade.run(spec, max_connections=64)
        assert accuracy(run) == {(f"dates/{prompt}", prompt): published}
        assert [one["choice_mode"] for one in run.manifest.models] == ["text"]


def drift_spec(name: str, path: Path, way: str, replay: Any, **spec: Any) -> Path:
    """Write the spec of a file with the rows of four model versions, told apart by a column."""
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            answer = row[spec["text"]]
            replay.record(row["model"].removeprefix("openaichat/"), row["query"], answer)
    tables = {
        version: {
            "outputs": str(path),
            "where": f"model == 'openaichat/{version}'",
            "id": "id",
            "text": spec["text"],
        }
        for version in PRIME
    }
    dataset = {
        "path": str(path),
        "where": "model == 'openaichat/gpt-4-0314'",
        "input": "query",
        **spec["dataset"],
    }
    return write(
        name,
        dataset=dataset,
        models=models(way, replay, asked(way, tables)),
        prompt="{{ query }}",
        scorers=[{"exact_match": spec["exact_match"]}],
    )


@pytest.mark.parametrize("way", WAYS)
def test_drift_prime(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Two versions of two models tell primes as often as the study of their drift counted."""
    spec = drift_spec(
        "prime",
        real_data / "drift/PRIME_FULL_EVAL.csv",
        way,
        replay,
        text="answer",
        dataset={"id": "id", "target": "ref_answer"},
        exact_match={"normalize": "casefold", "extract": {"regex": YES_OR_NO}},
    )
    run = regrade.run(spec, max_connections=64)
    assert {model: round(value, 1) for (_, model), value in accuracy(run).items()} == asked(way, PRIME)
    answers = run.samples.select(["model", "text"]).to_pandas()
    lengths = answers.assign(length=answers["text"].str.len()).groupby("model")["length"].mean()
    assert {model: round(float(lengths[model]), 1) for model in asked(way, LENGTHS)} == asked(way, LENGTHS)


@pytest.mark.parametrize("way", WAYS)
def test_drift_sensitive(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Response rates to a hundred questions, two of them twice, are those of the study."""
    path = real_data / "drift/SENSITIVEQ_EVAL.csv"
    spec = drift_spec(
        "sensitive",
        path,
        way,
        replay,
        text="Response Rate",
        dataset={"id": "id", "target": "{{ '1' }}"},
        exact_match={},
    )
    run = regrade.run(spec)
    assert {model: round(value) for (_, model), value in accuracy(run).items()} == asked(way, SENSITIVE)
    assert len(set(run.samples["input"].to_pylist())) == 98


def test_the_same_text_twice_needs_ids(real_data: Path, replay: Any, workdir: Path) -> None:
    """Without ids the two repeated questions are refused, both lines named."""
    path = real_data / "drift/SENSITIVEQ_EVAL.csv"
    spec = drift_spec("a", path, "http", replay, text="Response Rate", dataset={}, exact_match={})
    with spec.open("a") as stream:
        stream.write("\n")
    text = spec.read_text().replace("id: id\n", "")
    spec.write_text(text.replace("input: query", "input: query\n  target: \"{{ '1' }}\""))
    # The file has a column `id`, which is taken by default; without it the content is what tells rows apart.
    stripped = Path("no_ids.csv")
    with path.open(newline="") as source, stripped.open("w", newline="") as target:
        rows = csv.DictReader(source)
        names = [name for name in rows.fieldnames or () if name not in {"", "id", "Unnamed: 0"}]
        writer = csv.DictWriter(target, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    spec.write_text(spec.read_text().replace(str(path), str(stripped.resolve())))
    with pytest.raises(DatasetError, match=r"the same content stands in lines \d+ and \d+"):
        regrade.run(spec)


@pytest.mark.parametrize("way", WAYS)
def test_llmbar(way: str, real_data: Path, replay: Any, workdir: Path) -> None:
    """Four judges of LLMBar have their accuracy, agreement between orders and share of first picks."""
    specs = []
    for order, swapped in (("straight", False), ("swapped", True)):
        key = f"swap = {swapped}"
        tables = {}
        for judge in JUDGES:
            path = real_data / f"llmbar/Natural.{judge}.Vanilla.result.json"
            tables[judge] = {
                "outputs": str(path),
                "text": f"{{{{ results[-1]['{key}'].completion[0] }}}}",
            }
            for number, row in enumerate(json.loads(path.read_text()), start=1):
                replay.record(judge, f"{order} {number}", row["results"][-1][key]["completion"][0])
        first, second = ("b", "a") if swapped else ("a", "b")
        specs.append(
            write(
                order,
                dataset={
                    "path": str(real_data / "llmbar/Natural.dataset.json"),
                    "id": "row",
                    "target": f"{{{{ '{first}' if label == 1 else '{second}' }}}}",
                },
                models=models(way, replay, tables),
                prompt=f"{order} {{{{ id }}}}",
                scorers=[{"regex": {"pattern": r"Output \(([ab])\)", "group": 1}}],
            )
        )
    run = regrade.run(specs)
    assert run.manifest.counts["failed"] == 0
    scores = {
        (row["model"], row["eval"], row["sample_id"]): row
        for row in run.scores.to_pylist()
        if row["value"] is not None
    }
    targets = {(row["eval"], row["sample_id"]): row["target"] for row in run.samples.to_pylist()}
    for judge, expected in JUDGES.items():
        assert figures(judge, scores, targets) == expected


def figures(
    judge: str, scores: dict[tuple[str, str, str], dict[str, Any]], targets: dict[tuple[str, str], str]
) -> tuple[float, int, int, float, int]:
    """Return what was published of a judge."""
    ids = [str(number) for number in range(1, 101)]
    right = {
        (order, id_): scores[judge, order, id_]["value"] == 1
        for order in ("straight", "swapped")
        for id_ in ids
    }
    parsed = {place: scores[judge, *place]["parsed"] for place in right}
    picked = {
        place: targets[place] if right[place] else {"a": "b", "b": "a"}[targets[place]]
        for place in right
        if parsed[place]
    }
    other = {"a": "b", "b": "a", None: None}  # no verdict twice is the same verdict
    same = sum(1 for id_ in ids if picked.get(("straight", id_)) == other[picked.get(("swapped", id_))])
    return (
        sum(right.values()) / 2,
        same,
        sum(1 for id_ in ids if right["straight", id_] and right["swapped", id_]),
        round(100 * sum(1 for value in picked.values() if value == "a") / 200, 1),
        sum(1 for value in parsed.values() if not value),
    )
