"""Published differences of real models come out exactly, and the verdicts follow from them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import regrade
from regrade.cli.main import main
from regrade.comparisons import Change
from regrade.stats import mcnemar

METHODS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
RIGHT = {"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
# eval: n, direct, chain of thought, lost, won, exact two-sided p as printed, one-sided mid-p
BBH = {
    "boolean_expressions": (250, 88.4, 92.8, 9, 20, "0.0614", 0.9786),
    "date_understanding": (250, 63.6, 87.2, 10, 69, "5.5e-12", 1.0),
    "object_counting": (250, 45.2, 93.2, 2, 122, "7.3e-34", 1.0),
    "causal_judgement": (187, 63.64, 54.01, 46, 28, "0.0474", 0.01848),
    "word_sorting": (250, 50.4, 40.4, 44, 19, "0.00223", 0.0007814),
}
# eval and versions: n, before, after, difference, paired SE, lost, won, one-sided mid-p
DRIFT = {
    ("prime", "gpt-4-0314", "gpt-4-0613"): (1000, 84.0, 51.1, -0.329, 0.02270, 476, 147, 6.88e-42),
    ("prime", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"): (1000, 49.6, 76.2, 0.266, 0.02240, 153, 419, 1.0),
    ("sensitive", "gpt-4-0314", "gpt-4-0613"): (100, 21.0, 5.0, -0.160, 0.03685, 16, 0, 7.63e-6),
    ("sensitive", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"): (100, 2.0, 8.0, 0.060, 0.02387, 0, 6, 0.9922),
}
VERSIONS = list(dict.fromkeys(name for _, *names in DRIFT for name in names))
FIRST_YES_THEN_NO = """\
def verdict(answer, target):
    words = {f"[{word}]" for word in answer.replace(",", " ").replace(".", " ").lower().split()}
    found = "yes" if any("[yes]" in word for word in words) else None
    found = found or ("no" if any("[no]" in word for word in words) else None)
    return found == target.lower()
"""
REPLAY = """\
import json
from pathlib import Path

FOLDER = Path({folder!r})
RECORDED = {{}}


async def answer(request):
    place = request.key.eval, request.key.prompt
    if place not in RECORDED:
        RECORDED[place] = json.loads((FOLDER / "bbh" / ".".join((*place, "json"))).read_text())["outputs"]
    return RECORDED[place][int(request.key.sample_id) - 1]["prediction"]
"""
ANSWER_IS = r"(?m:(?<=the answer is )[^\n]*?(?=\.?$))|(?s:\A(?!.*the answer is ).*\Z)"
"""After the first `the answer is `, to the line's end; an answer without these words counts whole."""


def write(name: str, **spec: Any) -> Path:
    """Write a spec into the working folder."""
    path = Path(f"{name}.yaml")
    with path.open("w") as stream:
        YAML().dump({"name": name, **spec}, stream)
    return path


def change(found: regrade.ComparedRuns, eval_name: str, metric: str = "accuracy") -> Change:
    """Return the row of an eval's metric."""
    (row,) = [
        one for one in found.changes if (one.eval, one.metric, bool(one.scorer)) == (eval_name, metric, True)
    ]
    return row


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Work in one folder, so that what was run once can be compared many times."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("compared")
        patch.chdir(path)
        yield path


@pytest.fixture(scope="module")
def gsm8k(real_data: Path, folder: Path) -> regrade.Run:
    """Score the four recorded methods in one run."""
    path = real_data / "gsm8k/example_model_solutions.jsonl"
    spec = write(
        "gsm8k",
        dataset={"path": str(path), "input": "question", "target": "ground_truth"},
        models=[{"name": name, "outputs": str(path), "text": f"{name}.solution"} for name in METHODS],
        prompt="{{ question }}",
        scorers=[{"numeric": {"find": "marker", "marker": "A:"}}],
    )
    return regrade.run(spec)


