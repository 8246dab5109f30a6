"""Who may read, from where, and what every answer carries."""

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.dashboard.settings import DashboardSettings
from regrade.errors import UsageError

Start = Callable[..., Any]
TOKEN = "correct-horse-battery"


def test_every_answer_forbids_what_a_page_does_not_need(dashboard: Start, two_models: regrade.Run) -> None:
    """Pages, files, errors, redirects run no script but ours and load nothing from elsewhere."""
    served = dashboard()
    style = served.get("/").find(".//head/link[@rel='stylesheet']")[0].attrib["href"]
    for path in ("/", style, "/nothing", "/?theme=dark", "/static/x", "/?format=csv"):
        headers = served.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_pages_hold_no_script_and_no_style_of_their_own(dashboard: Start, two_models: regrade.Run) -> None:
    """The policy would stop them, so none may be there."""
    page = dashboard().get("/")
    assert page.status == 200
    assert [one.attrib.keys() - {"type", "src"} for one in page.find(".//script")] == [set()]
    assert page.find(".//style") == []
    assert [one for one in page.tree.iter() if {"style", "onclick", "onload"} & one.attrib.keys()] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_nothing_but_reading_is_understood(dashboard: Start, two_models: regrade.Run, method: str) -> None:
    """Other methods are answered with 405 and what there is."""
    answer = dashboard().get("/", method=method, body=b"x")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_get_without_a_body(dashboard: Start, two_models: regrade.Run) -> None:
    """HEAD of a page says that it is there and sends nothing."""
    answer = dashboard().get("/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "", "127.0.0.2",
     "a b", "[::1", "localhost:80x", "10.0.0.1"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(
    dashboard: Start, two_models: regrade.Run, host: str
) -> None:
    """DNS rebinding sends the attacker's name as the host: nothing is read by that."""
    answer = dashboard().get("/", Host=host)
    assert answer.status in {400, 421}
    assert b"sums" not in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9", "[::1]:80", "localhost."])
def test_this_machine_goes_by_its_own_names(dashboard: Start, two_models: regrade.Run, host: str) -> None:
    """Loopback is asked by any of its names, and by any port: a tunnel may have another one."""
    assert dashboard().get("/", Host=host).status == 200


def test_more_names_can_be_allowed(dashboard: Start, two_models: regrade.Run) -> None:
    """`--allow-host` is for a proxy that passes its own name on."""
    served = dashboard(behind_proxy=True, allow_hosts=("evals.example",))
    assert served.get("/", Host="evals.example").status == 200
    assert served.get("/", Host="other.example").status == 421


def test_a_server_on_all_addresses_is_asked_by_any_address_and_by_no_name(
    dashboard: Start, two_models: regrade.Run
) -> None:
    """An address cannot be rebound; a name can."""
    served = dashboard(host="0.0.0.0", token=TOKEN)
    served.headers["Authorization"] = f"Bearer {TOKEN}"
    assert served.get("/", Host="192.0.2.7:8000").status == 200
    assert served.get("/", Host="[2001:db8::7]").status == 200
    assert served.get("/", Host="evil.example").status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_other_sites_read_nothing(dashboard: Start, two_models: regrade.Run, headers: dict[str, str]) -> None:
    """Scripts, images and frames of other sites are refused before any page is made."""
    answer = dashboard().get("/", **headers)
    assert answer.status == 403
    assert b"sums" not in answer.body


def test_a_link_from_elsewhere_and_own_script_are_followed(dashboard: Start, two_models: regrade.Run) -> None:
    """A link in a chat opens; the page's own requests are answered."""
    served = dashboard()
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    own = {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"}
    assert served.get("/", **link).status == 200
    assert served.get("/", **own, Origin=f"http://127.0.0.1:{served.port}").status == 200


def test_without_the_token_nothing_is_told(dashboard: Start, two_models: regrade.Run) -> None:
    """Not a page, not a table, not whether an address exists; the style sheet alone is anybody's."""
    served = dashboard(token=TOKEN)
    for path in (
        "/",
        "/?format=json",
        "/nothing",
        f"/run/{two_models.id}",
        "/?token=wrong-horse",
        "/?token=",
    ):
        answer = served.get(path)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert two_models.id not in answer.text
        assert "sums" not in answer.text
        assert TOKEN not in answer.text
    style = served.get("/").find(".//head/link[@rel='stylesheet']")[0].attrib["href"]
    assert served.get(style).status == 200


@pytest.mark.parametrize(
    "key", ["Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \xff"]
)
def test_only_the_token_is_the_token(dashboard: Start, two_models: regrade.Run, key: str) -> None:
    """Anything else is refused the same way."""
    assert dashboard(token=TOKEN).get("/", Authorization=key).status == 401


def test_the_token_goes_as_a_header(dashboard: Start, two_models: regrade.Run) -> None:
    """Programs send it as Bearer."""
    assert dashboard(token=TOKEN).get("/", Authorization=f"Bearer {TOKEN}").status == 200


def test_the_token_in_an_address_becomes_a_cookie(dashboard: Start, two_models: regrade.Run) -> None:
    """It leaves the address at once; the cookie is not the token, and no script reads it."""
    served = dashboard(token=TOKEN)
    answer = served.get(f"/?eval=su*&token={TOKEN}")
    assert (answer.status, answer.headers["location"]) == (303, "/?eval=su%2A")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    again = served.get("/", Cookie=cookie.split(";")[0])
    assert again.status == 200
    assert served.get("/", Cookie=cookie.split(";")[0] + "0").status == 401


def test_a_cookie_of_another_token_opens_nothing(dashboard: Start, two_models: regrade.Run) -> None:
    """Two dashboards of a host have cookies of their own."""
    first, second = dashboard(token=TOKEN), dashboard(token="another-token-altogether")
    cookie = first.get(f"/?token={TOKEN}").headers["set-cookie"].split(";")[0]
    assert second.get("/", Cookie=cookie).status == 401
    assert first.get("/", Cookie=cookie).status == 200


def test_a_redirect_leads_nowhere_else(dashboard: Start, two_models: regrade.Run) -> None:
    """An address with two slashes would be another host's."""
    served = dashboard(token=TOKEN)
    for path in (f"//evil.example/?token={TOKEN}", f"///evil.example/%2e%2e?token={TOKEN}"):
        assert served.get(path).headers["location"].startswith("/evil.example/")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "evals.example"])
