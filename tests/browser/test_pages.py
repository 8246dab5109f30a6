"""What holds for every page, whoever reads it, on whatever screen, with or without script."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page

SHOTS = Path(__file__).parents[2] / "build/screenshots"
WIDTHS = (320, 360, 768, 1280, 2560)
RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
"""What is asked of a page in each theme: the whole standard, and in dark again what colours decide."""
CHECK = (
    "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(one => one.violations)"
)
WIDEST = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ROWS = "main [data-row], main tbody tr"
TEXTS = """rows => rows.map(row => {
    const texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) found.push(texts.currentNode.data);
    return found.join(" ");
})"""
"""Each text apart from the next: an age that follows a number is a word of its own."""
HIDDEN = "rows => rows.filter(row => !row.getClientRects().length).map(row => row.textContent)"


def save(page: Page, name: str) -> None:
    """Keep a screenshot of the whole page, but no more than three screens of it."""
    size = page.viewport_size
    assert size
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), 3 * size["height"])
    page.screenshot(
        path=SHOTS / f"{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": size["width"], "height": height},
    )


def rows(page: Page) -> list[str]:
    """Return the rows of a page as text, without how long ago something was."""
    found: list[str] = page.locator(ROWS).evaluate_all(TEXTS)
    return [" ".join(re.sub(r"\b\d+ \w+ ago\b|just now", "", text).split()) for text in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(opened: Any, page_name: str, theme: Literal["light", "dark"], axe: str) -> None:
    """Every page meets WCAG 2.2 AA in both themes, as far as a program can tell."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme=theme)
    save(page, f"{page_name}-{theme}")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(CHECK, RULES[theme])
    told = [(one["id"], node["html"][:300], node["failureSummary"]) for one in found for node in one["nodes"]]
    assert told == []


def test_no_page_scrolls_sideways(opened: Any, page_name: str) -> None:
    """From a small phone to a large screen a page fits the window; wide tables scroll in themselves."""
    page = opened.page
    page.emulate_media(color_scheme="light")
    over = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over[width] = page.evaluate(WIDEST)
        if width == 360:
            save(page, f"{page_name}-360")
    assert over == dict.fromkeys(WIDTHS, 0)


def test_the_same_without_script_and_on_paper(
    opened: Any, sit_down: Callable[..., Any], page_name: str
) -> None:
    """A page shows the same rows with script, without it, and in print, where the navigation is left out."""
    shown = rows(opened.page)
    assert bool(shown) != (page_name == "samples-empty")
    page = sit_down(java_script_enabled=False).open(opened.served.pages[page_name])
    assert rows(page) == shown
    page.emulate_media(media="print")
    assert not page.locator(".top nav").is_visible()
    printed = (
        "#sample tbody tr" if page.locator("#sample").count() else ROWS
    )  # a story is printed without its list
    assert page.locator(printed).evaluate_all(HIDDEN) == []
