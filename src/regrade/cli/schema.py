"""Print the JSON Schema of spec files.

Editors use it through the first line of a spec:

# yaml-language-server: $schema=regrade.schema.json
"""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")


def execute(args: argparse.Namespace) -> int:
    """Print or write the schema."""
    import json

    from regrade.api import spec_schema

    text = json.dumps(spec_schema(), indent=2) + "\n"
    if args.output is None:
        print(text, end="")
    else:
        args.output.write_text(text, encoding="utf-8")
        print(f"written: {args.output}")
    return 0
