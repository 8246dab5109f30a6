"""Images and sounds from datasets of several kinds to a real endpoint, and what the tables keep of them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

import regrade
from regrade.cli.main import main
from regrade.errors import DatasetError

HEAD = b"\x89PNG\r\n\x1a\n"


def picture(number: int) -> bytes:
    """Return an image; each number has its own."""
    return HEAD + bytes([number]) * 50_000


def url(number: int) -> str:
    """Return what the endpoint is to get."""
    return f"data:image/png;base64,{base64.b64encode(picture(number)).decode()}"


@pytest.fixture
def run_of(workdir: Path, serve: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return what writes a spec over a dataset in the folder `data` and gives the endpoint."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(answer("cat"))

    def write(dataset: dict[str, Any], part: dict[str, Any] | None = None) -> Any:
        endpoint = serve(handle)
        content = [{"text": "What is {{ id }}?"}, part or {"image": "picture"}]
        spec = {
            "name": "pictures",
            "dataset": dataset,
            "models": [{"name": "m", "base_url": endpoint.base_url}],
            "prompt": {"messages": [{"role": "user", "content": content}]},
            "scorers": [{"includes": ["cat"]}],
        }
        Path("spec.yaml").write_text(json.dumps(spec))
        return endpoint

    (workdir / "data/pictures").mkdir(parents=True)
    return write


def jsonl(*rows: dict[str, Any]) -> dict[str, Any]:
    """Write rows and return the dataset."""
    Path("data/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"path": "data/rows.jsonl"}


def sent(endpoint: Any) -> dict[str, str]:
    """Return what the endpoint got, by question."""
    contents = [body["messages"][0]["content"] for body in endpoint.bodies]
    return {parts[0]["text"]: parts[1]["image_url"]["url"] for parts in contents}


def test_paths_are_relative_to_the_dataset_and_tables_stay_small(run_of: Callable[..., Any]) -> None:
    """The endpoint gets the content, journal and tables a line about it."""
    for number in (1, 2):
        Path(f"data/pictures/{number}.png").write_bytes(picture(number))
    rows = [{"id": f"p{number}", "picture": f"pictures/{number}.png"} for number in (1, 2)]
    endpoint = run_of(jsonl(*rows))
    run = regrade.run("spec.yaml")
    assert sent(endpoint) == {"What is p1?": url(1), "What is p2?": url(2)}
    kept = run.samples.to_pylist()
    part = json.loads(kept[0]["messages"])[0]["content"][1]
    assert part["image_url"]["url"].startswith("[image/png, 50,008 bytes, blake2b ")
    assert kept[0]["hash"] != kept[1]["hash"]
    assert sum(path.stat().st_size for path in run.folder.path.iterdir()) < 50_000


@pytest.mark.parametrize("shuffle", [False, True])
def test_bytes_of_a_parquet_file_are_sent(run_of: Callable[..., Any], shuffle: bool) -> None:
    """Plain bytes and the hub's `{bytes, path}`, shuffled or not; inputs and metadata stay short."""
    table = pa.table(
        {
            "id": ["a", "b"],
            "picture": [{"bytes": picture(1), "path": "1.png"}, {"bytes": picture(2), "path": None}],
            "raw": [picture(1), picture(2)],
        }
    )
    pq.write_table(table, "data/rows.parquet")
    dataset = {"path": "data/rows.parquet", "metadata": "*", "shuffle": shuffle}
    for part in ({"image": "picture"}, {"image": "{{ raw }}"}):
        endpoint = run_of(dataset, part)
        run = regrade.run("spec.yaml")
        assert sent(endpoint) == {"What is a?": url(1), "What is b?": url(2)}
        assert all(len(row["input"]) + len(row["metadata"]) < 1000 for row in run.samples.to_pylist())


