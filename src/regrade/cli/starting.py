"""Write a small suite that works: a spec, a dataset of a few rows, and the schema for editors."""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "execute"]

_SPEC = """\
# yaml-language-server: $schema=regrade.schema.json
name: {name}
description: Which team answers a customer's message?
dataset: {{path: {name}.jsonl, input: text, target: label}}

# The demo models need no key and no network. Your own models go into the same list, for instance:
#   - gpt-4.1-mini                      (OPENAI_API_KEY, OPENAI_BASE_URL)
#   - {{name: local, model: my-model, base_url: "http://localhost:8000/v1"}}
models: [demo/v1, demo/v2]

prompt: "Label this message: {{{{ text }}}}"
parameters: {{temperature: 0, max_tokens: 8}}

scorers:
  - classification: {{labels: [{labels}]}}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("folder", nargs="?", default="evals", type=Path, help="default: evals")
    parser.add_argument("--name", default="first", help="the suite's name (default: first)")


def execute(args: argparse.Namespace) -> int:
    """Write the files; refuse to replace any."""
    import json

    from regrade.api import spec_schema
    from regrade.cli.example import LABELS, ROWS
    from regrade.errors import UsageError

    files = {
        args.folder / f"{args.name}.yaml": _SPEC.format(name=args.name, labels=", ".join(LABELS)),
        args.folder / f"{args.name}.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    }
    taken = [path for path in files if path.exists()]
    if taken:
        raise UsageError(f"{taken[0]} exists", hint="choose another name with --name, or another folder")
    schema = args.folder / "regrade.schema.json"
    files[schema] = json.dumps(spec_schema(), indent=2) + "\n"
    args.folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")
    print(f"next: regrade run {args.folder / args.name}.yaml")
    return 0
