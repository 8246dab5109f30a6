"""The description of the API agrees with what the server checks, and the server with its description."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from regrade.gateway.fields import parse_request, request_schema
from regrade.gateway.keys import KeyLimits, KeyStore
from regrade.gateway.openapi import description
from regrade.gateway.process import Gateway
from regrade.gateway.refusals import Refusal
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.types import Endpoint, JsonObject

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth"
)
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3.5, -2.5, 129, 2**62, "", "text", [], {}, [[]], [None], ["a"], [1]),
    *(["a", 1], [[1]], [[1], []], [[1], [2]], [[1], "a"], {"a": 1}, [{"type": "text"}], [{"type": 1}], [{}]),
    *({"role": role} for role in ("user", "assistant", "nobody", 1, None)),
]
CONTENT: list[Any] = [
    None,
    "",
    "hi",
    1,
    [],
    [1],
    [{"type": "text", "text": "a"}],
    [{"type": 1}],
    [{}],
    {},
    True,
]
ROLES: list[Any] = ["system", "developer", "user", "assistant", "tool", "function", "User", None, 1, {}, []]


def bodies(endpoint: Endpoint, count: int) -> Iterator[JsonObject]:
    """Yield requests that are nearly right."""
    rng = random.Random(4)
    names = list(request_schema(endpoint)["properties"])
    for _ in range(count):
        body: JsonObject = {"model": "m"}
        body["messages" if endpoint == "chat" else "prompt"] = (
            [random_message(rng) for _ in range(rng.choice((0, 1, 1, 2)))] if endpoint == "chat" else "p"
        )
        for name in rng.sample(names, rng.choice((0, 1, 1, 2))):
            body[name] = rng.choice(ODD)
        if rng.random() < 0.1:
            del body[rng.choice(list(body))]
        yield body


def random_message(rng: random.Random) -> JsonObject:
    """Return a message that is nearly right."""
    if rng.random() < 0.6:
        return {"role": "user", "content": "hi"}
    message = {"role": rng.choice(ROLES), "content": rng.choice(CONTENT)}
    return {name: value for name, value in message.items() if rng.random() < 0.9}


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_what_is_described_is_what_is_checked(endpoint: Endpoint) -> None:
    """The schema takes a request exactly when the server does."""
    validator = jsonschema.Draft202012Validator(request_schema(endpoint))
    taken = 0
    for body in bodies(endpoint, 4000):
        if body.get("echo") and body.get("max_tokens") == 0:
            continue
        try:
            parse_request(endpoint, json.dumps(body).encode())
        except Refusal:
            accepted = False
        else:
            accepted = True
        assert validator.is_valid(body) is accepted, body
        taken += accepted
    assert 400 < taken < 3600


def test_what_can_be_read_but_not_written_again_is_refused() -> None:
    """Nesting that would break what passes a request on is a 400; anything that occurs is far below."""
    for depth, fits in ((150, True), (250, False), (1000, False)):
        nested = '{"a":[' * (depth // 2) + "]}" * (depth // 2)
        content = b'{"model": "m", "prompt": "p", "x": %s}' % nested.encode()
        if fits:
            parse_request("completions", content)
            continue
        with pytest.raises(Refusal, match="nested deeper") as caught:
            parse_request("completions", content)
        assert caught.value.status == 400


def test_the_description_is_served_to_holders_of_a_key(send: Any) -> None:
    """As it stands in docs/, under both prefixes; nobody else has it."""
    for prefix in ("/api/v1", "/v1"):
        assert send(f"{prefix}/openapi.json", method="GET").json == description()
        assert send(f"{prefix}/openapi.json", method="GET", key=None).status == 401


async def answers(_request: web.Request, content: bytes) -> web.StreamResponse:
    """Answer anything as a model would."""
    body = json.loads(content)
    chat = "messages" in body
    choice: JsonObject = {"index": 0, "finish_reason": "stop"}
    choice |= {"message": {"role": "assistant", "content": "a"}} if chat else {"text": "a"}
    answer = {
        "id": "x-1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    if not body.get("stream"):
        return web.json_response(answer)
    return web.Response(
        text=f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n", content_type="text/event-stream"
    )


def test_schemathesis_finds_nothing(upstream: Any, tmp_path: Path) -> None:
    """Made-up requests by the description, right and wrong: no 5xx, no answer that is not described.

    The model is given, so that requests get past it, and what upstreams may refuse with is taken out, so that
    every status must be one of the gateway's own.
    """
    upstream.handler = answers
    keys = tmp_path / "keys.sqlite"
    with KeyStore(keys) as store:
        secret = store.add("st", KeyLimits(tpm=10**9))
    schema = description()
    for path in ("/chat/completions", "/completions"):
        operation = schema["paths"][path]["post"]
        del operation["responses"]["4XX"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        body["properties"]["model"] = {"enum": ["org/m", "nobody"]}
    (tmp_path / "openapi.json").write_text(json.dumps(schema))
    said: list[bytes] = []
    model = Upstream("org/m", upstream.base_url)
    settings = GatewaySettings(upstreams=(model,), keys=str(keys))
    with Gateway(settings, errors=said.append) as gateway:
        command = [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", gateway.base_url]
        command += ["-H", f"Authorization: Bearer {secret}", "--checks", CHECKS, "--seed", "7", "--no-color"]
        command += ["--max-examples", "5", "--phases", "coverage,fuzzing", "--no-shrink"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + b"".join(said).decode()
    assert "Tested: 5" in done.stdout
    assert upstream.bodies, "requests got through to the model"
    assert said == []
