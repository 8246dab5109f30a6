"""Check specs, datasets and templates, and render the first sample of each suite. No model is asked."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import limit

if TYPE_CHECKING:
    from rich.console import Console

    from regrade.api import CheckedEval, RenderedPrompt
    from regrade.types import JsonObject

__all__ = ["add_arguments", "execute"]

_SHOWN = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("specs", nargs="*", default=["evals"], metavar="SPEC", help="default: evals")
    parser.add_argument("--limit", type=limit, help="read only so many samples of each dataset")
    parser.add_argument("-q", "--quiet", action="store_true", help="do not show the rendered sample")


def execute(args: argparse.Namespace) -> int:
    """Print what is right and what is wrong; return 2 when anything is."""
    from regrade.api import validate
    from regrade.cli.terminal import make_console

    checked, problems = validate([Path(one) for one in args.specs], limit=args.limit)
    console = make_console()
    for one in checked:
        _show(console, one, quiet=args.quiet)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        number = len(problems)
        print(f"error: {number} problem{'s' if number > 1 else ''}", file=sys.stderr)
        return 2
    return 0


def _show(console: "Console", one: "CheckedEval", *, quiet: bool) -> None:
    from regrade.cli.terminal import safe_text

    epochs = f" x {one.epochs} epochs" if one.epochs > 1 else ""
    samples = f"{one.samples:,} sample{'s' * (one.samples != 1)}"
    head = f"{one.path}: ok, {samples}{epochs}, scorers: {', '.join(one.scorers)}"
    console.print(safe_text(head), soft_wrap=True)
    if one.choice_mode is not None:
        decided = "decided at run" if one.choice_mode == "auto" else one.choice_mode
        console.print(safe_text(f"  choices: {decided}"), soft_wrap=True)
    if quiet:
        return
    for prompt in one.prompts:
        console.print(
            safe_text(f"  prompt {prompt.name}, sample {one.first.id}:"), style="bold", soft_wrap=True
        )
        for role, text in _messages(prompt):
            console.print(safe_text(f"    {role}: "), end="", style="dim")
            shown = str(safe_text(text, limit=_SHOWN)).replace("\n", "\n    ")
            console.print(shown, soft_wrap=True, markup=False)
    for name, text in _sent_with(one.parameters):
        console.print(safe_text(f"    {name}: {text}", limit=_SHOWN), style="dim", soft_wrap=True)
    target = one.first.target
    if target is not None:
        console.print(safe_text(f"    target: {target}", limit=_SHOWN), style="dim", soft_wrap=True)


def _sent_with(parameters: "JsonObject") -> list[tuple[str, str]]:
    """Return what requests carry beside the messages and plain numbers."""
    shown = []
    tools = parameters.get("tools")
    if isinstance(tools, list):
        shown.append(("tools", ", ".join(str(tool.get("function", tool).get("name")) for tool in tools)))
    form = parameters.get("response_format")
    if isinstance(form, dict):
        schema = form.get("json_schema")
        shown.append(
            (
                "response format",
                f"{form['type']} {schema['name'] if isinstance(schema, dict) else ''}".strip(),
            )
        )
    return shown


def _messages(prompt: "RenderedPrompt") -> list[tuple[str, str]]:
    from regrade.report.messages import shown_messages

    if prompt.text:
        return [("text", prompt.text)]
    return list(shown_messages(prompt.messages))
