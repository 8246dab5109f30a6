"""Probes of the legacy completions endpoint: is it there, and does it tell how likely a given text is."""

from collections.abc import Sequence

from regrade.probes.findings import Answered, Finding, Question, ignored, unclear, yes
from regrade.probes.opening import Opening
from regrade.probes.probe import single
from regrade.types import Json, JsonObject

__all__ = ["COMPLETIONS_PROBE", "ECHO_PROBE", "FIRST_TOKEN_OF_TEXT_PROBE", "echo_finding"]

_PROMPTS = ("The capital of Norway is Oslo", "The capital of Norway is blue")
_TOP = 20
_TOLD = 2


def _completions_questions(_: Opening) -> Sequence[Question]:
    return [Question("completions", {"prompt": _PROMPTS[0], "max_tokens": 4, "temperature": 0})]


def _completions(_: Opening, answered: Answered) -> Finding:
    if not answered.choices or not isinstance(answered.choices[0].get("text"), str):
        return ignored("the answer holds no text")
    return yes()


def _echo_questions(_: Opening) -> Sequence[Question]:
    body: JsonObject = {
        "prompt": list(_PROMPTS),
        "max_tokens": 1,
        "temperature": 0,
        "echo": True,
        "logprobs": 1,
    }
    return [Question("completions", body)]


def echo_finding(answered: Answered) -> Finding:
    """Return whether an answer holds the log-probabilities of its prompts, one choice a prompt."""
    if len(answered.choices) != len(_PROMPTS):
        return ignored(f"a list of {len(_PROMPTS)} prompts gave {len(answered.choices)} choices")
    in_order = sorted(answered.choices, key=_index)
    for prompt, choice in zip(_PROMPTS, in_order, strict=True):
        text = choice.get("text")
        if not isinstance(text, str) or not text.startswith(prompt):
            return ignored("echo: true gave answers without the prompt")
        logprobs: Json = choice.get("logprobs")
        values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
        if not isinstance(values, list) or len(values) < 2:  # noqa: PLR2004 - the first token has none
            return ignored("echo with logprobs gave no log-probabilities of the prompt")
        if not all(isinstance(value, int | float) for value in values[1:]):
            return unclear("the log-probabilities of the prompt have gaps")
    return yes()


def _index(choice: JsonObject) -> int:
    found = choice.get("index")
    return found if isinstance(found, int) else 0


def _first_token_questions(_: Opening) -> Sequence[Question]:
    return [
        Question("completions", {"prompt": _PROMPTS[0], "max_tokens": 1, "temperature": 0, "logprobs": _TOP})
    ]


def _first_token(_: Opening, answered: Answered) -> Finding:
    logprobs: Json = answered.choices[0].get("logprobs") if answered.choices else None
    if not isinstance(logprobs, dict):
        return ignored(f"logprobs: {_TOP} gave none")
    top = logprobs.get("top_logprobs")
    shown = len(top[0]) if isinstance(top, list) and top and isinstance(top[0], dict) else 0
    content = logprobs.get("content")
    if not shown and isinstance(content, list) and content and isinstance(content[0], dict):
        shown = len(content[0].get("top_logprobs") or ())  # llama.cpp has the form of chat here too
    return yes(value=shown) if shown >= _TOLD else ignored(f"logprobs: {_TOP} gave {shown}")


COMPLETIONS_PROBE = single("completions", _completions_questions, _completions, chat=False)
ECHO_PROBE = single(
    "prompt_logprobs", _echo_questions, lambda _, answered: echo_finding(answered), chat=False
)
"""Whether the endpoint tells how likely given continuations are: what log-likelihood tasks rest on."""

FIRST_TOKEN_OF_TEXT_PROBE = single("top_logprobs", _first_token_questions, _first_token, chat=False)
"""Whether a completions endpoint shows the likeliest first tokens."""
