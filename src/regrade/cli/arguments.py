"""Arguments that several verbs share; each long-lived flag can also be set as REGRADE_<FLAG>."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = [
    "add_flag",
    "add_output",
    "add_results",
    "comma_list",
    "count",
    "dollars",
    "durability",
    "fraction",
    "limit",
    "seconds",
    "whole",
]


def add_flag(
    parser: argparse.ArgumentParser, name: str, kind: Callable[[str], Any], default: object, text: str
) -> None:
    """Add an option whose default may come from the environment: `--max-retries` is REGRADE_MAX_RETRIES."""
    variable = "REGRADE_" + name.lstrip("-").replace("-", "_").upper()
    value = default
    if os.environ.get(variable):
        try:
            value = kind(os.environ[variable])
        except (ValueError, argparse.ArgumentTypeError) as error:
            parser.error(f"{variable}: {error}")
    parser.add_argument(name, type=kind, default=value, help=f"{text} [{variable}]", metavar=_metavar(name))


def _metavar(name: str) -> str:
    return name.lstrip("-").rpartition("-")[2].upper()


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add `--results`, the folder of all runs."""
    add_flag(parser, "--results", Path, Path("results"), "folder of the runs (default: results)")


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """Add `-o`, the files to write."""
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help=f"also write {what}; the suffix names the format: .md .html .json .csv .junit.xml; repeatable",
    )


def fraction(text: str) -> float:
    """Read a number between 0 and 1, such as "0.05" or "5%".

    Raises:
        argparse.ArgumentTypeError: When it is not.
    """
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return number


def count(text: str) -> int:
    """Read a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: When it is not.
    """
    try:
        number = int(text.replace("_", "").replace(",", ""))
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def whole(text: str) -> int:
    """Read a whole number of at least 0.

    Raises:
        argparse.ArgumentTypeError: When it is not.
    """
    return 0 if text == "0" else count(text)


def dollars(text: str) -> float:
    """Read a positive amount of US dollars, such as "2.50" or "$2.50".

    Raises:
        argparse.ArgumentTypeError: When it is not.
    """
    try:
        number = float(text.removeprefix("$"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of dollars")
    return number


def durability(text: str) -> str:
    """Read `os` or `disk`.

    Raises:
        argparse.ArgumentTypeError: When it is neither.
    """
    if text not in {"os", "disk"}:
        raise argparse.ArgumentTypeError(f"{text!r} is neither os nor disk")
    return text


def seconds(text: str) -> float:
    """Read a positive number of seconds.

    Raises:
        argparse.ArgumentTypeError: When it is not.
    """
    try:
        number = float(text.removesuffix("s"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def limit(text: str) -> int | float:
    """Read a count ("50") or a fraction ("0.1", "10%").

    Raises:
        argparse.ArgumentTypeError: When it is neither.
    """
    try:
        fraction = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        fraction = 0.0
    if 0 < fraction < 1:
        return fraction
    if fraction.is_integer() and fraction >= 1 and not text.endswith("%"):
        return int(fraction)
    raise argparse.ArgumentTypeError(f"{text!r} is neither a count nor a fraction between 0 and 1")


def comma_list(text: str) -> list[str]:
    """Read a list of names with commas between them, a comma of a name with a backslash before it."""
    from regrade.addresses import split

    return [part.strip() for part in split(text) if part.strip()]
