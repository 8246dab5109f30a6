"""What README and docs/ say is what the program does."""

import importlib.util
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import regrade
from regrade.api import SampleFilter, sample_records, validate
from regrade.cli.main import VERBS, main
from regrade.plugins import BUILT_INS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = (ROOT / "docs/files.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """Return the code block of README in a language that holds a text."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return next(found for found in blocks if containing in found)


def test_the_first_lines_are_the_two_commands_that_set_up_everything() -> None:
    """README begins with `make run` and `make test`."""
    lines = README.splitlines()
    assert lines[1].startswith("$ make run")
    assert lines[2].startswith("$ make test")


def test_the_prompts_by_example_are_valid(workdir: Path) -> None:
    """The specs in docs/prompts.md pass `validate` once the files they name are there."""
    text = (ROOT / "docs/prompts.md").read_text(encoding="utf-8")
    specs = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    for number, spec in enumerate(specs):
        (workdir / f"spec{number}.yaml").write_text(spec)
    (workdir / "data").mkdir()
    (workdir / "data/a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (workdir / "data/a.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    rows = {
        "turns": {"turns": [{"role": "user", "content": "hi"}], "calls": []},
        "cities": {"city": "Paris", "degrees": 17, "answer": "17"},
        "pictures": {"picture": "a.png", "sound": "a.wav", "label": "cat"},
    }
    for name, row in rows.items():
        (workdir / f"data/{name}.jsonl").write_text(json.dumps(row))
    (workdir / "tools.json").write_text('[{"name": "weather"}, {"name": "note"}]')
    (workdir / "answer.schema.json").write_text('{"type": "object"}')
    checked, problems = validate([Path(f"spec{number}.yaml") for number in range(len(specs))])
    assert [str(problem) for problem in problems] == []
    assert [one.name for one in checked] == ["routing", "followup", "pictures"]


def test_every_scorer_is_in_the_readme() -> None:
    """A scorer that README leaves out is not found."""
    assert [name for name in BUILT_INS["scorer"] if f"`{name}`" not in README] == []


def test_every_verb_is_in_the_readme() -> None:
    """A verb that README leaves out does not exist for a reader."""
    assert [verb for verb in VERBS if f"`regrade {verb}" not in README] == []


def test_the_spec_by_example_is_valid(workdir: Path) -> None:
    """The YAML in README passes `validate` once the files it names are there."""
    (workdir / "spec.yaml").write_text(block("yaml", "name: tickets"))
    header = "ticket_id,message,team,channel,language,customer\n"
    rows = "".join(f"{n},Hello {n},billing,chat,en,c{n}\n" for n in range(9))
    for name in ("tickets.csv", "train.csv"):
        (workdir / name).write_text(header + rows)
    (workdir / "answers.jsonl").write_text("")
    (workdir / "prompts").mkdir()
    (workdir / "prompts/full.j2").write_text("{{ tone }}: {{ message }}")
    (workdir / "rules.py").write_text("def answer(request): return 'billing'")
    (workdir / "my_scorers.py").write_text("def no_names(answer, target): return True")
    checked, problems = validate([Path("spec.yaml")])
    assert [str(problem) for problem in problems] == []
    assert [prompt.name for prompt in checked[0].prompts] == [
        f"{name}[tone={tone}]" for name in ("short", "full") for tone in ("terse", "polite")
    ]


def test_the_plug_ins_by_example_run(workdir: Path) -> None:
    """The loader, the provider and the scorer in README make a run together."""
    (workdir / "my_plugins.py").write_text(block("python", "class Parrot"))
    (workdir / "spec.yaml").write_text(
        'name: squares\ndataset: {"my_plugins.py:Squares": {count: 4}}\n'
        'models: [{name: parrot, provider: "my_plugins.py:Parrot"}]\nprompt: "{{ input }}"\n'
        'scorers: [{"my_plugins.py:NoLongerThan": {words: 2}}]\n'
    )
    run = regrade.run("spec.yaml")
    assert run.status == "success"
    assert run.scores["value"].to_pylist() == [1.0] * 4
    records, _ = sample_records(run, SampleFilter(), 1)
    assert records[0]["text"] == "0 squared?"


def test_the_mistake_in_the_readme_is_answered_as_shown(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error of a misspelt scorer looks like the one that README shows."""
    spec = 'name: a\n\n\ndataset: {rows: [{input: a}]}\nmodels: [demo/v1]\nprompt: "{{ input }}"\n'
    (workdir / "bad.yaml").write_text(spec + "scorers: [exact_mach]\n")
    assert main(["validate", "bad.yaml"]) == 2
    shown = block("console", "regrade validate bad.yaml").split("\n", 1)[1]
    assert capsys.readouterr().err.startswith(shown)


def test_the_pages_made_from_code_are_current() -> None:
    """`docs/plugins.md` and `docs/openapi.json` are what `docs/reference.py` writes."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    assert (ROOT / "docs/plugins.md").read_text(encoding="utf-8") == reference.page()
    assert (ROOT / "docs/openapi.json").read_text(encoding="utf-8") == reference.api()


def test_the_page_of_files_names_every_column_and_file(workdir: Path) -> None:
    """Every file of a run folder and every column of its tables is documented."""
    (workdir / "spec.yaml").write_text(
        'name: a\ndataset: {rows: [{input: a, target: a}]}\nmodels: [{name: m, python: "m.py:m"}]\n'
        'prompt: "{{ input }}"\nscorers: [exact_match]\n'
    )
    (workdir / "m.py").write_text("def m(request): return 'a'")
    run = regrade.run("spec.yaml")
    assert [path.name for path in run.folder.path.iterdir() if f"`{path.name}`" not in FILES] == []
    words = set(re.findall(r"\w+", FILES))
    for table in ("samples", "scores", "summary"):
        names = pq.read_schema(run.folder.path / f"{table}.parquet").names
        assert [name for name in names if not name.startswith("score.") and name not in words] == []


def test_every_fault_names_tests_that_exist() -> None:
    """The table of faults promises nothing that no test shows."""
    rows = [line for line in (ROOT / "docs/faults.md").read_text().splitlines() if line.startswith("| ")][1:]
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for row in rows:
        names = re.findall(r"`(test_\w+)`", row)
        assert names, row
        assert [name for name in names if f"def {name}(" not in sources] == []