@pytest.fixture(scope="module")
def bbh(real_data: Path, folder: Path) -> regrade.Run:
    """Score five tasks under both prompts in one run."""
    Path("replay.py").write_text(REPLAY.format(folder=str(real_data)))
    specs = [
        write(
            task,
            dataset={
                "json": {"path": str(real_data / f"bbh/{task}.task.json"), "at": "examples"},
                "id": "row",
            },
            models=[{"name": "davinci", "python": "replay.py:answer"}],
            prompts={"direct": "{{ input }}", "cot": "{{ input }} Think step by step."},
            scorers=[{"exact_match": {"extract": {"regex": ANSWER_IS}, "normalize": "strip"}}],
        )
        for task in BBH
    ]
    return regrade.run(specs)


@pytest.fixture(scope="module")
def drift(real_data: Path, folder: Path) -> regrade.Run:
    """Score both tasks of the study of drift over four model versions in one run."""
    Path("verdict.py").write_text(FIRST_YES_THEN_NO)
    specs = []
    for name, file, text, target, scorer in (
        (
            "prime",
            "PRIME_FULL_EVAL",
            "answer",
            "ref_answer",
            {"python": {"function": "verdict.py:verdict", "low": 0, "high": 1}},
        ),
        ("sensitive", "SENSITIVEQ_EVAL", "Response Rate", "{{ '1' }}", {"exact_match": {"metrics": "mean"}}),
    ):
        path = str(real_data / f"drift/{file}.csv")
        where = "model == 'openaichat/{}'".format
        models = [
            {"name": version, "outputs": path, "where": where(version), "id": "id", "text": text}
            for version in VERSIONS
        ]
        dataset = {"path": path, "where": where(VERSIONS[0]), "input": "query", "id": "id", "target": target}
        specs.append(write(name, dataset=dataset, models=models, prompt="{{ query }}", scorers=[scorer]))
    return regrade.run(specs)


def test_gsm8k_pairs(gsm8k: regrade.Run) -> None:
    """6b_verification to 175b_finetuning: -4.32 points, SE .01436, 209 lost, 152 won, exact p .00315."""
    for a in METHODS:
        for b in METHODS[METHODS.index(a) + 1 :]:
            row = change(regrade.compare(f"{gsm8k.id},model={a}", f"{gsm8k.id},model={b}"), "gsm8k")
            assert row.n == 1319
            assert row.difference == pytest.approx((RIGHT[b] - RIGHT[a]) / 1319, abs=1e-12)
            assert (row.wins or 0) - (row.losses or 0) == RIGHT[b] - RIGHT[a]
    row = change(
        regrade.compare(f"{gsm8k.id},model=6b_verification", f"{gsm8k.id},model=175b_finetuning"), "gsm8k"
    )
    assert row.difference is not None
    assert row.se is not None
    assert (round(row.difference, 4), round(row.se, 5)) == (-0.0432, 0.01436)
    assert (row.losses, row.wins) == (209, 152)
    assert f"{mcnemar(209, 152).exact:.5f}" == "0.00315"
    assert row.p == pytest.approx(2 * 0.001344, rel=1e-3)
    gated = regrade.gate(f"{gsm8k.id},model=175b_finetuning", baseline=f"{gsm8k.id},model=6b_verification")
    (verdict,) = gated.verdicts
    assert (verdict.outcome, gated.exit_code) == ("FAIL", 100)
    assert verdict.p == pytest.approx(0.001344, rel=1e-3)
    gated = regrade.gate(f"{gsm8k.id},model=175b_verification", baseline=f"{gsm8k.id},model=6b_verification")
    assert gated.outcome == "PASS"


