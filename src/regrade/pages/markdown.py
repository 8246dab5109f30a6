"""Markdown of foreign hands as HTML that does nothing: no tag of its own, no link, no image, no attribute."""

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from regrade.pages.visible import marked, unmarked

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["markdown"]

_SHIFT = 3
_LAST_HEAD = 6


def markdown(text: str) -> Markup:
    """Return Markdown as HTML: headings begin below those of the page, addresses stand beside their words.

    Nothing that the text says becomes markup but what Markdown's own signs mean; hidden characters are shown.

    Args:
        text: Ten thousand characters at most: nesting is bounded, but time grows faster than the text.
    """
    html = _parser().render(marked(text))
    return unmarked(Markup(html))  # noqa: S704 - the rules below write every tag, and no attribute is foreign


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # html off escapes tags; "linkify" and "typographer" stay off: a text is shown as it was written.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    setattr(parser, "validateLink", lambda _: True)  # noqa: B010 - no link works, so each is shown
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _nothing(*_: Any) -> str:
    return ""


def _link_end(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    """Write the address behind the words of a link, unless they are it."""
    depth, start = 0, at
    while start > 0:
        depth += {"link_close": 1, "link_open": -1}.get(tokens[start].type, 0)
        if not depth:
            break
        start -= 1
    href = str(tokens[start].attrs.get("href", ""))
    words = "".join(token.content for token in tokens[start:at])
    return "" if href in {words, f"mailto:{words}"} else f' <span class="xs any">({escape(href)})</span>'


def _image(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    token = tokens[at]
    named = escape(token.content or "image")
    address = escape(str(token.attrs.get("src", "")))
    return f'<span class="tag">image: {named}</span> <span class="xs any">({address})</span>'


def _code(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    token = tokens[at]
    language = token.info.split()[:1]
    head = f'<p class="xs any">{escape(language[0])}</p>' if language else ""
    return f'{head}<pre class="wrap">{escape(token.content)}</pre>\n'


def _heading(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    token = tokens[at]
    level = min(_LAST_HEAD, int(token.tag[1:]) + _SHIFT)
    return f"<h{level}>" if token.nesting > 0 else f"</h{level}>\n"


def _cell(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    token = tokens[at]
    if token.nesting < 0:
        return f"</{token.tag}>\n"
    number = ' class="num"' if "right" in str(token.attrs.get("style", "")) else ""
    scope = ' scope="col"' if token.tag == "th" else ""
    return f"<{token.tag}{scope}{number}>"


def _list_start(_self: Any, tokens: Sequence["Token"], at: int, *_: Any) -> str:
    start = tokens[at].attrs.get("start")
    return f'<ol start="{int(start)}">\n' if isinstance(start, int) and start < 10**9 else "<ol>\n"


_RULES: MutableMapping[str, Any] = {
    "link_open": _nothing,
    "link_close": _link_end,
    "image": _image,
    "fence": _code,
    "code_block": _code,
    "heading_open": _heading,
    "heading_close": _heading,
    "th_open": _cell,
    "th_close": _cell,
    "td_open": _cell,
    "td_close": _cell,
    "ordered_list_open": _list_start,
}
