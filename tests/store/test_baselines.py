"""Baselines: one file that holds what a gate needs, and nothing that it should not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

import regrade
from regrade.api import baselines, damaged_baselines, open_baseline
from regrade.cli.main import main
from regrade.errors import RegradeError, StoreError, UsageError
from regrade.store import create_run

SECRET = "sk-verysecret0123456789"
QUESTION, ANSWER, TARGET = "WHATISASKED", "WHATISANSWERED", "WHATISRIGHT"


@pytest.fixture
def finished(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., regrade.Run]:
    """Return what runs forty samples whose texts are easy to find again, with a key in the environment."""
    monkeypatch.setenv("M_API_KEY", SECRET)

    def run(wrong: int = 0, **changes: Any) -> regrade.Run:
        rows = [
            {
                "id": f"s{n}",
                "q": f"{QUESTION} {n}",
                "a": f"{TARGET} {n}",
                "channel": ["chat", "mail"][n % 2],
                "who": n // 4,
            }
            for n in range(40)
        ]
        texts = [f"{ANSWER} {n}" if n < wrong else row["a"] for n, row in enumerate(rows)]
        Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        Path("outputs.jsonl").write_text(
            "".join(
                json.dumps({"id": row["id"], "t": text, "in": 7, "s": 0.5}) + "\n"
                for row, text in zip(rows, texts, strict=True)
            )
        )
        model = {
            "name": "m",
            "outputs": "outputs.jsonl",
            "id": "id",
            "text": "t",
            "prompt_tokens": "in",
            "latency_s": "s",
        }
        spec = {
            "name": "quiz",
            "dataset": {"path": "rows.jsonl", "input": "q", "target": "a", "metadata": ["channel"]},
            "models": [model],
            "prompt": "Please: {{ q }}",
            "scorers": ["exact_match"],
            **changes,
        }
        with Path("quiz.yaml").open("w") as stream:
            YAML().dump(spec, stream)
        return regrade.run("quiz.yaml")

    return run


def test_the_file_holds_no_text_and_no_key(finished: Any) -> None:
    """Neither prompt, target nor answer, in no column and no header; ids, metadata and scores alone."""
    finished(wrong=10)
    path = regrade.set_baseline("main").path
    table = pq.read_table(path)
    said = json.dumps(table.to_pylist()) + str(table.schema.metadata) + path.read_bytes().decode("latin-1")
    for text in (QUESTION, ANSWER, TARGET, SECRET, "Please"):
        assert text not in said
    assert "s39" in said
    assert "chat" in said
    assert not {"messages", "target", "text", "input", "reasoning", "failure_message"} & set(
        table.schema.names
    )


def test_answers_are_kept_when_asked_for(finished: Any) -> None:
    """With `answers=True` prompts, targets and answers are there, and flips against it show both texts."""
    finished()
    held = regrade.set_baseline("main", answers=True)
    texts = json.dumps(pq.read_table(held.path).to_pylist())
    assert held.header["answers"] is True
    assert all(text in texts for text in (QUESTION, TARGET))
    found = regrade.compare("main", finished(wrong=1).id)
    (flip,) = found.flips[0].broken
    assert (flip.text_a, flip.text_b) == (f"{TARGET} 0", f"{ANSWER} 0")


def test_without_answers_flips_show_what_the_candidate_has(finished: Any) -> None:
    """The prompt and B's answer are the candidate's own; A's is not stored."""
    finished()
    regrade.set_baseline("main")
    (flip,) = regrade.compare("main", finished(wrong=1).id).flips[0].broken
    assert (flip.sample, flip.text_a, flip.text_b) == ("s0", None, f"{ANSWER} 0")
    assert QUESTION in str(flip.messages)


def test_a_taken_name_needs_replace(finished: Any) -> None:
    """A baseline is never replaced by accident, and `replace` does it."""
    first, second = finished(), finished(wrong=1)
    regrade.set_baseline("main", first.id)
    with pytest.raises(UsageError, match="exists") as caught:
        regrade.set_baseline("main", second.id)
    assert "--replace" in str(caught.value.hint)
    assert open_baseline("main").header["run"] == first.id
    regrade.set_baseline("main", second.id, replace=True)
    assert open_baseline("main").header["run"] == second.id


@pytest.mark.parametrize(
    "name", ["", "latest", "previous", "../main", "a/b", "1st", "a b", "x" * 81, ".hidden", "a,b"]
)
def test_names_that_mean_something_else_are_refused(finished: Any, name: str) -> None:
    """Nothing is written outside of the folder, and no name can be taken for a run."""
    finished()
    with pytest.raises(UsageError, match="cannot name a baseline"):
        regrade.set_baseline(name)
    assert not list(Path().rglob("*.parquet.parquet"))
    assert not (Path("results") / "baselines").exists()


