"""`echo` with log-probabilities, and lists of prompts, which llama.cpp's server does not have.

What it has is a grammar over tokens: one that allows the prompt's own tokens alone makes it walk through the
prompt, and it tells at every step how likely each token was before the grammar had its say. The numbers are
the model's own; a test holds them against those of single tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.gateway.backend import JSON, PATHS
from regrade.gateway.legacy import Token, legacy_logprobs, piece_bytes, token_of, written
from regrade.gateway.llamacpp import LlamaCpp
from regrade.gateway.refusals import Refusal, invalid
from regrade.http import HttpSession
from regrade.types import Json, JsonObject

__all__ = ["MOST_PROMPTS", "EchoedCompletions", "has_parts"]

MOST_PROMPTS = 128
_MOST_TOP = 20
_FORCE = 100_000
_ALL = 1_000_000
_OK = 200


def has_parts(body: JsonObject) -> bool:
    """Return whether a completions request takes several requests upstream."""
    prompt = body.get("prompt")
    several = isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)
    return several or bool(body.get("echo"))


@dataclass(frozen=True, slots=True)
class _Walk:
    """A prompt that was walked through: its tokens by their numbers, and with what the model thought."""

    ids: list[int]
    tokens: list[Token]


@dataclass(frozen=True, slots=True)
class EchoedCompletions:
    """Answers completions requests that `has_parts` tells.

    Attributes:
        url: Base URL of the model's llama.cpp server, "/v1" included.
        session: Carries requests to it.
        dialect: Of that server.
        context_window: In tokens.
    """

    url: str
    session: HttpSession
    dialect: LlamaCpp
    context_window: int

    async def answer(self, body: JsonObject, model: str) -> JsonObject:
        """Return the answer: a choice a prompt, in their order.

        Raises:
            Refusal: A stream, prompts of tokens, too many prompts, or one that does not fit.
            ProviderError: llama.cpp cannot be reached or answers in another form.
        """
        prompts = _prompts(body)
        walk = _Walk([], [])
        answers = []
        for at, prompt in enumerate(prompts):
            if body.get("echo") and body.get("logprobs") is not None:
                walk = await self._walked(prompt, body["logprobs"], walk)
            answers.append(await self._one(body, prompt, at, walk.tokens, model))
        whole = answers[0]
        usage = {
            name: sum(answer["usage"][name] for answer in answers)
            for name in ("prompt_tokens", "completion_tokens", "total_tokens")
        }
        return {**whole, "choices": [answer["choices"][0] for answer in answers], "usage": usage}

    async def _one(
        self, body: JsonObject, prompt: str, index: int, walked: Sequence[Token], model: str
    ) -> JsonObject:
        """Return the answer to one prompt, its text and tokens in front where they are wanted."""
        echo, top = bool(body.get("echo")), body.get("logprobs")
        generated = await self._generated(body, prompt, model)
        choice = generated["choices"][0]
        if top is not None:
            tokens = [*walked, *written(_content(choice))]
            choice["logprobs"] = legacy_logprobs(tokens, top=top)
        if body.get("max_tokens") == 0:
            choice = {**choice, "text": "", "finish_reason": "length"}
        choice = {**choice, "index": index, "text": (prompt if echo else "") + choice["text"]}
        return {**generated, "choices": [choice]}

    async def _generated(self, body: JsonObject, prompt: str, model: str) -> JsonObject:
        """Return what the model writes after a prompt; of nothing wanted, the form and the count alone."""
        plain = {name: value for name, value in body.items() if name not in {"echo", "stream"}}
        wanted = body.get("max_tokens")
        asked = self.dialect.prepare("completions", {**plain, "prompt": prompt, "max_tokens": wanted or 1})
        if wanted is None:
            asked.pop("max_tokens")
        answer = await self._post(PATHS["completions"], asked)
        found = self.dialect.answer("completions", answer, model, raw=True)
        if wanted == 0:
            found["choices"][0]["logprobs"] = None
            prompt_tokens = found["usage"]["prompt_tokens"]
            found["usage"] = {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": 0,
                "total_tokens": prompt_tokens,
            }
        return found

    async def _walked(self, prompt: str, top: int, before: "_Walk") -> "_Walk":
        """Return the tokens of a prompt, all but the first with their log-probability after those before.

        What it shares with the prompt before it has the same numbers: options of one question differ late.
        """
        asked = {"content": prompt, "add_special": True, "with_pieces": True}
        listed = (await self._post("/tokenize", asked))["tokens"]
        ids = [one["id"] for one in listed]
        if len(ids) > self.context_window:
            message = f"the prompt has {len(ids)} tokens, and the model's window {self.context_window}"
            raise invalid(message, "prompt", "context_length_exceeded")
        shared = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ids, before.ids, strict=False))
        )
        tokens = before.tokens[:shared] or [Token(piece_bytes(one)) for one in listed[:1]]
        alone = [at for at, one in enumerate(listed) if not _walkable(one["piece"])]
        while len(tokens) < len(ids):
            at = len(tokens)
            end = next((place for place in alone if place >= at), len(ids))
            tokens += await self._steps(ids, at, end, top)
            if len(tokens) < len(ids):
                tokens.append(await self._single(ids, len(tokens), piece_bytes(listed[len(tokens)]), top))
        return _Walk(ids, tokens)

    async def _steps(self, ids: Sequence[int], at: int, end: int, top: int) -> list[Token]:
        """Walk from one place to another.

        Raises:
            ProviderError: When llama.cpp went another way.
        """
        if at == end:
            return []
        grammar = "root ::= " + " ".join(f"<[{id_}]>" for id_ in ids[at:end])
        seen = await self._next(ids[:at], n_predict=end - at, n_probs=max(top, 1), grammar=grammar)
        if [one["id"] for one in seen] != list(ids[at:end]):
            raise ProviderError("it left the prompt that it was to walk through", kind="invalid_response")
        return [token_of(one) for one in seen]

    async def _single(self, ids: Sequence[int], at: int, piece: bytes, top: int) -> Token:
        """Return one token that no grammar leads to, from the list of all that could stand at its place.

        The server lists them beside a token that it can print, so it is made to print one.

        Raises:
            ProviderError: When the token is not in the list.
        """
        [printed] = (await self._post("/tokenize", {"content": "!"}))["tokens"]
        seen = await self._next(ids[:at], n_predict=1, n_probs=_ALL, logit_bias=[[printed, _FORCE]])
        others = (seen[0].get("top_logprobs") or ()) if seen else ()
        own = next((one for one in others if one["id"] == ids[at]), None)
        if own is None:
            raise ProviderError("it gives no number for a token of the prompt", kind="invalid_response")
        return Token(piece, float(own["logprob"]), token_of(seen[0]).top[: max(top, 1)])

    async def _next(self, before: Sequence[int], **more: Json) -> Sequence[JsonObject]:
        answer = await self._post("/completion", {"prompt": before, "temperature": 0, **more})
        return answer.get("completion_probabilities") or ()

    async def _post(self, path: str, body: JsonObject) -> JsonObject:
        base = self.url if path in PATHS.values() else self.url.removesuffix("/v1")
        reply = await self.session.post(base + path, JSON, jsonio.encode(body))
        if reply.status != _OK:
            raise self.dialect.refusal(reply.status, reply.body)
        try:
            found = jsonio.loads(reply.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProviderError("its answer is not a JSON object", kind="invalid_response")
        return found


def _walkable(piece: Json) -> bool:
    """Return whether a grammar leads past a token: not a part of a character, not a special one."""
    return isinstance(piece, str) and not (piece.startswith("<") and piece.endswith(">") and len(piece) > 1)


def _prompts(body: JsonObject) -> Sequence[str]:
    """Return the prompts as texts.

    Raises:
        Refusal: What cannot be done with them.
    """
    given: Json = body["prompt"]
    prompts: list[Json] = given if isinstance(given, list) else [given]
    if not all(isinstance(one, str) for one in prompts):
        raise _unsupported("prompt", "echo and lists of prompts for texts, not for tokens")
    if len(prompts) > MOST_PROMPTS:
        raise _unsupported("prompt", f"at most {MOST_PROMPTS} prompts a request")
    if body.get("stream"):
        raise _unsupported("stream", "echo and lists of prompts in whole answers")
    if (body.get("logprobs") or 0) > _MOST_TOP:
        raise _unsupported("logprobs", f"at most {_MOST_TOP} alternatives with echo and lists of prompts")
    return [str(one) for one in prompts]


def _unsupported(param: str, offered: str) -> Refusal:
    return invalid(f"'{param}': the demo models give {offered}", param, "unsupported_value")


def _content(choice: JsonObject) -> Sequence[JsonObject]:
    return (choice.get("logprobs") or {}).get("content") or ()
