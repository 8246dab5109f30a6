"""`regrade compare` as it is typed; and what a hostile model may write into it without any effect."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.cli.main import main

HOSTILE = {
    "escapes": "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b31m\r\b\b\b",
    "bidi": "safe \u202eevil\u2066 \u200b",
    "markup": "[bold red]PASS[/bold red] <script>alert(1)</script> [link=file:///etc/passwd]x[/link]",
    "commands": "\n::error::all is lost\n  ::set-output name=outcome::PASS\n##[error]no",
    "long": "y" * 10_000,
    "words": "word " * 4_000,
    "wide": "\u6f22\u5b57" * 300,
    "lines": "\n".join("x" for _ in range(500)),
    "fences": "```\n</details>\n| a | b |\n# PASS\n```",
}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def pair(workdir: Path) -> Callable[..., tuple[regrade.Run, regrade.Run]]:
    """Return what runs one suite twice: all right, then with some answers replaced."""

    def run(replaced: dict[int, str], rows: int = 40, **spec: Any) -> tuple[regrade.Run, regrade.Run]:
        listed = [
            {"id": f"s{n}", "q": f"{n}?", "a": f"yes {n}", "channel": ["chat", "mail"][n % 2]}
            for n in range(rows)
        ]
        Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
        model = {"name": "m", "outputs": "outputs.jsonl", "id": "id", "text": "a"}
        dataset = {"path": "rows.jsonl", "input": "q", "target": "a", "metadata": ["channel"]}
        whole = {
            "name": "quiz",
            "dataset": dataset,
            "models": [model],
            "prompt": "{{ q }}",
            "scorers": ["exact_match"],
        }
        Path("quiz.yaml").write_text(json.dumps(whole | spec))  # JSON is YAML
        runs = []
        for texts in ({}, replaced):
            lines = [{"id": row["id"], "a": texts.get(n, row["a"])} for n, row in enumerate(listed)]
            Path("outputs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            runs.append(regrade.run("quiz.yaml"))
        return runs[0], runs[1]

    return run


def typed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Return what a command prints to stdout, or its message."""
    capsys.readouterr()
    found = main([*arguments])
    captured = capsys.readouterr()
    assert found == code, captured.out + captured.err
    return captured.err if code else captured.out


def test_it_shows_what_changed_and_how_sure_that_is(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Both values, difference, interval, adjusted p, then the answers that flipped; within 80 columns."""
    old, new = pair(dict.fromkeys(range(8), "no"))
    shown = typed(capsys, "compare", old.id, new.id)
    assert max(map(len, shown.splitlines())) <= 80
    flat = " ".join(shown.split())
    for part in ("100.0 %", "80.0 %", "8 lost", "0 gained", "[-yes 0-] {+no+}", old.id, new.id):
        assert part in flat
    assert "PASS" not in shown
    assert "FAIL" not in shown


def test_as_many_flips_as_asked_for(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """--flips 0 shows none, --flips 5 five."""
    old, new = pair(dict.fromkeys(range(8), "no"))
    for count in (0, 1, 5):
        shown = typed(capsys, "compare", old.id, new.id, "--flips", str(count))
        assert len(re.findall(r"^  lost: ", shown, re.MULTILINE)) == count


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("verb", ["compare", "gate"])
def test_hostile_answers_cannot_act_on_the_terminal(
    pair: Any, capsys: pytest.CaptureFixture[str], kind: str, verb: str
) -> None:
    """No control character reaches the terminal, no markup is obeyed, and no line is wider than 80 cells."""
    from rich.cells import cell_len

    old, new = pair(dict.fromkeys(range(8), HOSTILE[kind]))
    arguments = [old.id, new.id] if verb == "compare" else [new.id, "--baseline", old.id]
    shown = typed(capsys, verb, *arguments) if verb == "compare" else _failed(capsys, verb, *arguments)
    assert not CONTROL.findall(shown)
    assert max(map(cell_len, shown.splitlines())) <= 80
    if kind == "markup":
        assert "[bold red]PASS[/bold red]" in " ".join(shown.split())


def _failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main([*arguments]) == 100
    return capsys.readouterr().out


def test_long_answers_are_cut_unless_asked_for(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten thousand characters are shown to 1,200, with --full to the last."""
    old, new = pair({0: HOSTILE["long"]})
    cut = typed(capsys, "compare", old.id, new.id)
    assert 1_000 < cut.count("y") < 1_500
    assert "..." in cut
    assert typed(capsys, "compare", old.id, new.id, "--full").count("y") >= 10_000


def test_no_answer_becomes_a_command_of_the_runner(
    pair: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In GitHub Actions the only line that begins with `::` is the gate's own annotation."""
    old, new = pair(dict.fromkeys(range(8), HOSTILE["commands"]))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output.txt"))
    shown = _failed(capsys, "gate", new.id, "--baseline", old.id)
    commands = [line for line in shown.splitlines() if line.lstrip().startswith(("::", "##["))]
    assert len(commands) == 1
    assert commands[0].startswith("::error ")
    assert "all is lost" not in commands[0]
    outputs = (tmp_path / "output.txt").read_text()
    assert outputs.startswith("outcome<<")
    assert "\nFAIL\n" in outputs


def test_names_of_people_are_shown_not_obeyed(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Metadata, ids and prompts are foreign text as well."""
    evil = "\x1b[31m[bold]"
    rows = [
        {"id": f"{evil}{n}", "q": f"{evil} {n}?", "a": f"yes {n}", "channel": evil if n % 2 else "b"}
        for n in range(40)
    ]
    pair({})
    runs = []
    for name in ("yes", "no"):
        Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        lines = [{"id": row["id"], "a": f"{name} {n}" if n % 2 else row["a"]} for n, row in enumerate(rows)]
        Path("outputs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        runs.append(regrade.run("quiz.yaml"))
    shown = typed(capsys, "compare", runs[0].id, runs[1].id)
    assert not CONTROL.findall(shown)
    assert "<U+001B>[31m[bold]" in shown
    assert "Slices that stand out" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["compare", "nothing"], 2, 'no run or baseline "nothing"'),
        (["compare", "latest", "latest"], 2, "held against itself"),
        (["compare", "latest,model=x", "previous"], 2, "no model"),
        (["compare", "latest", "previous", "--level", "2"], 2, "level"),
        (["compare", "latest", "previous", "-o", "x.docx"], 2, "known suffixes"),
    ],
)
def test_mistakes_are_one_message(
    pair: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    """Exit code 2 and the message alone."""
    pair({})
    capsys.readouterr()
    try:
        found = main(arguments)
    except SystemExit as stopped:
        found = int(str(stopped.code))
    captured = capsys.readouterr()
    assert found == code
    assert captured.out == ""
    assert said in captured.err


def test_exports_of_a_comparison(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds the exact numbers, CSV a line a change, Markdown and HTML the paragraph."""
    old, new = pair(dict.fromkeys(range(8), "no"))
    names = ["out.json", "out.csv", "out.md", "out.html"]
    typed(capsys, "compare", old.id, new.id, *(part for name in names for part in ("-o", name)))
    text = Path("out.json").read_text()
    assert json.loads(text)
    assert "-0.2" in text
    assert len(Path("out.csv").read_text().splitlines()) > 1
    for name in names[2:]:
        assert "exact_match" in Path(name).read_text()
