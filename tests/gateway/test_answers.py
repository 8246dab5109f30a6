"""What clients get from the running models."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

Ask = Callable[..., dict[str, Any]]
PROMPT = "Label this message: my parcel is late"


def chat(client: openai.OpenAI, text: str = PROMPT, model: str = "demo/v2", **more: Any) -> ChatCompletion:
    """Ask one question."""
    answer: ChatCompletion = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], **more
    )
    return answer


def text_of(answer: ChatCompletion) -> str:
    """Return the text of an answer."""
    return answer.choices[0].message.content or ""


def events(body: bytes) -> list[str]:
    """Return the data of each event of a stream."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


@pytest.mark.parametrize("model", ["demo/v1", "demo/v2", "demo/v2-q4", "demo/v3-bad"])
def test_every_shipped_model_answers_in_its_own_name(client: openai.OpenAI, model: str) -> None:
    """Each model of the catalogue labels an easy ticket and is named as it was asked for."""
    answer = chat(client, model=model, temperature=0)
    assert (text_of(answer), answer.model, answer.choices[0].finish_reason) == ("shipping", model, "stop")


def test_a_chat_answer_has_the_fields_of_the_api_and_no_others(send: Any, ask: Ask) -> None:
    """Nothing of llama.cpp's own (timings and the like) gets out; tokens add up."""
    answer = send("/chat/completions", ask()).json
    known = {"id", "object", "created", "model", "choices", "usage", "system_fingerprint"}
    assert set(answer) == known
    assert answer["id"].startswith("chatcmpl-")
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "shipping"}, "finish_reason": "stop"}
    ]
    usage = answer["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_both_prefixes_serve_the_same(send: Any, ask: Ask) -> None:
    """The API lies under /api/v1 and under /v1."""
    answers = [send(f"{prefix}/chat/completions", ask()).json["choices"] for prefix in ("/api/v1", "/v1")]
    assert answers[0] == answers[1]


def test_legacy_completions_continue_a_text(client: openai.OpenAI) -> None:
    """A prompt goes to the model as it is, as a string or as a list of one."""
    prompt = f"<user>{PROMPT}<assistant>"
    answer = client.completions.create(model="demo/v2", prompt=prompt, temperature=0)
    again = client.completions.create(model="demo/v2", prompt=[prompt], temperature=0)
    assert answer.choices[0].text == again.choices[0].text == "shipping"
    assert (answer.object, answer.id[:5]) == ("text_completion", "cmpl-")


def test_a_stream_carries_the_same_text_as_a_whole_answer(client: openai.OpenAI) -> None:
    """The pieces come one by one, joined they are the answer, and the last has the finish reason."""
    whole = chat(client, "Calculate 12 + 30", temperature=0)
    chunks = list(
        client.chat.completions.create(
            model="demo/v2",
            messages=[{"role": "user", "content": "Calculate 12 + 30"}],
            temperature=0,
            stream=True,
        )
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks]
    assert "".join(piece or "" for piece in pieces) == text_of(whole)
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert {(one.object, one.model) for one in chunks} == {("chat.completion.chunk", "demo/v2")}
    assert len({one.id for one in chunks}) == 1


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
@pytest.mark.parametrize("wanted", [False, True])
def test_a_stream_counts_tokens_only_when_asked_and_ends_with_done(
    send: Any, ask: Ask, path: str, wanted: bool
) -> None:
    """With `include_usage` one last chunk without choices has the usage; [DONE] is the last event."""
    body = ask(stream=True, prompt="Hello", max_tokens=3)
    answer = send(path, body | ({"stream_options": {"include_usage": True}} if wanted else {}))
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    *chunks, done = events(answer.body)
    assert done == "[DONE]"
    counted = [one for one in map(json.loads, chunks) if "usage" in one]
    assert [one["choices"] for one in counted] == ([[]] if wanted else [])
    assert all(one["usage"]["completion_tokens"] == 3 for one in counted)


@pytest.mark.parametrize("stop", ["pp", ["zz", "pp"]])
def test_stop_ends_an_answer_before_its_text(client: openai.OpenAI, stop: str | list[str]) -> None:
    """A stop text, alone or in a list, ends the answer and is not part of it."""
    answer = chat(client, temperature=0, stop=stop)
    assert (text_of(answer), answer.choices[0].finish_reason) == ("shi", "stop")


def test_max_tokens_cuts_an_answer(client: openai.OpenAI) -> None:
    """The finish reason says that the answer was cut."""
    answer = chat(client, temperature=0, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


def test_a_seed_repeats_an_answer_whatever_else_is_running(client: openai.OpenAI) -> None:
    """The same seed gives the same text alone and among more than the slots; other seeds give others."""

    def hot(seed: int) -> str:
        return text_of(chat(client, "Hello", temperature=2, seed=seed, max_tokens=12))

    alone = [hot(seed) for seed in range(24)]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(hot, range(24)))
    assert together == alone
    assert len(set(alone)) == 24


@pytest.mark.parametrize("seed", [-1, 2**32 - 1, 2**63 - 1, -(2**40)])
def test_any_integer_is_a_seed(client: openai.OpenAI, seed: int) -> None:
    """Not even the numbers that mean "draw one" to llama.cpp make an answer random."""
    answers = [text_of(chat(client, "Hello", temperature=2, seed=seed, max_tokens=12)) for _ in range(2)]
    assert answers[0] == answers[1]


def test_temperature_two_reaches_tokens_far_down(client: openai.OpenAI) -> None:
    """Sampling is the model's own: no hidden top_k, min_p or top_p keeps rare tokens out."""
    first = client.completions.create(
        model="demo/v2", prompt="Hello", max_tokens=1, temperature=0, extra_body={"logprobs": 40}
    ).model_dump()
    common = set(first["choices"][0]["logprobs"]["top_logprobs"][0])
    assert len(common) == 40
    drawn = {
        client.completions.create(model="demo/v2", prompt="Hello", max_tokens=1, temperature=2, seed=seed)
        .choices[0]
        .text
        for seed in range(40)
    }
    assert drawn - common


def test_temperature_zero_takes_the_likeliest_token(client: openai.OpenAI) -> None:
    """Every token of a greedy answer is the first of its alternatives; token ids stay inside."""
    answer = chat(client, temperature=0, logprobs=True, top_logprobs=3)
    assert answer.choices[0].logprobs is not None
    tokens = answer.choices[0].logprobs.content or []
    assert tokens
    assert all(token.token == token.top_logprobs[0].token for token in tokens)
    assert all("id" not in one.model_dump() for token in tokens for one in (token, *token.top_logprobs))


def test_unknown_fields_reach_the_model(client: openai.OpenAI) -> None:
    """A field that the API does not have goes upstream as it is: here a grammar of llama.cpp."""
    answer = chat(client, temperature=0, extra_body={"grammar": 'root ::= "refund"'})
    assert text_of(answer) == "refund"


def test_models_are_listed_with_their_context_window(client: openai.OpenAI) -> None:
    """The listing has every model, and one can be looked up by its id, slash included."""
    listed = {one.id: one.model_dump() for one in client.models.list()}
    assert list(listed) == ["demo/v1", "demo/v2", "demo/v2-q4", "demo/v3-bad"]
    assert all(one["context_window"] == 512 for one in listed.values())
    assert client.models.retrieve("demo/v2-q4").model_dump() == listed["demo/v2-q4"]
