"""A document as Markdown that fits a comment on a pull request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from regrade.exporters.escaping import fenced, markdown_text
from regrade.pages.diffs import condensed, gap_text
from regrade.views import (
    CaseOutcome,
    CaseView,
    ColumnView,
    DiffPart,
    Document,
    FlipsView,
    FlipView,
    TableView,
)

__all__ = ["Markdown"]

_LIMIT = 65_000
"""GitHub takes 65,536 characters, by the strictest of its counts; the rest is for what a workflow adds."""

_SIGNS: dict[CaseOutcome, str] = {"PASS": "✔", "FAIL": "✘", "INCONCLUSIVE": "◐", "ERROR": "▲"}
_TITLE_LIMIT = 200
_PARAGRAPH_LIMIT = 2_000
_PROMPT_LIMIT = 600
_ANSWER_LIMIT = 600
_DIFF_LIMIT = 1_500
_FOR_THE_CUT = 400
_NOTES_SHARE = 4
_LEGEND = "<del>Struck</del> is only in A, <ins>underlined</ins> only in B."
_THE_REST = (
    "All of it is in the HTML and JSON reports (`-o report.html`, `-o report.json`) and in the run folder"
    " (`regrade show`)."
)


class _Page:
    """Parts of a document that share so many characters."""

    def __init__(self, room: int) -> None:
        self.room = room

    def take(self, lines: Sequence[str]) -> bool:
        """Return whether there is room for the lines, and use it."""
        size = sum(len(line) + 1 for line in lines)
        if size > self.room:
            return False
        self.room -= size
        return True


@dataclass(frozen=True, slots=True)
class Markdown:
    """Verdict, tables and collapsed flips in under 65,000 characters: flips are cut first, then tables."""

    def export(self, document: Document) -> str:
        """Return the document."""
        page = _Page(_LIMIT - _FOR_THE_CUT)
        head = _head(document)
        page.take(head)
        notes, notes_cut = _notes(page, document.notes)
        tables, rows_cut = _tables(page, document.tables or _cases(document.cases))
        flips, flips_cut = _flips(page, document.flips)
        cut = _cut_line({"notes": notes_cut, "table rows": rows_cut, "flips": flips_cut})
        lines = [*head, *tables, *notes, *flips, *cut]
        return "\n".join(lines).rstrip("\n") + "\n"


def _head(document: Document) -> list[str]:
    title = markdown_text(document.title, _TITLE_LIMIT)
    if document.outcome:
        title = f"{_SIGNS[document.outcome]} {document.outcome}: {title}"
    elif document.kind == "run":
        title = f"Run {title}"
    paragraph = markdown_text(document.paragraph, _PARAGRAPH_LIMIT)
    return [f"## {title}", "", *([paragraph, ""] if paragraph else [])]


def _notes(page: _Page, notes: Iterable[str]) -> tuple[list[str], int]:
    """Return the notes as far as a part of the room goes, and how many there was none for."""
    lines = [f"- {markdown_text(note)}" for note in notes]
    share = _Page(page.room // _NOTES_SHARE)
    kept = next((place for place, line in enumerate(lines) if not share.take([line])), len(lines))
    shown = [*lines[:kept], ""] if kept else []
    page.take(shown)
    return shown, len(lines) - kept


def _cases(cases: Sequence[CaseView]) -> list[TableView]:
    """Return what passed and failed, for a document that has no table of it."""
    if not cases:
        return []
    columns = (ColumnView("verdict"), ColumnView("eval"), ColumnView("rule"), ColumnView("why"))
    rows = tuple(
        (f"{_SIGNS[case.outcome]} {case.outcome}", case.group, case.name, case.message) for case in cases
    )
    return [TableView("Rules", columns, rows)]


def _tables(page: _Page, views: Iterable[TableView]) -> tuple[list[str], int]:
    """Return the tables as far as there is room, and how many rows there was none for."""
    lines: list[str] = []
    cut = 0
    for view in views:
        head, notes = _table_head(view), [f"{markdown_text(note)}  " for note in view.notes]
        rows = [_line(row) for row in view.rows]
        if not page.take([*head, *notes, "", ""]):
            cut += len(rows)
            continue
        kept = next((place for place, row in enumerate(rows) if not page.take([row])), len(rows))
        cut += len(rows) - kept
        lines += [*head, *rows[:kept], "", *notes, ""]
    return lines, cut


def _table_head(view: TableView) -> list[str]:
    rule = "|".join("---:" if column.align == "right" else "---" for column in view.columns)
    return [
        f"### {markdown_text(view.title, _TITLE_LIMIT)}",
        "",
        _line(column.head for column in view.columns),
        f"|{rule}|",
    ]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(markdown_text(cell) for cell in cells) + " |"


def _flips(page: _Page, views: Iterable[FlipsView]) -> tuple[list[str], int]:
    """Return the flips as far as there is room, and how many there was none for."""
    lines: list[str] = []
    cut = 0
    for view in views:
        flips = [*(("lost", one) for one in view.lost), *(("gained", one) for one in view.gained)]
        head = _flips_head(view)
        if not page.take(head):
            cut += len(flips)
            continue
        lines += head
        shown = 0
        for word, flip in flips:
            block = _flip(word, flip)
            if not page.take(block):
                break
            lines += block
            shown += 1
        cut += len(flips) - shown
    return lines, cut


def _flips_head(view: FlipsView) -> list[str]:
    lost = f"{view.lost_count:,} lost ({markdown_text(view.lost_means)})"
    return [
        f"### Flips: {markdown_text(view.title, _TITLE_LIMIT)}",
        "",
        f"{lost}, {view.gained_count:,} gained. {_LEGEND}",
        "",
        *(
            f"Of the {name} the first {len(listed):,} are listed.  "
            for name, listed, count in (
                ("lost", view.lost, view.lost_count),
                ("gained", view.gained, view.gained_count),
            )
            if len(listed) < count
        ),
        *(f"{markdown_text(note)}  " for note in view.notes),
        "",
    ]


def _flip(word: str, flip: FlipView) -> list[str]:
    head = (
        f"{word}: {markdown_text(flip.sample)} ({markdown_text(flip.before)} → {markdown_text(flip.after)})"
    )
    lines = [f"<details><summary>{head}</summary>", ""]
    if flip.prompt:
        lines += [*fenced(flip.prompt, _PROMPT_LIMIT), ""]
    if flip.target:
        lines += [f"**Target** {markdown_text(flip.target)}", ""]
    if flip.alike:
        lines += _answer(f"A and B ({markdown_text(flip.alike)})", flip.text_b)
    elif flip.diff:
        lines += [f"**A → B** {_diff(flip.diff)}", ""]
    else:
        lines += [*_answer("A", flip.text_a), *_answer("B", flip.text_b)]
    return [*lines, "</details>", ""]


def _answer(arm: str, text: str | None) -> list[str]:
    if text is None:
        return [f"**{arm}** (not stored)", ""]
    return [f"**{arm}**", "", *fenced(text, _ANSWER_LIMIT), ""]


def _diff(diff: Sequence[DiffPart]) -> str:
    """Return both answers as one line: what is only in A struck, what is only in B underlined."""
    tags = {"out": ("<del>", "</del>"), "in": ("<ins>", "</ins>"), "same": ("", "")}
    shown, room = [], _DIFF_LIMIT
    for kind, text, left_out in condensed(diff):
        if room <= 0:
            shown.append("…")
            break
        if left_out:
            shown.append(f"<i>{gap_text(left_out)}</i>")
            continue
        begin, end = tags[kind]
        lines = text[:room].split("\n")
        body = "<br>".join(markdown_text(line, _DIFF_LIMIT) for line in lines)
        space = " " if text[-1:].isspace() else ""
        shown.append(f"{begin}{body}{end}{space}" if body else space)
        room -= len(text)
    return "".join(shown)


def _cut_line(counts: Mapping[str, int]) -> list[str]:
    left_out = [f"{count:,} {what}" for what, count in counts.items() if count]
    return ["", f"Left out to fit a comment: {', '.join(left_out)}. {_THE_REST}"] if left_out else []
