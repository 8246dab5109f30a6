"""What charts over time and against prices share: marks of models, axes, the figure around them."""

from collections.abc import Iterator

from markupsafe import Markup

from regrade.pages.charts import Axis, tick_label
from regrade.pages.visible import plain

__all__ = ["axis_rows", "figure", "percent", "shape", "swatch", "tick", "tick_text"]

_RADIUS = 3.4
_SHAPES = (
    "",
    '<circle class="mk" r="{r}"/>',
    '<path class="mk" d="M-{r},-{r}H{r}V{r}H-{r}Z"/>',
    '<path class="mk" d="M0,-{b}L{b},0L0,{b}L-{b},0Z"/>',
    '<path class="mk" d="M0,-{b}L{b},{r}H-{b}Z"/>',
    '<path class="mk" d="M0,{b}L{b},-{r}H-{b}Z"/>',
    '<path class="mk" d="M-{h},-{b}H{h}V-{h}H{b}V{h}H{h}V{b}H-{h}V{h}H-{b}V-{h}H-{h}Z"/>',
)


def tick_text(value: float, unit: str) -> str:
    """Write a number of an axis with its unit where that is short."""
    text = tick_label(value)
    if unit == "$":
        return f"${text}"
    return f"{text} s" if unit == "s" else text


def swatch(slot: int) -> Markup:
    """Return a line with its dash and marker, for a legend."""
    return Markup(
        '<svg class="n{}" width="26" height="10" aria-hidden="true">'
        '<line class="ln" x1="0" x2="26" y1="5" y2="5"/><g transform="translate(13,5)">{}</g></svg>'
    ).format(slot, shape(slot))


def shape(slot: int, radius: float = _RADIUS) -> Markup:
    """Return the marker of a look; a small disc for grey."""
    pattern = _SHAPES[slot] if slot else '<circle class="mk" r="2"/>'
    big, half = round(radius * 1.3, 2), round(radius * 0.45, 2)
    return Markup(pattern.format(r=radius, b=big, h=half))  # noqa: S704 - constants above


def axis_rows(axis: Axis, unit: str, height: int) -> Iterator[Markup]:
    """Yield the lines and numbers of a vertical axis."""
    for one in axis.ticks():
        down = height * (1 - axis.at(one) / 100)
        yield Markup(
            '<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>'
            '<text class="end dim" x="-8" y="{1:.1f}">{2}</text>'
        ).format(down, down + 4, tick_text(one, unit))


def tick(across: float, text: str, down: int, number: int, *, side: str = "mid") -> Markup:
    """Return a text of the axis below; every second one is left out where there is little room."""
    return Markup('<text class="{} dim{}" x="{}" y="{}">{}</text>').format(
        side, " alt" if number % 2 else "", percent(across), down, text
    )


def figure(body: Markup, height: int, name: str, title: str, desc: str) -> Markup:
    """Return a chart that says what it shows.

    Args:
        body: What is drawn.
        height: In pixels.
        name: For ids, unique on the page.
        title: What it is.
        desc: The point of it, with numbers.
    """
    return Markup(
        '<svg class="c" height="{}" role="img" aria-labelledby="{n}-t {n}-d"><title id="{n}-t">{}</title>'
        '<desc id="{n}-d">{}</desc>{}</svg>'
    ).format(height, plain(title), plain(desc), body, n=name)


def percent(value: float) -> str:
    """Write a share of the width as SVG has it."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
