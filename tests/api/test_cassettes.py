"""Runs on record: the same verdict again without a key, a server or a socket."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.api.traffic import dataset_from_cassette
from regrade.cassette import Recorder
from regrade.cli.main import main
from regrade.errors import StoreError, UsageError

Suite = Callable[..., Path]
RULES = ["at_most latency_p95 9", "at_least exact_match 0.2", "at_most failure_rate 0.5"]


class Unreliable:
    """Answers that differ each time they are asked for, refusals that pass and one that lasts."""

    def __init__(self, form: Callable[..., dict[str, Any]]) -> None:
        self.form = form
        self.asked: dict[str, int] = {}

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """Answer one request."""
        question = json.dumps([body["model"], body["messages"][-1]["content"]])
        number = self.asked[question] = self.asked.get(question, 0) + 1
        left, right = body["messages"][-1]["content"].split("+")
        if left == "3" and number == 1:
            return web.json_response({"error": "busy"}, status=429, headers={"Retry-After": "0"})
        if left == "5":
            return web.json_response({"error": f"down for the {number}th time"}, status=500)
        await asyncio.sleep(0.001 * (int(left) % 7))
        text = str(int(left) + int(right) + (number + int(left)) % 2)
        return await streamed(request, text) if body.get("stream") else web.json_response(self.form(text))


async def streamed(request: web.Request, text: str) -> web.StreamResponse:
    """Answer as a stream."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    chunks = [{"delta": {"content": one}} for one in text] + [{"delta": {}, "finish_reason": "stop"}]
    for chunk in chunks:
        await response.write(f"data: {json.dumps({'choices': [{'index': 0, **chunk}]})}\n\n".encode())
    await response.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
    return response


@pytest.fixture
def spec(workdir: Path, serve: Callable[..., Any], answer: Callable[..., Any]) -> Path:
    """Write a suite over an unreliable endpoint: two models found by a glob, one streamed, two repeats."""
    endpoint = serve(Unreliable(answer))
    endpoint.models += ["good-1", "good-2", "other"]
    rows = "\n".join(f'    - {{id: s{n}, input: "{n}+{n}", target: "{2 * n}"}}' for n in range(8))
    path = workdir / "sums.yaml"
    path.write_text(
        f"""
name: sums
dataset:
  rows:
{rows}
models:
  - {{name: "good-*", base_url: "{endpoint.base_url}", api_key_env: SUMS_KEY}}
  - {{name: streamed, model: other, stream: true, base_url: "{endpoint.base_url}"}}
prompt: "{{{{ input }}}}"
epochs: 2
scorers: [exact_match]
"""
    )
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no socket reach anything."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was used")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def verdict(run: regrade.Run, results: str) -> str:
    """Return the whole verdict of a run as JSON."""
    gated = regrade.gate(run.id, rules=RULES, results=Path(results))
    return json.dumps(gated.document.records) + gated.paragraph


