"""Answers as what they are: JSON laid out, code in its frame, Markdown set, anything else as it stands."""

import json
import re
from dataclasses import dataclass

from markupsafe import Markup

from regrade.pages.markdown import markdown
from regrade.pages.visible import visible

__all__ = ["ShownAnswer", "as_json", "shown_answer"]

_LAID_OUT = 200_000
"""Characters; a longer text is not parsed."""
_LAID_OUT_LINES = 60_000
_MOST_SIGNS = 400
"""Of one sort; beyond that a text is no Markdown that anybody wrote, and slow to read as such."""
_FENCED = re.compile(
    r"\s*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)[^\n`]*\n(?P<body>.*?)\n?[ \t]*(?P=fence)\s*",
    re.DOTALL,
)
_SIGNS = re.compile(
    r"^(?:#{1,6} (?!-?\$?[\d.,]+%?[ \t]*$)\S|[-*+] \S|\d{1,9}[.)] \S|> ?\S|```|~~~|\|.*\|[ \t]*$)"  # blocks
    r"|\*\*[^\s*][^*\n]*\*\*|`[^`\n]+`|!?\[[^\]\n]+\]\([^)\n]*\)",  # within a line
    re.MULTILINE,
)
"""A number behind "####" is no heading but the mark by which many models announce their result."""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A text as a page shows it.

    Attributes:
        kind: What it was taken for: "text", "JSON", "Markdown", or code with its language.
        html: It.
    """

    kind: str
    html: Markup


def shown_answer(text: str) -> ShownAnswer:
    """Return an answer as what it is."""
    laid_out = as_json(text)
    if laid_out is not None:
        return ShownAnswer(
            "JSON", Markup('<pre class="wrap" tabindex="0">{}</pre>').format(visible(laid_out))
        )
    fenced = _FENCED.fullmatch(text)
    if fenced and fenced["fence"] not in fenced["body"]:
        kind = f"code, {fenced['language'][:40]}" if fenced["language"] else "code"
        body = as_json(fenced["body"]) or fenced["body"]
        return ShownAnswer(kind, Markup('<pre class="wrap" tabindex="0">{}</pre>').format(visible(body)))
    if _SIGNS.search(text) and all(text.count(sign) <= _MOST_SIGNS for sign in "[*_<&"):
        return ShownAnswer("Markdown", Markup('<div class="md">{}</div>').format(markdown(text)))
    return ShownAnswer("text", Markup('<p class="said">{}</p>').format(visible(text)))


def as_json(text: str) -> str | None:
    """Return a JSON object or array laid out over lines; None for anything else, or where it grows."""
    if len(text) > _LAID_OUT or text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        found = json.loads(text)
        laid_out = json.dumps(found, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return laid_out if len(laid_out) <= max(_LAID_OUT_LINES, 2 * len(text)) else None
