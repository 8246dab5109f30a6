"""Print the tables of a run again, or its samples with prompt, answer, score and reason."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from regrade.cli.arguments import add_output, add_results, comma_list, count

if TYPE_CHECKING:
    from rich.console import Console

    from regrade.api import Run

__all__ = ["add_arguments", "execute"]

_TEXT_LIMIT = 4000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "run", nargs="?", default="latest", metavar="RUN", help="id, prefix, path, latest, previous"
    )
    parser.add_argument("--samples", action="store_true", help="list samples")
    parser.add_argument("--failed", action="store_true", help="only requests or scores that failed")
    parser.add_argument("--wrong", action="store_true", help="only answers whose main score is below 1")
    parser.add_argument("--model", type=comma_list, default=[], help="only of these models")
    parser.add_argument("--eval", type=comma_list, default=[], help="only of these evals")
    parser.add_argument("--sample", type=comma_list, default=[], help="only these sample ids")
    parser.add_argument("-n", "--number", type=count, default=10, help="how many samples (default: 10)")
    parser.add_argument("--full", action="store_true", help="do not cut long texts")
    parser.add_argument("--slices", action="store_true", help="tables also of the slices")
    parser.add_argument("--details", action="store_true", help="tables also of every metric")
    add_output(parser, "the summary")
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Print tables or samples."""
    from regrade import api
    from regrade.cli.terminal import make_console, print_views

    run = api.open_run(args.run, results=args.results)
    console = make_console()
    wants_samples = args.samples or args.failed or args.wrong or args.sample
    if not wants_samples:
        print_views(console, run.tables(slices=args.slices, details=args.details))
        console.print(f"run {run.id}: {run.status}", soft_wrap=True)
    for path in args.output:
        api.export(run, path)
        console.print(f"written: {path}", soft_wrap=True)
    if wants_samples:
        _samples(run, console, args)
    return 0


def _samples(run: "Run", console: "Console", args: argparse.Namespace) -> None:
    from regrade.api import SampleFilter, sample_records

    chosen = SampleFilter(
        models=args.model, evals=args.eval, samples=args.sample, failed=args.failed, wrong=args.wrong
    )
    records, total = sample_records(run, chosen, args.number)
    for record in records:
        _show(console, record, None if args.full else _TEXT_LIMIT)
    if not total:
        console.print("no sample fits")
    elif total > len(records):
        console.print(f"{len(records)} of {total:,} samples shown; -n shows more", style="dim")


def _show(console: "Console", record: dict[str, Any], limit: int | None) -> None:
    from rich.rule import Rule

    from regrade.cli.terminal import safe_text
    from regrade.report.messages import shown_messages

    title = f"{record['eval']} / {record['prompt']} / {record['model']} / {record['sample_id']}"
    title += f" / epoch {record['epoch']}" if record["epoch"] > 1 else ""
    console.print(Rule(safe_text(title), align="left"))
    content = json.loads(record["messages"])
    messages = content if isinstance(content, list) else [{"role": "text", "content": content}]
    for role, text in shown_messages(messages):
        _field(console, role, text, limit)
    if record["reasoning"]:
        _field(console, "reasoning", record["reasoning"], limit)
    _show_answer(console, record, limit)
    if record["target"] is not None:
        _field(console, "target", record["target"], limit)
    for score in record["scores"]:
        _field(
            console,
            score["scorer"] if score["metric"] == score["scorer"] else f"{score['scorer']} {score['metric']}",
            _verdict(score),
            limit,
        )
    console.print()


def _show_answer(console: "Console", record: dict[str, Any], limit: int | None) -> None:
    if record["ok"]:
        calls = json.loads(record.get("tool_calls") or "[]")
        if record["text"] or not calls:
            _field(console, "answer", record["text"] or "(empty)", limit)
        for call in calls:
            _field(console, "tool call", f"{call['name']}({call['arguments']})", limit)
    else:
        _field(console, "failure", f"{record['failure_kind']}: {record['failure_message']}", limit)
    if record.get("attempt_log"):
        _field(console, "attempts", _attempts(record), limit)


def _attempts(record: dict[str, Any]) -> str:
    from regrade.report.attempts import attempt_rows

    lines = []
    for one in attempt_rows(json.loads(record["attempt_log"]), record["ttft_s"]):
        times = f"began {one.began}, took {one.took}: " if one.took else ""
        lines.append(f"{one.n}  {times}{one.outcome}" + (f"; then waited {one.then}" if one.then else ""))
    return "\n".join(lines)


def _verdict(score: dict[str, Any]) -> str:
    if score["failure_kind"]:
        return f"not scored: {score['failure_message']}"
    parts = [] if score["value"] is None else [f"{score['value']:g}"]
    parts += [score["label"]] if score["label"] is not None else []
    parts += [] if score["parsed"] else ["no answer found"]
    parts += [score["reason"]] if score["reason"] else []
    return "  ".join(parts)


def _field(console: "Console", name: str, text: Any, limit: int | None) -> None:
    from rich.padding import Padding

    from regrade.cli.terminal import safe_text

    shown = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    console.print(safe_text(f"{name}:"), style="bold")
    console.print(Padding(safe_text(shown.strip("\n"), limit=limit), (0, 0, 0, 2)))
