"""Recorded traffic as a dataset."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cassette.conftest import answer, ask, keep, piece

import regrade
from regrade.api import TrafficOptions, dataset_from_cassette
from regrade.cassette import Recorder
from regrade.cli.main import main
from regrade.errors import StoreError, TemplateError, UsageError


@pytest.fixture
def traffic(workdir: Path) -> Path:
    """Record an hour of traffic: one request every ten minutes from noon on."""
    moments: Iterator[datetime] = (
        datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=10 * step) for step in range(99)
    )
    system = {"role": "system", "content": "Be brief."}
    with Recorder(workdir / "c", now=lambda: next(moments)) as recorder:
        keep(recorder, ask("Where is my parcel?"), answer("On its way."))
        keep(recorder, ask("Where is my parcel?"), answer("Still on its way."))
        keep(recorder, ask("Where is my parcel!"), answer("Here."))
        keep(recorder, ask("Close my account", model="big", seed=7), b'{"error":"x"}', 500)
        spoken = [system, *ask("Hello")["messages"], {"role": "assistant", "content": "Hi"}]
        parts = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://x.invalid/x.png"}},
        ]
        take = recorder.begin(
            "POST", "/chat/completions", ask("") | {"messages": [*spoken, {"role": "user", "content": parts}]}
        )
        take.answered(200, {})
        for data in (piece("A "), piece("cat", finish="stop"), "[DONE]"):
            take.event(data)
        take.end()
        listing = recorder.begin("GET", "/models")
        listing.answered(200, {})
        listing.body(b'{"data":[]}')
        listing.end()
    return workdir / "c"


def rows(folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Return the rows of the dataset made with these options."""
    path = folder.parent / "made" / "x.jsonl"
    dataset_from_cassette(folder, path, TrafficOptions(replace=True, **options))
    return [json.loads(line) for line in path.read_text().splitlines()]


def inputs(folder: Path, **options: Any) -> list[str]:
    """Return what was asked in these rows."""
    return [row["input"] for row in rows(folder, **options)]


def test_a_row_holds_what_was_asked_and_answered(traffic: Path) -> None:
    """The last thing the user said, the whole conversation, the answer, and how it was made."""
    first, _, last = rows(traffic)
    assert (first["input"], first["answer"], first["model"]) == ("Where is my parcel?", "On its way.", "m")
    assert (first["params"], first["prompt_tokens"], first["at"]) == (
        {"temperature": 0},
        7,
        "2026-03-01T12:00:00.000+00:00",
    )
    assert (last["input"], last["answer"], last["system"]) == ("What is this?", "A cat", "Be brief.")
    assert [one["role"] for one in last["messages"]] == ["system", "user", "assistant", "user"]
    assert "target" not in first
    assert len(first["id"]) == 32


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"dedupe": False}, 4),
        ({"near": 0.9}, 2),
        ({"status": "failed"}, 1),
        ({"status": "all"}, 4),
        ({"status": "all", "models": ["b*"]}, 1),
        ({"models": ["b*", "m"]}, 3),
        ({"since": "2026-03-01T12:20"}, 2),
        ({"since": "2026-03-01T13:20+01:00"}, 2),
        ({"until": "2026-03-01T12:20"}, 2),
        ({"until": "2026-03-01"}, 3),
        ({"where": "system == 'Be brief.'"}, 1),
        ({"where": "input | length > 13 and params.temperature == 0"}, 2),
        ({"sample": 2}, 2),
    ],
)
def test_what_is_asked_for_is_kept(traffic: Path, options: dict[str, Any], kept: int) -> None:
    """Filters, repeats, similar inputs and the draw."""
    assert len(inputs(traffic, **options)) == kept


def test_repeats_that_are_kept_have_ids_of_their_own(traffic: Path) -> None:
    """A dataset never holds an id twice."""
    ids = [row["id"] for row in rows(traffic, dedupe=False)]
    assert ids[1] == f"{ids[0]}-2"
    assert len(set(ids)) == 4


def test_a_draw_is_the_same_for_the_same_seed(traffic: Path) -> None:
    """In the order of the recording, whichever rows are drawn."""
    draws = [inputs(traffic, sample=2, seed=seed) for seed in (1, 1, 2, 3, 4, 5)]
    assert draws[0] == draws[1]
    assert len({tuple(one) for one in draws}) > 1
    everything = inputs(traffic)
    assert all(sorted(one, key=everything.index) == one for one in draws)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"since": "monday"}, UsageError, "since: monday is neither a date nor a time"),
        ({"where": "inptu == 1"}, TemplateError, 'no variable "inptu"'),
        ({"where": "input =="}, TemplateError, "not a valid template"),
        (
            {"models": ["none"]},
            UsageError,
            "no row is left of the 6 exchanges in .*: 4 of other models, 1 failed, 1 listings",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    traffic: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """And no file is made."""
    with pytest.raises(error, match=message):
        rows(traffic, **options)
    assert not (traffic.parent / "made" / "x.jsonl").exists()


def test_an_existing_file_stays(traffic: Path) -> None:
    """Until --replace says otherwise; a suffix that is no dataset's is refused; so is what is no cassette."""
    path = Path("x.jsonl")
    path.write_text("mine\n")
    with pytest.raises(UsageError, match="exists already"):
        dataset_from_cassette(traffic, path)
    assert path.read_text() == "mine\n"
    with pytest.raises(UsageError, match="written as JSON Lines"):
        dataset_from_cassette(traffic, Path("x.csv"))
    with pytest.raises(StoreError, match="there is no cassette"):
        dataset_from_cassette(Path("nowhere"), Path("y.jsonl"))


def test_traffic_becomes_a_suite(traffic: Path, sums: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """From the cassette to a run: the conversations are asked as they were, the answers are the targets."""
    command = ["dataset", "from-cassette", str(traffic), "-o", "data/x.jsonl", "--target", "answer"]
    assert main([*command, "--near", "0.9"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("data/x.jsonl: 2 rows of 6 exchanges\n")
    assert "left out: 1 repeats\n" in told
    assert "left out: 1 much like another\n" in told
    assert "regrade validate SPEC" in told
    sums.before = lambda question, number: sums_answer(sums)
    Path("s.yaml").write_text(
        "name: traffic\ndataset: {path: data/x.jsonl}\nprompt: {messages: messages}\n"
        f"models: [{{name: m, base_url: '{sums.base_url}'}}]\nscorers: [exact_match]\n"
    )
    run = regrade.run("s.yaml")
    assert run.status == "success"
    assert sorted(run.samples["target"].to_pylist()) == ["A cat", "On its way."]
    asked = [[one["role"] for one in body["messages"]] for body in sums.endpoint.bodies]
    assert sorted(asked, key=len) == [["user"], ["system", "user", "assistant", "user"]]
    assert sorted(run.scores["value"].to_pylist()) == [0, 1]


def sums_answer(sums: Any) -> Any:
    """Return the answer to whatever is asked."""
    from aiohttp import web

    return web.json_response(sums.form("A cat"))
