"""Reading: a short passage, a question about one person, and an answer that quotes its evidence first.

The reply is the sentence that proves it, then `#### ` and the words asked for. Quoting lets the copy start
at the name; a bare answer stays at chance as soon as two people share a kind of fact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from training.rows import Row, Task
from training.words import (
    COLORS,
    FOODS,
    INSTRUMENTS,
    ITEMS,
    JOBS,
    NEW_CITIES,
    NEW_NAMES,
    PLACES,
    chance,
    distinct,
    person,
    town,
)


@dataclass(frozen=True, slots=True)
class _Relation:
    """A kind of fact: sentences over {who} and {what}, questions over {who}, and a draw of {what}."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    what: Callable[[Random, bool], str]


_RELATIONS = {
    "home": _Relation(
        ("{who} lives in {what}.", "{who} moved to {what} last year.", "{who} rents a small flat in {what}."),
        ("Where does {who} live?", "Which town is the home of {who}?"),
        town,
    ),
    "job": _Relation(
        ("{who} works as a {what}.", "{who} is a {what}.", "{who} became a {what} after school."),
        ("What is the job of {who}?", "What does {who} do for a living?"),
        lambda rng, _: rng.choice(JOBS),
    ),
    "bought": _Relation(
        ("{who} bought a {what}.", "{who} came home with a {what}.", "{who} paid for a {what}."),
        ("What did {who} buy?",),
        lambda rng, _: f"{rng.choice(COLORS)} {rng.choice(ITEMS)}",
    ),
    "food": _Relation(
        ("{who} ordered {what} for lunch.", "{who} cooked {what} on Sunday.", "{who} likes {what} best."),
        ("What does {who} eat?", "Which food goes with {who}?"),
        lambda rng, _: rng.choice(FOODS),
    ),
    "music": _Relation(
        ("{who} plays the {what}.", "{who} practises the {what} every evening."),
        ("What does {who} play?",),
        lambda rng, _: rng.choice(INSTRUMENTS),
    ),
    "place": _Relation(
        (
            "{who} waited in the {what}.",
            "{who} met a friend at the {what}.",
            "{who} spent the day at the {what}.",
        ),
        ("Where was {who}?",),
        lambda rng, _: rng.choice(PLACES),
    ),
    "pet": _Relation(
        (
            "{who} has a cat called {what}.",
            "{who} has a dog called {what}.",
            "{who} looks after a pony called {what}.",
        ),
        ("What is the pet of {who} called?",),
        person,
    ),
}
_MOVES = ("{who} does not live in {old} but in {what}.", "{who} left {old} and now lives in {what}.")
_FILLERS = (
    "It was a quiet week.",
    "The weather was mild.",
    "Nobody was in a hurry.",
    "The streets were full of people.",
)
_PEOPLE = (2, 2, 3, 3, 4)
_RIVAL_SHARE = {False: 0.7, True: 0.4}
_FILLER_LIMIT = 4


def draw(rng: Random, held_out: bool) -> Row:
    """Draw a passage of two to four facts and a question about the first; the whole text is the key."""
    people = distinct(lambda: person(rng, held_out), rng.choice(_PEOPLE))
    relations = _relations(rng, len(people), held_out)
    values = _values(rng, relations, tuple(people), held_out)
    facts = [_fact(rng, *fact) for fact in zip(relations, people, values, strict=True)]
    relation = relations[0]
    moved = relation == "home" and chance(rng, 0.3)
    if moved:
        old = distinct(lambda: town(rng, held_out), 1, (*people, *values))[0]
        facts[0] = rng.choice(_MOVES).format(who=people[0], old=old, what=values[0])
    passage = _passage(rng, facts)
    question = rng.choice(_RELATIONS[relation].questions).format(who=people[0])
    rivals = relations.count(relation) - 1
    return Row(
        key=f"{' '.join(passage)}\n{question}".lower(),
        columns={
            "passage": " ".join(passage),
            "question": question,
            "answer": values[0],
            "relation": relation,
            "negation": moved,
            "rivals": rivals,
            "sentences": len(passage),
            "position": passage.index(facts[0]) + 1,
            "new_name": people[0] in NEW_NAMES,
            "new_answer": values[0] in NEW_NAMES or values[0] in NEW_CITIES,
            "difficulty": ("easy", "medium", "hard")[min(2, rivals + moved)],
        },
        answer=f"{facts[0]}\n#### {values[0]}",
    )


def _relations(rng: Random, count: int, held_out: bool) -> list[str]:
    """Return the kind of each fact; in some passages other people have the kind that is asked for."""
    first = rng.choice(list(_RELATIONS))
    rivalry = chance(rng, _RIVAL_SHARE[held_out])
    others = (
        first if rivalry and chance(rng, 0.7) else rng.choice(list(_RELATIONS)) for _ in range(count - 1)
    )
    return [first, *others]


def _values(rng: Random, relations: list[str], people: tuple[str, ...], held_out: bool) -> list[str]:
    values: list[str] = []
    for relation in relations:
        draw_value = partial(_RELATIONS[relation].what, rng, held_out)
        values += distinct(draw_value, 1, (*people, *values))
    return values


def _fact(rng: Random, relation: str, who: str, what: str) -> str:
    sentence = rng.choice(_RELATIONS[relation].sentences).format(who=who, what=what)
    return sentence.replace(" a orange", " an orange")


def _passage(rng: Random, facts: list[str]) -> list[str]:
    sentences = rng.sample(facts, len(facts))
    if len(facts) < _FILLER_LIMIT and chance(rng, 0.3):
        sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(_FILLERS))
    return sentences


READING = Task(
    name="reading",
    prompts=(
        "{{ passage }}\n{{ question }}",
        "Read and answer. {{ passage }}\n{{ question }}",
        "Answer with words from the text. {{ passage }}\n{{ question }}",
    ),
    draw=draw,
)
