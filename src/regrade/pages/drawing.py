"""Templates, style sheets and the script, as they lie in the package."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from regrade.pages.visible import plain

__all__ = ["ASSETS", "asset", "draw", "prepare", "styles"]

ASSETS = ("tokens.css", "base.css", "dashboard.css", "regrade.js")
"""What a page of the dashboard loads, in order; a report has the first two inside."""

_FIRST = ("_frame.html.j2", "_page.html.j2", "_parts.html.j2", "overview.html.j2")


def draw(template: str, context: dict[str, object]) -> str:
    """Return a page: every value that is no markup is escaped, and its hidden characters are shown."""
    return _environment().get_template(template).render(context)


def prepare() -> Iterator[None]:
    """Compile one template after the other, so that no reader waits for that; together it takes a second."""
    environment = _environment()
    for name in sorted(environment.list_templates(), key=lambda name: name not in _FIRST):
        environment.get_template(name)
        yield


def styles(*names: str) -> str:
    """Return style sheets, one after the other."""
    return "\n".join(asset(name) for name in names)


@cache
def asset(name: str) -> str:
    """Return the text of a style sheet or of the script."""
    folder = files("regrade.pages") / ("styles" if name.endswith(".css") else "static")
    return (folder / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("regrade.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: object) -> object:
    """Let no value reach a page as it came, whatever a template forgets."""
    return value if isinstance(value, Markup) else plain(str(value))