def test_images_of_a_hugging_face_dataset_are_sent_undecoded(run_of: Callable[..., Any]) -> None:
    """The stored bytes go out as they are; nothing is decoded and encoded again."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"id": datasets.Value("string"), "picture": datasets.Image()})
    table = pa.table({"id": ["a"], "picture": [{"bytes": picture(3), "path": None}]}, features.arrow_schema)
    datasets.Dataset(table, datasets.DatasetInfo(features=features)).save_to_disk("data/saved")
    endpoint = run_of({"hf": {"disk": "data/saved"}})
    regrade.run("spec.yaml")
    assert sent(endpoint) == {"What is a?": url(3)}


def test_the_prompt_may_name_another_folder(run_of: Callable[..., Any]) -> None:
    """`folder` is relative to the spec, and paths stay below it."""
    Path("elsewhere").mkdir()
    Path("elsewhere/1.png").write_bytes(picture(1))
    endpoint = run_of(
        jsonl({"id": "a", "picture": "1"}), {"image": "{{ picture }}.png", "folder": "elsewhere"}
    )
    regrade.run("spec.yaml")
    assert sent(endpoint) == {"What is a?": url(1)}


def test_a_missing_file_stops_the_run_before_it_costs(
    run_of: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line of the row, the sample, the path; `validate` says the same."""
    Path("data/pictures/1.png").write_bytes(picture(1))
    rows = [{"id": "a", "picture": "pictures/1.png"}, {"id": "b", "picture": "pictures/2.png"}]
    endpoint = run_of(jsonl(*rows))
    message = 'data/rows.jsonl:2: sample "b": image: pictures/2.png: no such file'
    with pytest.raises(DatasetError) as caught:
        regrade.run("spec.yaml")
    assert str(caught.value).startswith(message)
    assert endpoint.bodies == []
    assert main(["validate", "spec.yaml"]) == 2
    assert message in capsys.readouterr().err


def test_validate_says_what_would_be_sent(
    run_of: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Name, type, size and hash of the first sample's file."""
    Path("data/pictures/1.png").write_bytes(picture(1))
    run_of(jsonl({"id": "a", "picture": "pictures/1.png"}), {"image": "picture", "detail": "high"})
    assert main(["validate", "spec.yaml"]) == 0
    out = capsys.readouterr().out
    assert "image 1.png [image/png, 50,008 bytes, blake2b " in out
    assert "detail high" in out


def test_a_python_function_sees_what_an_endpoint_would_get(run_of: Callable[..., Any]) -> None:
    """The content is in the messages that it is called with."""
    Path("data/pictures/1.png").write_bytes(picture(1))
    run_of(jsonl({"id": "a", "picture": "pictures/1.png"}))
    spec = json.loads(Path("spec.yaml").read_text())
    spec["models"] = [{"name": "m", "python": "model.py:answer"}]
    Path("spec.yaml").write_text(json.dumps(spec))
    Path("model.py").write_text(
        "def answer(request):\n    return request.messages[0]['content'][1]['image_url']['url'][:30]\n"
    )
    row = regrade.run("spec.yaml").samples.to_pylist()[0]
    assert row["text"] == "data:image/png;base64,iVBORw0K"


def test_conversations_may_hold_images(run_of: Callable[..., Any]) -> None:
    """A path or data URL in a dataset's conversation is read like any other."""
    Path("data/pictures/1.png").write_bytes(picture(1))
    turns = [
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": name}, {"type": "image_url", "image_url": one}],
            }
        ]
        for name, one in (("a", {"url": "pictures/1.png"}), ("b", {"url": url(2)}))
    ]
    rows = [{"id": name, "turns": one} for name, one in zip("ab", turns, strict=True)]
    endpoint = run_of(jsonl(*rows))
    spec = json.loads(Path("spec.yaml").read_text())
    spec["prompt"] = {"messages": "turns"}
    Path("spec.yaml").write_text(json.dumps(spec))
    run = regrade.run("spec.yaml")
    assert sent(endpoint) == {"a": url(1), "b": url(2)}
    assert all(len(row["messages"]) < 500 for row in run.samples.to_pylist())


def test_a_changed_picture_is_asked_again_on_resume(run_of: Callable[..., Any]) -> None:
    """The hash covers the content: what was asked with another picture is no answer to this one."""
    rows = [{"id": name, "picture": f"pictures/{name}.png"} for name in "ab"]
    for number, name in enumerate("ab"):
        Path(f"data/pictures/{name}.png").write_bytes(picture(number))
    endpoint = run_of(jsonl(*rows))
    run = regrade.run("spec.yaml")
    assert regrade.run(resume=run.id).status == "success"
    assert len(endpoint.bodies) == 2
    Path("data/pictures/b.png").write_bytes(picture(7))
    regrade.run(resume=run.id)
    assert len(endpoint.bodies) == 3
    assert endpoint.bodies[2]["messages"][0]["content"][1]["image_url"]["url"] == url(7)
