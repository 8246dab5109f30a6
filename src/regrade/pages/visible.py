"""Foreign text made safe to look at: characters that hide, or change how others look, show as code points."""

import re

from markupsafe import Markup, escape

__all__ = ["cut", "marked", "plain", "unmarked", "visible"]

_PLANES = range(0x10000, 0xF0000, 0x10000)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # format, bidi
    "\u115f\u1160\u3164\uffa0"  # fillers: letters without ink
    "\ud800-\udfff\ue000-\uf8ff"  # half a character; private use
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    # What Unicode keeps from being a character.
    f"\ufdd0-\ufdef\ufffe\uffff{''.join(chr(plane + end) for plane in _PLANES for end in (0xFFFE, 0xFFFF))}]"
    # Joiners belong to emoji and to scripts beyond ASCII; beside an ASCII letter they only hide.
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_ESCAPE = "\x1b"
_MARKED = re.compile("\ue000([0-9A-F]{2,6})\ue001")


def plain(text: str) -> str:
    """Return the text with hidden characters written as `[U+202E]`; it holds no lone surrogate any more."""
    return _HIDDEN.sub(lambda match: f"[{_name(match[0])}]", text.replace("\r\n", "\n"))


def visible(text: str) -> Markup:
    """Return the text as HTML, hidden characters marked as code points."""
    text = text.replace("\r\n", "\n")
    parts, end = [], 0
    for match in _HIDDEN.finditer(text):
        parts.append(escape(text[end : match.start()]))
        parts.append(Markup('<span class="esc">{}</span>').format(_name(match[0])))
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def marked(text: str) -> str:
    """Return the text with hidden characters as marks that pass through a converter; `unmarked` shows them.

    The marks are characters for private use, which are hidden ones themselves: none of the text's is left.
    """
    return _HIDDEN.sub(lambda match: f"\ue000{_digits(match[0])}\ue001", text.replace("\r\n", "\n"))


def unmarked(html: Markup) -> Markup:
    """Return what a converter made of marked text, hidden characters shown as code points."""

    def shown(digits: str) -> str:
        return f'<span class="esc">{"ESC" if digits == "001B" else f"U+{digits}"}</span>'

    text = _MARKED.sub(lambda match: shown(match[1]), str(html))
    # A converter may make hidden characters of its own, of `&#x202E;`.
    return Markup(_HIDDEN.sub(lambda match: shown(_digits(match[0])), text))  # noqa: S704 - adds constants and digits alone


def cut(text: str, limit: int, size: int = 0) -> str:
    """Return at most so many characters of the text, and how many there are when that is not all.

    Args:
        text: The text, or as much of it as is at hand.
        limit: How many characters are shown.
        size: How many the whole text has, where more than are at hand.
    """
    size = max(size, len(text))
    if size <= limit:
        return text
    return f"{text[:limit]}… (first {min(limit, len(text)):,} of {size:,} characters)"


def _name(char: str) -> str:
    return "ESC" if char == _ESCAPE else f"U+{_digits(char)}"


def _digits(char: str) -> str:
    return f"{ord(char):04X}"
