"""Write the dataset files of the four tasks: held-out rows to evaluate on, training rows for shots.

    python -m training.make_datasets datasets

The same files come out every time. Standard library only.
"""

import argparse
import json
from pathlib import Path

from training.rows import Columns, Row, Task
from training.split import TASKS, distinct_rows, with_id

_TEST_ROWS = 300
_TRAIN_ROWS = 60


def test_rows(task: Task) -> list[Row]:
    """Return the held-out rows that models are evaluated on."""
    return list(distinct_rows(task, _TEST_ROWS, held_out=True, seed="test"))


def test_split(task: Task) -> list[Columns]:
    """Return the content of the test file."""
    return [with_id(task, row) for row in test_rows(task)]


def train_split(task: Task) -> list[Columns]:
    """Return the content of the training file: each row has the whole reply that a few-shot turn shows."""
    rows = distinct_rows(task, _TRAIN_ROWS, held_out=False, seed="few-shot")
    return [{**with_id(task, row), "reply": row.answer} for row in rows]


def file_contents(task: Task) -> dict[str, str]:
    """Return the content of every file of a task by file name."""
    files = {f"{task.name}.jsonl": test_split(task), f"{task.name}.train.jsonl": train_split(task)}
    return {name: "".join(f"{json.dumps(row)}\n" for row in rows) for name, rows in files.items()}


def main() -> None:
    """Write `<task>.jsonl` and `<task>.train.jsonl` for every task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for task in TASKS.values():
        for name, content in file_contents(task).items():
            (folder / name).write_text(content, encoding="utf-8")
            print(folder / name)


if __name__ == "__main__":
    main()