def test_an_address_that_others_reach_needs_a_token(host: str) -> None:
    """Nothing is served there by mistake."""
    with pytest.raises(UsageError, match="other machines reach"):
        DashboardSettings(host).check()
    DashboardSettings(host, token=TOKEN).check()
    DashboardSettings(host, behind_proxy=True).check()


def test_a_token_that_can_be_guessed_is_refused_and_none_is_printed() -> None:
    """Seven characters are too few; settings do not show the token when they are printed."""
    with pytest.raises(UsageError, match="can be guessed"):
        DashboardSettings(token="1234567").check()
    assert TOKEN not in repr(DashboardSettings(token=TOKEN))


def test_a_broken_request_line_is_no_fault_of_ours(dashboard: Start, two_models: regrade.Run) -> None:
    """Bytes that are no HTTP end with the connection; the server goes on."""
    served = dashboard()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.connect()
    assert connection.sock is not None
    connection.sock.sendall(b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.sock.recv(100)
    connection.close()
    assert served.get("/").status == 200


def test_reading_leaves_no_trace_in_the_results(dashboard: Start, two_models: regrade.Run) -> None:
    """Not a file is new or other than it was."""
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")}
    served = dashboard()
    for path in ("/", "/?format=parquet", "/search?q=sums", "/?format=html"):
        served.get(path)
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")} == before
