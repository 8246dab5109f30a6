"""Answers that attack whoever reads them: shown as text, cut where they are long, never run."""

import contextlib
import csv
import io
import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest

import regrade
from regrade.addresses import SamplesAddress, sample_ref
from regrade.dashboard.settings import DashboardSettings
from regrade.types import Key

MEGABYTES = 10 * 1024 * 1024
TEXTS = {
    "html": '<b onclick="alert(1)">bold</b><iframe src="http://x.example"></iframe></p></article></main>',
    "script": "<script>alert(document.cookie)</script><SCRIPT SRC=//x.example/a.js></SCRIPT>",
    "svg": '<svg onload="alert(1)"><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "links": "# Head\n\n[here](javascript:alert(1)) [there](http://x.example/?q=secret) <http://auto.example>\n"
    '\n![picture](http://x.example/pixel.png "t") <img src=x onerror=alert(1)>'
    "\n\n[ref]\n\n[ref]: data:text/html,x",
    "fence": 'Read:\n\n```html" onclick="alert(1)\n<script>alert(1)</script>\n```\n'
    "\n| a | b |\n|--:|---|\n| 1 | <i>2 |\n",
    "json": '{"a": "<script>alert(1)</script>", "b": ["\\u202e", "</pre>"]}',
    "ansi": "\x1b[2J\x1b[31mred\x1b]8;;http://x.example\x07link\x1b]8;;\x07 **bold**",
    "bidi": "user\u202e\u2066 // admin\u2069 \u200b\ufeff&#x202E;",
    "nul": "a\x00b **c\x00d**",
    "lone": "half \ud83d of **one** \udc00",
    "formula": '=HYPERLINK("http://x.example","click")',
    "quotes": "' ; touch owned ; ' \" $(touch owned) `touch owned` \\ !! \n\u2028x",
    "long": "<i>\u202e" + "x" * MEGABYTES,
    "empty": "",
}
TAGS = {
    "article", "a", "b", "button", "code", "dd", "details", "div", "dl", "dt", "em", "h2", "h3", "h4", "h5",
    "kbd", "li", "ol", "p", "pre", "section", "small", "span", "strong", "summary", "table", "tbody", "td",
    "th", "thead", "tr", "ul", "svg", "path", "rect", "circle", "title",
}  # fmt: skip

Suite = Callable[..., regrade.Run]


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, serving: Any
) -> Iterator[tuple[regrade.Run, Any]]:
    """Give a run whose ids, questions, targets, metadata, reasoning and answers are the texts."""
    folder = tmp_path_factory.mktemp("hostile")
    with contextlib.chdir(folder):
        short = {name: text for name, text in TEXTS.items() if name != "long"}
        rows = [
            {"id": name, "input": text, "target": text, "m": text, "<m>": name}
            for name, text in short.items()
        ]
        rows.append({"id": "long", "input": "long", "target": "x", "m": "y", "<m>": "long"})
        answers = [{"id": name, "text": text, "why": text[:500]} for name, text in TEXTS.items()]
        Path("o.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers))
        model = {"name": "<script>m", "outputs": "o.jsonl", "id": "id", "text": "text", "reasoning": "why"}
        dataset = {"rows": rows, "id": "id", "metadata": ["m", "<m>"]}
        run = suite(
            [model],
            name="hostile",
            dataset=dataset,
            scorers=["exact_match"],
        )
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        yield run, served


def story(hostile: tuple[regrade.Run, Any], name: str, **more: Any) -> Any:
    """Return the page of a sample."""
    run, served = hostile
    key = Key("hostile", "default", "<script>m", name, 1)
    return served.get(SamplesAddress(run.id, open=sample_ref(key), **more).url())


def check(element: Element) -> None:
    """Assert that nothing in an element does anything: known tags, no handler, no style, own links."""
    for one in element.iter():
        tag = str(one.tag).rpartition("}")[2]
        assert tag in TAGS, tag
        for name, value in one.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"style", "src", "srcset", "action", "formaction"}, name
            assert "href" not in name or value.startswith("/run/"), value


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("view", ["rendered", "raw"])
def test_nothing_in_a_story_does_anything(hostile: tuple[regrade.Run, Any], name: str, view: str) -> None:
    """Whatever a model says stays within its article, as text."""
    page = story(hostile, name, view=view)
    assert page.status == 200
    (article,) = page.find(".//article")
    check(article)
    assert page.find(".//footer")  # nothing closed what it stands in
    assert len(page.body) < 120_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("html", '<b onclick="alert(1)">bold</b>'),
        ("script", "<script>alert(document.cookie)</script>"),
        ("svg", '<svg onload="alert(1)">'),
        ("links", "here (javascript:alert(1)) there (http://x.example/?q=secret) http://auto.example"),
        ("links", "image: picture (http://x.example/pixel.png)"),
        ("links", "<img src=x onerror=alert(1)>"),
        ("fence", "<script>alert(1)</script>"),
        ("ansi", "ESC[2JESC[31mredESC]8;;http://x.exampleU+0007link"),
        ("bidi", "userU+202EU+2066 // adminU+2069 U+200BU+FEFF"),
        ("nul", "aU+0000b cU+0000d"),
        ("lone", "half \\ud83d of one \\udc00"),
    ],
)
def test_what_hides_is_shown(hostile: tuple[regrade.Run, Any], name: str, shown: str) -> None:
    """Markup as its characters, addresses beside their words, invisible characters as code points."""
    (said,) = story(hostile, name).words(".//article/section[1]/div[@class='msg assistant']")
    assert shown in said


