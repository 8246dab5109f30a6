"""Probes of what steers an answer: seed, n, stop, its greatest length, the system role; and of reasoning."""

from collections.abc import Sequence

from regrade.probes.findings import Answered, Finding, Question, Seen, ignored, no, unclear, yes
from regrade.probes.opening import PLAIN, Opening, limited
from regrade.probes.probe import Findings, Probe, single
from regrade.types import JsonObject

__all__ = ["CHAT_PROBES"]

_RANDOM = "Write eight random words, none of them common."
_SAMPLED = 24
_SEEDS = (11, 11, 12, 13)
_FEW = 2
_SYSTEM = "You are a helpful assistant who answers in a calm and friendly tone."


def _seed_questions(opening: Opening) -> Sequence[Question]:
    return [limited(opening, _SAMPLED, _RANDOM, temperature=1, seed=seed) for seed in _SEEDS]


def _seed(_: Opening, seen: Sequence[Seen]) -> Findings:
    silent = next((found for one in seen if (found := one.without_answer())), None)
    if silent is not None:
        return {"seed": silent}
    first, again, *others = [one.answered.text for one in seen if one.answered]
    if not any((first, again, *others)):
        return {"seed": unclear("the model wrote no text")}
    if first != again:
        return {"seed": ignored("the same seed gave two texts at temperature 1")}
    if all(other == first for other in others):
        return {"seed": unclear("other seeds gave the same text too")}
    return {"seed": yes()}


def _n_questions(opening: Opening) -> Sequence[Question]:
    return [limited(opening, 4, _RANDOM, temperature=1, n=_FEW)]


def _n(_: Opening, answered: Answered) -> Finding:
    found = len(answered.choices)
    return yes() if found == _FEW else ignored(f"n: 2 gave {found} choice{'s' * (found != 1)}")


def _stop_word(opening: Opening) -> str | None:
    """Return a piece of the plain answer, not at its front, that will come again at temperature 0."""
    text = opening.answered.text
    words = text.split()
    later = [word for word in words[1:] if text.find(word) > 0]
    if later:
        return later[len(later) // 2]
    return text[len(text) // 2 :][:3].strip() or None


def _stop_questions(opening: Opening) -> Sequence[Question]:
    word = _stop_word(opening)
    return [] if word is None else [limited(opening, _SAMPLED, PLAIN, temperature=0, stop=[word])]


def _stop(opening: Opening, seen: Sequence[Seen]) -> Findings:
    word = _stop_word(opening)
    if word is None or not seen:
        return {"stop": unclear("the model wrote no text to stop in")}
    silent = seen[0].without_answer()
    if silent is not None:
        return {"stop": silent}
    assert seen[0].answered is not None
    text, plain = seen[0].answered.text, opening.answered.text
    if word in text:
        return {"stop": ignored(f"the answer goes on past the stop string {word!r}")}
    if plain.startswith(text) and plain[: plain.find(word)].rstrip() == text.rstrip():
        return {"stop": yes()}
    return {"stop": unclear("the text is another one at temperature 0, and the stop string is not in it")}


def _length_questions(opening: Opening) -> Sequence[Question]:
    return [limited(opening, 1, PLAIN, temperature=0)]


def _length(opening: Opening, seen: Sequence[Seen]) -> Findings:
    silent = seen[0].without_answer()
    if opening.refusal is not None:
        return {"max_tokens": no(f"{opening.refusal} (max_completion_tokens is taken)")}
    if silent is not None:
        return {"max_tokens": silent}
    assert seen[0].answered is not None
    return {"max_tokens": _bounded(opening.answered, seen[0].answered)}


def _bounded(plain: Answered, short: Answered) -> Finding:
    written = short.count("completion_tokens")
    if written is not None and written > 1:
        return ignored(f"max_tokens: 1 gave {written} tokens")
    if short.finish_reason == "length" or (plain.text and len(short.text) < len(plain.text)):
        return yes()
    if len(short.text.split()) > _FEW:
        return ignored("max_tokens: 1 gave the whole answer")
    return unclear("the answer is short anyway")


def _system_questions(opening: Opening) -> Sequence[Question]:
    messages: list[JsonObject] = [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": PLAIN},
    ]
    return [limited(opening, 1, messages=messages, temperature=0)]


def _system(opening: Opening, answered: Answered) -> Finding:
    with_it, without = answered.count("prompt_tokens"), opening.answered.count("prompt_tokens")
    if with_it is None or without is None:
        return unclear("the server counts no prompt tokens")
    if with_it <= without:
        return ignored("a system message adds no token to the prompt")
    return yes()


def _reasoning(opening: Opening, _: Sequence[Seen]) -> Findings:
    message = opening.answered.message
    if any(
        isinstance(message.get(name), str) and message[name] for name in ("reasoning_content", "reasoning")
    ):
        return {"reasoning": yes()}
    if "<think>" in opening.answered.text:
        return {
            "reasoning": no(
                "it stands in the text between <think> tags; regrade takes it out of the answer itself"
            )
        }
    return {"reasoning": unclear("the model showed no reasoning")}


CHAT_PROBES: tuple[Probe, ...] = (
    Probe(("seed",), _seed_questions, _seed),
    single("n", _n_questions, _n),
    Probe(("stop",), _stop_questions, _stop),
    Probe(("max_tokens",), _length_questions, _length),
    single("system", _system_questions, _system),
    Probe(("reasoning",), lambda _: (), _reasoning),
)
