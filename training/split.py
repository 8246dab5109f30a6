"""The four tasks together, and the one rule that keeps held-out content out of training."""

import hashlib
import json
from collections.abc import Iterator
from random import Random

from training.arithmetic import ARITHMETIC
from training.orders import ORDERS
from training.reading import READING
from training.rows import Columns, Row, Task, render
from training.tickets import TICKETS
from training.words import chance

TASKS = {task.name: task for task in (TICKETS, ARITHMETIC, ORDERS, READING)}

_BUCKETS = 10
_MAIN_PROMPT_SHARE = 0.7


def is_held_out(task: Task, key: str) -> bool:
    """Return whether content with this key belongs to the held-out tenth."""
    digest = hashlib.sha256(f"{task.name}|{key}".encode()).hexdigest()
    return int(digest[:8], 16) % _BUCKETS == 0


def draw_row(task: Task, rng: Random, *, held_out: bool) -> Row:
    """Draw a row of the training part or of the held-out part; no key is ever in both."""
    while True:
        row = task.draw(rng, held_out)
        if is_held_out(task, row.key) == held_out:
            return row


def draw_prompt(task: Task, rng: Random, row: Row) -> str:
    """Return the user message for a training row: mostly the first prompt, else any of them."""
    template = task.prompts[0] if chance(rng, _MAIN_PROMPT_SHARE) else rng.choice(task.prompts)
    return render(template, row.columns)


def distinct_rows(task: Task, count: int, *, held_out: bool, seed: str) -> Iterator[Row]:
    """Yield rows of one part with different contents; the same seed gives the same rows."""
    rng = Random(f"{task.name}-{seed}")
    seen: set[str] = set()
    while len(seen) < count:
        row = draw_row(task, rng, held_out=held_out)
        if row.key not in seen:
            seen.add(row.key)
            yield row


def with_id(task: Task, row: Row) -> Columns:
    """Return the columns of a row behind an id that is made from them."""
    digest = hashlib.sha256(f"{task.name}|{json.dumps(row.columns)}".encode()).hexdigest()
    return {"id": f"{task.name}-{digest[:10]}", **row.columns}
