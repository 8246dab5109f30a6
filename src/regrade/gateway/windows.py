"""Refuses a prompt that cannot fit into a model's context window, and no other.

How many tokens a text makes, only the model's own tokenizer can say. What holds for all of them is a bound
from below. A token stands for a piece of text, and the longest pieces in the vocabularies that are published
are 128 characters long: runs of spaces, in those made for source code. Tokenizers may drop or merge white
space and characters without a shape, so neither is counted here. What is left, divided by 128, is therefore
never more than the tokens of the prompt. Prompts given as tokens are counted exactly. The room that
`max_tokens` asks for is not added: some servers take it as a promise, others cut it to what is left.
"""

from collections.abc import Iterator

from regrade.gateway.refusals import Refusal, invalid
from regrade.types import Endpoint, Json, JsonObject

__all__ = ["check_window", "least_tokens"]

_LONGEST_TOKEN = 128
"""Characters."""


def check_window(endpoint: Endpoint, body: JsonObject, window: int | None, size: int) -> None:
    """Let a checked request through unless its prompt certainly exceeds the window.

    Args:
        endpoint: Which of the two.
        body: The request.
        window: In tokens; None lets everything through.
        size: Bytes of the request, from which most requests are seen to fit.

    Raises:
        Refusal: With status 400 and the code `context_length_exceeded`.
    """
    # A token of a list takes two bytes at least: a digit and a comma.
    if window is None or size <= 2 * window:
        return
    least = least_tokens(endpoint, body)
    if least > window:
        raise _exceeded(endpoint, least, window)


def least_tokens(endpoint: Endpoint, body: JsonObject) -> int:
    """Return a number that the tokens of a prompt cannot be fewer than; of several prompts, the longest's."""
    if endpoint == "chat":
        return _least_of_texts(_texts(body["messages"]))
    prompt = body["prompt"]
    prompts = [prompt] if isinstance(prompt, str) or isinstance(prompt[0], int) else prompt
    return max(len(one) if isinstance(one, list) else _least_of_texts([one]) for one in prompts)


def _texts(messages: list[Json]) -> Iterator[str]:
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        yield from (part["text"] for part in parts if isinstance(part.get("text"), str))


def _least_of_texts(texts: Iterator[str] | list[str]) -> int:
    seen = sum(sum(map(str.isprintable, "".join(text.split()))) for text in texts)
    return -(-seen // _LONGEST_TOKEN)


def _exceeded(endpoint: Endpoint, least: int, window: int) -> Refusal:
    return invalid(
        f"this model's context window is {window} tokens, and the prompt has at least {least}: shorten it",
        "messages" if endpoint == "chat" else "prompt",
        "context_length_exceeded",
    )
