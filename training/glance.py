"""A quick look at the accuracy during training; the real measurement is `training.measure`."""

from random import Random

import torch
from tokenizers import Tokenizer
from training.model import TinyLlama
from training.rows import Task, render
from training.shape import EOS, PAD
from training.split import draw_row

_ROWS = 60
_LONGEST_ANSWER = 48


@torch.no_grad()
def accuracy(model: TinyLlama, tokenizer: Tokenizer, task: Task) -> float:
    """Return the share of 60 held-out draws, other than the dataset, that are answered exactly."""
    rng = Random(f"{task.name}-glance")
    rows = [draw_row(task, rng, held_out=True) for _ in range(_ROWS)]
    prompts = [
        tokenizer.encode(f"<user>{render(task.prompts[0], row.columns)}<assistant>").ids for row in rows
    ]
    answers = _greedy(model, prompts)
    right = sum(tokenizer.decode(ids) == row.answer for ids, row in zip(answers, rows, strict=True))
    return right / _ROWS


def _greedy(model: TinyLlama, prompts: list[list[int]]) -> list[list[int]]:
    """Return the most likely continuation of each prompt, without the end token."""
    answers: list[list[int]] = [[] for _ in prompts]
    live = list(range(len(prompts)))
    for _ in range(_LONGEST_ANSWER):
        if not live:
            break
        tokens = _next_tokens(model, [prompts[number] + answers[number] for number in live])
        for number, token in zip(live, tokens, strict=True):
            if token != EOS:
                answers[number].append(token)
        live = [number for number, token in zip(live, tokens, strict=True) if token != EOS]
    return answers


def _next_tokens(model: TinyLlama, sequences: list[list[int]]) -> list[int]:
    longest = max(map(len, sequences))
    ids = torch.tensor([ids + [PAD] * (longest - len(ids)) for ids in sequences])
    last = torch.tensor([len(ids) - 1 for ids in sequences])
    states = model(ids)[torch.arange(len(sequences)), last]
    tokens: list[int] = model.logits(states).argmax(-1).tolist()
    return tokens
