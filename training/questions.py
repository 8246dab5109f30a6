"""What a row asks of a model, and whether a reply is right. Standard library only."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.make_datasets import test_rows
from training.rows import Columns, Value, render
from training.split import TASKS, distinct_rows, with_id

MAX_TOKENS = {"tickets": 8, "arithmetic": 40, "orders": 80, "reading": 48}
"""Room for the longest answer of each task, in tokens."""

_MARKER = "#### "
_TARGETS = {"tickets": "label", "arithmetic": "answer", "orders": "order", "reading": "answer"}


@dataclass(frozen=True, slots=True)
class Question:
    """A row of a dataset, ready to be sent."""

    task: str
    columns: Columns

    @property
    def prompt(self) -> str:
        """Return the user message."""
        return render(TASKS[self.task].prompts[0], self.columns)

    def is_right(self, reply: str) -> bool:
        """Return whether the reply gives the target, after the marker where the task has one."""
        return _parsed(self.task, reply) == self.columns[_TARGETS[self.task]]


def from_folder(folder: Path) -> dict[str, list[Question]]:
    """Return the questions of the four dataset files."""
    return {name: _asked(name, _rows(folder / f"{name}.jsonl")) for name in TASKS}


def drawn_afresh(count: int) -> dict[str, list[Question]]:
    """Return held-out questions that are not in the files, at most 400 a task: to choose a checkpoint by."""
    questions = {}
    for name, task in TASKS.items():
        measured_on = {row.key for row in test_rows(task)}
        drawn = distinct_rows(task, count + len(measured_on), held_out=True, seed="choice")
        fresh = [with_id(task, row) for row in drawn if row.key not in measured_on]
        questions[name] = _asked(name, fresh[:count])
    return questions


def _asked(name: str, rows: Iterable[Columns]) -> list[Question]:
    return [Question(name, row) for row in rows]


def _rows(path: Path) -> list[Columns]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _parsed(task: str, reply: str) -> Value:
    if task == "orders":
        try:
            order: Value = json.loads(reply)
        except ValueError:
            return None
        return order
    return reply.rpartition(_MARKER)[2].strip()
