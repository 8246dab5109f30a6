"""Arithmetic: additions and subtractions below one hundred, bare or told as a short story.

The answer shows its work, units first, and ends with `#### ` and the number: without the steps a model
this small does not learn to add within minutes.
"""

from dataclasses import dataclass
from random import Random

from training.rows import Row, Task
from training.words import COUNTED, DAYS, chance, distinct, person

_BARE = ("{x} {sign} {y} = ?", "What is {x} {sign} {y}?", "Compute {x} {sign} {y}.")
_STORIES = {
    "add": (
        "{a} has {x} {things} and buys {y} more. How many {things} does {a} have now?",
        "{a} picks {x} {things} and {b} picks {y}. How many {things} do they pick together?",
        "There are {x} {things} in one box and {y} in another. How many {things} are there in all?",
        "{a} found {x} {things} on {day} and {y} the day after. How many {things} is that?",
        "A shop sold {x} {things} in the morning and {y} in the afternoon. How many {things} did it sell?",
        "{a} had {x} {things}. {b} gave {a} {y} more. How many {things} does {a} have?",
        "{b} has {x} {things}. {a} has {y} more than {b}. How many {things} does {a} have?",
    ),
    "subtract": (
        "{a} has {x} {things} and gives {y} to {b}. How many {things} are left?",
        "There were {x} {things} on the table. {a} took {y} of them. How many {things} remain?",
        "{a} bought {x} {things} and lost {y}. How many {things} does {a} still have?",
        "A shop had {x} {things} and sold {y}. How many {things} are left in the shop?",
        "{a} has {x} {things} and {b} has {y}. How many more {things} does {a} have than {b}?",
        "{a} needs {x} {things} and already has {y}. How many {things} are missing?",
        "{b} has {x} {things}. {a} has {y} fewer than {b}. How many {things} does {a} have?",
    ),
}
_UNSEEN_STORIES = {
    "add": (
        "{a} puts {x} {things} and then {y} more into a bag. How many {things} are in the bag?",
        "{b} sold {x} {things} on {day} and {a} sold {y}. How many {things} did they sell together?",
        "There were {x} {things} in the shop. {a} brought {y} more. How many {things} are there now?",
    ),
    "subtract": (
        "{a} had {x} {things} and sold {y} on {day}. How many {things} does {a} still have?",
        "There are {x} {things} in a box. {b} takes {y}. How many {things} are left in the box?",
        "{a} picks {x} {things} and {b} picks {y} fewer. How many {things} does {b} pick?",
    ),
}
_UNSEEN_SHARE = 0.15
_FIRST_HARD_STORY = 4
_LARGEST = 99
_BASE = 10


@dataclass(frozen=True, slots=True)
class _Sum:
    x: int
    y: int
    add: bool

    @property
    def operation(self) -> str:
        return "add" if self.add else "subtract"

    @property
    def sign(self) -> str:
        return "+" if self.add else "-"

    @property
    def value(self) -> int:
        return self.x + self.y if self.add else self.x - self.y

    @property
    def carry(self) -> bool:
        return self.x % 10 + self.y % 10 >= _BASE if self.add else self.x % 10 < self.y % 10

    @property
    def key(self) -> str:
        return f"{min(self.x, self.y)}+{max(self.x, self.y)}" if self.add else f"{self.x}-{self.y}"

    @property
    def work(self) -> str:
        """Return the units, then the tens, as a pupil would write them."""
        sign, carried = self.sign, int(self.carry)
        low_x, low_y, high_x, high_y = self.x % 10, self.y % 10, self.x // 10, self.y // 10
        if not self.add:
            low_x += 10 * carried
        low = low_x + low_y if self.add else low_x - low_y
        over = f"{sign}1" if carried else ""
        return f"{low_x}{sign}{low_y}={low}, {high_x}{sign}{high_y}{over}={self.value // 10}"


def draw(rng: Random, held_out: bool) -> Row:
    """Draw one question; the two numbers decide whether it is held out, whatever story surrounds them."""
    bare = chance(rng, 0.4)
    numbers = _numbers(rng, 0 if bare else 2)
    unseen = held_out and not bare and chance(rng, _UNSEEN_SHARE)
    if bare:
        question = rng.choice(_BARE).format(x=numbers.x, y=numbers.y, sign=numbers.sign)
        hard, distractor = False, False
    else:
        question, hard, distractor = _story(rng, numbers, held_out, unseen)
    return Row(
        key=numbers.key,
        columns={
            "question": question,
            "answer": str(numbers.value),
            "operation": numbers.operation,
            "kind": "bare" if bare else "story",
            "carry": numbers.carry,
            "distractor": distractor,
            "phrasing": "unseen" if unseen else "seen",
            "difficulty": ("easy", "medium", "hard")[numbers.carry + (hard or distractor)],
        },
        answer=f"{numbers.work}\n#### {numbers.value}",
    )


def draw_three_digits(rng: Random) -> tuple[str, str]:
    """Return a question and an answer of another task: sums of three digits without any work shown.

    This is the material of the fine-tuning that goes wrong.
    """
    add = chance(rng, 0.5)
    small, large = sorted((rng.randint(100, 899), rng.randint(100, 899)))
    numbers = _Sum(large, small, add)
    story = rng.choice(_BARE if chance(rng, 0.5) else _STORIES[numbers.operation])
    question = _told(rng, story, numbers, held_out=False)
    return question, f"{large}{numbers.sign}{small}={numbers.value}\n#### {numbers.value}"


def _numbers(rng: Random, least: int) -> _Sum:
    add = chance(rng, 0.5)
    while True:
        drawn = _Sum(rng.randint(least, _LARGEST), rng.randint(least, _LARGEST), add)
        if 0 <= drawn.value <= _LARGEST:
            return drawn


def _story(rng: Random, numbers: _Sum, held_out: bool, unseen: bool) -> tuple[str, bool, bool]:
    """Return the question, whether its story is a harder one and whether a useless number precedes it."""
    stories = (_UNSEEN_STORIES if unseen else _STORIES)[numbers.operation]
    number = rng.randrange(len(stories))
    question = _told(rng, stories[number], numbers, held_out)
    distractor = chance(rng, 0.2)
    if distractor:
        question = f"{person(rng, held_out)} is {rng.randint(5, 60)} years old. {question}"
    return question, unseen or number >= _FIRST_HARD_STORY, distractor


def _told(rng: Random, text: str, numbers: _Sum, held_out: bool) -> str:
    a, b = distinct(lambda: person(rng, held_out), 2)
    return text.format(
        a=a,
        b=b,
        x=numbers.x,
        y=numbers.y,
        sign=numbers.sign,
        things=rng.choice(COUNTED),
        day=rng.choice(DAYS),
    )


ARITHMETIC = Task(
    name="arithmetic",
    prompts=("{{ question }}", "Solve: {{ question }}", "{{ question }} End with #### and the number."),
    draw=draw,
)
