"""Help texts as wide as the terminal: prose is filled, what stands in columns keeps them."""

import re
import shutil
import textwrap
from collections.abc import Iterator

__all__ = ["fit_prose", "fit_usage", "fit_verbs", "help_width"]

_LEAST = 20
_INDENT = 4
_COLUMN = 16
_PARAGRAPHS = re.compile(r"\n\s*\n")
_GAP = re.compile(r"\S {2,}(?=\S)")
_PARTS = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]|\S+")


def help_width() -> int:
    """Return the characters of a line, by `COLUMNS` or the terminal; as many as argparse takes."""
    return max(shutil.get_terminal_size().columns - 2, _LEAST)


def fit_prose(text: str, width: int) -> str:
    """Return a text in lines of this width.

    Lines that are indented, or have a gap between two columns, stay lines of their own.
    """
    return "\n\n".join("\n".join(_paragraph(one, width)) for one in _PARAGRAPHS.split(text.strip()))


def fit_usage(usage: str, width: int) -> str:
    """Return what argparse says on one line in lines of this width, each option whole where it fits.

    Args:
        usage: "usage: regrade run [-h] ...".
        width: In characters.
    """
    parts = [one.replace(" ", "\0") if len(one) <= width - _INDENT else one for one in _PARTS.findall(usage)]
    lines = _filled(" ".join(parts), width, " " * _INDENT)
    return "\n".join(lines).replace("\0", " ")


def fit_verbs(verbs: dict[str, str], width: int) -> list[str]:
    """Return a line or more a verb, what it does beside it.

    Args:
        verbs: To what they do.
        width: In characters.
    """
    widest = max(map(len, verbs))
    rows = (f"  {verb:<{widest}}  {text}" for verb, text in verbs.items())
    return [line for row in rows for line in _filled(row, width, " " * (widest + 4))]


def _paragraph(text: str, width: int) -> Iterator[str]:
    prose: list[str] = []
    for line in text.splitlines():
        gap = _GAP.search(line)
        if gap is None and not line.startswith(" "):
            prose.append(line)
            continue
        yield from _filled(" ".join(prose), width)
        prose.clear()
        yield from _filled(line, width, " " * _INDENT) if gap is None else _columns(line, gap, width)
    yield from _filled(" ".join(prose), width)


def _columns(line: str, gap: re.Match[str], width: int) -> Iterator[str]:
    """Yield two columns side by side, or the second below the first where it would be too narrow."""
    if width - gap.end() >= _COLUMN:
        yield from _filled(line, width, " " * gap.end())
        return
    yield from _filled(line[: gap.start() + 1], width, " " * _INDENT)
    yield from (" " * _INDENT + one for one in _filled(line[gap.end() :], width - _INDENT))


def _filled(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a text, all but the first indented; options are not broken at their hyphens."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
