"""`echo` with log-probabilities: real numbers of the running models, in the form of the API."""

import math
import random
from typing import Any

import openai
import pytest

PROMPT = "<user>Label this message: my parcel is late<assistant>"


def complete(client: openai.OpenAI, prompt: Any, model: str = "demo/v2", **more: Any) -> dict[str, Any]:
    """Return a completions answer as it came."""
    answer: openai.types.Completion = client.completions.create(
        model=model, prompt=prompt, temperature=0, **more
    )
    return answer.model_dump()


def echoed(client: openai.OpenAI, prompt: str, top: int = 1, model: str = "demo/v2") -> dict[str, Any]:
    """Return the log-probabilities of a prompt alone."""
    answer = complete(client, prompt, model, echo=True, logprobs=top, max_tokens=0)
    found: dict[str, Any] = answer["choices"][0]["logprobs"]
    return found


def contexts(count: int) -> list[str]:
    """Return texts of random words and marks."""
    draw = random.Random(5)
    words = ["parcel", "Anna", "17", "+", "refund", "\n", "Oslo", "late", "é", "moved to", "?"]
    return [" ".join(draw.choices(words, k=draw.randint(2, 12))) for _ in range(count)]


@pytest.mark.parametrize("context", contexts(6))
def test_the_numbers_are_those_of_the_whole_vocabulary(client: openai.OpenAI, context: str) -> None:
    """All next tokens together have probability 1, and a token's share is what echo says of it."""
    whole = complete(client, context, max_tokens=1, logprobs=1536)["choices"][0]["logprobs"]["top_logprobs"][
        0
    ]
    assert sum(map(math.exp, whole.values())) == pytest.approx(1, abs=1e-4)
    for token in (" Oslo", " late", "?"):
        said = echoed(client, context + token)
        if said["tokens"][-1] == token:
            assert said["token_logprobs"][-1] == pytest.approx(whole[token], abs=1e-3)


@pytest.mark.parametrize("model", ["demo/v1", "demo/v3-bad"])
def test_a_greedy_continuation_has_the_same_numbers_written_and_read(
    client: openai.OpenAI, model: str
) -> None:
    """Log-probabilities of tokens as they are generated equal those of the same text as a prompt."""
    written = complete(client, PROMPT, model, max_tokens=4, logprobs=1)["choices"][0]
    tokens = written["logprobs"]["tokens"]
    read = echoed(client, PROMPT + written["text"], model=model)
    assert read["tokens"][-len(tokens) :] == tokens
    assert read["token_logprobs"][-len(tokens) :] == pytest.approx(
        written["logprobs"]["token_logprobs"], abs=1e-3
    )
    for top, token in zip(read["top_logprobs"][-len(tokens) :], tokens, strict=True):
        assert max(top, key=top.get) == token


def test_the_four_lists_belong_together(client: openai.OpenAI) -> None:
    """The first token has no number; offsets count characters, also where one takes several tokens."""
    prompt = "Åse moved to Oslo"
    answer = complete(client, prompt, echo=True, logprobs=3, max_tokens=2)
    choice = answer["choices"][0]
    found = choice["logprobs"]
    assert choice["text"].startswith(prompt)
    assert (
        len({len(found[name]) for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")}) == 1
    )
    assert (found["token_logprobs"][0], found["top_logprobs"][0]) == (None, None)
    assert all(3 <= len(top) <= 4 for top in found["top_logprobs"][1:])
    for token, offset in zip(found["tokens"], found["text_offset"], strict=True):
        assert token.startswith("bytes:") or choice["text"][offset:].startswith(token)
    assert found["text_offset"][:3] == [0, 0, 1]
    assert sum(offset >= len(prompt) for offset in found["text_offset"]) == 2


def test_a_list_of_prompts_is_a_choice_each_and_every_token_is_counted(client: openai.OpenAI) -> None:
    """Choices stand in the order of the prompts, with the numbers each has alone; usage is their sum."""
    prompts = [PROMPT + word for word in ("shipping", "refund", "login")]
    together = complete(client, prompts, echo=True, logprobs=1, max_tokens=1)
    alone = [complete(client, prompt, echo=True, logprobs=1, max_tokens=1) for prompt in prompts]
    assert [choice["index"] for choice in together["choices"]] == [0, 1, 2]
    for choice, single in zip(together["choices"], alone, strict=True):
        assert choice["text"] == single["choices"][0]["text"]
        assert choice["logprobs"]["token_logprobs"] == pytest.approx(
            single["choices"][0]["logprobs"]["token_logprobs"], abs=1e-3
        )
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert together["usage"][name] == sum(one["usage"][name] for one in alone)
    assert together["usage"]["completion_tokens"] == 3


def test_echo_without_numbers_and_lists_without_echo(client: openai.OpenAI) -> None:
    """Each of the two stands alone as well."""
    plain = complete(client, PROMPT, max_tokens=3)["choices"][0]["text"]
    assert complete(client, PROMPT, max_tokens=3, echo=True)["choices"][0]["text"] == PROMPT + plain
    both = complete(client, [PROMPT, "Hello"], max_tokens=3)["choices"]
    assert (both[0]["text"], len(both)) == (plain, 2)
    assert all(choice["logprobs"] is None for choice in both)


@pytest.mark.parametrize("text", ["shipping<eos>refund", "<eos>", "日本 Åse", "é"])
def test_no_token_stops_the_walk(client: openai.OpenAI, text: str) -> None:
    """Tokens that end a text, and parts of characters, have their numbers like all others."""
    found = echoed(client, PROMPT + text)
    assert None not in found["token_logprobs"][1:]
    plain = echoed(client, PROMPT)["token_logprobs"]
    assert found["token_logprobs"][: len(plain)][1:] == pytest.approx(plain[1:], abs=1e-3)
    assert len(found["tokens"]) > len(plain)
