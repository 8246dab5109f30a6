"""What the server refuses, and in which words."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from regrade.gateway.process import Gateway

Ask = Callable[..., dict[str, Any]]

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"model": None}, "model", "missing_required_parameter"),
    ({"model": 3}, "model", "invalid_type"),
    ({"messages": None}, "messages", "missing_required_parameter"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": []}, "messages", "empty_array"),
    ({"messages": ["hi"]}, "messages[0]", "invalid_type"),
    ({"messages": [{"content": "hi"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "invalid_type"),
    ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages[0].content[0]", "invalid_type"),
    ({"temperature": 2.1}, "temperature", "value_above_maximum"),
    ({"temperature": -0.1}, "temperature", "value_below_minimum"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": 1.5}, "top_p", "value_above_maximum"),
    ({"max_tokens": 0}, "max_tokens", "value_below_minimum"),
    ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"stop": [1]}, "stop", "invalid_type"),
    ({"seed": "x"}, "seed", "invalid_type"),
    ({"n": 2}, "n", "unsupported_value"),
]


@pytest.mark.parametrize(("change", "param", "code"), WRONG)
def test_a_wrong_field_is_named(send: Any, ask: Ask, change: dict[str, Any], param: str, code: str) -> None:
    """Each fault of a chat request is a 400 that names the field and says what is wrong with it."""
    answer = send("/chat/completions", ask(**change))
    error = answer.error
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)
    assert f"'{param}'" in error["message"]


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"prompt": 5}, "prompt", "invalid_type"),
        ({"prompt": []}, "prompt", "invalid_type"),
        ({"prompt": [1, "a"]}, "prompt", "invalid_type"),
        ({"prompt": [[1], [2]]}, "prompt", "unsupported_value"),
        ({"prompt": ["a"] * 129}, "prompt", "unsupported_value"),
        ({"prompt": "a", "echo": True, "stream": True}, "stream", "unsupported_value"),
        ({"prompt": "a", "echo": True, "logprobs": 21}, "logprobs", "unsupported_value"),
        ({"prompt": "a " * 900, "echo": True, "logprobs": 1}, "prompt", "context_length_exceeded"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens", "value_below_minimum"),
        ({"prompt": "a", "logprobs": True}, "logprobs", "invalid_type"),
    ],
)
def test_a_wrong_field_of_a_completion_is_named(
    send: Any, change: dict[str, Any], param: str, code: str
) -> None:
    """The legacy endpoint checks its own fields; what the models cannot do is said, not ignored."""
    answer = send("/completions", {"model": "demo/v2"} | change)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, param, code)


@pytest.mark.parametrize("temperature", [0, 1, 2, 2.0, None])
def test_the_bounds_of_temperature_are_inside(send: Any, ask: Ask, temperature: float | None) -> None:
    """0 and 2 are allowed, and null means left out."""
    assert send("/chat/completions", ask(temperature=temperature, max_tokens=1)).status == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"temperature": NaN}'])
def test_a_body_that_is_no_json_object_is_refused(send: Any, content: bytes) -> None:
    """Broken JSON is the client's fault and said to be so."""
    answer = send("/chat/completions", content)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("key", [None, "", "Bearer", "Bearer ", "Basic abc", "sk-123"])
@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/models"])
def test_every_endpoint_wants_a_key(send: Any, ask: Ask, path: str, key: str | None) -> None:
    """Without a Bearer key the answer is 401, whatever else is in the request."""
    answer = send(
        path, None if path == "/models" else ask(), method="GET" if path == "/models" else "POST", key=key
    )
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


def test_the_sdk_raises_its_own_errors(client: openai.OpenAI) -> None:
    """The official SDK recognises each refusal, its code and its request id."""
    messages: Any = [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.NotFoundError, match='did you mean "demo/v2"') as missing:
        client.chat.completions.create(model="demo/v22", messages=messages)
    assert missing.value.code == "model_not_found"
    assert (missing.value.request_id or "").startswith("req_")
    with pytest.raises(openai.BadRequestError, match="at most 2"):
        client.chat.completions.create(model="demo/v2", messages=messages, temperature=2.1)
    keyless = client.with_options(default_headers={"Authorization": "none"})
    with pytest.raises(openai.AuthenticationError, match="Bearer"):
        keyless.models.list()
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("demo/none")


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_beyond_the_window_has_the_code_of_the_api(send: Any, ask: Ask, stream: bool) -> None:
    """Clients that shorten their prompt on `context_length_exceeded` can do so here, streams included."""
    answer = send("/chat/completions", ask("word " * 600, stream=stream))
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")
    assert "512" in answer.error["message"]


def test_what_is_not_served_is_a_404_and_a_405(send: Any) -> None:
    """Paths and methods outside of the API get the API's form of an error."""
    assert (send("/nothing", {}).status, send("/nothing", {}).error["code"]) == (404, "unknown_url")
    answer = send("/chat/completions", method="GET")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert "GET" in answer.error["message"]


def test_a_body_announced_too_large_is_refused_unread(gateway: Gateway) -> None:
    """The refusal comes before the body does, and says the limit."""
    connection = http.client.HTTPConnection(urlsplit(gateway.base_url).netloc, timeout=20)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Authorization", "Bearer any")
    connection.putheader("Content-Length", str(17 * 2**20))
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    error = json.loads(reply.read())["error"]
    assert error["code"] == "request_too_large"
    assert "16 MB" in error["message"]
    connection.close()


def test_every_answer_has_a_request_id_of_its_own(send: Any, ask: Ask) -> None:
    """Answers, refusals, streams and unknown paths can all be told apart in logs."""
    answers = [
        send("/chat/completions", ask()),
        send("/chat/completions", ask(stream=True)),
        send("/chat/completions", b"{"),
        send("/models", method="GET"),
        send("/models", method="GET", key=None),
        send("/nothing"),
    ]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert all(one.startswith("req_") for one in ids)
    assert len(set(ids)) == len(ids)


def test_addresses_that_are_nearly_right_are_put_right(send: Callable[..., Any]) -> None:
    """Another method, or a slash too many."""
    other = send("/chat/completions", method="GET")
    assert (other.status, other.headers["Allow"]) == (405, "POST")
    assert other.error["message"] == "/api/v1/chat/completions does not take GET: use POST"
    slash = send("/chat/completions/", {})
    assert (slash.status, "leave out the slash at its end" in slash.error["message"]) == (404, True)


def test_the_demo_models_read_text_alone(send: Callable[..., Any]) -> None:
    """A picture is refused in words of the API, not of the server behind."""
    parts = [
        {"type": "text", "text": "what"},
        {"type": "image_url", "image_url": {"url": "data:image/png;,"}},
    ]
    body = {"model": "demo/v2", "messages": [{"role": "user", "content": parts}]}
    refused = send("/chat/completions", body)
    assert (refused.status, refused.error["code"]) == (400, "unsupported_value")
    assert refused.error["message"] == "messages[0]: the demo models read text alone, no image_url"
