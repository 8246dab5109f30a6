"""The log-probabilities of the completions endpoint, as the API has them: lists beside each other."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regrade.types import Json, JsonObject

__all__ = ["Token", "legacy_logprobs", "piece_bytes", "token_of", "written"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token with what the model thought of it.

    Attributes:
        piece: The bytes it stands for; part of a character, perhaps.
        logprob: Its log-probability; None for the first of a text.
        top: The likeliest tokens at its place.
    """

    piece: bytes
    logprob: float | None = None
    top: Sequence[tuple[bytes, float]] = field(default_factory=tuple)


def token_of(entry: JsonObject) -> Token:
    """Return a token as llama.cpp describes it in an answer with log-probabilities."""
    top = [(piece_bytes(one), float(one["logprob"])) for one in entry.get("top_logprobs") or ()]
    return Token(piece_bytes(entry), float(entry["logprob"]), top)


def written(entries: Sequence[JsonObject]) -> list[Token]:
    """Return the tokens of a generated text, without the one that ended it, which is no text."""
    tokens = [token_of(entry) for entry in entries]
    return tokens[:-1] if len(tokens) > 1 and not tokens[-1].piece else tokens


def piece_bytes(entry: Mapping[str, Json]) -> bytes:
    """Return the bytes of a token, which llama.cpp gives as a list beside its text, or in its place."""
    found = entry.get("bytes", entry.get("piece"))
    return found.encode() if isinstance(found, str) else bytes(found or ())


def legacy_logprobs(tokens: Sequence[Token], *, top: int) -> JsonObject:
    r"""Return `tokens`, `token_logprobs`, `top_logprobs` and `text_offset` of a text.

    Offsets count characters; a token that begins within a character has that character's. A token that is no
    text by itself is written as `bytes:\x..`. The token that stands in the text is always among the top
    ones, as the API has it, so there may be one more than was asked for; of tokens that read alike (those
    that end a text read as nothing) the sum is given.

    Args:
        tokens: Of the whole text.
        top: How many alternatives were asked for.
    """
    offsets, seen = [], b""
    for token in tokens:
        offsets.append(len(seen.decode("utf-8", "ignore")))
        seen += token.piece
    return {
        "tokens": [_text(token.piece) for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_top(token, top) for token in tokens] if top else None,
        "text_offset": offsets,
    }


def _top(token: Token, count: int) -> dict[str, float] | None:
    if token.logprob is None:
        return None
    found: dict[str, float] = {}
    for piece, logprob in token.top[:count]:
        text = _text(piece)
        found[text] = math.log(math.exp(found[text]) + math.exp(logprob)) if text in found else logprob
    found.setdefault(_text(token.piece), token.logprob)
    return found


def _text(piece: bytes) -> str:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
