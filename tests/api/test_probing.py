"""`models --probe` against servers that honour, refuse and ignore what they are asked."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from regrade.api import probe_models
from regrade.api.probing import ProbedModel
from regrade.cli.main import main
from regrade.errors import ProviderError, UsageError

Serve = Callable[..., Any]


def probe(base_url: str, *names: str, **more: Any) -> ProbedModel:
    """Probe one model."""
    return asyncio.run(probe_models(names or ["m"], base_url, **more))[0]


def verdicts(found: ProbedModel) -> dict[str, str]:
    """Return feature to verdict."""
    return {name: finding.verdict for name, finding in found.findings.items()}


async def deaf(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer everything with the same plain text, whatever is asked for, as some proxies do."""
    text = "the sea is wide and blue and deep"
    usage = {"prompt_tokens": 5, "completion_tokens": 8}
    choice: dict[str, Any] = {"finish_reason": "stop", "index": 0}
    choice |= {"message": {"content": text}} if "messages" in body else {"text": text}
    return web.json_response({"choices": [choice], "usage": usage})


def test_a_server_that_ignores_everything_is_found_out(serve: Serve, workdir: Path) -> None:
    """What is accepted in silence is marked as ignored, and never as a yes."""
    found = verdicts(probe(serve(deaf).base_url))
    assert {name for name, verdict in found.items() if verdict == "ignored"} == {
        *("n", "stop", "max_tokens", "system", "logprobs", "top_logprobs", "schema", "tools", "stream"),
        "prompt_logprobs",
    }
    assert found["seed"] == found["context"] == found["reasoning"] == "?"
    assert found["completions"] == "yes"


async def strict(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Refuse every field beyond the plain ones in words, as a server with a strict schema does."""
    if request.path.endswith("/completions") and "messages" not in body:
        return web.Response(status=404, text="Not Found")
    strange = sorted(set(body) - {"model", "messages", "max_tokens", "temperature"})
    if strange:
        return web.json_response({"detail": f"unknown field {strange[0]}"}, status=422)
    return await deaf(request, body)


def test_a_server_that_refuses_is_quoted(serve: Serve, workdir: Path) -> None:
    """A refusal is a no, and the note has the server's own words."""
    found = probe(serve(strict).base_url)
    for name in ("seed", "n", "stop", "logprobs", "schema", "tools", "stream", "completions"):
        assert found.findings[name].verdict == "no", name
    assert "unknown field n" in found.findings["n"].note


def test_trouble_is_no_answer_and_does_not_last(serve: Serve, workdir: Path) -> None:
    """A server that is busy whenever tools are asked for leaves them unknown after three attempts."""

    async def busy(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if "tools" in body:
            return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "0"})
        return await deaf(request, body)

    endpoint = serve(busy)
    found = probe(endpoint.base_url)
    assert found.findings["tools"].verdict == "?"
    assert "busy" in found.findings["tools"].note
    assert sum("tools" in body for body in endpoint.bodies) == 3
    assert found.requests == len(endpoint.bodies)


def test_a_wrong_key_is_one_message(serve: Serve, workdir: Path) -> None:
    """Nothing is probed where nobody is let in."""

    async def locked(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"error": "wrong key"}, status=401)

    endpoint = serve(locked)
    with pytest.raises(ProviderError, match="wrong key"):
        probe(endpoint.base_url)
    assert len(endpoint.bodies) == 1
    assert main(["models", "--probe", "--models", "m", "--base-url", endpoint.base_url]) == 1


