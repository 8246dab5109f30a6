"""The program's frame: help, unknown verbs, errors, and what it does not import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regrade.cli.main import VERBS, main

HEAVY = {
    "aiohttp", "datasets", "duckdb", "httpx2", "jinja2", "numpy", "orjson", "pandas", "polars", "pyarrow",
    "pydantic", "rich", "ruamel", "scipy", "sklearn", "starlette", "tenacity", "uvicorn", "xllamacpp",
}  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["--help"], *([*verb.split(), "--help"] for verb in VERBS), ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Help of the program and of every verb answers without importing any heavy package."""
    code = (
        "import sys; from regrade.cli.main import main; code = main(sys.argv[1:]);"
        "print(code, *sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    exit_code, *modules = done.stderr.split()
    assert exit_code == "0", done.stdout
    assert not HEAVY & set(modules)
    assert done.stdout.strip()


def test_importing_the_package_is_lazy() -> None:
    """`import regrade` alone loads no heavy package."""
    code = "import sys, regrade; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_a_run_sends_before_it_loads_what_writes_tables() -> None:
    """What a run imports before its first request is without the packages of the tables."""
    code = "import sys, regrade.api; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "pyarrow", "scipy", "sklearn", "pandas"} & set(done.stdout.split())


def test_a_mistyped_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command exits with 2 and names what was probably meant."""
    assert main(["rnu"]) == 2
    assert 'did you mean "run"' in capsys.readouterr().err


def test_a_mistyped_option_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option exits with 2 and names what was probably meant."""
    assert main(["run", "--limt", "5"]) == 2
    assert 'did you mean "--limit"' in capsys.readouterr().err


def test_nothing_asked_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that ran nothing never exits with 0."""
    assert main([]) == 2
    assert "usage" in capsys.readouterr().out


def test_no_answer_commands_the_runner(workdir: Path) -> None:
    """In GitHub Actions an answer that looks like a command of the runner is shown with a space in it."""
    answers = [
        {"id": "1", "a": "::error::forged"},
        {"id": "2", "a": "x\n   ::set-output name=y::1\n##[error]z"},
    ]
    (workdir / "answers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers))
    (workdir / "rows.jsonl").write_text(
        "".join(json.dumps({"id": one["id"], "t": "x"}) + "\n" for one in answers)
    )
    (workdir / "s.yaml").write_text(
        "name: s\n"
        "dataset: {path: rows.jsonl, id: id, target: t}\n"
        "models: [{name: m, outputs: answers.jsonl, id: '{{ id }}', text: '{{ a }}'}]\n"
        "prompt: 'hello'\n"
        "scorers: [exact_match]\n"
    )
    environment = {**os.environ, "GITHUB_ACTIONS": "true", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "regrade"]
    subprocess.run([*command, "run", "s.yaml"], env=environment, check=True, capture_output=True)
    shown = subprocess.run(
        [*command, "show", "--samples"], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert "forged" in shown
    assert not [line for line in shown.splitlines() if line.strip().startswith("::") or "##[" in line]