def test_bbh_prompts(bbh: regrade.Run) -> None:
    """Five tasks, direct to chain of thought: published flips and p; word_sorting fails among five."""
    candidate, baseline = f"{bbh.id},prompt=cot", f"{bbh.id},prompt=direct"
    found = regrade.compare(baseline, candidate)
    gated = regrade.gate(candidate, baseline=baseline)
    verdicts = {one.eval: one for one in gated.verdicts}
    assert verdicts.keys() == BBH.keys()
    for task, (n, direct, cot, lost, won, exact, less) in BBH.items():
        row = change(found, task)
        assert (row.n, row.losses, row.wins) == (n, lost, won)
        assert round(100 * (row.value_a or 0), 2) == direct
        assert round(100 * (row.value_b or 0), 2) == cot
        digits = len(exact.split("e")[0].replace("0.", "").lstrip("0").replace(".", ""))
        assert mcnemar(lost, won).exact == pytest.approx(float(exact), rel=0.5 * 10 ** (1 - digits))
        assert row.p == pytest.approx(min(1.0, 2 * min(less, 1 - less)), abs=1e-4)
        verdict = verdicts[task]
        assert verdict.p == pytest.approx(less, rel=1e-3)
        assert (verdict.family, verdict.losses, verdict.wins) == (5, lost, won)
        assert verdict.outcome == ("FAIL" if task == "word_sorting" else "PASS")
    assert (gated.outcome, gated.exit_code) == ("FAIL", 100)
    groups = {one.b.eval: one for one in found.flips}
    assert {task: (one.broken_count, one.mended_count) for task, one in groups.items()} == {
        task: (lost, won) for task, (_, _, _, lost, won, _, _) in BBH.items()
    }


def test_causal_judgement_fails_alone_and_not_among_five(
    bbh: regrade.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone p = .018 is a FAIL; by Holm among five rules it is .074, a PASS, and the report says why."""
    arms = f"{bbh.id},prompt=cot", "--baseline", f"{bbh.id},prompt=direct"
    assert main(["gate", *arms, "--flips", "0"]) == 100
    shown = " ".join(capsys.readouterr().out.split())
    assert "causal_judgement" in shown
    assert "alone it would have failed (p = 0.018)" in shown
    assert "adjusted p = 0.074" in shown
    single = regrade.run("causal_judgement.yaml")
    gated = regrade.gate(f"{single.id},prompt=cot", baseline=f"{bbh.id},prompt=direct")
    (verdict,) = gated.verdicts
    assert (verdict.eval, verdict.outcome, verdict.family) == ("causal_judgement", "FAIL", 1)
    assert verdict.p_adjusted == pytest.approx(0.01848, abs=5e-6)


def test_both_drifts(drift: regrade.Run) -> None:
    """The study's differences, SE, flips and p between two versions; GPT-4 fails, GPT-3.5 passes."""
    for (name, before, after), (n, a, b, difference, se, lost, won, less) in DRIFT.items():
        arms = f"{drift.id},model={before}", f"{drift.id},model={after}"
        row = change(regrade.compare(*arms), name, "mean")
        assert (row.n, row.losses, row.wins) == (n, lost, won)
        assert [100 * (row.value_a or 0), 100 * (row.value_b or 0)] == pytest.approx([a, b])
        assert row.difference == pytest.approx(difference, abs=1e-12)
        assert round(row.se or 0, 5) == se
        (verdict,) = [one for one in regrade.gate(arms[1], baseline=arms[0]).verdicts if one.eval == name]
        assert verdict.p == pytest.approx(less, rel=2e-3)
        assert verdict.outcome == ("FAIL" if after == "gpt-4-0613" else "PASS")


def test_repeated_texts_stay_two_samples(drift: regrade.Run) -> None:
    """Two pairs of ids share one text: all hundred are joined by their ids, none is left out."""
    texts = [row["input"] for row in drift.samples.to_pylist() if row["eval"] == "sensitive"]
    assert len(set(texts)) == 98
    found = regrade.compare(f"{drift.id},model=gpt-4-0314", f"{drift.id},model=gpt-4-0613")
    assert change(found, "sensitive", "mean").n == 100
    assert not [note for note in found.comparison.notes if "left out" in note]
