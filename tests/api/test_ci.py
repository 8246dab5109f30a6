"""What CI is told unasked, what it is never told, and that the action and the documented workflows hold."""

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from regrade.api.ci import announce
from regrade.errors import Location
from regrade.pages.commands import GuardedStream, guarded
from regrade.plugins import Registry
from regrade.views import CaseOutcome, CaseView, Document, FlipsView, FlipView

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))
CI_PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
HOSTILE = "::error::forged\r\n##[error]forged\n%0A::set-output name=x::1, a:b,c=d \x00\x1b[31m\u202e\ud800"


def case(outcome: CaseOutcome = "FAIL", name: str = "rule", text: str = "why", line: int = 3) -> CaseView:
    """Return a case that points into a spec."""
    return CaseView("tickets", name, outcome, text, text, Location("evals/tickets.yaml", line, 5))


def gate(*cases: CaseView, title: str = "b against a") -> Document:
    """Return a failed gate."""
    return Document(title, (), kind="gate", outcome="FAIL", paragraph="FAIL: one\ntwo", cases=cases)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a step, with its files."""
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_WORKSPACE": str(tmp_path),
    }


def outputs(path: str) -> dict[str, str]:
    """Return the outputs in a file, read as the runner does."""
    lines = iter(Path(path).read_text(encoding="utf-8").split("\n"))
    found = {}
    for line in lines:
        if line:
            name, _, delimiter = line.partition("<<")
            found[name] = "\n".join(iter(lambda: next(lines), delimiter))
    return found


def unescaped(text: str) -> str:
    """Return a property of a command as the runner reads it."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_elsewhere_nothing_is_announced(env: dict[str, str], tmp_path: Path) -> None:
    """Outside GitHub Actions there is no line and no file."""
    del env["GITHUB_ACTIONS"]
    assert announce(gate(case()), env, Registry()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_gate_is_announced_unasked(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summary, outputs, and an annotation at the spec's line, its path from the top of the repository."""
    folder = tmp_path / "sub"
    folder.mkdir()
    monkeypatch.chdir(folder)
    lines = announce(gate(case(), case("PASS"), case("INCONCLUSIVE", line=4)), env, Registry())
    assert lines == [
        "::error file=sub/evals/tickets.yaml,line=3,col=5,title=tickets%3A rule::why",
        "::warning file=sub/evals/tickets.yaml,line=4,col=5,title=tickets%3A rule::why",
    ]
    found = outputs(env["GITHUB_OUTPUT"])
    assert found == {"outcome": "FAIL", "title": "b against a", "paragraph": "FAIL: one\ntwo"}
    assert "## ✘ FAIL: b against a" in Path(env["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")


def test_a_run_names_itself(env: dict[str, str]) -> None:
    """Without a gate the outputs hold the run's id and an empty outcome."""
    assert announce(Document("run-1", ()), env, Registry()) == []
    found = outputs(env["GITHUB_OUTPUT"])
    assert found == {"outcome": "", "title": "run-1", "paragraph": "", "run": "run-1"}


def test_at_most_ten_annotations_the_gravest_first(env: dict[str, str]) -> None:
    """Of many, nine are shown, failures before warnings, and the tenth counts the rest."""
    cases = [case("INCONCLUSIVE", f"i{n}") for n in range(5)] + [case("FAIL", f"f{n}") for n in range(8)]
    lines = announce(gate(*cases), env, Registry())
    assert len(lines) == 10
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 8 + ["::warning"] * 2
    assert (
        lines[-1] == "::warning title=regrade::4 more rules did not pass; the summary of the job lists them"
    )
    assert len(announce(gate(*cases[3:]), env, Registry())) == 10


def test_no_text_forges_an_annotation(env: dict[str, str]) -> None:
    """Percent signs, line breaks, colons and commas of names stay within their property, on one line."""
    place = Location(f"evals/{HOSTILE}.yaml", 3, 5)
    lines = announce(gate(CaseView(HOSTILE, HOSTILE, "FAIL", HOSTILE, HOSTILE, place)), env, Registry())
    assert len(lines) == 1
    assert not re.search("[\r\n\x00\x1b\u202e\ud800]", lines[0])
    head, _, data = lines[0].removeprefix("::error ").partition("::")
    properties = dict(part.split("=", 1) for part in head.split(","))
    assert list(properties) == ["file", "line", "col", "title"]
    assert unescaped(properties["title"]).startswith("::error::forged\n\n##[error]forged\n%0A::set-output")
    assert data.startswith("::error::forged%0A%0A##[error]forged%0A%250A")


def test_no_text_forges_an_output(env: dict[str, str]) -> None:
    """Lines of a title that look like outputs are part of the title; delimiters cannot be guessed."""
    title = "x\noutcome=PASS\noutcome<<E\nPASS\nE"
    announce(gate(case(), title=title), env, Registry())
    first = outputs(env["GITHUB_OUTPUT"])
    assert first["outcome"] == "FAIL"
    assert first["title"] == title
    written = Path(env["GITHUB_OUTPUT"]).read_text(encoding="utf-8")
    announce(gate(case(), title=title), env, Registry())
    assert Path(env["GITHUB_OUTPUT"]).read_text(encoding="utf-8").removeprefix(written) != written


def test_a_delimiter_that_a_value_holds_is_drawn_again(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by chance does a value end its own output."""
    draws = iter(["first", "seen", *"abcdef"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(draws))
    announce(gate(case(), title="x\nregrade_seen\ny"), env, Registry())
    assert outputs(env["GITHUB_OUTPUT"])["title"] == "x\nregrade_seen\ny"


def test_the_summary_never_passes_a_mebibyte(env: dict[str, str]) -> None:
    """What does not fit beside what is there is cut at a line, folds are closed, and the cut is said."""
    lost = tuple(FlipView(f"s{n}", "1", "0", "p " * 50, diff=(("out", "a\n" * 9),)) for n in range(200))
    document = Document("t", (), kind="gate", outcome="FAIL", flips=(FlipsView("f", lost, (), 200, 0),))
    path = Path(env["GITHUB_STEP_SUMMARY"])
    limit = 1024 * 1024
    for room in (30_000, 9_990, 5_000, 301, 60, 0):
        before = b"x" * (limit - room)
        path.write_bytes(before)
        assert announce(document, env, Registry()) == []
        added = path.read_bytes()[len(before) :].decode()
        assert len(added.encode()) <= room
        assert added.count("<details>") == added.count("</details>")
        assert not added or "Cut here" in added.rstrip("\n").split("\n")[-1]
    path.write_bytes(b"")
    announce(document, env, Registry())
    assert b"Cut here" not in path.read_bytes()


def test_unwritable_files_are_one_warning(env: dict[str, str], tmp_path: Path) -> None:
    """A file of the runner that cannot be written costs a line, and nothing else."""
    env["GITHUB_STEP_SUMMARY"] = str(tmp_path)
    env["GITHUB_OUTPUT"] = str(tmp_path / "none" / "output")
    lines = announce(gate(*(case(name=f"r{n}") for n in range(20))), env, Registry())
    assert len(lines) == 10
    assert lines[0] == (
        "::warning title=regrade::$GITHUB_STEP_SUMMARY cannot be written: Is a directory; "
        "$GITHUB_OUTPUT cannot be written: No such file or directory"
    )
    env["GITHUB_STEP_SUMMARY"] = env["GITHUB_OUTPUT"] = "\x00"
    assert "cannot be written" in announce(gate(case()), env, Registry())[0]


def test_missing_files_are_no_fault(env: dict[str, str]) -> None:
    """A runner without these files is left alone."""
    del env["GITHUB_STEP_SUMMARY"], env["GITHUB_OUTPUT"], env["GITHUB_WORKSPACE"]
    lines = announce(gate(case()), env, Registry())
    assert lines == ["::error file=evals/tickets.yaml,line=3,col=5,title=tickets%3A rule::why"]


COMMANDS = [
    "::error::x",
    "  \t::set-output name=a::b",
    "text\n::stop-commands::x",
    "text\r::add-mask::x",
    "\u200b::error::x",
    ":\u200b:error::x",
    "\ufeff \x00::error::x",
    "see ##[error]x",
    "#\u200b#[group]",
    "a ##vso[task.setvariable variable=x]y",
]


def acts(text: str) -> bool:
    """Return whether a runner would take a command from the text, even one blind to hidden characters."""
    seen = re.sub("[\x00-\x09\x0b\x0c\x0e-\x1f\u200b-\u200f\u2060-\u206f\ufeff]", "", text)
    lines = re.split("[\r\n]", seen)
    return any(line.lstrip().startswith("::") for line in lines) or "##[" in seen or "##vso[" in seen


@pytest.mark.parametrize("text", COMMANDS)
def test_no_printed_text_is_a_command(text: str) -> None:
    """What a model says is printed so that no runner obeys it, and reads nearly the same."""
    assert acts(text)
    assert not acts(guarded(text))
    assert guarded(text).replace(" ", "") == text.replace(" ", "")


def test_ordinary_text_is_printed_as_it_is() -> None:
    """Colons within a line and headings are nobody's command."""
    for text in ("std::vector", "a :: b", "## heading", "# [x]", "10:30", "key: value"):
        assert guarded(text) == text


@given(st.lists(st.text(":#[vso\u200b \r\nx", max_size=6)))
def test_a_guarded_stream_lets_no_command_through(pieces: list[str]) -> None:
    """However a text is cut into writes, what comes out is what guarding the whole would give."""
    target = io.StringIO()
    stream = GuardedStream(target)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    assert not acts(target.getvalue())
    assert target.getvalue() == guarded("".join(pieces))


def test_a_guarded_stream_remembers_long_lines() -> None:
    """Neither a long line nor a long indent hides the beginning of a command."""
    target = io.StringIO()
    stream = GuardedStream(target)
    stream.writelines([" " * 1_000, ":", ":error::x\n", "y" * 1_000, "::ok ", "#", "#", "[error]"])
    assert not acts(target.getvalue())
    assert "y::ok" in target.getvalue()
    assert stream.unguarded is target
    assert stream.getvalue() == target.getvalue()  # type: ignore[operator] # the rest is the stream's own


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", CI_PAGE, flags=re.DOTALL)
    return found


def scripts() -> Iterator[tuple[str, str]]:
    """Return the name and text of every script in the action and in the documented workflows."""
    for number, step in enumerate(ACTION["runs"]["steps"]):
        if "run" in step:
            yield f"action {number}", step["run"]
    for block in blocks("yaml"):
        workflow = YAML(typ="safe").load(block)
        for name, job in workflow.get("jobs", workflow).items():
            for line in job.get("script", []):
                yield f"{name} line", line
            for step in job.get("steps", []):
                if "run" in step:
                    yield f"{name} step", step["run"]


def test_the_documented_workflows_are_yaml() -> None:
    """GitHub's gate, GitHub's baseline and GitLab's jobs parse, and do what the page says."""
    gate_flow, baseline_flow, gitlab = (YAML(typ="safe").load(block) for block in blocks("yaml"))
    step = gate_flow["jobs"]["gate"]["steps"][1]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert gate_flow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert baseline_flow["permissions"] == {"contents": "write"}
    assert gitlab["evals"]["artifacts"]["reports"] == {
        "junit": "report/regrade.junit.xml",
        "metrics": "report/regrade.metrics.txt",
    }
    texts = [text for _, text in scripts()]
    assert sum("regrade baseline set main latest --replace" in text for text in texts) == 2
    assert "pull_request_target" not in "".join(blocks("yaml"))


def test_every_suffix_on_the_page_has_an_exporter() -> None:
    """The page names each format that there is, and no other."""
    table = CI_PAGE.partition("## Files")[2].partition("## GitHub")[0]
    named = {
        name
        for row in re.findall(r"^\| (`\..*?) \|", table, flags=re.MULTILINE)
        for name in re.findall(r"`\.([\w.]+)`", row)
    }
    assert named == set(Registry(installed=lambda _group: []).names("exporter"))


@pytest.mark.parametrize(("name", "script"), list(scripts()))
def test_no_expression_stands_in_a_script(name: str, script: str) -> None:
    """A script holds no `${{`, which would be filled in before the shell reads it, and parses."""
    assert "${{" not in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    if shellcheck := shutil.which("shellcheck"):
        subprocess.run([shellcheck, "--shell=bash", "-"], input=script, text=True, check=True)


def test_the_action_exposes_what_it_promises() -> None:
    """It is a composite action whose steps say their shell, with the outcome and the reports as outputs."""
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"] if "run" in step)
    assert set(ACTION["outputs"]) == {"outcome", "exit-code", "report"}
    assert all(value["description"] for value in ACTION["inputs"].values())
    assert not any("upload" in step.get("uses", "") for step in ACTION["runs"]["steps"])


def run_step(name: str, env: Mapping[str, str], tools: Path) -> subprocess.CompletedProcess[str]:
    """Run one step of the action as the runner does, with its programs replaced."""
    script = next(step["run"] for step in ACTION["runs"]["steps"] if step.get("name") == name)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", **env},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder of programs that only write down how they were called."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, ending in (("python", "exit 100"), ("gh", 'case "$*" in *--paginate*) echo "$FOUND";; esac')):
        program = folder / name
        program.write_text(
            f'#!/bin/bash\nprintf "%s\\0" "$@" >> "$CALLS"; printf "\\n" >> "$CALLS"\n{ending}\n'
        )
        program.chmod(0o755)
    return folder


def test_the_action_runs_what_it_was_told(tmp_path: Path, tools: Path) -> None:
    """Inputs arrive as arguments, one a line, whatever characters they hold; the exit code is handed on."""
    env = {
        "CALLS": str(tmp_path / "calls"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "REGRADE_ACTION_SPECS": f"evals\n$(touch {tmp_path}/pwned) `id`\n-x",
        "REGRADE_ACTION_BASELINE": "main; exit 0",
        "REGRADE_ACTION_ARGS": "--limit\n50\n",
        "REGRADE_ACTION_REPORT": "out put",
    }
    done = run_step("Run and gate", env, tools)
    assert done.returncode == 0, done.stderr
    (call,) = Path(env["CALLS"]).read_text().splitlines()
    called = call.split("\0")[:-1]
    assert called[:7] == ["-m", "regrade", "run", "--gate", "--baseline", "main; exit 0", "-o"]
    assert "out put/regrade.junit.xml" in called
    assert called[-6:] == ["--limit", "50", "--", "evals", f"$(touch {tmp_path}/pwned) `id`", "-x"]
    assert Path(env["GITHUB_OUTPUT"]).read_text() == "exit-code=100\n"
    assert not (tmp_path / "pwned").exists()
    assert run_step("Verdict", {"REGRADE_ACTION_CODE": "101"}, tools).returncode == 101
    assert run_step("Verdict", {}, tools).returncode == 1


@pytest.mark.parametrize("found", ["", "77"])
def test_the_action_keeps_one_comment(tmp_path: Path, tools: Path, found: str) -> None:
    """The first time a comment is written, afterwards the same one is replaced."""
    report = tmp_path / "report"
    report.mkdir()
    (report / "regrade.md").write_text("## PASS\n")
    env = {
        "CALLS": str(tmp_path / "calls"),
        "FOUND": found,
        "GH_TOKEN": "t",
        "GITHUB_JOB": "gate",
        "GITHUB_REPOSITORY": "o/r",
        "RUNNER_TEMP": str(tmp_path),
        "REGRADE_ACTION_REPORT": str(report),
        "REGRADE_ACTION_NUMBER": "5",
    }
    done = run_step("Comment on the pull request", env, tools)
    assert done.returncode == 0, done.stderr
    _, sent = (line.split("\0")[:-1] for line in Path(env["CALLS"]).read_text().splitlines())
    where = ["PATCH", "repos/o/r/issues/comments/77"] if found else ["POST", "repos/o/r/issues/5/comments"]
    assert sent == ["api", "--silent", "--method", *where, "--field", f"body=@{tmp_path}/regrade-comment.md"]
    assert (tmp_path / "regrade-comment.md").read_text() == "<!-- regrade: gate -->\n\n## PASS\n"


def test_the_action_installs_itself_or_a_version(tmp_path: Path, tools: Path) -> None:
    """Without a version it is the action's own commit, so that action and program belong together."""
    env = {
        "CALLS": str(tmp_path / "calls"),
        "REGRADE_FROM": "/a b",
        "REGRADE_EXTRAS": "",
        "REGRADE_VERSION": "",
    }
    run_step("Install regrade", env, tools)
    run_step("Install regrade", {**env, "REGRADE_EXTRAS": "hf,text", "REGRADE_VERSION": "0.2.0"}, tools)
    calls = [line.split("\0")[-2] for line in Path(env["CALLS"]).read_text().splitlines()]
    assert calls == ["/a b", "regrade[hf,text]==0.2.0"]


def test_the_schema_of_reports_is_where_the_page_says() -> None:
    """The page links the JSON Schema of reports."""
    assert "(report.schema.json)" in CI_PAGE
    assert json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))["title"]
