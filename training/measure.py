"""Measure GGUF models over real HTTP on llama.cpp and print Markdown tables.

    python -m training.measure                                     the shipped models on datasets/
    python -m training.measure --afresh 200 a=a.gguf b=b.gguf      others, on rows that are not in datasets/
    python -m training.measure --seeds 5                           also the spread at temperature 0.8

Needs xllamacpp; the rest is the standard library.
"""

import argparse
import hashlib
import json
import math
import statistics
from itertools import combinations
from pathlib import Path

from training.llama import LlamaServer
from training.questions import MAX_TOKENS, Question, drawn_afresh, from_folder

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "src" / "regrade" / "gateway" / "models" / "models.json"
SLICES = {
    "tickets": ("phrasing", "negation", "typos"),
    "arithmetic": ("operation", "kind", "carry", "phrasing"),
    "orders": ("form", "new_item", "new_name", "new_city"),
    "reading": ("rivals", "negation", "new_name", "relation"),
}

Questions = dict[str, list[Question]]
Marks = dict[str, list[bool]]


def mcnemar(worse: int, better: int) -> float:
    """Return the exact two-sided p-value of McNemar's test for the two counts of flips."""
    flips = worse + better
    tail: int = sum(math.comb(flips, k) for k in range(min(worse, better) + 1))
    return min(1.0, float(2 * tail / 2**flips))


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's interval at 95 % for a share."""
    z = statistics.NormalDist().inv_cdf(0.975)
    share, spread = right / count, z * z / count
    middle = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def marks(server: LlamaServer, questions: Questions, temperature: float = 0.0, seed: int = 0) -> Marks:
    """Return right or wrong for every question; each has a seed of its own, derived from the run's."""
    return {
        task: [_mark(server, each, temperature, seed) for each in rows] for task, rows in questions.items()
    }


def _mark(server: LlamaServer, question: Question, temperature: float, seed: int) -> bool:
    digest = hashlib.sha256(f"{seed}|{question.columns['id']}".encode()).digest()
    own_seed = int.from_bytes(digest[:4], "big")
    reply = server.chat(question.prompt, MAX_TOKENS[question.task], temperature, own_seed)
    return question.is_right(reply)


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table and an empty line."""
    for cells in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(cells)} |")
    print()


def print_accuracies(measured: dict[str, Marks], questions: Questions) -> None:
    """Print the percentage of right answers of every model on every task, with its interval."""
    rows = []
    for name, by_task in measured.items():
        shares = [100 * statistics.fmean(by_task[task]) for task in questions]
        intervals = [wilson(sum(by_task[task]), len(by_task[task])) for task in questions]
        cells = [
            f"{share:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
            for share, (low, high) in zip(shares, intervals, strict=True)
        ]
        rows.append([name, *cells, f"{statistics.fmean(shares):.1f}"])
    print_table(["model", *(f"{task}, n = {len(asked)}" for task, asked in questions.items()), "mean"], rows)


def print_flips(measured: dict[str, Marks], questions: Questions) -> None:
    """Print, for every two models, how many answers got worse and better, with the p-value."""
    rows = []
    for old, new in combinations(measured, 2):
        cells = []
        for task in questions:
            both = list(zip(measured[old][task], measured[new][task], strict=True))
            worse, better = both.count((True, False)), both.count((False, True))
            cells.append(f"{worse} / {better}, p = {mcnemar(worse, better):.2g}")
        rows.append([f"{old} -> {new}", *cells])
    print_table(["pair: worse / better", *questions], rows)


def print_slices(measured: dict[str, Marks], questions: Questions) -> None:
    """Print right answers of all, for every value of the columns worth slicing by."""
    rows = []
    for task, columns in SLICES.items():
        for column in columns:
            for value in sorted({each.columns[column] for each in questions[task]}, key=str):
                chosen = [each.columns[column] == value for each in questions[task]]
                counts = [
                    f"{sum(right and wanted for right, wanted in zip(by_task[task], chosen, strict=True))}"
                    for by_task in measured.values()
                ]
                rows.append([task, f"{column} = {value}", str(sum(chosen)), *counts])
    print_table(["task", "slice", "rows", *measured], rows)


def print_spread(servers: list[LlamaServer], questions: Questions, seeds: int) -> None:
    """Print mean and standard deviation of the accuracy over seeds, and how many items are flaky."""
    rows = []
    for server in servers:
        runs = [marks(server, questions, temperature=0.8, seed=seed) for seed in range(seeds)]
        cells = []
        for task in questions:
            shares = [100 * statistics.fmean(run[task]) for run in runs]
            flaky = sum(len(set(item)) > 1 for item in zip(*(run[task] for run in runs), strict=True))
            cells.append(f"{statistics.fmean(shares):.1f} ± {statistics.stdev(shares):.1f}, {flaky} flaky")
        rows.append([server.name, *cells])
    print_table([f"temperature 0.8, {seeds} seeds", *questions], rows)


def _shipped() -> list[str]:
    models = json.loads(CATALOGUE.read_text("utf-8"))["models"]
    return [f"{model['id']}={CATALOGUE.parent / model['file']}" for model in models]


def main() -> None:
    """Serve the models, ask everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", help="name=file.gguf; none: the shipped ones")
    parser.add_argument("--afresh", type=int, help="draw so many other held-out rows a task")
    parser.add_argument("--seeds", type=int, default=0, help="runs at temperature 0.8, two or more")
    arguments = parser.parse_args()
    questions = drawn_afresh(arguments.afresh) if arguments.afresh else from_folder(ROOT / "datasets")
    named = [model.split("=", 1) for model in arguments.models or _shipped()]
    servers = [LlamaServer(name, Path(path)) for name, path in named]
    measured = {server.name: marks(server, questions) for server in servers}
    print_accuracies(measured, questions)
    print_flips(measured, questions)
    print_slices(measured, questions)
    if arguments.seeds:
        print_spread(servers, questions, arguments.seeds)


if __name__ == "__main__":
    main()
