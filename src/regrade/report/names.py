"""Names of models and prompts in little room: short ones for charts, lists for cells."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from regrade.report.numbers import MISSING
from regrade.views import ListedNames

__all__ = ["listed", "short_names"]

_ALL = 5
_FIRST = 3
_LABEL = 20
_WIDER = 32
_CUT = "\N{HORIZONTAL ELLIPSIS}"
_PIECES = re.compile(r"[^-_/:=,@ \[]*[-_/:=,@ \[]|[^-_/:=,@ \[]+")
_SEPARATORS = "-_/:=,@ ["


def listed(names: Sequence[str]) -> ListedNames:
    """Return names one after another: more than five are the first three and how many more.

    Names that hold a comma themselves are told apart by semicolons.

    Args:
        names: In the order in which they are told; none are a dash.
    """
    between = "; " if any("," in one for one in names) else ", "
    if len(names) <= _ALL:
        return ListedNames(between.join(names) or MISSING)
    text = f"{between.join(names[:_FIRST])} and {len(names) - _FIRST:,} more"
    return ListedNames(text, between.join(names))


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return a short name by each name, no two of them alike: what they share is left out first.

    A path is told by its last part where that is enough. A short name has 20 characters at most, or as many
    more as it takes to tell it from the others.

    Args:
        names: All that stand in one chart.
    """
    own = list(dict.fromkeys(names))
    tails = {name: name.rstrip("/").rpartition("/")[2] or name for name in own}
    counts = Counter(tails.values())
    bases = {name: tail if counts[tail] == 1 else name for name, tail in tails.items()}
    shares = Counter(piece for base in bases.values() for piece in set(_pieces(base)))
    every = list(bases.values())
    forms = {
        name: (_without_shared(base, shares), _from_where_it_differs(base, every, _LABEL),
               _from_where_it_differs(base, every, _WIDER), base, name)
        for name, base in bases.items()
    }  # fmt: skip
    return _told_apart(forms)


def _told_apart(forms: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the first form of each name that no other has; the last one is the name itself."""
    at = dict.fromkeys(forms, 0)
    while True:
        found = {name: forms[name][place] for name, place in at.items()}
        counts = Counter(found.values())
        alike = [name for name, text in found.items() if counts[text] > 1 and at[name] + 1 < len(forms[name])]
        if not alike:
            return found
        for name in alike:
            at[name] += 1


def _pieces(name: str) -> list[str]:
    """Return the parts of a name without the separators that end them."""
    return [one.rstrip(_SEPARATORS) for one in _PIECES.findall(name)]


def _without_shared(name: str, shares: Mapping[str, int]) -> str:
    """Leave out the parts that most names have, the last first, until the name fits."""
    parts, bare = _PIECES.findall(name), _pieces(name)
    left_out: set[int] = set()
    text = name
    for place in sorted(range(len(parts)), key=lambda at: (shares[bare[at]], at), reverse=True)[:-1]:
        if len(text) <= _LABEL:
            break
        left_out.add(place)
        text = "".join(_CUT if at in left_out else part for at, part in enumerate(parts))
        text = re.sub(f"[{re.escape(_SEPARATORS)}]*{_CUT}+", _CUT, text)
    return text if len(text) <= _LABEL else _headed(text, _LABEL)


def _from_where_it_differs(name: str, others: Iterable[str], most: int) -> str:
    """Return the stretch of a name from shortly before where it leaves the name that is most like it."""
    shared = max((_alike(name, other) for other in others if other != name), default=0)
    if shared < most - 1 or len(name) <= most:
        return _headed(name, most)
    start = max(0, min(shared - 2, len(name) - most + 1))
    return f"{_CUT}{_headed(name[start:], most - 1)}"


def _alike(a: str, b: str) -> int:
    """Return how many characters two names begin with alike."""
    return next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other),
                min(len(a), len(b)))  # fmt: skip


def _headed(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}{_CUT}"
