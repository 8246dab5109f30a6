"""Each attempt at a sample, from the executor to the story and to `regrade show`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.addresses import SamplesAddress
from regrade.cli.main import main

KEY = "only-this-server-knows-it"


def test_every_attempt_is_told_and_none_tells_the_key(
    run: Callable[..., regrade.Run],
    serve: Any,
    answer: Any,
    dashboard: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What failed, how, and what was waited for; a sample that was answered at once has no such list."""

    async def busy(_: web.Request, body: dict[str, Any]) -> web.Response:
        tried = sum(one["messages"] == body["messages"] for one in endpoint.bodies)
        if body["messages"][0]["content"] == "0+1" and tried <= 2:
            refused = {"error": f"<b>busy</b> \x1b[31m for {KEY}"}
            return web.json_response(refused, status=(429, 503)[tried - 1], headers={"Retry-After": "0"})
        return web.json_response(answer("1"))

    endpoint = serve(busy)
    monkeypatch.setenv("BUSY_API_KEY", KEY)
    model = {"name": "busy", "base_url": endpoint.base_url, "model": "m", "api_key_env": "BUSY_API_KEY"}
    found = run([model], count=2)
    told = dict(zip(*(found.samples[name].to_pylist() for name in ("sample_id", "attempt_log")), strict=True))
    assert told["s1"] is None
    log = json.loads(told["s0"])
    assert [(one["n"], one.get("kind"), one.get("status"), one.get("why")) for one in log] == [
        (1, "rate_limit", 429, "retry_after"),
        (2, "server_error", 503, "retry_after"),
        (3, None, None, None),
    ]
    assert all(KEY.encode() not in path.read_bytes() for path in Path("results").rglob("*") if path.is_file())

    page = dashboard().get(SamplesAddress(found.id, open="s0").url())
    table = ".//section[@aria-labelledby='at']//tbody/tr"
    assert page.words(f"{table}/th") == ["1", "2", "3"]
    began, _, outcome, then = page.words(f"{table}/td")[:4]
    assert (began, outcome) == ("0 s", "rate limit: HTTP 429: <b>busy</b> ESC[31m for [redacted]")
    assert then.endswith(" (Retry-After)")
    assert page.words(f"{table}/td")[-2:] == ["answered", ""]
    capsys.readouterr()
    assert main(["show", "--sample", "s0"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "server error: HTTP 503: <b>busy</b> <U+001B>[31m for [redacted]; then waited " in shown


def test_a_run_of_an_older_regrade_tells_the_sums(
    run: Callable[..., regrade.Run], model: Callable[..., dict[str, Any]], dashboard: Any
) -> None:
    """How many attempts failed and how long that took, where no table has them one by one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = run([model("m", 0)], count=1)
    path = found.folder.table_path("samples")
    table = pq.read_table(path).drop_columns(["attempt_log"])
    for name, value in (("attempts", 3), ("retry_s", 4.5)):
        place = table.schema.get_field_index(name)
        table = table.set_column(
            place, table.schema.field(name), pa.array([value], table.schema.types[place])
        )
    pq.write_table(table, path)
    page = dashboard().get(SamplesAddress(found.id, open="s0").url())
    assert "2 attempts failed, with the waits behind them 4.50 s" in page.words(".//section/ol/li")
