"""How likely given answers are, as endpoints tell it: whole texts by `echo`, first tokens by logprobs.

Servers differ in what they leave out, and the worst leave it out in silence: what is not there is an error
here, never a score.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.providers.answers import read_completion, read_usage
from regrade.types import Completion, Endpoint, Json, JsonObject, OptionLogprob, Request, TokenLogprob

__all__ = ["first_tokens", "option_likelihoods", "prompts_of"]


def prompts_of(request: Request) -> list[str]:
    """Return the prompt once with each option behind it."""
    assert request.choices is not None
    return [request.text + continuation for continuation in request.choices.continuations]


def option_likelihoods(body: bytes, request: Request, latency_s: float) -> Completion:
    """Return how likely each option is after the prompt; the text is the likeliest one.

    Counted are the tokens from the end of the prompt on, blanks at that end included: most tokenizers take
    them to the word behind. Where a token of any option spans that place, all options are counted from where
    it begins, so that what is compared is the probability of the same stretch of text.

    Raises:
        ProviderError: When the answer does not hold the prompts with a number for every token (final).
    """
    answer = _object(body)
    prompts = prompts_of(request)
    echoes = [
        _Echo.read(choice, prompt)
        for choice, prompt in zip(_in_order(answer, len(prompts)), prompts, strict=True)
    ]
    border = _common_border(echoes, len(request.text.rstrip()))
    found = tuple(echo.after(border) for echo in echoes)
    best = max(range(len(found)), key=lambda place: found[place].logprob)  # the first of equals
    assert request.choices is not None
    model = answer.get("model")
    return Completion(
        text=request.choices.continuations[best],
        finish_reason="stop",
        usage=read_usage(answer),
        latency_s=latency_s,
        served_model=model if isinstance(model, str) else None,
        option_logprobs=found,
    )


def first_tokens(body: bytes, endpoint: Endpoint, latency_s: float, *, inline: bool) -> Completion:
    """Return the answer with the likeliest tokens that it could have begun with.

    Raises:
        ProviderError: When the endpoint sent none (final), or no answer.
    """
    completion = read_completion(body, endpoint, latency_s, inline=inline)
    choices = _object(body).get("choices")
    logprobs: Json = choices[0].get("logprobs") if isinstance(choices, list) and choices else None
    found = tuple(_top(logprobs)) if isinstance(logprobs, dict) else ()
    if not found:
        raise _missing(
            "the endpoint took logprobs and gave none: choices cannot be told by their first token"
        )
    return replace(completion, first_tokens=found)


def _top(logprobs: JsonObject) -> Iterator[TokenLogprob]:
    """Yield the first token's alternatives, in the form of chat or of legacy completions."""
    content, top = logprobs.get("content"), logprobs.get("top_logprobs")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        for one in content[0].get("top_logprobs") or ():
            if isinstance(one, dict) and isinstance(one.get("logprob"), int | float):
                yield TokenLogprob(str(one.get("token", "")), float(one["logprob"]))
    elif isinstance(top, list) and top and isinstance(top[0], dict):
        yield from (TokenLogprob(token, float(logprob)) for token, logprob in top[0].items())