def damaged(path: Path) -> None:
    """Cut the file in half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def altered(path: Path) -> None:
    """Change one byte of what is compressed."""
    found = bytearray(path.read_bytes())
    found[len(found) // 3] ^= 1
    path.write_bytes(found)


def emptied(path: Path) -> None:
    """Leave nothing of it."""
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    """Put another Parquet file in its place."""
    pq.write_table(pa.table({"a": [1]}), path)


def newer(path: Path) -> None:
    """Raise the version of its header."""
    rewritten(path, lambda header: header | {"v": 99})


def headless(path: Path) -> None:
    """Put something else where the header was."""
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"regrade.baseline": "[1]"}), path)


def without_columns(path: Path) -> None:
    """Drop a column that is needed."""
    pq.write_table(pq.read_table(path).drop_columns(["value"]), path)


def rewritten(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the header and leave the rest."""
    table = pq.read_table(path)
    header = change(json.loads(table.schema.metadata[b"regrade.baseline"]))
    pq.write_table(table.replace_schema_metadata({"regrade.baseline": json.dumps(header)}), path)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damaged, "is damaged: it cannot be read as Parquet"),
        (altered, "is damaged: it cannot be read as Parquet"),
        (emptied, "is damaged: it cannot be read as Parquet"),
        (foreign, "no baseline of regrade"),
        (newer, "newer regrade"),
        (headless, "no baseline of regrade"),
        (without_columns, "value"),
    ],
)
def test_a_file_that_is_none_gives_one_clear_error(
    finished: Any, spoil: Callable[[Path], None], said: str
) -> None:
    """Damaged, foreign or newer: the file is named, and nothing passes."""
    run = finished()
    path = regrade.set_baseline("main").path
    spoil(path)
    with pytest.raises(StoreError, match=said) as caught:
        regrade.gate(run.id, baseline="main")
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    if said != "newer regrade":
        assert "regrade baseline set main RUN --replace" in str(caught.value.hint)


def test_a_baseline_of_an_older_regrade_is_read(finished: Any) -> None:
    """What is kept since then is not known of it; all else is compared as ever."""
    run = finished(wrong=10)
    path = regrade.set_baseline("main").path
    pq.write_table(pq.read_table(path).drop_columns(["reasoning_tokens"]), path)
    assert regrade.gate(run.id, baseline="main").outcome == "PASS"


def test_one_damaged_file_hides_no_other(finished: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The list has the good ones and names the bad one; a folder of that name is none at all."""
    finished()
    damaged(regrade.set_baseline("bad").path)
    folder = regrade.set_baseline("good").path.parent
    (folder / "other.parquet").mkdir()
    assert [one.name for one in baselines()] == ["good"]
    assert list(damaged_baselines()) == ["bad"]
    assert main(["baseline", "list"]) == 0
    shown = capsys.readouterr().out
    assert "damaged" in next(line for line in shown.splitlines() if line.split()[:1] == ["bad"])
    assert "regrade baseline set bad RUN --replace" in " ".join(shown.split())
    with pytest.raises(UsageError, match="no baseline"):
        open_baseline("other")


def test_an_unknown_name_is_answered_with_the_nearest(finished: Any) -> None:
    """`mian` is probably `main`."""
    finished()
    regrade.set_baseline("main")
    with pytest.raises(RegradeError) as caught:
        regrade.gate("latest", baseline="mian")
    assert 'did you mean "main"' in str(caught.value.hint)


def test_half_a_run_is_no_baseline(finished: Any) -> None:
    """A run that a budget ended has to be finished first."""
    finished()
    half = regrade.run("quiz.yaml", max_requests=5)
    with pytest.raises(UsageError, match="half a run"):
        regrade.set_baseline("main", half.id)


def test_a_header_says_where_it_came_from(finished: Any) -> None:
    """Run, time, models, evals, sizes and the hash of all scores; the same run gives the same hash."""
    run = finished()
    held = regrade.set_baseline("main")
    assert (held.header["run"], held.header["evals"]) == (run.id, ["quiz"])
    assert [one["name"] for one in held.header["models"]] == ["m"]
    again = regrade.set_baseline("again", run.id)
    assert held.file.fingerprint == again.file.fingerprint != ""
    other = regrade.set_baseline("other", finished(wrong=1).id)
    assert other.file.fingerprint != held.file.fingerprint
    assert [one.name for one in baselines()] == ["again", "main", "other"]


def test_ids_of_one_second_sort_by_time(tmp_path: Path) -> None:
    """Two runs a few milliseconds apart: `latest` is the later one, always."""
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    ids = [create_run(tmp_path, now + timedelta(milliseconds=5 * n)).id for n in range(150)]
    assert ids == sorted(ids)
    assert len({create_run(tmp_path, now).id for _ in range(100)}) == 100
