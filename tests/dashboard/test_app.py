"""What all pages have in common: paths, formats, choices, errors."""

import io
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import regrade
from regrade.addresses import Address, OverviewAddress, RunAddress
from regrade.dashboard.app import PAGES
from regrade.dashboard.exports import Export, respond
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.site import Site
from regrade.errors import QueryStoppedError, StoreError
from regrade.pages.errors import error_page
from regrade.views import NoticeView

Start = Callable[..., Any]


@pytest.mark.parametrize(
    "path",
    ["/run/..%2f..%2fetc%2fpasswd", "/run/%2e%2e/run.json", "/static/../regrade.js", "/static/..%2fapp.py",
     "/static/%2e%2e%2f%2e%2e%2ferrors.py", "/../../etc/passwd", "/static//etc/passwd", "/run/sums.yaml",
     "/%00", "/run/%ff"],
)  # fmt: skip
def test_no_path_leads_out_of_the_results(dashboard: Start, two_models: regrade.Run, path: str) -> None:
    """What is no page, no run and no file of the pages is not there."""
    answer = dashboard().get(path)
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_a_page_that_is_not_there_says_so(dashboard: Start, two_models: regrade.Run) -> None:
    """The error is a page like others, with the way back."""
    answer = dashboard().get("/nothing")
    assert answer.status == 404
    assert answer.words(".//h1") == ["No such page"]
    assert answer.find(".//main//a[@href='/']")


