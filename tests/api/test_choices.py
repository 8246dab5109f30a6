"""Multiple choice from the spec to the verdict: which mode, what it costs, and that modes do not mix."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

import regrade
from regrade.api import plan_run, validate
from regrade.cli.main import main
from regrade.errors import SpecError

Serve = Callable[..., Any]
ROOT = Path(__file__).parents[2]
WORDS = {"capital of Norway": "Oslo", "capital of Italy": "Rome", "colour of snow": "white"}


def tokens_of(text: str) -> list[str]:
    """Cut a text into words, each with the blank before it."""
    cut: list[str] = []
    for word in text.split(" "):
        cut.append(word if not cut else f" {word}")
    return cut


def likelihood(text: str) -> float:
    """Return how likely the last word is: high when it is the right one."""
    right = next((answer for key, answer in WORDS.items() if key in text), "")
    return -0.25 if text.endswith(right) else -3.0


class Server:
    """An endpoint of both APIs whose powers can be taken away.

    Attributes:
        honours: "echo", "logprobs", both or none.
    """

    def __init__(self, *honours: str) -> None:
        self.honours = set(honours)

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """Answer."""
        usage = {"prompt_tokens": 7, "completion_tokens": 1}
        if "messages" in body:
            question = body["messages"][-1]["content"]
            return web.json_response({"choices": [self.chat(question, body)], "usage": usage})
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        choices = [{"index": at, **self.text(prompt, body)} for at, prompt in enumerate(prompts)]
        return web.json_response({"choices": choices, "usage": usage})

    def chat(self, question: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return a choice that answers with the letter of the right option."""
        right = next((answer for key, answer in WORDS.items() if key in question), "")
        at = question.find(f") {right}")
        letter = question[at - 1] if right and at > 0 else "A"
        choice: dict[str, Any] = {"message": {"content": letter}, "finish_reason": "stop"}
        if body.get("logprobs") and "logprobs" in self.honours:
            top = [{"token": letter, "logprob": math.log(0.7)}, {"token": " A", "logprob": math.log(0.1)}]
            choice["logprobs"] = {"content": [{"token": letter, "logprob": -0.3, "top_logprobs": top}]}
        return choice

    def text(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return a completion; the prompt and its numbers with it where echo is honoured."""
        right = next((answer for key, answer in WORDS.items() if key in prompt), "x")
        if not (body.get("echo") and "echo" in self.honours):
            return {"text": f" {right}", "finish_reason": "stop"}
        pieces = [*tokens_of(prompt), "!"]
        values = [None, *([-1.0] * (len(pieces) - 3)), likelihood(prompt), -9.0]
        logprobs = {"tokens": pieces, "token_logprobs": values}
        return {"text": prompt + "!", "finish_reason": "length", "logprobs": logprobs}


@pytest.fixture
def write(workdir: Path) -> Callable[..., None]:
    """Return what writes a suite of three questions for models of an endpoint."""

    def suite(url: str, mode: str = "auto", endpoint: str = "completions", **more: Any) -> None:
        rows = [
            {"q": "capital of Norway", "options": ["Rome", "Oslo"], "answer": "B"},
            {"q": "capital of Italy", "options": ["Rome", "Oslo"], "answer": 0},
            {"q": "colour of snow", "options": ["red", "white", "blue"], "answer": "white"},
        ]
        (workdir / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in more.pop("rows", rows)))
        listing = '{% for o in options %}({{ "ABC"[loop.index0] }}) {{ o }} {% endfor %}'
        prompts = {
            "completions": {"text": "The {{ q }} is"},
            "chat": {"user": f"What is the {{{{ q }}}}? {listing}"},
        }
        spec = {
            "name": "facts",
            "dataset": {"path": "rows.jsonl", "input": "q", "target": "answer"},
            "models": [{"name": "m", "base_url": url, "endpoint": endpoint}],
            "prompts": {"default": prompts[endpoint]},
            "choices": {"options": "options", "mode": mode},
            "scorers": ["choice"],
            **more,
        }
        (workdir / "facts.yaml").write_text(json.dumps(spec))

    return suite


def values(run: regrade.Run) -> dict[str, float]:
    """Return each scored metric's value."""
    rows = pq.read_table(run.path / "summary.parquet").to_pylist()
    return {row["metric"]: row["value"] for row in rows if row["scorer"] and row["value"] is not None}


def samples(run: regrade.Run) -> list[dict[str, Any]]:
    """Return the rows of the samples table."""
    found: list[dict[str, Any]] = pq.read_table(run.path / "samples.parquet").to_pylist()
    return found


@pytest.mark.parametrize(
    ("honours", "endpoint", "mode"),
    [
        (("echo",), "completions", "loglikelihood"),
        ((), "completions", "text"),
        (("logprobs",), "chat", "first_token"),
        ((), "chat", "text"),
    ],
)
def test_auto_takes_the_best_that_the_endpoint_honours(
    serve: Serve, write: Callable[..., None], honours: tuple[str, ...], endpoint: str, mode: str
) -> None:
    """Every question is right in every mode, and the mode stands in manifest, samples and summary."""
    write(serve(Server(*honours)).base_url, endpoint=endpoint)
    run = regrade.run("facts.yaml")
    assert (run.status, values(run)["accuracy"]) == ("success", 1.0)
    assert run.manifest.models[0]["choice_mode"] == mode
    assert {row["choice_mode"] for row in samples(run)} == {mode}
    methods = pq.read_table(run.path / "summary.parquet").to_pylist()
    assert all(row["method"].endswith(f"asked as {mode}") for row in methods if row["scorer"])


def test_log_likelihood_costs_one_request_a_sample(serve: Serve, write: Callable[..., None]) -> None:
    """All options of a sample go out together, with what lm-evaluation-harness asks for."""
    endpoint = serve(Server("echo"))
    write(endpoint.base_url, "loglikelihood", parameters={"max_tokens": 50, "temperature": 1, "seed": 3})
    run = regrade.run("facts.yaml")
    assert len(endpoint.bodies) == 3
    asked = next(body for body in endpoint.bodies if "snow" in body["prompt"][0])
    assert asked == {
        "model": "m",
        "prompt": [f"The colour of snow is {word}" for word in ("red", "white", "blue")],
        "max_tokens": 1,
        "temperature": 0,
        "echo": True,
        "logprobs": 1,
    }
    share = 1 / (1 + 2 * math.exp(-2.75)), 1 / (1 + math.exp(-2.75))
    assert values(run)["target_probability"] == pytest.approx((share[0] + 2 * share[1]) / 3)
    row = next(row for row in samples(run) if "snow" in row["input"])
    assert json.loads(row["choice_logprobs"]) == {"A": -3.0, "B": -0.25, "C": -3.0}


def test_a_server_that_ignores_echo_gives_failures_and_no_score(
    serve: Serve, write: Callable[..., None]
) -> None:
    """Where the mode is set and not honoured, every request fails in words after one attempt."""
    endpoint = serve(Server())
    write(endpoint.base_url, "loglikelihood")
    run = regrade.run("facts.yaml")
    assert (run.status, len(endpoint.bodies)) == ("error", 3)
    assert all("without the prompt" in row["failure_message"] for row in samples(run))
    assert "accuracy" not in values(run)


def test_a_resumed_run_keeps_its_mode_and_buys_nothing_again(
    serve: Serve, write: Callable[..., None]
) -> None:
    """An endpoint that lost its powers meanwhile is not asked which it has."""
    server = Server("echo")
    endpoint = serve(server)
    write(endpoint.base_url)
    run = regrade.run("facts.yaml", max_requests=2)
    assert run.status == "partial"
    asked = len(endpoint.bodies)
    resumed = regrade.run("facts.yaml", resume=run.id)
    assert (resumed.status, values(resumed)["accuracy"]) == ("success", 1.0)
    assert [isinstance(body["prompt"], list) for body in endpoint.bodies[asked:]] == [True]


def test_stored_likelihoods_are_scored_again_and_come_from_the_cache(
    serve: Serve, write: Callable[..., None], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`score` and `--cache` give the same figures without asking for an answer."""
    monkeypatch.setenv("REGRADE_CACHE_FILE", str(workdir / "cache.sqlite"))
    endpoint = serve(Server("echo"))
    write(endpoint.base_url, "loglikelihood")
    run = regrade.run("facts.yaml", cache=True)
    again = regrade.rescore(run.id)
    cached = regrade.run("facts.yaml", cache=True)
    assert len(endpoint.bodies) == 3
    assert values(run) == values(again) == values(cached)
    assert again.manifest.models[0]["choice_mode"] == "loglikelihood"


def test_a_recording_answers_the_question_for_the_mode_too(serve: Serve, write: Callable[..., None]) -> None:
    """Replayed, `auto` takes the mode it took then, without a server that could tell."""
    endpoint = serve(Server("echo"))
    write(endpoint.base_url)
    run = regrade.run("facts.yaml", record="tape")
    asked = len(endpoint.bodies)
    again = regrade.run("facts.yaml", replay="tape")
    assert (again.status, len(endpoint.bodies)) == ("success", asked)
    assert values(again) == values(run)
    assert again.manifest.models[0]["choice_mode"] == "loglikelihood"


def test_two_modes_are_not_compared_and_a_gate_says_which(
    serve: Serve, write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """No difference, no p, no flips; the gate ends with a message that names both modes."""
    url = serve(Server("logprobs")).base_url
    write(url, "text", "chat")
    a = regrade.run("facts.yaml")
    write(url, "first_token", "chat")
    b = regrade.run("facts.yaml")
    found = regrade.compare(a, b)
    scored = [one for one in found.changes if one.scorer]
    assert scored
    assert all(one.difference is None and one.p is None for one in scored)
    note = next(one.note for one in scored if one.metric == "accuracy")
    assert ("as text" in note, "as first_token" in note) == (True, True)
    assert found.flips == ()
    arguments = ["gate", b.id, "--baseline", a.id, "--rule", "no_regression accuracy"]
    assert main(arguments) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "was asked as text and" in shown
    assert "was asked as first_token" in shown
    regrade.set_baseline("before", a)
    assert main(["gate", b.id, "--baseline", "before", "--rule", "no_regression accuracy"]) == 2


def test_a_gate_between_modes_is_refused_before_anything_is_sent(
    serve: Serve, write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the spec sets the mode, `run --gate` needs no answer to know that it is another one."""
    endpoint = serve(Server("logprobs"))
    write(endpoint.base_url, "text", "chat")
    a = regrade.run("facts.yaml")
    write(endpoint.base_url, "first_token", "chat")
    asked = len(endpoint.bodies)
    arguments = ["run", "facts.yaml", "--gate", "--baseline", a.id, "--rule", "no_regression accuracy"]
    assert main(arguments) == 2
    assert "as text, the spec asks it as first_token" in " ".join(capsys.readouterr().err.split())
    assert len(endpoint.bodies) == asked


def test_a_busy_endpoint_does_not_lower_the_mode(serve: Serve, write: Callable[..., None]) -> None:
    """Trouble says nothing of what an endpoint honours: the run does not begin, and says why."""

    async def busy(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"error": "all slots taken"}, status=503, headers={"Retry-After": "0"})

    endpoint = serve(busy)
    write(endpoint.base_url)
    with pytest.raises(regrade.RegradeError, match="all slots taken"):
        regrade.run("facts.yaml")
    assert len(endpoint.bodies) == 3


def test_the_same_mode_compares_by_every_metric(serve: Serve, write: Callable[..., None]) -> None:
    """accuracy_norm and the target's probability are metrics that compare and gate know."""
    write(serve(Server("echo")).base_url)
    a, b = regrade.run("facts.yaml"), regrade.run("facts.yaml")
    rows = {one.metric: one for one in regrade.compare(a, b).changes if one.scorer}
    assert {"accuracy", "accuracy_norm", "accuracy_bytes", "target_probability"} <= rows.keys()
    assert all(one.difference == 0 for one in rows.values())
    rules = ["at_least accuracy_norm value=0.5", "non_inferior target_probability margin=0.9"]
    assert regrade.gate(b, baseline=a, rules=rules, record=False).exit_code in {0, 101}


def test_plan_only_and_budgets_count_a_prompt_an_option(serve: Serve, write: Callable[..., None]) -> None:
    """The price before the run is that of all options; nothing is sent to find the mode."""
    import asyncio

    endpoint = serve(Server("echo"))
    write(endpoint.base_url, "text")
    [plain] = asyncio.run(plan_run(["facts.yaml"]))
    write(endpoint.base_url, "loglikelihood")
    [whole] = asyncio.run(plan_run(["facts.yaml"]))
    write(endpoint.base_url, "auto")
    [undecided] = asyncio.run(plan_run(["facts.yaml"]))
    assert (endpoint.bodies, whole.requests) == ([], 3)
    assert whole.prompt_tokens > 2 * plain.prompt_tokens
    assert undecided == whole
    assert whole.completion_tokens == 7  # one an option: 2 + 2 + 3


BAD: list[tuple[dict[str, Any], str]] = [
    ({"rows": [{"q": "x", "options": ["a", " "], "answer": "A"}]}, "option B is empty"),
    ({"rows": [{"q": "x", "options": [], "answer": "A"}]}, "1 to 1000 texts"),
    ({"rows": [{"q": "x", "options": ["a", "b"], "answer": "c"}]}, "the target 'c' is none of the options"),
    ({"rows": [{"q": "x", "options": ["a", "b"], "answer": 2}]}, "the target 2 is none of the options"),
    ({"rows": [{"q": "x", "answer": "A"}]}, "options"),
    ({"choices": {"options": ["a", "b"], "mode": "loglikelihood"}, "endpoint": "chat"}, "takes chat"),
    ({"choices": {"options": [f"o{n}" for n in range(27)], "mode": "first_token"}}, "27 options are more"),
    ({"choices": {"options": []}}, "has no options"),
    ({"choices": {"options": ["a", ""]}}, "an option is empty"),
    ({"scorers": ["exact_match"]}, "judged by the scorer `choice`"),
    ({"scorers": [{"choice": ["a", "b"]}]}, "leave out those of choice"),
    ({"choices": {"options": "options", "mod": "text"}}, "mod"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_validate_finds_it_before_a_request(
    write: Callable[..., None], change: dict[str, Any], message: str
) -> None:
    """Empty options, targets that are none, modes that a model cannot be asked in, too many letters."""
    write("http://127.0.0.1:9/v1", **change)
    _, problems = validate([Path("facts.yaml")])
    assert any(message in str(problem) for problem in problems), problems


def test_what_is_right_is_shown_as_decided_at_run(
    write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """`validate` asks no model, so the mode of `auto` is open."""
    write("http://127.0.0.1:9/v1")
    assert main(["validate", "facts.yaml"]) == 0
    assert "choices: decided at run" in capsys.readouterr().out


def test_a_chat_model_named_on_the_command_line_is_refused_in_words(
    write: Callable[..., None], workdir: Path
) -> None:
    """A mode that a spec sets holds for every model, whoever names it."""
    write("http://127.0.0.1:9/v1", "loglikelihood")
    with pytest.raises((SpecError, regrade.RegradeError), match="takes chat"):
        regrade.run("facts.yaml", models=["demo/v2"])


def test_the_mode_is_printed_before_the_run(
    serve: Serve, write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader sees what is about to be measured, and again below the table."""
    write(serve(Server("echo")).base_url)
    assert main(["run", "facts.yaml"]) == 0
    shown = capsys.readouterr()
    assert "facts: m: loglikelihood" in shown.err
    assert "Multiple choice was asked of m as loglikelihood." in shown.out


def test_the_demo_models_agree_over_all_modes_where_they_are_sure(workdir: Path) -> None:
    """Tickets with three labels, real models: log-likelihood, first token and text choose alike."""
    found: dict[str, dict[str, Any]] = {}
    for mode, endpoint in (("loglikelihood", "completions"), ("first_token", "chat"), ("text", "chat")):
        spec = {
            "name": "tickets",
            "dataset": {
                "path": str(ROOT / "datasets/tickets.jsonl"),
                "input": "text",
                "target": "label",
                "where": 'label in ["refund", "shipping", "other"]',
                "limit": 24,
            },
            "models": [{"name": "v2", "model": "demo/v2", "endpoint": endpoint}],
            "prompts": {
                "default": {"text": "<user>Label this message: {{ text }}<assistant>"}
                if endpoint == "completions"
                else {"user": "Label this message: {{ text }}"}
            },
            "choices": {
                "options": ["refund", "shipping", "other"],
                "mode": mode,
                "continuation": "text",
                "separator": "",
            },
            "scorers": ["choice"],
        }
        (workdir / f"{mode}.yaml").write_text(json.dumps(spec))
        run = regrade.run(f"{mode}.yaml")
        assert (run.status, run.manifest.counts["failed"]) == ("success", 0)
        rows = pq.read_table(run.path / "scores.parquet").to_pylist()
        found[mode] = {row["sample_id"]: row["label"] for row in rows if row["metric"] == "choice"}
        found[mode + " sure"] = {
            row["sample_id"]: row["value"] for row in rows if row["metric"] == "target_probability"
        }
    sure = [id_ for id_, share in found["loglikelihood sure"].items() if not 0.05 < share < 0.95]
    assert len(sure) >= 18
    assert sum(found["loglikelihood"][id_] == found["first_token"][id_] for id_ in sure) >= len(sure) - 1
    # What the model writes is free: now and then it is a label that is no option.
    written = [id_ for id_ in sure if found["text"][id_] is not None]
    assert len(written) >= 16
    assert sum(found["loglikelihood"][id_] == found["text"][id_] for id_ in written) >= len(written) - 1