def test_a_model_that_nobody_knows_leaves_the_others(serve: Serve, workdir: Path) -> None:
    """One row is missing, with the server's words, and the other models are probed all the same."""

    async def picky(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body["model"] == "typo":
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        return await deaf(request, body)

    found = asyncio.run(probe_models(["typo", "m"], serve(picky).base_url))
    assert (found[0].findings, "no such model" in found[0].error) == ({}, True)
    assert found[1].findings


def test_a_model_of_completions_alone_is_probed_for_these(serve: Serve, workdir: Path) -> None:
    """A base model without chat still tells whether it gives log-probabilities of prompts."""

    async def base(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if "messages" in body:
            return web.json_response({"error": {"message": "no chat template"}}, status=400)
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        choices = [
            {"index": at, "text": f"{text}!", "logprobs": {"token_logprobs": [None, -1.0]}}
            for at, text in enumerate(prompts)
        ]
        return web.json_response({"choices": choices})

    found = probe(serve(base).base_url)
    assert found.findings["prompt_logprobs"].verdict == "yes"
    assert (found.findings["tools"].verdict, "template" in found.findings["tools"].note) == ("no", True)


def test_the_window_is_searched_for_within_bounds(serve: Serve, workdir: Path) -> None:
    """Prompts double until one is refused; what was sent in all stays below three times the limit given."""

    async def short(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        words = len(str(body.get("messages", [{}])[-1].get("content")).split())
        if words > 300:
            return web.json_response({"error": {"message": "maximum context is 300 tokens"}}, status=400)
        usage = {"prompt_tokens": words, "completion_tokens": 1}
        return web.json_response({"choices": [{"message": {"content": "a b c"}}], "usage": usage})

    endpoint = serve(short)
    found = probe(endpoint.base_url, max_context=1000).findings["context"]
    assert 256 <= (found.value or 0) <= 300
    assert "maximum context" in found.note
    sent = [len(str(body["messages"]).split()) for body in endpoint.bodies if "messages" in body]
    assert sum(sent) < 3000


def test_many_models_are_not_probed_unasked(serve: Serve, workdir: Path) -> None:
    """An endpoint that lists more than eight wants names; one that lists a few is probed whole."""
    endpoint = serve(deaf)
    endpoint.models = [f"m{n}" for n in range(9)]
    with pytest.raises(UsageError, match="lists 9 models"):
        asyncio.run(probe_models((), endpoint.base_url))
    endpoint.models = ["a", "b"]
    assert [one.model for one in asyncio.run(probe_models((), endpoint.base_url))] == ["a", "b"]


def test_the_table_fits_and_the_json_says_the_same(
    serve: Serve, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """80 columns for people, one record a model for programs, with the same verdicts."""
    url = serve(deaf).base_url
    arguments = ["models", "--probe", "--models", "meta-llama/llama-4-maverick,b", "--base-url", url]
    assert main([*arguments, "-o", "found.json"]) == 0
    shown = capsys.readouterr().out
    assert "IGNORED" in shown
    assert max(map(len, shown.splitlines())) <= 80
    record = json.loads((workdir / "found.json").read_text())["models"][0]
    assert record["findings"]["n"] == {"verdict": "ignored", "note": "n: 2 gave 1 choice", "value": None}
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["findings"] == record["findings"]
    assert main(["models", "--json"]) == 2
    assert main([*arguments, "-o", "found.md"]) == 2


def test_the_demo_models_are_what_their_server_is_known_to_be(workdir: Path) -> None:
    """Real llama.cpp honours seed, stop, length, schema, log-probabilities and streams; n is refused."""
    [found] = asyncio.run(probe_models(["demo/v1"]))
    seen = verdicts(found)
    honoured = ("seed", "stop", "max_tokens", "system", "logprobs", "top_logprobs", "schema", "stream")
    assert {name: seen[name] for name in honoured} == dict.fromkeys(honoured, "yes")
    assert (seen["n"], seen["stream_usage"], seen["prompt_logprobs"]) == ("no", "yes", "yes")
    assert found.findings["context"].value
    assert found.tokens < 1_500


def test_one_models_refusal_leaves_the_others_and_the_file(
    serve: Serve, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that the key may not use is told of, with the address; what the others gave is kept."""

    async def partly(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body["model"] == "secret":
            return web.json_response({"error": "not for you"}, status=401)
        return await deaf(request, body)

    url = serve(partly).base_url
    arguments = ["models", "--probe", "--models", "a,secret,b", "--base-url", url, "-o", "found.json"]
    assert main(arguments) == 1
    records = json.loads((workdir / "found.json").read_text())["models"]
    assert [bool(one["findings"]) for one in records] == [True, False, True]
    assert f"{url}: HTTP 401: not for you" in records[1]["error"]
    shown = " ".join(capsys.readouterr().out.split())
    assert "secret answered nothing" in shown
    assert "--api-key-env NAME" in shown


def test_an_endpoint_that_refuses_everybody_is_one_message(
    serve: Serve, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the address and how a key is given, once for all models."""

    async def locked(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"error": "wrong key"}, status=401)

    url = serve(locked).base_url
    assert main(["models", "--probe", "--models", "a,b", "--base-url", url]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("wrong key")) == ("", 1)
    assert url in told.err
    assert "no key was sent; `--api-key-env NAME`" in told.err


def test_a_key_goes_only_where_it_was_meant_for(
    serve: Serve, workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPENAI_API_KEY reaches another --base-url only by name, or where OPENAI_BASE_URL names that server."""
    endpoint = serve(deaf)
    endpoint.models = ["m"]
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    command = ["models", "--base-url", endpoint.base_url]
    assert main(command) == 0
    assert "Authorization" not in endpoint.headers[-1]
    assert main([*command, "--api-key-env", "OPENAI_API_KEY"]) == 0
    assert endpoint.headers[-1]["Authorization"] == "Bearer mine"
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.base_url.removesuffix("/v1") + "/other")
    assert main(command) == 0
    assert endpoint.headers[-1]["Authorization"] == "Bearer mine"
    assert main([*command, "--api-key-env", "NOT_SET_HERE"]) == 2
    assert "NOT_SET_HERE" in capsys.readouterr().err


@pytest.mark.parametrize("more", [(), ("--probe", "--models", "m")])
def test_a_base_url_without_scheme_is_told(
    more: tuple[str, ...], workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a mistake of the command line, said in words."""
    assert main(["models", "--base-url", "127.0.0.1:8101", *more]) == 2
    assert "`--base-url` needs http:// or https://" in capsys.readouterr().err
