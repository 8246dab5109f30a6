"""Order extraction: one sentence in, one JSON object with five fixed keys out."""

import json
from dataclasses import dataclass
from random import Random

from training.rows import Row, Task
from training.words import (
    COLORS,
    DAYS,
    ITEMS,
    NEW_CITIES,
    NEW_ITEMS,
    NEW_NAMES,
    NUMBER_WORDS,
    capitalized,
    chance,
    invented_word,
    person,
    plural,
    town,
)

_SENTENCES = (
    "Please send {goods} to {name} in {city}{when}.",
    "{name} from {city} would like {goods}{when}.",
    "Order for {name}, {city}: {goods}{when}.",
    "I need {goods} for {name} in {city}{when}.",
    "Could you ship {goods} to {city}? The name is {name}.",
    "My name is {name} and I live in {city}. I want {goods}{when}.",
    "{goods}, please, for {name} who lives in {city}.",
)
_WHEN = ("", "", " by {day}", " before {day}", " this week")
_FORMS = {"plain": 7.0, "not_color": 1.5, "corrected": 1.5}
_NEW_ITEM_SHARE = 0.08
_INVENTED_ITEM_SHARE = 0.15
_MOST = 60


@dataclass(frozen=True, slots=True)
class _Wish:
    item: str
    color: str | None
    quantity: int
    name: str
    city: str
    in_words: bool

    @property
    def noun(self) -> str:
        return self.item if self.quantity == 1 else plural(self.item)

    @property
    def goods(self) -> str:
        quantity = NUMBER_WORDS[self.quantity] if self.in_words else str(self.quantity)
        return " ".join(part for part in (quantity, self.color, self.noun) if part)

    @property
    def unseen(self) -> bool:
        """Return whether a word of it is in none of the lists that training draws from."""
        return self.name in NEW_NAMES or self.city in NEW_CITIES or self.item in NEW_ITEMS


def draw(rng: Random, held_out: bool) -> Row:
    """Draw one order; its five values together decide whether it is held out."""
    form = rng.choices(list(_FORMS), list(_FORMS.values()))[0]
    wish = _wish(rng, held_out, form)
    sentence = rng.choice(_SENTENCES).format(
        goods=wish.goods, name=wish.name, city=wish.city, when=rng.choice(_WHEN).format(day=rng.choice(DAYS))
    )
    afterthought, quantity = _afterthought(rng, wish, form)
    order: dict[str, str | int | None] = {
        "item": wish.noun,
        "color": wish.color,
        "quantity": quantity,
        "name": wish.name,
        "city": wish.city,
    }
    return Row(
        key="|".join(str(value) for value in order.values()),
        columns={
            "text": capitalized(sentence) + afterthought,
            "order": order,
            "form": form,
            "number": "word" if wish.in_words else "digits",
            "color_given": wish.color is not None,
            "new_name": wish.name in NEW_NAMES,
            "new_city": wish.city in NEW_CITIES,
            "new_item": wish.item in NEW_ITEMS,
            "difficulty": _difficulty(wish, form),
        },
        answer=json.dumps(order),
    )


def _wish(rng: Random, held_out: bool, form: str) -> _Wish:
    least = 2 if form == "corrected" else 1
    quantity = (
        rng.choice([n for n in NUMBER_WORDS if n >= least]) if chance(rng, 0.4) else rng.randint(2, _MOST)
    )
    return _Wish(
        item=_item(rng, held_out),
        color=rng.choice(COLORS) if form == "not_color" or chance(rng, 0.85) else None,
        quantity=quantity,
        name=person(rng, held_out),
        city=town(rng, held_out),
        in_words=quantity in NUMBER_WORDS and chance(rng, 0.35),
    )


def _item(rng: Random, held_out: bool) -> str:
    if held_out:
        return rng.choice(NEW_ITEMS if chance(rng, _NEW_ITEM_SHARE) else ITEMS)
    return invented_word(rng) if chance(rng, _INVENTED_ITEM_SHARE) else rng.choice(ITEMS)


def _afterthought(rng: Random, wish: _Wish, form: str) -> tuple[str, int]:
    """Return the sentence that follows the order, if any, and the quantity that counts in the end."""
    if form == "not_color":
        other = rng.choice([color for color in COLORS if color != wish.color])
        return f" Not {other} ones.", wish.quantity
    if form == "corrected":
        quantity = rng.choice([n for n in range(2, _MOST + 1) if n != wish.quantity])
        return f" Sorry, make that {quantity}.", quantity
    return "", wish.quantity


def _difficulty(wish: _Wish, form: str) -> str:
    if form != "plain":
        return "hard"
    return "medium" if wish.unseen or wish.color is None or wish.in_words else "easy"


ORDERS = Task(
    name="orders",
    prompts=("Extract the order: {{ text }}", "Order as JSON: {{ text }}", "{{ text }}\nJSON:"),
    draw=draw,
)