def recorded(spec: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> str:
    """Record a run and return its verdict."""
    with monkeypatch.context() as patch:
        patch.setenv("SUMS_KEY", "a-key-of-no-known-shape")
        return verdict(
            regrade.run(spec, results="live", record=Path("c"), max_retries=1, **more), results="live"
        )


def test_a_replay_gives_the_identical_verdict_without_a_socket(
    spec: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Answers of every repeat, refusals, retries, latency and all figures; no key is set."""
    live = recorded(spec, monkeypatch)
    request.getfixturevalue("offline")
    run = regrade.run(spec, results="again", replay=Path("c"))
    assert verdict(run, "again") == live
    assert "down for the " in str(run.samples["failure_message"].to_pylist())
    assert {row["model"] for row in run.samples.to_pylist()} == {"good-1", "good-2", "streamed"}
    assert "a-key-of-no" not in Path("c/exchanges.jsonl").read_text()
    rows = {(one["model"], one["sample_id"], one["epoch"]): one for one in run.samples.to_pylist()}
    before = regrade.open_run("latest", results=Path("live")).samples.to_pylist()
    for row in before:
        for name in ("text", "latency_s", "ttft_s", "prompt_tokens", "attempts", "failure_message"):
            assert rows[row["model"], row["sample_id"], row["epoch"]][name] == row[name]


def test_a_replay_goes_by_the_name_of_what_was_recorded(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdict is that run's; beside that run it has its own name."""
    recorded(spec, monkeypatch)
    run = regrade.run(spec, results="live", replay=Path("c"))
    original = run.manifest.replay_of
    assert original is not None
    assert regrade.gate(run.id, rules=RULES, results=Path("live")).result.run == original
    both = regrade.gate(run.id, rules=["no_regression exact_match"], baseline=original, results=Path("live"))
    assert (both.result.run, both.result.baseline) == (run.id, original)
    assert {one.difference for one in both.verdicts} == {0}


def test_a_replay_that_misses_says_what_and_ends_with_1(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many requests were not found, and the nearest to the first of them; the run is no success."""
    recorded(spec, monkeypatch)
    spec.write_text(spec.read_text() + "parameters: {temperature: 0.5}\n")
    assert (
        main(["run", str(spec), "--replay", "c", "--models", "streamed", "--gate", "--rule", RULES[1]]) == 1
    )
    told = " ".join(capsys.readouterr().out.split())
    assert "16 requests were not found in c; the first: the cassette does not hold this request" in told
    assert "What differs: temperature: 0.5, not in the recorded one" in told
    assert "not gated" in told


def test_a_replay_is_resumed_as_one(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that stopped on the way asks its cassette on, not the network; a recorded one is recorded on."""
    with monkeypatch.context() as patch:
        patch.setenv("SUMS_KEY", "a-key-of-no-known-shape")
        first = regrade.run(spec, results="live", record=Path("c"), max_requests=20, max_retries=1)
        assert first.status == "partial"
        whole = regrade.run(resume=first.id, results="live", max_retries=1)
    assert whole.status == "success"
    part = regrade.run(spec, results="again", replay=Path("c"), max_requests=10)
    assert part.status == "partial"
    shutil.rmtree("live")
    again = regrade.run(resume=part.id, results="again")
    assert again.status == "success"
    assert again.manifest.counts["finished"] == whole.manifest.counts["finished"] == 48


def test_the_questions_of_judges_are_on_record(
    suite: Suite, sums: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What scorers ask is replayed as well."""
    sums.before = lambda question, number: (
        None if question[0].isdigit() else web.json_response(sums.form("Fine.\nGRADE: CORRECT"))
    )
    grading = {"model": "judge", "rubric": "Right?"}
    path = suite(scorers=[{"model_graded": grading}])
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", sums.base_url)
        live = regrade.run(path, record=Path("c"))
    request.getfixturevalue("offline")
    again = regrade.run(path, replay=Path("c"))
    assert again.scores["value"].to_pylist() == live.scores["value"].to_pylist()
    assert len(again.scores) == 20


def test_options_that_exclude_each_other_are_refused(suite: Suite) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match="either records or replays"):
        regrade.run(suite(), record=Path("c"), replay=Path("c"))
    with pytest.raises(UsageError, match=r"--redact and --redact-pattern .*\n.*--record DIR"):
        regrade.run(suite(), redact=["$.user"])
    with pytest.raises(StoreError, match="there is no cassette in nowhere"):
        regrade.run(suite(), replay=Path("nowhere"))


def test_a_folder_that_no_run_can_be_replayed_from_is_one_error(suite: Suite) -> None:
    """A file, and a cassette without an exchange: told before a run begins, to recorders as well."""
    Path("file").touch()
    with Recorder(Path("empty")):
        pass
    for name, said in (("file", "file is a file; a cassette is a folder"), ("empty", "empty is empty")):
        with pytest.raises(StoreError, match=said):
            regrade.run(suite(), replay=Path(name))
    with pytest.raises(StoreError, match="file is a file; a cassette is a folder"):
        regrade.run(suite(), record=Path("file"))
    with pytest.raises(UsageError, match="the cassette in empty is empty"):
        dataset_from_cassette(Path("empty"), Path("y.jsonl"))
    assert not Path("y.jsonl").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_run_that_cannot_be_recorded_ends(suite: Suite) -> None:
    """A full disk is no failure of the endpoint, and leaves no run that looks recorded."""
    Path("c").mkdir()
    Path("c/exchanges.jsonl").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="No space left on device"):
        regrade.run(suite(), record=Path("c"))


def test_user_values_are_not_recorded_and_found_again(
    suite: Suite, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is redacted in the recording is redacted in what is looked up."""
    path = str(suite(parameters={"extra_body": {"user": "joan@example.org"}}))
    command = ["run", path, "--record", "c", "--redact", "$.user", "--redact-pattern", r"1\+\d"]
    command += ["--redact", "$.meta.usr"]
    assert main([*command, "--plan-only"]) == 0
    assert not Path("c").exists()
    assert main(command) == 0
    said = capsys.readouterr()
    assert "recorded in c\n" in said.out
    assert "warning: redaction: `$.meta.usr` matched nothing in " in said.err
    assert said.err.count("warning") == 1
    assert "joan@" not in Path("c/exchanges.jsonl").read_text()
    assert "1+1" not in Path("c/exchanges.jsonl").read_text()
    request.getfixturevalue("offline")
    assert main(["run", path, "--replay", "c"]) == 0
    assert "torn" not in capsys.readouterr().err
    with Path("c/exchanges.jsonl").open("ab") as stream:
        stream.write(b'{"v":1,"ha')
    assert main(["run", path, "--replay", "c"]) == 0
    assert "is torn, as a crash leaves it, and was left out" in capsys.readouterr().err


DEMO = """
name: arithmetic
dataset: {rows: [{input: "12 + 30 =", target: "42"}, {input: "5 + 5 =", target: "10"}]}
models: [demo/v1]
prompt: "{{ input }}"
parameters: {temperature: 0.7, max_tokens: 12}
epochs: 2
scorers: [includes]
gate: {rules: [{rule: at_most, metric: latency_p95, value: 60}]}
"""


def in_namespace() -> list[str]:
    """Return what runs a command without any network, where the system lets one."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    done = subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False)
    return [unshare, "-rn"] if done.returncode == 0 else []


def test_the_demo_suite_replays_where_there_is_no_network(workdir: Path) -> None:
    """As typed, with demo models that are not started: the document of the verdict is the same file."""
    (workdir / "demo.yaml").write_text(DEMO)
    command = [sys.executable, "-m", "regrade", "run", "demo.yaml", "--gate"]
    live = main([*command[3:], "--record", "c", "-o", "live.json"])
    assert live in {0, 101}
    again = subprocess.run(
        [*in_namespace(), *command, "--replay", "c", "-o", "again.json", "--results", "other"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == live, again.stderr
    assert Path("again.json").read_bytes() == Path("live.json").read_bytes()
