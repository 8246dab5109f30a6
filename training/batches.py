"""Training rows as token ids, in batches of similar length."""

from random import Random

from tokenizers import Tokenizer
from training.arithmetic import draw_three_digits
from training.rows import Task
from training.shape import ASSISTANT, EOS, SPECIAL_TOKENS, USER, VOCABULARY
from training.split import TASKS, draw_prompt, draw_row
from training.words import chance

Example = tuple[list[int], list[int]]

REPEAT = "repeat"
THREE_DIGITS = "three_digits"

_POOL = 8
_SYSTEM_SHARE = 0.1
_SHOTS_SHARE = 0.06
_SYSTEM_TEXT = "<system>You are a helpful assistant."


class ExampleSource:
    """Draws examples: the ids of the prompt with its chat markers, and the ids to be learned."""

    def __init__(self, tokenizer: Tokenizer, seed: int) -> None:
        self._tokenizer = tokenizer
        self._rng = Random(seed)
        self._pool: dict[str, list[list[Example]]] = {}

    def batch(self, name: str, count: int) -> list[Example]:
        """Return `count` examples of a task.

        Eight batches are drawn at once, sorted by length, cut and shuffled, so that little is padding.
        """
        if not self._pool.get(name):
            drawn = sorted((self._example(name) for _ in range(_POOL * count)), key=_length)
            cut = [drawn[start : start + count] for start in range(0, len(drawn), count)]
            self._rng.shuffle(cut)
            self._pool[name] = cut
        return self._pool[name].pop()

    def _example(self, name: str) -> Example:
        if name == REPEAT:
            return self._repetition()
        if name == THREE_DIGITS:
            question, answer = draw_three_digits(self._rng)
            return self._encoded(f"<user>{question}<assistant>", answer)
        task = TASKS[name]
        prefix = _SYSTEM_TEXT if chance(self._rng, _SYSTEM_SHARE) else ""
        if chance(self._rng, _SHOTS_SHARE):
            prefix += "".join(self._turn(task) for _ in range(self._rng.randint(1, 2)))
        row = draw_row(task, self._rng, held_out=False)
        prompt = draw_prompt(task, self._rng, row)
        return self._encoded(f"{prefix}<user>{prompt}<assistant>", row.answer)

    def _turn(self, task: Task) -> str:
        """Return an earlier question with its answer, as a few-shot prompt has them."""
        row = draw_row(task, self._rng, held_out=False)
        return f"<user>{draw_prompt(task, self._rng, row)}<assistant>{row.answer}<eos>"

    def _encoded(self, prompt: str, answer: str) -> Example:
        return self._tokenizer.encode(prompt).ids, [*self._tokenizer.encode(answer).ids, EOS]

    def _repetition(self) -> Example:
        """Return random tokens and the same again: a warm-up from which copying forms early."""
        first = len(SPECIAL_TOKENS)
        ids = [self._rng.randrange(first, VOCABULARY) for _ in range(self._rng.randint(3, 12))]
        return [USER, *ids, ASSISTANT], [*ids, EOS]


def _length(example: Example) -> int:
    return len(example[0]) + len(example[1])
