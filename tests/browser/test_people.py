"""The engineer, the release manager and the lead do what they came for; fields, keys and themes obey."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

REASON = "numeric accuracy of shipped is worse: 100.0 % to 35.0 %"


def keep_mark(page: Page) -> None:
    """Leave a mark that is gone when the page is loaded anew."""
    page.evaluate("window.stays = true")


def is_marked(page: Page) -> bool:
    """Return whether it is there."""
    return bool(page.evaluate("window.stays === true"))


def test_the_engineer_reads_a_failing_answer_in_three_clicks(reader: Any) -> None:
    """From what needs a look to the gate, to the flips with both answers, to the story of one."""
    page = reader.open("/")
    first = page.locator(".attn li").first
    expect(first).to_contain_text("FAIL")
    expect(first).to_contain_text(REASON)
    first.get_by_role("link", name="Why").click()
    page.locator("#verdict").get_by_role("link", name="comparison").click()
    flip = page.locator("article.flip").first
    expect(page.locator("article.flip")).to_have_count(20)
    sample = flip.locator("h3 a").inner_text()
    answer = flip.locator(".pair > div").nth(1).locator(".said").inner_text()
    flip.locator("h3 a").click()
    story = page.locator("#sample")
    expect(story.locator("h2")).to_contain_text(sample)
    expect(story.locator("h2")).to_contain_text("wrong", ignore_case=True)
    expect(story.locator(".msg.assistant").last).to_contain_text(answer.splitlines()[0])


def test_the_release_manager_takes_the_verdict_along(reader: Any, tmp_path: Path) -> None:
    """He reads the verdict and its reason, and the page that he saves says the same without the server."""
    page = reader.open("/")
    page.get_by_role("navigation").get_by_role("link", name="Gates").click()
    expect(page.locator("#verdict")).to_contain_text("FAIL")
    expect(page.locator("#verdict")).to_contain_text(REASON)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as one file").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    page.goto(report.as_uri())
    expect(page.locator("#verdict")).to_contain_text(REASON)
    assert page.locator("a[href^='/gates'], script, link[rel=stylesheet]").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.v-fail')).color") != "rgb(0, 0, 0)"


def test_the_lead_weighs_quality_against_cost(reader: Any) -> None:
    """He sees who leads an eval, then which models nobody beats at their price."""
    page = reader.open("/")
    row = page.locator("#matrix tbody tr").filter(has=page.locator("th a[href^='/eval/arithmetic']"))
    ranks = {
        cell.locator(".mname").text_content(): cell.locator(".rank").text_content()
        for cell in row.locator("td:has(.val)").all()
        if cell.locator(".rank").count()
    }
    assert ranks == {"small": "1", "shipped": "2"}
    row.locator("th a").first.click()
    page.locator("a[href*='by=cost']").first.click()
    reader.goes_to("by=cost")
    points = page.locator("table", has_text="nobody").last.locator("tbody tr")
    expect(points).to_have_count(2)
    expect(points.first).to_contain_text("small")
    expect(points.first).to_contain_text("nobody")
    expect(points.last).to_contain_text("$")


def test_filters_act_without_a_reload(reader: Any) -> None:
    """The address and the rows change, the page and the focus stay, and Back goes back."""
    page = reader.open(reader.served.pages["samples"])
    rows = page.locator("#samples [data-row]")
    keep_mark(page)
    field = page.locator("#filters input[name=q]")
    field.fill("buttons")
    field.press("Enter")
    reader.goes_to("q=buttons")
    expect(rows.filter(has_not_text="buttons")).to_have_count(0)
    assert rows.count() > 0
    expect(page.locator("#filters input[name=q]")).to_be_focused()
    page.go_back()
    page.wait_for_url(lambda url: "q=" not in url)
    expect(rows).to_have_count(20)
    assert is_marked(page)


def test_a_choice_acts_at_once(reader: Any) -> None:
    """Choosing an order sorts the overview, and its address can be shared."""
    page = reader.open("/")
    keep_mark(page)
    page.select_option("select[name=sort]", "name")
    reader.goes_to("sort=name")
    names = page.locator("#matrix tbody tr[data-row] th > a")
    expect(names.first).to_have_text("arithmetic")
    assert is_marked(page)
    shared = reader.open("/?sort=name")
    assert (
        shared.locator("#matrix tbody tr[data-row] th > a").all_text_contents() == names.all_text_contents()
    )


def test_keys_walk_open_and_close(reader: Any) -> None:
    """Keys j and k walk through rows, Enter opens, Esc closes, w filters, / and ? do as they say."""
    page = reader.open(reader.served.pages["samples"])
    links = page.locator("#samples [data-row] a[id]")
    page.keyboard.press("j")
    expect(links.first).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    reader.goes_to("open=")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: "open=" in url and url != first)
    expect(page.locator("#sample")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "open=" not in url)
    page.keyboard.press("w")
    reader.goes_to("outcome=wrong")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    search = page.locator(".find input")
    expect(search).to_be_focused()
    page.keyboard.type("g?w")
    expect(search).to_have_value("g?w")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_theme_is_kept(reader: Any) -> None:
    """What is chosen holds on the next page as well, against the system's."""
    page = reader.open("/runs")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".theme a", has_text=re.compile("dark", re.IGNORECASE)).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    reader.open("/")
    assert page.evaluate(ground) != light
    page.locator(".theme a", has_text=re.compile("light", re.IGNORECASE)).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(ground) == light


def test_nothing_that_a_model_said_runs(sit_down: Callable[..., Any]) -> None:
    """Each hostile answer is text in its story; the readers see no dialog, message or request to others."""
    reader = sit_down()
    page = reader.open(reader.served.pages["hostile"])
    links = page.locator("#samples [data-row] a[id]").all()
    paths = [path for path in (one.get_attribute("href") for one in links) if path and ",hostile," in path]
    assert len(paths) == 8
    for path in paths:
        reader.open(path)
        assert page.locator("#sample").is_visible()
        made = page.locator("main :is(script, iframe, img, base, meta, h1:has-text('forged'), a[href*=evil])")
        assert made.count() == 0
    reader.open(f"{reader.served.pages['hostile']}?q=escape")
    assert "U+202E" in page.locator("main").inner_text()
