"""What the official clients for Python (two major versions) and Node see of the demo models."""

from collections.abc import Iterator
from typing import Any

import pytest

from regrade.gateway.process import Gateway, demo_gateway


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Run the demo gateway with two models."""
    with demo_gateway(["demo/v1", "demo/v2"]) as running:
        yield running


@pytest.fixture(scope="module")
def seen(client: Any, gateway: Gateway) -> dict[str, Any]:
    """Return what a client saw of every call, made once."""
    found: dict[str, Any] = client(gateway.base_url)
    return found


def text(chunks: list[dict[str, Any]]) -> str:
    """Return the text of a stream of either endpoint."""
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(one.get("text") or one.get("delta", {}).get("content") or "" for one in choices)


def test_models_are_listed_and_found_by_an_id_with_a_slash(seen: dict[str, Any]) -> None:
    """Ids go through the client's own escaping of paths and come back as they are."""
    assert seen["models"] == {"answer": ["demo/v1", "demo/v2"]}
    assert seen["model"] == {"answer": "demo/v2"}


@pytest.mark.parametrize(
    ("call", "content", "reason"),
    [
        ("chat", "shipping", "stop"),
        ("parts", "shipping", "stop"),
        ("tools", "shipping", "stop"),
        ("stop_text", "shipp", "stop"),
        ("stop_list", "shi", "stop"),
        ("max_tokens", "sh", "length"),
    ],
)
def test_whole_answers(seen: dict[str, Any], call: str, content: str, reason: str) -> None:
    """Text, content parts, stops as a string and as a list, and a bound on tokens are honoured."""
    answer = seen[call]["answer"]
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, reason)
    assert (answer["object"], answer["model"], answer["id"][:9]) == (
        "chat.completion",
        "demo/v2",
        "chatcmpl-",
    )
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("call", ["stream", "stream_usage", "tools_stream"])
def test_streams(seen: dict[str, Any], call: str) -> None:
    """The pieces are the answer, all of one id; usage comes when asked for, last."""
    chunks = seen[call]["answer"]
    assert text(chunks) == "shipping"
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    counted = [number for number, chunk in enumerate(chunks) if chunk.get("usage")]
    assert counted == ([len(chunks) - 1] if call == "stream_usage" else [])
    with_reason = [one for chunk in chunks for one in chunk["choices"] if one["finish_reason"]]
    assert [one["finish_reason"] for one in with_reason] == ["stop"]


def test_requests_at_a_time(seen: dict[str, Any]) -> None:
    """A whole answer and a stream that are asked for together do not mix."""
    whole, chunks = seen["concurrent"]["answer"]
    assert whole["choices"][0]["message"]["content"] == text(chunks) == "shipping"


def test_legacy_completions(seen: dict[str, Any]) -> None:
    """A text is continued, whole and streamed."""
    whole = seen["legacy"]["answer"]
    assert (whole["object"], whole["choices"][0]["text"]) == ("text_completion", "shipping")
    chunks = seen["legacy_stream"]["answer"]
    assert text(chunks) == "shipping"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("too_hot", ("BadRequestError", 400, "temperature", "value_above_maximum")),
        ("several", ("BadRequestError", 400, "n", "unsupported_value")),
        ("no_key", ("AuthenticationError", 401, None, "invalid_api_key")),
        ("no_model", ("NotFoundError", 404, "model", "model_not_found")),
    ],
)
def test_errors_are_the_clients_own(seen: dict[str, Any], call: str, error: tuple[Any, ...]) -> None:
    """Each refusal becomes the client's exception for it, with param, code, message and the request's id."""
    found = seen[call]["error"]
    assert (found["class"], found["status"], found["param"], found["code"]) == error
    assert found["message"]
    assert found["id"]


def test_logprobs(seen: dict[str, Any]) -> None:
    """Each token has its probability and so many others beside it."""
    (choice,) = seen["logprobs"]["answer"]["choices"]
    tokens = choice["logprobs"]["content"]
    assert "".join(one["token"] for one in tokens) == "shipping"
    assert all(one["logprob"] <= 0 and len(one["top_logprobs"]) == 2 for one in tokens)


def test_the_parse_helper(seen: dict[str, Any]) -> None:
    """A schema is kept to, so the client's helper can parse the answer."""
    assert seen["parsed"] == {"answer": ["team"]}


def test_headers(seen: dict[str, Any]) -> None:
    """Raw answers show JSON and an id of the request."""
    assert seen["headers"] == {"answer": {"type": "application/json", "id": True}}


def test_leaving_a_stream_leaves_the_server_whole(seen: dict[str, Any]) -> None:
    """A client that goes away in mid-stream is answered when it comes back."""
    first, again = seen["abort"]["answer"]
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert again["choices"][0]["message"]["content"] == "shipping"
