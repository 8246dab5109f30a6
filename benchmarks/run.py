"""Measures regrade against a plain loop that does the same requests, as ratios within one run.

Usage: python benchmarks/run.py [--quick] [--repeats N] [--rows NAME ...] [--peers] [-o FILE.json]

Every measurement is a fresh process, regrade and loop in turn; the table shows medians. CPU and memory are
those of the child alone, as the operating system counts them. Each row stops by itself within three minutes.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import peers
from measure import ROW_S, Bench, Measured, TooLongError
from rows import ROWS, Row

_LINE = "{:<42} {:>10} {:>8} {:>8}  {:<8} {}"


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _show(one: Measured) -> None:
    value = f"{one.value:.2f} {one.unit}".strip()
    print(
        _LINE.format(one.name, value, _bound(one.must), _bound(one.reach), one.verdict, one.detail),
        flush=True,
    )


def _measure(row: Row, repeats: int, quick: bool) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        return row(Bench(Path(folder), repeats, quick))


def main() -> int:
    """Measure, print the table, write the JSON; 1 when a row could not be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a first look")
    parser.add_argument("--repeats", type=int, default=5, help="at most (default: 5)")
    parser.add_argument(
        "--rows", nargs="+", choices=[*ROWS], metavar="NAME", help=f"some of {', '.join(ROWS)}"
    )
    parser.add_argument("--peers", action="store_true", help="measure other frameworks too; installs them")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    rows = {name: ROWS[name] for name in arguments.rows or ROWS}
    if arguments.peers:
        rows |= peers.ROWS
    found: list[Measured] = []
    broken = 0
    print(_LINE.format("", "measured", "must", "reach", "", ""))
    for name, row in rows.items():
        try:
            for one in _measure(row, arguments.repeats, arguments.quick):
                found.append(one)
                _show(one)
        except TooLongError:
            broken += 1
            print(f"{name}: did not end within {ROW_S:.0f} s", flush=True)
        except RuntimeError as error:
            broken += 1
            print(f"{name}: {error}", flush=True)
    if arguments.output:
        machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()}
        result = {"machine": machine, "quick": arguments.quick, "rows": [asdict(one) for one in found]}
        arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
