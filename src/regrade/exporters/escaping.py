"""Foreign text in Markdown: what GitHub or GitLab would act on only looks like itself any more."""

import re

from regrade.pages.visible import plain

__all__ = ["fenced", "markdown_text"]

_ACTIVE = re.compile(r"[\\`*{}\[\]<>#+!|~@&$]|(?<![^\W_])_|_(?![^\W_])|^[-=](?=[\s=-]|$)")
"""Markup, HTML, math; underscores at the edge of a word; what begins a list or underlines a heading."""

_LATE = re.compile(
    r"(?<=[@#])|(?<=[!~&%])(?=[\w\"])"  # mentions, issues, labels
    r"|(?<=:)(?=//)|(?<=www)(?=\.)"  # addresses
    r"|(?<=GH-)(?=\d)|(?<=:)(?=[\w+-]+:)"  # issues, emoji
    r"|^(?=\d{1,9}[.)](?:\s|$))",  # the number of a list
    re.IGNORECASE,
)
"""Where a break has to stand: forges look for these in the finished page, where entities are resolved."""

_BREAK, _BREAK_ENTITY = "\x00", "&#8203;"
_RUN = re.compile(r"`+")


def markdown_text(text: str, limit: int = 300) -> str:
    """Return the text on one line, cut to `limit` characters, without any power over the document."""
    line = " ".join(plain(text[:limit]).split())
    if len(text) > limit:
        line += "…"
    broken = _LATE.sub(_BREAK, line)  # the line holds no such character of its own: `plain` shows them
    safe = _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", broken)
    return safe.replace(_BREAK, _BREAK_ENTITY)


def fenced(text: str, limit: int) -> list[str]:
    """Return the lines of a quoted code block that the text cannot leave.

    Each line begins with `>`, so no line of the text can pass for a line of the document.
    """
    whole = plain(text[:limit])
    longest = max((len(run) for run in _RUN.findall(whole)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = [f"> {fence}text", *(f"> {line}" for line in whole.split("\n")), f"> {fence}"]
    if len(text) > limit:
        lines += [">", f"> first {limit:,} of {len(text):,} characters"]
    return lines
