"""The tokenizer: byte-level BPE whose ids llama.cpp's "gpt-2" rule reproduces."""

from pathlib import Path
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from training.shape import SPECIAL_TOKENS, VOCABULARY
from training.split import TASKS, draw_prompt, draw_row

_ROWS_PER_TASK = 4000


def build_tokenizer(path: Path) -> Tokenizer:
    """Train the tokenizer on training rows of all tasks and save it as JSON.

    Digits stay single. A capital never merges with what precedes it, so that a name is the same tokens
    after a space and inside JSON quotes, and copying it is literal. The merges then hold no such pair,
    which is why a reader that knows only the "gpt-2" rule arrives at the same ids.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex("(?=[A-Z])"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(Random(7)), trainer)
    tokenizer.save(str(path))
    return tokenizer


def _sample(rng: Random) -> list[str]:
    texts = []
    for task in TASKS.values():
        for _ in range(_ROWS_PER_TASK):
            row = draw_row(task, rng, held_out=False)
            texts.append(f"{draw_prompt(task, rng, row)} {row.answer}")
    return texts
