"""Every verb as a newcomer types it: what it prints, and its exit code."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regrade.cli.main import main

ROWS = [{"id": f"r{n}", "q": f"{n}", "a": "even" if n % 2 == 0 else "odd"} for n in range(6)]
MODEL = """\
def good(request):
    return "even" if int(request.sample.input) % 2 == 0 else "odd"

def hostile(request):
    return "<script>alert(1)</script> [bold]x[/bold] \\x1b[31mred\\x1b[0m \\u202e" + "y" * 500

def broken(request):
    raise ValueError("no idea")
"""


@pytest.fixture
def parity(workdir: Path) -> Callable[..., None]:
    """Return what writes the suite `parity`, with any of its models."""

    def write(*models: str) -> None:
        (workdir / "evals").mkdir(exist_ok=True)
        (workdir / "evals/models.py").write_text(MODEL)
        (workdir / "evals/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        listed = "".join(f'  - {{name: {name}, python: "models.py:{name}"}}\n' for name in models or ["good"])
        (workdir / "evals/parity.yaml").write_text(
            "name: parity\ndataset: {path: rows.jsonl, input: q, target: a}\n"
            f'models:\n{listed}prompt: "Is {{{{ q }}}} even or odd?"\nscorers: [exact_match]\n'
        )

    write()
    return write


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Return what a command prints to stdout; its exit code must be as expected."""
    capsys.readouterr()
    found = main([*arguments])
    captured = capsys.readouterr()
    assert found == code, captured.err
    return captured.out if code == 0 else captured.err


def test_run_shows_the_table_and_the_next_command(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The table fits 80 columns and ends with what to type next."""
    shown = output(capsys, "run", "evals")
    assert "accuracy %" in shown
    assert "100 (61 to 100)" in shown
    assert shown.rstrip().splitlines()[-1].startswith("next: regrade show 20")
    assert max(map(len, shown.splitlines())) <= 80


def test_a_model_that_answered_nothing_is_told(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The others' figures stand, the reason is named, and the exit code is no success."""
    parity("good", "broken")
    assert main(["run", "evals"]) == 1
    shown = capsys.readouterr().out
    assert re.search(r"model broken answered nothing: all \d+ requests failed", shown)
    assert "no idea" in shown
    assert "success" in shown
    assert main(["show", "latest"]) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_names_the_file_and_what_to_do(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it is the cassette's lock, or the folder of a new suite."""
    parity()
    Path("c").mkdir()
    Path("c/record.lock").symlink_to("/dev/full")
    assert main(["run", "evals", "--record", "c"]) == 1
    told = capsys.readouterr().err
    assert "c/record.lock cannot be written: " in told
    assert "make room" in told
    Path("taken").write_text("")
    assert main(["init", "taken/evals"]) == 1
    told = capsys.readouterr().err
    assert "error: taken/evals: Not a directory" in told
    assert "choose another folder" in told


def test_run_writes_every_export(parity: Any, capsys: pytest.CaptureFixture[str], workdir: Path) -> None:
    """The suffix of -o chooses the format; an unknown one is an error before anything runs."""
    names = [f"out.{suffix}" for suffix in ("csv", "json", "md")]
    output(capsys, "run", "evals", *(part for name in names for part in ("-o", name)))
    assert "parity" in Path("out.csv").read_text()
    assert json.loads(Path("out.json").read_text())
    assert "| good |" in Path("out.md").read_text()
    assert "known suffixes" in output(capsys, "run", "evals", "-o", "out.xlsx", code=2)


def test_a_run_of_failures_exits_with_1(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """When every request failed the exit code says so, and the next command lists them."""
    parity("broken")
    assert main(["run", "evals"]) == 1
    shown = capsys.readouterr().out
    assert "every request failed" in shown
    assert "--failed" in shown
    assert "ValueError: no idea" in output(capsys, "show", shown.split("run ")[1].split(":")[0], "--failed")


def test_show_lists_answers_without_interpreting_them(
    parity: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Markup, HTML and control characters of an answer are shown, never obeyed."""
    parity("hostile")
    output(capsys, "run", "evals")
    shown = output(capsys, "show", "--wrong", "-n", "1")
    assert "<script>alert(1)</script> [bold]x[/bold]" in shown
    assert "\x1b[31m" not in shown
    assert "<U+001B>" in shown
    assert "<U+202E>" in shown
    assert "1 of 6 samples shown" in shown


def test_show_filters(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """By model, sample and kind; a name that the run does not hold is answered with the nearest."""
    parity("good", "hostile")
    output(capsys, "run", "evals")
    assert output(capsys, "show", "--samples", "--model", "good", "-n", "99").count("answer:") == 6
    assert output(capsys, "show", "--sample", "r3", "-n", "99").count("answer:") == 2
    assert "no sample fits" in output(capsys, "show", "--failed")
    assert 'did you mean "good"?' in output(capsys, "show", "--samples", "--model", "god", code=2)
    assert "every metric" in output(capsys, "show", "--details")


def test_validate_shows_the_first_prompt_and_all_problems(
    parity: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A good suite shows what will be sent; a bad one all its problems at once, with exit code 2."""
    shown = output(capsys, "validate", "evals")
    assert "parity.yaml: ok, 6 samples" in shown
    assert "Is 0 even or odd?" in shown
    spec = Path("evals/parity.yaml")
    spec.write_text(spec.read_text().replace("exact_match", "exact_mach").replace("name:", "nmae:", 1))
    problems = output(capsys, "validate", "evals", code=2)
    assert 'did you mean "exact_match"?' in problems
    assert 'did you mean "name"?' in problems


def test_list_shows_suites_and_plug_ins(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Suites, datasets, models, scorers, metrics and loaders can be listed."""
    assert "parity" in output(capsys, "list")
    assert "rows.jsonl" in output(capsys, "list", "datasets")
    assert "good" in output(capsys, "list", "models")
    assert "exact_match" in output(capsys, "list", "scorers")
    assert "pass_at_k" in output(capsys, "list", "metrics")
    assert "parquet" in output(capsys, "list", "loaders")
    assert 'did you mean "scorers"?' in output(capsys, "list", "scorer", code=2)


def test_runs_and_score(parity: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs are listed newest first; scoring again makes another one."""
    assert "no runs" in output(capsys, "runs", code=2)
    output(capsys, "run", "evals")
    assert "accuracy %" in output(capsys, "score", "latest", "--spec", "evals/parity.yaml")
    assert output(capsys, "runs").count("success") == 2


def test_init_writes_a_suite_that_is_valid(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `init` writes passes `validate`, and a second `init` replaces nothing."""
    output(capsys, "init")
    output(capsys, "validate", "evals")
    assert "exists" in output(capsys, "init", code=2)
    assert json.loads(Path("evals/regrade.schema.json").read_text())["title"] == "regrade eval spec"


def test_nothing_to_run_is_no_success(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that ran nothing exits with 2."""
    assert "no such file or folder" in output(capsys, "run", "nowhere", code=2)
    Path("empty").mkdir()
    assert output(capsys, "run", "empty", code=2)


def test_flags_come_from_the_environment(
    parity: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long-lived flags are also REGRADE_<FLAG>; a bad value names the variable."""
    monkeypatch.setenv("REGRADE_RESULTS", "elsewhere")
    output(capsys, "run", "evals")
    assert len(list(Path("elsewhere").iterdir())) == 1
    monkeypatch.setenv("REGRADE_MAX_RETRIES", "many")
    assert "REGRADE_MAX_RETRIES" in output(capsys, "run", "evals", code=2)
