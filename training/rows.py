"""What a task is and what a row of it holds. Standard library only."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

Value = str | int | bool | None | dict[str, str | int | None]
Columns = dict[str, Value]

_FIELD = re.compile(r"\{\{ (\w+) \}\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One example of a task.

    Attributes:
        key: The content that decides whether the row is held out. Greetings, typos and the wording of
            the instruction are no part of it, so two rows with one key ask the same thing.
        columns: What the dataset file holds, in this order, without the id.
        answer: What the model learns to reply, word for word.
    """

    key: str
    columns: Columns
    answer: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task: how to draw a row and how to ask for it.

    Attributes:
        name: Name of the task and of its dataset file.
        prompts: User messages as Jinja2 over the columns. The first is the one to evaluate with; the
            others are seen in training too, less often.
        draw: Draws a row; the flag says whether it is meant to be held out, in which case words and
            phrases that training never shows may appear.
    """

    name: str
    prompts: tuple[str, ...]
    draw: Callable[[Random, bool], Row]


def render(template: str, columns: Mapping[str, Value]) -> str:
    """Fill the `{{ column }}` fields of a prompt, as Jinja2 would.

    Raises:
        KeyError: When the template names a column that the row does not have.
    """
    return _FIELD.sub(lambda field: str(columns[field[1]]), template)
