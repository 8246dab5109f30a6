"""The summary as Markdown tables."""

from collections.abc import Iterable
from dataclasses import dataclass

from regrade.types import Document, TableView

__all__ = ["MarkdownSummary"]

_ACTIVE = r"\`*_{}[]<>()#+!|~@&"


@dataclass(frozen=True, slots=True)
class MarkdownSummary:
    """One section an eval with the same table that the terminal shows."""

    def export(self, document: Document) -> str:
        """Return the document."""
        return "\n".join(_section(view) for view in document.tables)


def _section(view: TableView) -> str:
    lines = [f"### {_text(view.title)}", "", _line(column.head for column in view.columns)]
    lines.append(
        "|" + "|".join("---:" if column.align == "right" else "---" for column in view.columns) + "|"
    )
    lines += [_line(row) for row in view.rows]
    lines += ["", *(f"{_text(note)}  " for note in view.notes)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _text(text: str) -> str:
    """Escape what Markdown or HTML would act on; a name can forge no markup."""
    one_line = " ".join(text.split())
    return "".join(f"&#{ord(char)};" if char in _ACTIVE and char not in "()_" else char for char in one_line)