def test_a_fault_shows_a_number_and_nothing_of_its_inside(
    dashboard: Start, two_models: regrade.Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Reader and log have the same number; where it happened stands in the log alone, on one line."""

    def broken(site: Site, asked: Asked[OverviewAddress]) -> Shown:
        raise ValueError("secret\n\x1b[31minside")

    answer = dashboard(pages=(Page(OverviewAddress, broken),)).get("/")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (record,) = [one for one in caplog.records if one.name == "regrade.dashboard"]
    number = record.getMessage().split()[0]
    assert number in answer.text
    assert "ValueError: secret [ESC][31minside (" in record.getMessage()
    assert "test_app.py" in record.getMessage()


def test_an_error_of_regrade_is_told_as_it_is(dashboard: Start, two_models: regrade.Run) -> None:
    """A message made for people reaches them with its hint, and its markup as text."""

    def damaged(site: Site, asked: Asked[OverviewAddress]) -> Shown:
        raise StoreError("<b>scores.parquet</b> is cut", hint="make it again")

    answer = dashboard(pages=(Page(OverviewAddress, damaged),)).get("/")
    assert answer.status == 503
    assert "<b>scores.parquet</b> is cut" in answer.words(".//main")[0]
    assert "make it again" in answer.words(".//main")[0]


def test_a_parameter_that_means_nothing_is_named(dashboard: Start, two_models: regrade.Run) -> None:
    """The page is shown as if it were not there; hostile names are text."""
    answer = dashboard().get("/?colour=red&sort=%3Cb%3E&%E2%80%AE=1")
    assert answer.status == 200
    assert "Ignored: colour, sort=<b>, U+202E." in answer.words(".//main//div[@id='notices']")[0]


def test_equal_views_have_equal_addresses(dashboard: Start, two_models: regrade.Run) -> None:
    """A form sends every field; what is the default leaves the address, the rest gets its order."""
    answer = dashboard().get("/?sort=name&eval=su*&model=&since=any&baseline=&tag=")
    assert (answer.status, answer.headers["location"]) == (303, "/?eval=su*&sort=name")
    assert dashboard().get("/?eval=su*&sort=name").status == 200


def test_files_are_kept_for_ever_and_pages_are_not(dashboard: Start, two_models: regrade.Run) -> None:
    """A name with the hash of its content can be kept; a page has to be asked for."""
    served = dashboard()
    page = served.get("/")
    assert "no-cache" in page.headers["cache-control"]
    files = [one.attrib["href"] for one in page.find(".//head/link[@rel='stylesheet']")]
    files += [one.attrib["src"] for one in page.find(".//script")]
    kinds = {}
    for path in files:
        answer = served.get(path)
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
        kinds[path.rpartition(".")[2]] = answer.headers["content-type"].partition(";")[0]
    assert kinds == {"css": "text/css", "js": "text/javascript"}


def test_the_theme_is_a_cookie(dashboard: Start, two_models: regrade.Run) -> None:
    """`?theme=` returns to the same view; the cookie decides from then on; automatic takes it away."""
    served = dashboard()
    answer = served.get("/?eval=su*&theme=dark")
    assert (answer.status, answer.headers["location"]) == (303, "/?eval=su*")
    cookie = answer.headers["set-cookie"].split(";")[0]
    assert served.get("/", Cookie=cookie).find(".")[0].attrib["data-theme"] == "dark"
    assert "data-theme" not in served.get("/").find(".")[0].attrib
    assert "Max-Age=0" in served.get("/?theme=auto").headers["set-cookie"]
    assert "set-cookie" not in served.get("/?theme=%3Cscript%3E").headers
    assert "data-theme" not in served.get("/", Cookie="regrade-theme=x").find(".")[0].attrib


def test_single_keys_can_be_switched_off(dashboard: Start, two_models: regrade.Run) -> None:
    """The choice is a cookie too, and the page tells the script."""
    served = dashboard()
    cookie = served.get("/?keys=off").headers["set-cookie"].split(";")[0]
    assert served.get("/", Cookie=cookie).find("./body")[0].attrib["data-keys"] == "off"


ROWS: list[dict[str, Any]] = [
    {"name": "=cmd|'/C calc'!A0", "value": 0.1, "more": [1, 2]},
    {"name": "\ud800\u202e", "value": None},
]


def _exporting(site: Site, asked: Asked[OverviewAddress]) -> Shown:
    notice = NoticeView("x")
    return Shown("x", lambda frame: error_page(frame, notice), Export.of("my table/..", ROWS))


def test_tables_are_to_be_had_in_every_format(dashboard: Start, two_models: regrade.Run) -> None:
    """Exact numbers; formulas are defused in CSV alone; the file's name is harmless."""
    served = dashboard(pages=(Page(OverviewAddress, _exporting),))
    csv, found = served.get("/?format=csv"), served.get("/?format=json")
    assert csv.headers["content-disposition"] == 'attachment; filename="my-table.csv"'
    assert csv.text.splitlines()[0] == "name,value,more"
    assert csv.text.splitlines()[1].startswith("'=cmd")
    assert json.loads(found.body)[0] == {"name": "=cmd|'/C calc'!A0", "value": 0.1, "more": [1, 2]}
    table = pq.read_table(io.BytesIO(served.get("/?format=parquet").body))
    assert table.column("name").to_pylist()[0] == "=cmd|'/C calc'!A0"
    assert table.column("value").to_pylist() == [0.1, None]


def test_an_empty_table_is_a_table(dashboard: Start, two_models: regrade.Run) -> None:
    """Every format of no rows can be read."""
    served = dashboard()
    assert json.loads(served.get("/?eval=none&format=json").body) == []
    assert pq.read_table(io.BytesIO(served.get("/?eval=none&format=parquet").body)).num_rows == 0
    assert served.get("/?eval=none&format=csv").status == 200


def test_many_rows_are_written_as_they_come() -> None:
    """Nothing is asked of the second batch before the first is gone."""
    asked = []

    def batches() -> Any:
        for number in range(3):
            asked.append(number)
            yield [{"n": number}]

    answer = respond(Export("x", ("n",), batches), "csv")
    assert asked == []
    assert answer.headers["content-type"].startswith("text/csv")


def test_a_saved_page_needs_nothing_else(dashboard: Start, two_models: regrade.Run) -> None:
    """One file: styles inside under a policy of its own, no script, no link that leads nowhere, no form."""
    answer = dashboard().get("/?format=html")
    assert answer.headers["content-disposition"].startswith('attachment; filename="regrade-Overview')
    assert answer.find(".//script") == []
    assert answer.find(".//form") == []
    assert answer.find(".//head/link[@rel='stylesheet']") == []
    assert [
        one.attrib["href"] for one in answer.find(".//a") if not one.attrib.get("href", "#").startswith("#")
    ] == []
    (policy,) = [one.attrib["content"] for one in answer.find(".//meta") if one.attrib.get("http-equiv")]
    assert "default-src 'none'" in policy


def test_every_page_has_an_address_of_its_own() -> None:
    """No two pages share a path, and each is an `Address`."""
    paths = [one.address.PATH for one in PAGES]
    assert len(set(paths)) == len(paths)
    assert all(issubclass(one.address, Address) for one in PAGES)


def test_search_finds_by_part_and_goes_straight_to_a_whole_name(
    dashboard: Start, two_models: regrade.Run
) -> None:
    """Evals, models and runs; a full id leads to its run."""
    served = dashboard()
    found = served.get("/search?q=O")
    assert found.words(".//main//section//li/a") == ["good", "poor"]
    assert served.get(f"/search?q={two_models.id}").headers["location"] == RunAddress(two_models.id).url()
    assert served.get("/search?q=sums").headers["location"] == "/eval/sums"
    assert served.get("/search").headers["location"] == "/"
    none = served.get("/search?q=%3Cscript%3Ezz")
    assert none.status == 200
    assert none.words(".//h1") == ["Search: <script>zz"]


def test_a_page_is_a_document_without_script(dashboard: Start, two_models: regrade.Run) -> None:
    """It parses as HTML, has one main part, one first head and a way past the top bar."""
    answer = dashboard().get("/")
    assert len(answer.find(".//main")) == len(answer.find(".//h1")) == 1
    assert answer.find(".//a[@class='skip']")[0].attrib["href"] == "#main"
    assert answer.find(".")[0].attrib["lang"] == "en"
    assert "drawn in" in answer.words(".//footer")[0]


def test_a_results_folder_that_is_not_there_is_told(dashboard: Start, workdir: Path) -> None:
    """Nothing fails; the notice names it."""
    answer = dashboard("no-such-folder").get("/")
    assert answer.status == 200
    assert "no-such-folder" in answer.words(".//main//div[@id='notices']")[0]


def test_queries_stop_when_the_reader_goes_away(dashboard: Start, two_models: regrade.Run) -> None:
    """A page that nobody waits for any more does not keep the machine busy."""
    began, ended = threading.Event(), threading.Event()

    def show(_site: Site, asked: Asked[OverviewAddress]) -> Shown:
        began.set()
        try:
            while not ended.wait(0.01):
                asked.cancel.check()
        except QueryStoppedError:
            ended.set()
            raise
        return Shown("never", lambda _: "")

    served = dashboard(pages=(Page(OverviewAddress, show),))
    with socket.create_connection(("127.0.0.1", served.port)) as reader:
        reader.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert began.wait(30)
    assert ended.wait(30)