def test_no_hidden_character_reaches_a_page(hostile: tuple[regrade.Run, Any]) -> None:
    """Neither in the table nor in a story, not even by a character reference in Markdown."""
    for name in ("ansi", "bidi", "nul", "lone", "json"):
        text = story(hostile, name).text
        for sign in ("\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud83d", "\ue000"):
            assert sign not in text


def test_answers_are_shown_as_what_they_are(hostile: tuple[regrade.Run, Any]) -> None:
    """JSON laid out, Markdown set, with headings below those of the page."""
    page = story(hostile, "json")
    assert "shown as JSON" in page.text
    answer = page.find(".//div[@class='msg assistant']/pre")[0]
    assert "".join(answer.itertext()).startswith('{\n  "a": "<script>')
    page = story(hostile, "links")
    assert "shown as Markdown" in page.text
    assert [one.text for one in page.find(".//div[@class='md']/h4")] == ["Head"]
    assert "shown as" not in story(hostile, "html").text


def test_a_long_answer_is_cut(hostile: tuple[regrade.Run, Any]) -> None:
    """10 MB are 4,000 characters and a link; the rest comes in stretches, or as a file, whole."""
    run, served = hostile
    page = story(hostile, "long")
    assert f"first 4,000 of {MEGABYTES + 4:,} characters" in page.words(".//article")[0]
    href = next(one.attrib["href"] for one in page.find(".//article//a") if one.text == "show all")
    first = served.get(href)
    assert first.words(".//p[@class='sub']")[-1] == f"characters 1 to 200,000 of {MEGABYTES + 4:,}"
    assert first.words(".//pre")[0].startswith("<i>U+202Exxx")
    assert len(first.body) < 250_000
    second = served.get(first.find(".//a[@rel='next']")[0].attrib["href"])
    assert second.words(".//p[@class='sub']")[-1].startswith("characters 200,001 to 400,000")
    saved = served.get(href.replace("/text?", "/text/file?"))
    assert saved.body.decode() == TEXTS["long"]
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert run.id in href


def test_the_table_shows_them_as_text(hostile: tuple[regrade.Run, Any]) -> None:
    """On one line each, cut, with any column."""
    run, served = hostile
    for cols in ((), ("text", "messages", "meta.m", "meta.<m>", "reasoning")):
        page = served.get(SamplesAddress(run.id, cols=cols).url())
        (table,) = page.find(".//div[@class='list']//table")
        for one in table.iter():
            assert str(one.tag).rpartition("}")[2] in {
                "table", "caption", "thead", "tbody", "tr", "th", "td", "a", "i", "span", "svg", "use",
            }  # fmt: skip
        assert len(page.body) < 120_000


@pytest.mark.parametrize("name", ["html", "bidi", "quotes", "formula", "links"])
def test_a_filter_may_be_any_text(hostile: tuple[regrade.Run, Any], name: str) -> None:
    """It is looked for as it is, and stands in the form as it is."""
    run, served = hostile
    text = TEXTS[name].partition("\n")[0]
    page = served.get(f"/run/{run.id}/samples?q={quote(text)}")
    assert page.status == 200
    assert name in page.words(".//tbody/tr/td/a")
    page = served.get(f"/run/{run.id}/samples?{quote(f'meta.{text}')}={quote(text)}&model={quote(text)}")
    page = served.get(page.headers["location"]) if page.status == 303 else page
    assert page.status == 200
    assert "No sample fits" in page.words(".//div[@class='list']")[0]


def test_exports_start_no_formula(hostile: tuple[regrade.Run, Any]) -> None:
    """A spreadsheet gets it behind an apostrophe; JSON has the text itself."""
    run, served = hostile
    address = SamplesAddress(run.id, cols=("text",), q="HYPERLINK")
    (row,) = csv.DictReader(io.StringIO(served.get(address.url() + "&format=csv").text))
    assert row["text"] == "'" + TEXTS["formula"]
    (record,) = json.loads(served.get(address.url() + "&format=json").body)
    assert record["text"] == TEXTS["formula"]


@pytest.mark.parametrize("name", [one for one in TEXTS if one != "long"])
def test_a_command_holds_hostile_text_as_one_word(name: str, tmp_path: Path) -> None:
    """A shell passes the body on as it is and runs nothing of it; the key is the reader's own variable."""
    from regrade.report.curl import curl_command

    text = TEXTS[name].encode("utf-8", "backslashreplace").decode()
    model = {
        "id": text,
        "provider": "openai",
        "base_url": "https://user:hunter2@x.example/v1",
        "api_key_env": "MY_KEY",
        "endpoint": "chat",
    }
    command = curl_command(model, [{"role": "user", "content": text}], {"stop": [text]})
    assert command.isascii()
    assert not {sign for sign in command if sign < " "} - {"\n"}
    assert "hunter2" not in command
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + command
    env = {"MY_KEY": "from the environment", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, cwd=tmp_path, env=env)
    words = done.stdout.decode().split("\0")
    assert "https://x.example/v1/chat/completions" in words
    assert "Authorization: Bearer from the environment" in words
    body = json.loads(words[words.index("--data-raw") + 1])
    assert body == {"model": text, "messages": [{"role": "user", "content": text}], "stop": [text]}
    assert list(tmp_path.iterdir()) == []
    assert shlex.split(command.replace("\\\n", ""))[0] == "curl"


@pytest.mark.parametrize("name", ["1;x", "A B", "", "X\nY", "$(x)"])
def test_a_command_takes_names_of_variables_alone(name: str) -> None:
    """What is none is left out."""
    from regrade.report.curl import curl_command

    model = {"id": "m", "base_url": "http://127.0.0.1:1/v1", "api_key_env": name}
    assert "Authorization" not in curl_command(model, [], {})