@dataclass(frozen=True, slots=True)
class _Echo:
    """One prompt as it came back.

    Attributes:
        starts: Where in the prompt each of its tokens begins, rising; below 0 for what stands before it.
        logprobs: Of the same tokens; None where there is none.
        greedy: Whether each was the likeliest; None where it is not known.
        length: Of the prompt.
    """

    starts: Sequence[int]
    logprobs: Sequence[float | None]
    greedy: Sequence[bool | None]
    length: int

    @classmethod
    def read(cls, choice: JsonObject, prompt: str) -> "_Echo":
        text, logprobs = choice.get("text"), choice.get("logprobs")
        if not isinstance(text, str) or not text.startswith(prompt):
            raise _missing("the endpoint took echo and answered without the prompt")
        tokens = logprobs.get("tokens") if isinstance(logprobs, dict) else None
        values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
        if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
            raise _missing("the endpoint took echo and logprobs, and gave no log-probabilities of the prompt")
        assert isinstance(logprobs, dict)
        starts = _starts(prompt, text, [str(one) for one in tokens], logprobs.get("text_offset"))
        kept = [place for place, start in enumerate(starts) if start < len(prompt)]
        top = logprobs.get("top_logprobs")
        tops = top if isinstance(top, list) and len(top) == len(tokens) else [None] * len(tokens)
        return cls(
            [starts[place] for place in kept],
            [_number(values[place]) for place in kept],
            [_greedy(_number(values[place]), tops[place]) for place in kept],
            len(prompt),
        )

    def start_of(self, place: int) -> int:
        """Return where the token begins that holds a place of the text."""
        return max((start for start in self.starts if start <= place), default=0)

    def after(self, border: int) -> OptionLogprob:
        counted = [at for at, start in enumerate(self.starts) if start >= border]
        values = [self.logprobs[at] for at in counted]
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            raise _missing(
                "the endpoint gives no log-probability for a token of an option"
                + ("; begin the prompt with a text" if border <= 0 else "")
            )
        greedy = [self.greedy[at] for at in counted]
        return OptionLogprob(sum(known), len(known), None if None in greedy else all(greedy))


def _common_border(echoes: Sequence[_Echo], border: int) -> int:
    """Return the last place, at or before the border, where a token begins in every one of the prompts."""
    while True:
        earliest = min(echo.start_of(border) for echo in echoes)
        if earliest >= border:
            return border
        border = earliest


def _starts(prompt: str, text: str, tokens: Sequence[str], offsets: Json) -> list[int]:
    """Return where in the prompt each token begins.

    Offsets are believed where the tokens stand at them; some servers count from a hidden first token, some
    give none. Then the tokens themselves, one after the other, must hold the prompt.
    """
    if isinstance(offsets, list) and len(offsets) == len(tokens) and _stand_at(text, tokens, offsets):
        return [int(offset) for offset in offsets]
    before = "".join(tokens).find(prompt)
    if before < 0:
        raise _missing("neither text_offset nor the tokens of the endpoint tell where an option begins")
    starts, place = [], -before
    for token in tokens:
        starts.append(place)
        place += len(token)
    return starts


def _stand_at(text: str, tokens: Sequence[str], offsets: Sequence[Json]) -> bool:
    if not all(isinstance(offset, int) for offset in offsets) or list(offsets) != sorted(offsets):
        return False
    # A token that is part of a character is written in a form of its own.
    plain = [
        (token, offset)
        for token, offset in zip(tokens, offsets, strict=True)
        if token and not token.startswith("bytes:") and "\ufffd" not in token
    ]
    return bool(plain) and all(text.startswith(token, offset) for token, offset in plain)


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _greedy(own: float | None, top: Json) -> bool | None:
    if own is None or not isinstance(top, dict) or not top:
        return None
    return bool(own >= max(top.values()))


def _in_order(answer: JsonObject, count: int) -> list[JsonObject]:
    """Return the choices in the order of the prompts."""
    found = answer.get("choices")
    choices = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if len(choices) != count:
        raise _missing(f"the endpoint gave {len(choices)} choices for a list of {count} prompts")
    places = [choice.get("index") for choice in choices]
    if sorted(place for place in places if isinstance(place, int)) == list(range(count)):
        return sorted(choices, key=lambda choice: int(choice["index"]))
    return choices


def _object(body: bytes) -> JsonObject:
    try:
        found = jsonio.loads(body)
    except ValueError as error:
        message = "the answer is not JSON"
        raise ProviderError(message, kind="invalid_response", retryable=True) from error
    if not isinstance(found, dict):
        raise ProviderError("the answer is no object", kind="invalid_response", retryable=True)
    return found


def _missing(what: str) -> ProviderError:
    return ProviderError(what, kind="invalid_response")
