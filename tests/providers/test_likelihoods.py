"""How likely options are, read from what real servers and their quirks send."""

import json
from typing import Any

import pytest

from regrade.errors import ProviderError
from regrade.providers.likelihoods import first_tokens, option_likelihoods, prompts_of
from regrade.types import Choices, Key, Model, Option, Request, Sample


def request(text: str = "The capital is", *texts: str) -> Request:
    """Return a request over options."""
    options = tuple(Option(letter, one, one) for letter, one in zip("ABCD", texts, strict=False))
    sample = Sample("s", "", "A", {}, "")
    key = Key("e", "p", "m", "s", 1)
    choices = Choices("loglikelihood", options)
    return Request(key, 0, Model("m", "m"), "completions", [], text, {}, "", sample, choices)


def echo(*tokens: tuple[str, float | None], generated: str = "!", **change: Any) -> dict[str, Any]:
    """Return one choice in the legacy form, the generated token behind the prompt included."""
    pieces = [*tokens, (generated, -9.0)]
    text = "".join(token for token, _ in pieces)
    offsets = [len("".join(token for token, _ in pieces[:at])) for at in range(len(pieces))]
    logprobs = {
        "tokens": [token for token, _ in pieces],
        "token_logprobs": [value for _, value in pieces],
        "top_logprobs": [None, *({"best": -0.5} for _ in pieces[1:])],
        "text_offset": offsets,
    }
    return {"text": text, "logprobs": {**logprobs, **change}}


def read(asked: Request, *choices: dict[str, Any], **more: Any) -> list[tuple[float, int, bool | None]]:
    """Return sum, tokens and greediness of each option."""
    body = json.dumps({"choices": [{"index": at, **one} for at, one in enumerate(choices)], **more})
    found = option_likelihoods(body.encode(), asked, 0.1)
    return [(one.logprob, one.tokens, one.greedy) for one in found.option_logprobs]


HEAD = (("The", None), (" capital", -2.0), (" is", -1.0))


def test_the_prompt_goes_out_once_an_option() -> None:
    """What is compared stands in one request, the separator before each option."""
    assert prompts_of(request("Q:", "Oslo", "Bergen")) == ["Q: Oslo", "Q: Bergen"]


def test_tokens_of_the_option_alone_are_summed() -> None:
    """Neither the prompt's tokens nor the one written behind it count; the likeliest option is the text."""
    asked = request("The capital is", "Oslo", "Bergen")
    choices = (echo(*HEAD, (" Os", -0.5), ("lo", -0.25)), echo(*HEAD, (" Bergen", -3.0)))
    assert read(asked, *choices) == [(-0.75, 2, True), (-3.0, 1, False)]
    body = json.dumps({"choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 2}})
    found = option_likelihoods(body.encode(), asked, 0.1)
    assert (found.text, found.usage.prompt_tokens) == (" Oslo", 9)


def test_choices_in_another_order_are_put_in_theirs() -> None:
    """The index says which prompt a choice answers."""
    asked = request("The capital is", "Oslo", "Bergen")
    oslo, bergen = echo(*HEAD, (" Oslo", -1.0)), echo(*HEAD, (" Bergen", -3.0))
    body = json.dumps({"choices": [{"index": 1, **bergen}, {"index": 0, **oslo}]})
    found = option_likelihoods(body.encode(), asked, 0.1).option_logprobs
    assert [one.logprob for one in found] == [-1.0, -3.0]


def test_blanks_at_the_end_of_the_prompt_count_with_the_option() -> None:
    """A prompt that ends in a blank gives what the same prompt without it gives."""
    asked = request("The capital is ", "Oslo")
    object.__setattr__(asked.choices, "separator", "")
    assert read(asked, echo(*HEAD, (" Oslo", -1.0))) == [(-1.0, 1, False)]


def test_a_token_across_the_border_moves_it_for_every_option() -> None:
    """Options are compared over the same stretch of text, from where the earliest such token begins."""
    asked = request("The capital is", "land", "Oslo")
    object.__setattr__(asked.choices, "separator", "")
    across = echo(("The", None), (" capital", -2.0), (" island", -4.0))
    apart = echo(*HEAD, ("Oslo", -2.5))
    assert read(asked, across, apart) == [(-4.0, 1, False), (-3.5, 2, False)]


def test_offsets_that_count_a_hidden_token_are_not_believed() -> None:
    """A server that puts a first token of its own in front shifts its offsets; the tokens tell."""
    tokens = ["<s>", "The", " capital", " is", " Oslo", "!"]
    values = [None, -5.0, -2.0, -1.0, -0.75, -9.0]
    choice = {
        "text": "The capital is Oslo!",
        "logprobs": {"tokens": tokens, "token_logprobs": values, "text_offset": [0, 3, 6, 14, 17, 22]},
    }
    assert read(request("The capital is", "Oslo"), choice) == [(-0.75, 1, None)]
    del choice["logprobs"]["text_offset"]  # type: ignore[attr-defined] # a table
    assert read(request("The capital is", "Oslo"), choice) == [(-0.75, 1, None)]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"text": " Oslo"}, "without the prompt"),
    ({"text": "The capital is Oslo!", "logprobs": None}, "no log-probabilities"),
    (echo(*HEAD, (" Oslo", None)), "no log-probability for a token"),
    (
        {"text": "The capital is Oslo!", "logprobs": {"tokens": ["x", "y"], "token_logprobs": [None, -1.0]}},
        "where an option begins",
    ),
]


@pytest.mark.parametrize(("choice", "message"), WRONG)
def test_what_is_left_out_in_silence_is_a_final_error(choice: dict[str, Any], message: str) -> None:
    """No number is made up: the request fails in words, and another attempt would not help."""
    with pytest.raises(ProviderError, match=message) as caught:
        read(request("The capital is", "Oslo"), choice)
    assert not caught.value.retryable


def test_fewer_choices_than_prompts_are_an_error() -> None:
    """A server that only took the first prompt of the list is found out."""
    with pytest.raises(ProviderError, match="1 choices for a list of 2 prompts"):
        read(request("The capital is", "Oslo", "Bergen"), echo(*HEAD, (" Oslo", -1.0)))


def test_an_empty_prompt_is_refused_in_words() -> None:
    """Nothing is known of a first token, so there must be something before the option."""
    with pytest.raises(ProviderError, match="begin the prompt with a text"):
        read(request("", "Oslo"), echo((" Oslo", None)))


def first(choice: dict[str, Any], endpoint: Any = "chat") -> list[tuple[str, float]]:
    """Return the first tokens that were read."""
    found = first_tokens(json.dumps({"choices": [choice]}).encode(), endpoint, 0.1, inline=True)
    return [(one.token, one.logprob) for one in found.first_tokens]


def test_first_tokens_are_read_from_either_form() -> None:
    """Chat lists them with the token, legacy completions as a table; some give the former for the latter."""
    content = {"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": -0.5}]}]}
    message = {"message": {"content": "A"}, "finish_reason": "length"}
    assert first({**message, "logprobs": content}) == [("A", -0.5)]
    legacy = {"text": "A", "finish_reason": "length"}
    assert first({**legacy, "logprobs": {"top_logprobs": [{"A": -0.5}]}}, "completions") == [("A", -0.5)]
    assert first({**legacy, "logprobs": content}, "completions") == [("A", -0.5)]
    with pytest.raises(ProviderError, match="gave none"):
        first(message)
