"""`regrade gate`, `baseline` and `power` as they are typed: exit codes, messages, width."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.cli.main import main

ROWS = 80


@pytest.fixture
def quiz(workdir: Path) -> Callable[..., regrade.Run]:
    """Return what runs eighty recorded answers, the first of them wrong or missing."""

    def run(wrong: int = 0, missing: int = 0, **spec: Any) -> regrade.Run:
        rows = [
            {"id": f"s{n}", "q": f"{n}?", "a": f"yes {n}", "channel": ["chat", "mail"][n % 2]}
            for n in range(ROWS)
        ]
        lines = [
            {"id": f"s{n}", "t": None if n < missing else "no" if n < missing + wrong else f"yes {n}"}
            for n in range(ROWS)
        ]
        for name, listed in (("rows", rows), ("outputs", lines)):
            Path(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in listed))
        model = {"name": "m", "outputs": "outputs.jsonl", "id": "id", "text": "t"}
        dataset = {"path": "rows.jsonl", "input": "q", "target": "a", "metadata": ["channel"]}
        whole = {
            "name": "quiz",
            "dataset": dataset,
            "models": [model],
            "prompt": "{{ q }}",
            "scorers": ["exact_match"],
        }
        Path("quiz.yaml").write_text(json.dumps(whole | spec))  # JSON is YAML
        return regrade.run("quiz.yaml")

    return run


def typed(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """Return what a command prints; its exit code must be as expected, an error the only output."""
    capsys.readouterr()
    found = main([*arguments])
    captured = capsys.readouterr()
    assert found == code, captured.out + captured.err
    if code in {1, 2}:
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert "Traceback" not in captured.err
        return captured.err
    assert captured.err == ""
    assert max(map(len, captured.out.splitlines())) <= 80
    return captured.out


def test_pass_is_0(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Equal answers pass; the first word of the paragraph is the verdict."""
    old = quiz()
    quiz()
    shown = typed(capsys, 0, "gate", "--baseline", old.id)
    assert "\nPASS: " in shown
    assert "may hide" in shown


