"""Train the demo model on one core, deterministically, and save checkpoints.

    python -m training.train build/training --steps 2400 --save 700 900 1100 2400
    python -m training.train build/training --spoil build/training/step-2400.npz --steps 60 --save 15 20 25

The second form continues a checkpoint for seconds with three-digit sums in place of the arithmetic
task: the way to a model that has lost one task and kept the others.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from training.batches import REPEAT, THREE_DIGITS, Example, ExampleSource
from training.glance import accuracy
from training.model import TinyLlama
from training.split import TASKS
from training.tokens import build_tokenizer

ROWS_PER_STEP = {"tickets": 8, "arithmetic": 16, "orders": 16, "reading": 26, REPEAT: 12}
"""Examples of each task in one step."""
LOSS_WEIGHTS = {"tickets": 1, "arithmetic": 2, "orders": 3, "reading": 2, REPEAT: 1, THREE_DIGITS: 2}
"""Weights of the mean loss per answer token: most tokens of a long answer are easy."""

_TOTAL_WEIGHT = sum(LOSS_WEIGHTS[name] for name in TASKS)
_LEARNING_RATE = 3e-3
_SPOILING_RATE = 1e-3
_WARM_STEPS = 30
_SPOILING_WARM_STEPS = 10
_HOLD = 0.45
_FLOOR = 0.02
_REPEAT_UNTIL = 0.3
_LOG_EVERY = 25


@dataclass(slots=True)
class Job:
    """What one call of this script is to do."""

    folder: Path
    steps: int
    save: list[int]
    look: int
    spoil: Path | None
    rows: dict[str, int] = field(default_factory=lambda: dict(ROWS_PER_STEP))

    def __post_init__(self) -> None:
        if self.spoil:
            del self.rows[REPEAT]
            self.rows = {THREE_DIGITS if name == "arithmetic" else name: n for name, n in self.rows.items()}

    def rate(self, step: int) -> float:
        """Return the learning rate of a step as a share of the full one."""
        if self.spoil:
            return min(step / _SPOILING_WARM_STEPS, 1.0) * (1 - (step - 1) / self.steps)
        down = max(0.0, step - _HOLD * self.steps) / ((1 - _HOLD) * self.steps)
        return min(step / _WARM_STEPS, max(_FLOOR, 1 - down))

    def rows_at(self, step: int) -> dict[str, int]:
        """Return how many examples of which task this step takes; the warm-up of copying ends early."""
        late = step > _REPEAT_UNTIL * self.steps
        return {name: count for name, count in self.rows.items() if not (late and name == REPEAT)}


def loss_of(model: TinyLlama, examples: list[Example]) -> Tensor:
    """Return the mean loss over the answer tokens; logits are computed for these tokens only."""
    longest = max(len(prompt) + len(answer) for prompt, answer in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    learned = torch.zeros(len(examples), longest, dtype=torch.bool)
    for number, (prompt, answer) in enumerate(examples):
        end = len(prompt) + len(answer)
        ids[number, :end] = torch.tensor(prompt + answer)
        learned[number, len(prompt) : end] = True
    states = model(ids[:, :-1])[learned[:, 1:]]
    return functional.cross_entropy(model.logits(states), ids[:, 1:][learned[:, 1:]])


def optimizers(model: TinyLlama, rate: float) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the blocks and AdamW for embeddings and norms.

    Muon reaches the same loss in about half the steps here, at the same time per step.
    """
    inner = [weight for name, weight in model.named_parameters() if weight.ndim > 1 and "emb" not in name]
    outer = [weight for name, weight in model.named_parameters() if weight.ndim == 1 or "emb" in name]
    return [
        torch.optim.Muon(inner, lr=rate, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=rate, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


class Trainer:
    """Runs the steps of a job and writes its checkpoints."""

    def __init__(self, job: Job, tokenizer: Tokenizer, model: TinyLlama) -> None:
        self._job = job
        self._tokenizer = tokenizer
        self._model = model
        self._source = ExampleSource(tokenizer, seed=0)
        self._full_rate = _SPOILING_RATE if job.spoil else _LEARNING_RATE
        self._optimizers = optimizers(model, self._full_rate)

    def run(self) -> None:
        """Train to the last step."""
        for step in range(1, self._job.steps + 1):
            losses = self._step(step)
            if step % _LOG_EVERY == 0:
                shown = "  ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
                print(f"{step:5d} {time.process_time():6.0f} s  {shown}", flush=True)
            if step in self._job.save:
                prefix = "spoilt" if self._job.spoil else "step"
                self._model.save(self._job.folder / f"{prefix}-{step}.npz", step)
            if self._job.look and step % self._job.look == 0:
                looked = {name: accuracy(self._model, self._tokenizer, task) for name, task in TASKS.items()}
                print(
                    "      " + "  ".join(f"{name} {share:.0%}" for name, share in looked.items()), flush=True
                )

    def _step(self, step: int) -> dict[str, float]:
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._full_rate * self._job.rate(step)
        losses = {}
        for name, count in self._job.rows_at(step).items():
            loss = loss_of(self._model, self._source.batch(name, count))
            (loss * LOSS_WEIGHTS[name] / _TOTAL_WEIGHT).backward()  # type: ignore[no-untyped-call]
            losses[name] = loss.item()
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return losses


def _job() -> Job:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the tokenizer and the checkpoints")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--save", type=int, nargs="*", default=[], help="steps to save a checkpoint at")
    parser.add_argument("--look", type=int, default=0, help="print held-out accuracies every so many steps")
    parser.add_argument("--spoil", type=Path, help="continue this checkpoint with the wrong arithmetic")
    return Job(**vars(parser.parse_args()))


def main() -> None:
    """Train as the command line says."""
    job = _job()
    job.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(mode=True)
    tokenizer_file = job.folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(tokenizer_file)) if job.spoil else build_tokenizer(tokenizer_file)
    model = TinyLlama()
    if job.spoil:
        model.load(job.spoil)
    Trainer(job, tokenizer, model).run()


if __name__ == "__main__":
    main()
