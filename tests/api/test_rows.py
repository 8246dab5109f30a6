"""Faults of datasets and specs are told together: one pass, the first few in words, the others counted."""

import json
import os
import re
from pathlib import Path

import pytest

from regrade.cli.main import main

IMAGES = """\
name: pictures
dataset: {path: rows.jsonl, input: q, target: a, id: row}
models: [demo/v1]
prompt: {messages: [{role: user, content: [{image: img}, {text: "{{ q }}"}]}]}
scorers: [exact_match]
"""
CHOICES = """\
name: picks
dataset: {path: rows.jsonl, input: q, target: a, id: row}
models: [demo/v1]
prompt: "{{ q }}"
choices: {options: options}
scorers: [choice]
"""
MANY = """\
name: many
dataset: {jsonl: {path: rows.jsonl, colour: 1}}
prompt: "{{ q }}"
parameters: {tools: missing.json, response_format: jsonn, tool_choice: {a: 1}}
scorers: []
"""


def validated(spec: str, rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `validate` says of a faulty suite."""
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("spec.yaml").write_text(spec)
    assert main(["validate", "spec.yaml"]) == 2
    return capsys.readouterr().err


def test_the_first_bad_rows_are_told_and_the_others_counted(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five missing images are named with their lines, and the last good row changes nothing."""
    Path("there.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    rows: list[dict[str, object]] = [{"q": "x", "a": "y", "img": f"i{n}.png"} for n in range(12)]
    told = validated(IMAGES, [*rows, {"q": "x", "a": "y", "img": "there.png"}], capsys)
    assert "12 samples do not fit" in told
    assert [f"rows.jsonl:{n}: " in told for n in (1, 5, 6)] == [True, True, False]
    assert "... and 7 more" in told


PLAIN = """\
name: plain
dataset: {path: rows.jsonl, input: q, target: a, id: row}
models: [demo/v1]
prompt: "{{ input }}"
scorers: [exact_match]
"""


def test_rows_without_their_column_are_told_together(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first five with their lines, the place in the spec once, and none behind the limit."""
    rows: list[dict[str, object]] = [{"q": "x"} if n % 2 else {"q": "x", "a": "y"} for n in range(20)]
    told = validated(PLAIN, rows, capsys)
    assert "rows.jsonl: 10 rows do not fit" in told
    assert [f'rows.jsonl:{n}: no column "a"' in told for n in (2, 10, 12)] == [True, True, False]
    assert "... and 5 more" in told
    assert told.count("asked for at spec.yaml:2:") == 1
    limited = PLAIN.replace("id: row}", "id: row, limit: 5}")
    assert "rows.jsonl: 2 rows do not fit" in validated(limited, rows, capsys)
    assert "at least 1,000 rows do not fit" in validated(PLAIN, [{"q": "x"}] * 2_000, capsys)


@pytest.mark.parametrize(
    ("file", "text", "lines"),
    [
        ("rows.jsonl", '{"q": 1, "a": 1}\n{"q": \n[1]\n{"q": 1, "a": 2}\nx\n', (2, 3, 5)),
        ("rows.jsonl", '{"q": 1}\n{"q": 1, "a": 1}\n{"q": \n[1]\n', (1, 3, 4)),
        ("rows.csv", 'q,a\n1,2\n1\n1,2,3\n1,2\n"\n', (3, 4, 6)),
    ],
    ids=["json", "json and mapping", "csv"],
)
def test_lines_that_are_no_rows_are_told_together(
    workdir: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, lines: tuple[int, ...]
) -> None:
    """Each with its place, in the order of the file, those that cannot be mapped among them."""
    Path(file).write_text(text)
    Path("spec.yaml").write_text(PLAIN.replace("rows.jsonl", file))
    assert main(["validate", "spec.yaml"]) == 2
    told = capsys.readouterr().err
    assert f"{file}: 3 rows do not fit" in told
    assert [int(one) for one in re.findall(rf"^  {file}:(\d+)", told, re.MULTILINE)] == list(lines)


def test_a_pipe_is_no_picture(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there and no file is not called missing, and is never opened."""
    os.mkfifo("pipe.png")
    told = validated(IMAGES, [{"q": "x", "a": "y", "img": "pipe.png"}], capsys)
    assert "pipe.png: is no regular file" in told


def test_bad_options_are_told_together(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rows whose target is none of their options are two lines of one message."""
    rows: list[dict[str, object]] = [{"q": "x", "a": target, "options": ["k", "l"]} for target in "ZAY"]
    told = validated(CHOICES, rows, capsys)
    assert "2 samples do not fit" in told
    assert ("in line 1" in told, "in line 2" in told, "in line 3" in told) == (True, False, True)


def test_options_that_name_no_column_are_pointed_to(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The spec is at fault there, so its line and column are shown."""
    told = validated(
        CHOICES.replace(": options}", ": opts}"), [{"q": "x", "a": "A", "options": ["k"]}], capsys
    )
    assert 'spec.yaml:5:20: options: no column "opts"' in told


def test_a_wrong_mode_is_one_message_in_words(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither types of the code nor two messages for one word."""
    told = validated(CHOICES.replace(": options}", ": options, mode: autoo}"), [{"q": "x", "a": "A"}], capsys)
    assert 'did you mean "auto"?' in told
    assert "error: 1 problem\n" in told


def test_a_missing_file_hides_no_other_fault(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All five faults of a spec are told at once, and none that follows from another."""
    told = validated(MANY, [{"q": "x"}], capsys)
    for fault in (
        "missing.json cannot be read",
        '"jsonn"',
        "`tool_choice` must be",
        '"colour"',
        "`scorers` must",
    ):
        assert fault in told
    assert "looked for" not in told
    assert "error: 5 problems" in told


def test_an_unknown_cluster_points_to_its_own_line(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not to the dataset's, where nothing is wrong."""
    spec = "name: c\ndataset: {path: rows.jsonl, input: q}\ncluster: nope\n"
    spec += 'prompt: "{{ q }}"\nscorers: [includes]\n'
    told = validated(spec, [{"q": "x"}], capsys)
    assert 'no column "nope"' in told
    assert "asked for at spec.yaml:3:10" in told


def test_one_sample_is_one_sample(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The count reads as English."""
    Path("rows.jsonl").write_text('{"q": "x", "a": "A", "options": ["k", "l"]}\n')
    Path("spec.yaml").write_text(CHOICES)
    assert main(["validate", "-q", "spec.yaml"]) == 0
    assert "ok, 1 sample, scorers" in capsys.readouterr().out


def test_a_name_that_the_spec_does_not_list_gets_the_nearest_one(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in --models is told beside the key that a model of that name would need."""
    Path("rows.jsonl").write_text('{"q": "x", "a": "A", "options": ["k", "l"]}\n')
    Path("spec.yaml").write_text(
        CHOICES.replace("[demo/v1]", '[{name: mine, base_url: "http://127.0.0.1:9"}]')
    )
    assert main(["run", "spec.yaml", "--models", "mime"]) == 2
    told = capsys.readouterr().err
    assert 'the spec lists no model "mime": did you mean "mine"?' in told
    assert main(["run", "spec.yaml", "--models", "z*"]) == 2
    assert 'the spec lists no model "z*": it lists mine' in capsys.readouterr().err