def test_fail_is_100(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Eight losses fail; samples that changed sides are shown with both answers."""
    old = quiz()
    quiz(wrong=8)
    shown = typed(capsys, 100, "gate", "latest", "--baseline", old.id, "--flips", "1")
    assert "\nFAIL: " in shown
    assert "8 lost" in shown
    assert "[-yes 0-] {+no+}" in shown
    assert "[-yes 1-]" not in shown
    assert "Shown: 1 of 8 lost; --flips 8 and reports (-o x.html) show up to 8 a side." in shown


def test_inconclusive_is_101_or_what_the_user_chose(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """80 samples cannot pass a margin of 2 points: 101, and 0 with --on-inconclusive pass."""
    old = quiz()
    quiz()
    gate = ["gate", "--baseline", old.id, "--rule", "non_inferior accuracy 0.02"]
    shown = typed(capsys, 101, *gate)
    assert "\nINCONCLUSIVE: " in shown
    assert "149 samples" in " ".join(shown.split())
    shown = typed(capsys, 0, *gate, "--on-inconclusive", "pass")
    assert "\nINCONCLUSIVE: " in shown
    assert typed(capsys, 101, *gate, "--on-inconclusive", "fail")
    typed(capsys, 0, *gate, "--alpha", "0.3")


def test_fail_beats_inconclusive(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One rule of each outcome: 100, tolerated or not."""
    old = quiz()
    quiz(wrong=8)
    rules = ["no_regression accuracy", "non_inferior accuracy 0.1", "at_least accuracy 0.5"]
    gate = ["gate", "--baseline", old.id, *(part for rule in rules for part in ("--rule", rule))]
    shown = " ".join(typed(capsys, 100, *gate).split())
    assert "1 failed, 1 inconclusive, 1 passed" in shown
    typed(capsys, 100, *gate, "--on-inconclusive", "pass")


def test_missing_answers(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty failures: INCONCLUSIVE with what to type next; --missing ignore passes and still counts them."""
    old = quiz()
    quiz(missing=20)
    shown = " ".join(typed(capsys, 101, "gate", "--baseline", old.id).split())
    assert "20 samples" in shown
    assert "--retry-failed" in shown
    shown = " ".join(typed(capsys, 0, "gate", "--baseline", old.id, "--missing", "ignore").split())
    assert "not spread alike" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rule", "no_regresion accuracy"], 'did you mean "no_regression"'),
        (["--rule", "no_regression acuracy"], 'did you mean "accuracy"'),
        (["--rule", "no_regression accuracy chanel=chat"], 'did you mean "channel"'),
        (["--rule", "no_regression accuracy channel=chta"], 'did you mean "chat"'),
        (["--rule", "non_inferior accuracy"], "margin"),
        (["--rule", "at_least accuracy nan"], "finite"),
        (["--rule", "no_regression accuracy", "--alpha", "0.7"], "0.5"),
        (["--baseline", "nothing"], 'no run or baseline "nothing"'),
        (["--baseline", "latest"], "held against itself"),
        (["-o", "out.xlsx"], "known suffixes"),
    ],
)
def test_usage_errors_are_2_and_one_message(
    quiz: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Nothing is judged, nothing is printed but the one message, and nothing is recorded."""
    old = quiz()
    new = quiz(wrong=1)
    needed = [] if "--baseline" in arguments else ["--baseline", old.id]
    assert said in typed(capsys, 2, "gate", *needed, *arguments)
    assert not (Path("results") / new.id / "gates.jsonl").exists()


def test_no_baseline_is_2(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says how to name one."""
    quiz()
    assert "--baseline" in typed(capsys, 2, "gate")


def test_a_damaged_baseline_is_1(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies on the disk is no mistake of usage."""
    quiz()
    typed(capsys, 0, "baseline", "set", "main")
    path = Path("results/baselines/main.parquet")
    path.write_bytes(path.read_bytes()[:100])
    assert "main.parquet" in typed(capsys, 1, "gate", "--baseline", "main")
    assert "main.parquet" in typed(capsys, 1, "baseline", "show", "main")
    assert "main.parquet" in typed(capsys, 0, "baseline", "list")


def test_a_run_without_its_tables_is_1(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that is missing is named."""
    old = quiz()
    quiz()
    (Path("results") / old.id / "scores.parquet").unlink()
    assert "scores.parquet" in typed(capsys, 1, "gate", "--baseline", old.id)


def test_baselines_are_set_listed_shown_and_used(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way: set, refuse to replace, replace, list, show, gate."""
    assert "no baselines" in typed(capsys, 2, "baseline", "list")
    old = quiz()
    assert "regrade gate RUN --baseline main" in typed(capsys, 0, "baseline", "set", "main")
    assert "--replace" in typed(capsys, 2, "baseline", "set", "main")
    typed(capsys, 0, "baseline", "set", "main", old.id, "--replace")
    assert "main" in typed(capsys, 0, "baseline", "list")
    shown = typed(capsys, 0, "baseline", "show", "main")
    assert old.id in shown
    assert "not kept" in shown
    assert 'did you mean "main"' in typed(capsys, 2, "baseline", "show", "mian")
    quiz(wrong=8)
    typed(capsys, 100, "gate", "--baseline", "main")


def test_the_environment_may_name_the_baseline(
    quiz: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REGRADE_BASELINE stands in for --baseline."""
    old = quiz()
    quiz(wrong=8)
    monkeypatch.setenv("REGRADE_BASELINE", old.id)
    typed(capsys, 100, "gate")


def test_the_gate_of_a_spec_and_its_line(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any option the spec decides; a rule in it that names nothing points at its line."""
    old = quiz()
    quiz(wrong=8, gate={"baseline": old.id, "rules": [{"rule": "no_regression", "metric": "accuracy"}]})
    typed(capsys, 100, "gate")
    quiz(gate={"baseline": old.id, "rules": [{"rule": "no_regression", "metric": "acuracy"}]})
    assert "quiz.yaml:1:" in typed(capsys, 2, "gate")


def test_every_export_of_a_verdict(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """JUnit, Markdown, JSON, CSV and HTML are written whatever the verdict, and say it."""
    old = quiz()
    quiz(wrong=8)
    names = ["out.junit.xml", "out.md", "out.json", "out.csv", "out.html"]
    typed(capsys, 100, "gate", "--baseline", old.id, *(part for name in names for part in ("-o", name)))
    for name in names:
        assert "FAIL" in Path(name).read_text().upper()


@pytest.mark.parametrize("verb", ["gate", "run", "compare"])
def test_a_reader_that_goes_away_changes_no_verdict(quiz: Any, verb: str) -> None:
    """Nobody reads a line of it: reports are written and the exit code is the gate's own."""
    old = quiz()
    new = quiz(wrong=8)
    arguments = {
        "gate": ["gate", new.id, "--baseline", old.id],
        "run": ["run", "quiz.yaml", "--gate", "--baseline", old.id],
        "compare": ["compare", old.id, new.id],
    }[verb]
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "regrade", *arguments, "-o", "out.junit.xml"]
    found = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert found.returncode == (0 if verb == "compare" else 100), found.stderr
    assert b"Error" not in found.stderr
    assert Path("out.junit.xml").read_text().startswith("<?xml")


def test_a_report_that_cannot_be_written_hides_no_verdict(
    quiz: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict is printed, the error as well."""
    old = quiz()
    quiz(wrong=8)
    Path("folder.md").mkdir()
    capsys.readouterr()
    assert main(["gate", "--baseline", old.id, "-o", "folder.md"]) == 2
    captured = capsys.readouterr()
    assert "FAIL: " in captured.out
    assert "cannot be written" in captured.err


@pytest.mark.parametrize("gate", [["--gate"], []])
def test_a_run_that_ended_early_is_nowhere_green(
    quiz: Any, capsys: pytest.CaptureFixture[str], gate: list[str]
) -> None:
    """Every format that holds text says how far it came and that no rule was held; JUnit has an error."""
    old = quiz()
    names = ["out.junit.xml", "out.md", "out.json", "out.html", "metrics.txt"]
    options = [*(["--gate", "--baseline", old.id] if gate else []), "--max-requests", "8"]
    capsys.readouterr()
    assert main(["run", "quiz.yaml", *options, *(part for name in names for part in ("-o", name))]) == 1
    said = f"partial: 8 of 80 requests{'; not gated' if gate else ''}"
    for name in names[:-1]:
        assert said in Path(name).read_text()
    (suite,) = ET.parse("out.junit.xml").getroot()
    assert (suite.get("name"), suite.get("errors")) == ("quiz", "1")
    assert suite[0].get("name") == "run completed"
    found = json.loads(Path("out.json").read_text())
    assert found["paragraph"].startswith(said)
    assert said in found["notes"][0]
    assert 'outcome="ERROR"' in Path("metrics.txt").read_text()


def test_a_run_without_any_answer_leaves_no_old_report(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopped before the first answer, it replaces the green report of the last run all the same."""
    quiz()
    Path("out.junit.xml").write_text("<testsuites/>")
    assert main(["run", "quiz.yaml", "--max-time", "1e-9", "-o", "out.junit.xml"]) == 1
    capsys.readouterr()
    (suite,) = ET.parse("out.junit.xml").getroot()
    assert [case.get("name") for case in suite] == ["run completed"]


def test_power_plans(quiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Samples for a drop, from the run before; an impossible option is 2."""
    quiz(wrong=8)
    quiz(wrong=4)
    shown = typed(capsys, 0, "power", "--drop", "0.02")
    assert "6.8 points" in shown
    assert "745" in shown
    assert "745" in typed(capsys, 0, "power", "--drop", "2%")
    assert "above 0" in typed(capsys, 2, "power", "--drop", "0")
    assert "cannot drop by 2" in typed(capsys, 2, "power", "--drop", "2")
