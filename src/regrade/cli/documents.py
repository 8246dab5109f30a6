"""A comparison or a gate on the terminal and in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from regrade.cli.terminal import print_indented, print_views, safe_text
from regrade.views import Document, FlipsView, FlipView

if TYPE_CHECKING:
    from rich.console import Console

    from regrade.plugins import Registry

__all__ = ["print_document", "print_written", "write_document"]

_TEXT_LIMIT = 1_200
_STYLES = {"same": "", "out": "red strike", "in": "green underline"}
_OUTCOMES = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow", "ERROR": "bold magenta"}


def print_document(
    console: "Console", document: Document, *, flips: int, full: bool, more: str = "--flips"
) -> None:
    """Print the paragraph, the tables, and the first samples that changed sides.

    Args:
        console: Where to.
        document: From `report`.
        flips: How many samples of each side.
        full: Whether long texts are shown whole.
        more: What to type for more of them.
    """
    console.print(safe_text(document.title), style="bold")
    console.print(_headed(document))
    console.print()
    print_views(console, document.tables)
    for note in document.notes:
        console.print(safe_text(note), style="dim")
    if document.notes:
        console.print()
    for group in document.flips if flips else ():
        _print_flips(console, group, flips, full=full, more=more)


def _headed(document: Document) -> Text:
    text = safe_text(document.paragraph)
    if document.outcome is not None and document.paragraph.startswith(document.outcome):
        text.stylize(_OUTCOMES[document.outcome], 0, len(document.outcome))
    return text


def _print_flips(console: "Console", group: FlipsView, count: int, *, full: bool, more: str) -> None:
    print_indented(console, safe_text(group.title), 0, style="bold")
    print_indented(
        console,
        safe_text(f"{group.lost_count:,} lost ({group.lost_means}), {group.gained_count:,} gained"),
        2,
    )
    for note in [*group.notes, *_cut(group, count, more)]:
        print_indented(console, safe_text(note), 2, style="dim")
    for name, listed in (("lost", group.lost), ("gained", group.gained)):
        for flip in listed[:count]:
            _print_flip(console, name, flip, full=full)
    console.print()


def _cut(group: FlipsView, count: int, more: str) -> list[str]:
    """Say how many are shown, where that is not all, and how to see more."""
    sides = (("lost", group.lost, group.lost_count), ("gained", group.gained, group.gained_count))
    cut = [(name, min(count, len(listed)), total) for name, listed, total in sides]
    parts = [f"{shown:,} of {total:,} {name}" for name, shown, total in cut if shown < total]
    if not parts:
        return []
    most = max(len(group.lost), len(group.gained))
    how = f"; {more} {most} and reports (-o x.html) show up to {most:,} a side" if most > count else ""
    return [f"Shown: {', '.join(parts)}{how}."]


def _print_flip(console: "Console", side: str, flip: FlipView, *, full: bool) -> None:
    limit = None if full else _TEXT_LIMIT
    console.print(safe_text(f"  {side}: {flip.sample}  ({flip.before} to {flip.after})"))
    for name, text in (("asked", flip.prompt), ("target", flip.target)):
        if text:
            _indented(console, f"{name}: ", safe_text(text.strip(), limit=limit))
    if flip.diff:
        _indented(
            console, "A to B: ", _diff(flip, limit, colour=console.is_terminal and not console.no_color)
        )
        return
    answers = [("A", flip.text_a), ("B", flip.text_b)]
    for name, answer in [(f"A and B ({flip.alike})", flip.text_b)] if flip.alike else answers:
        shown = "(not stored)" if answer is None else answer.strip() or "(empty)"
        _indented(console, f"{name}: ", safe_text(shown, limit=limit))


def _diff(flip: FlipView, limit: int | None, *, colour: bool) -> Text:
    """Return both answers as one text; without colour, what is gone and new stands in brackets."""
    text = Text()
    left = limit if limit is not None else sum(len(part) for _, part in flip.diff)
    for kind, part in flip.diff:
        shown = safe_text(part[:left])
        left -= len(part[:left])
        if not colour and kind != "same":
            marks = ("[-", "-] ") if kind == "out" else ("{+", "+} ")
            shown = Text(f"{marks[0]}{shown.plain.strip()}{marks[1]}")
        text.append_text(Text(shown.plain, style=_STYLES[kind] if colour else ""))
        if left <= 0:
            text.append(" ...")
            break
    return text


def _indented(console: "Console", head: str, text: Text) -> None:
    print_indented(console, Text(head, style="dim").append_text(text), 4)


def write_document(document: Document, paths: Sequence[Path], registry: "Registry") -> None:
    """Write the document in the formats that the files' suffixes name."""
    from regrade import api

    for path in paths:
        api.export_document(document, path, registry)


def print_written(console: "Console", paths: Sequence[Path]) -> None:
    """Say which files were written."""
    for path in paths:
        console.print(f"written: {path}", soft_wrap=True)
