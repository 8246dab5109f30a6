"""What keys look like: shapes so strict that ordinary text never has them."""

import re

__all__ = ["SHAPES", "WORDS"]

# A key stands alone: no letter, digit, _ or - before it, unless that ends an escape inside quoted JSON.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"
_NO_MORE = r"(?![A-Za-z0-9])"
_WITH_DIGIT = r"(?=[A-Za-z_-]*[0-9])"


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(_START + pattern)


SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("sk-",), _shape(rf"sk-{_WITH_DIGIT}[A-Za-z0-9]{{20,}}{_NO_MORE}")),
    (
        ("sk-",),
        _shape(rf"sk-(?:proj|svcacct|admin|None|ant|or|lf|test|live){_WITH_DIGIT}-[A-Za-z0-9_-]{{20,}}"),
    ),
    (("sk_", "rk_"), _shape(rf"[sr]k_(?:live|test)_[A-Za-z0-9]{{20,}}{_NO_MORE}")),
    (("uai_",), _shape(r"uai_[A-Za-z0-9_-]{24,}")),
    (("gsk_",), _shape(rf"gsk_[A-Za-z0-9]{{40,}}{_NO_MORE}")),
    (("xai-",), _shape(rf"xai-{_WITH_DIGIT}[A-Za-z0-9]{{40,}}{_NO_MORE}")),
    (("hf_",), _shape(rf"hf_[A-Za-z0-9]{{30,}}{_NO_MORE}")),
    (("gh",), _shape(rf"gh[pousr]_[A-Za-z0-9]{{36,}}{_NO_MORE}")),
    (("github_pat_",), _shape(r"github_pat_[A-Za-z0-9_]{50,}")),
    (("glpat-",), _shape(r"glpat-[A-Za-z0-9_-]{20,}")),
    (("npm_",), _shape(rf"npm_[A-Za-z0-9]{{36}}{_NO_MORE}")),
    (("AKIA", "ASIA"), _shape(rf"A[KS]IA[0-9A-Z]{{16}}{_NO_MORE}")),
    (("AIza",), _shape(r"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])")),
    (("r8_",), _shape(rf"r8_[A-Za-z0-9]{{37}}{_NO_MORE}")),
    (("pplx-",), _shape(rf"pplx-[A-Za-z0-9]{{40,}}{_NO_MORE}")),
    (("nvapi-",), _shape(r"nvapi-[A-Za-z0-9_-]{40,}")),
    (("xox",), _shape(r"xox[abeprs]-[A-Za-z0-9-]{20,}")),
    (("eyJ",), _shape(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    (
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.{0,10000}?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    (
        ("earer ",),
        re.compile(r"(?<=\bBearer )(?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20,}=*", re.IGNORECASE),
    ),
)
"""Each shape with the words of which a text must hold one to have it: looking for these first is what makes
looking for all shapes cheap."""

WORDS = re.compile("|".join(re.escape(word) for words, _ in SHAPES for word in words))
"""Finds any of these words: a text without one has none of the shapes."""
