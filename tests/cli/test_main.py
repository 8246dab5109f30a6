"""The program's frame: help, unknown verbs, errors, and what it does not import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regrade.cli.helping import fit_prose
from regrade.cli.main import VERBS, main

HEAVY = {
    "aiohttp", "datasets", "duckdb", "httpx2", "jinja2", "numpy", "orjson", "pandas", "polars", "pyarrow",
    "pydantic", "rich", "ruamel", "scipy", "sklearn", "starlette", "tenacity", "uvicorn", "xllamacpp",
}  # fmt: skip


ASKED = """
import io, json, sys
from contextlib import redirect_stdout
from regrade.cli.main import main

for line in sys.stdin:
    with redirect_stdout(io.StringIO()) as said:
        code = main(json.loads(line))
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"code": code, "said": said.getvalue(), "modules": modules}))
"""


def test_help_imports_nothing_heavy() -> None:
    """Help of the program and of every verb answers without importing any heavy package.

    One process is asked for all in turn: what one of them imported would be there after it.
    """
    asked = [["--help"], *([*verb.split(), "--help"] for verb in VERBS), ["--version"]]
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        input="".join(json.dumps(one) + "\n" for one in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for arguments, one in zip(asked, told, strict=True):
        assert one["code"] == 0, arguments
        assert not HEAVY & set(one["modules"]), arguments
        assert one["said"].strip(), arguments


@pytest.mark.parametrize("columns", [80, 40])
def test_help_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    """No line of any verb's help is wider: usage, prose, groups and options."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for verb in ("", *VERBS):
        assert main([*verb.split(), "--help"]) == 0
        said = capsys.readouterr().out
        assert [line for line in said.splitlines() if len(line) > columns] == [], verb
        assert said.startswith("usage: regrade ")


def test_prose_is_filled_and_columns_stay() -> None:
    """Lines of a paragraph flow; columns stand side by side, or one below the other in narrow terminals."""
    text = "One\ntwo three --and-four.\n\nverb A   does it\n  --option"
    assert fit_prose(text, 22) == "One two three\n--and-four.\n\nverb A\n    does it\n  --option"
    assert fit_prose(text, 80) == "One two three --and-four.\n\nverb A   does it\n  --option"


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


def test_no_answer_commands_the_runner(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
    for name, value in (("GITHUB_ACTIONS", "true"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    assert main(["run", "s.yaml"]) == 0
    capsys.readouterr()
    assert main(["show", "--samples"]) == 0
    shown = capsys.readouterr().out
    assert "forged" in shown
    assert not [line for line in shown.splitlines() if line.strip().startswith("::") or "##[" in line]
