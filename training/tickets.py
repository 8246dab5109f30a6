"""Ticket classification: which of six teams should answer a customer's message."""

from random import Random

from training.rows import Row, Task
from training.ticket_phrases import (
    CLOSINGS,
    CONTEXTS,
    NEGATIONS,
    OPENINGS,
    PAGES,
    PHRASES,
    QUESTION_WORDS,
    TOPICS,
    UNSEEN_PHRASES,
)
from training.words import CITIES, DAYS, ITEMS, MONTHS, NAMES, capitalized, chance

_UNSEEN_SHARE = 0.18
_FORMS = {"plain": 5.0, "negated_before": 2.0, "negated_after": 2.0, "not_but": 1.0}
_TYPO_COUNTS = (0, 0, 0, 2, 3)
_SHORTEST_TYPO = 4
_LONG_TEXT = 18


def draw(rng: Random, held_out: bool) -> Row:
    """Draw one message and its label; some held-out ones use a phrase unseen in training."""
    label = rng.choice(list(PHRASES))
    unseen = held_out and chance(rng, _UNSEEN_SHARE)
    core = _filled(rng, rng.choice((UNSEEN_PHRASES if unseen else PHRASES)[label]))
    form = rng.choices(list(_FORMS), list(_FORMS.values()))[0]
    body = _body(core, form, *_other_topic(rng, label))
    clean = _message(rng, body)
    text = _with_typos(rng, clean, rng.choice(_TYPO_COUNTS))
    words = len(text.split())
    return Row(
        key=body.lower(),
        columns={
            "text": text,
            "label": label,
            "form": form,
            "negation": form != "plain",
            "typos": text != clean,
            "phrasing": "unseen" if unseen else "seen",
            "length": "long" if words > _LONG_TEXT else "short",
        },
        answer=label,
    )


def _other_topic(rng: Random, label: str) -> tuple[str, str]:
    """Return a sentence that denies another label, and that label's topic."""
    other = rng.choice([name for name in PHRASES if name != label])
    return rng.choice(NEGATIONS[other]), TOPICS[other]


def _body(core: str, form: str, denial: str, topic: str) -> str:
    """Join the core and what the message is not about into one sentence."""
    question = core.split(maxsplit=1)[0] in QUESTION_WORDS and form != "negated_after"
    forms = {
        "plain": core,
        "negated_before": f"{denial}, but {core}",
        "negated_after": f"{core}, although {denial}",
        "not_but": f"I am not writing about {topic}: {core}",
    }
    return capitalized(forms[form]) + ("?" if question else ".")


def _message(rng: Random, body: str) -> str:
    """Put the body between an opening, some context and a closing, each of which may be missing."""
    opening = rng.choice(OPENINGS) if chance(rng, 0.5) else ""
    context = _filled(rng, rng.choice(CONTEXTS)) if chance(rng, 0.4) else ""
    closing = _filled(rng, rng.choice(CLOSINGS)) if chance(rng, 0.5) else ""
    middle = (context, body) if chance(rng, 0.5) else (body, context)
    return " ".join(part for part in (opening, *middle, closing) if part)


def _filled(rng: Random, phrase: str) -> str:
    if "{" not in phrase:
        return phrase
    return phrase.format(
        n=rng.randint(2, 9),
        item=rng.choice(ITEMS),
        day=rng.choice(DAYS),
        month=rng.choice(MONTHS),
        city=rng.choice(CITIES),
        page=rng.choice(PAGES),
        name=rng.choice(NAMES),
    )


def _with_typos(rng: Random, text: str, count: int) -> str:
    words = text.split(" ")
    for position in rng.sample(range(len(words)), min(count, len(words))):
        words[position] = _misspelt(rng, words[position])
    return " ".join(words)


def _misspelt(rng: Random, word: str) -> str:
    """Swap, drop or double one inner letter; short words and words with punctuation stay."""
    if len(word) < _SHORTEST_TYPO or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    dropped = word[:at] + word[at + 1 :]
    doubled = word[:at] + word[at] + word[at:]
    return rng.choice((swapped, dropped, doubled))


TICKETS = Task(
    name="tickets",
    prompts=(
        "Label this message: {{ text }}",
        "Which team should answer? {{ text }}",
        "Ticket: {{ text }}\nLabel:",
    ),
    draw=draw,
)
