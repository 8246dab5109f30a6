"""The catalogue file: what it may say, and how mistakes in it are told."""

from pathlib import Path

import pytest

from regrade.errors import SpecError, UsageError
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.gateway.upstreams import EXAMPLE, keyless, read_upstreams

SHIPPED = {
    "deepseek-v4-flash": 1_048_576,
    "google/gemma-4-26b-a4b-it": 262_144,
    "meta-llama/llama-4-maverick": 1_048_576,
    "minimax/minimax-m2.7": 196_608,
    "mistralai/mistral-small-2603": 262_144,
    "qwen/qwen3.5-35b-a3b": 262_144,
    "x-ai/grok-4.1-fast": 2_000_000,
    "xiaomi/mimo-v2-flash": 262_144,
    "z-ai/glm-4.7-flash": 262_144,
    "Kimi-K2.6": 262_144,
    "FW-MiniMax-M2.5": 196_608,
}


def written(folder: Path, text: str) -> Path:
    """Return a catalogue that says this."""
    path = folder / "models.yaml"
    path.write_text(text)
    return path


def test_the_example_holds_these_models() -> None:
    """With their windows, each with an address and the variable of a key."""
    found = read_upstreams(EXAMPLE)
    assert {one.id: one.context_window for one in found} == SHIPPED
    assert all(one.base_url.startswith("https://") and one.api_key_env for one in found)


def test_the_catalogue_by_example_is_valid(tmp_path: Path) -> None:
    """That of docs/gateway.md passes the check, and says what the text around it does."""
    text = (Path(__file__).parents[2] / "docs/gateway.md").read_text(encoding="utf-8")
    block = text.split("```yaml\n")[1].split("```")[0]
    shared, local = read_upstreams(written(tmp_path, block))
    assert (shared.api_key_env, shared.max_connections, shared.prompt_price) == (
        "OPENROUTER_API_KEY",
        64,
        0.25,
    )
    assert (local.base_url, local.api_key_env, local.mode) == ("http://localhost:8080/v1", None, "forward")


def test_models_share_what_their_upstream_says(tmp_path: Path) -> None:
    """What a model says itself lies over it."""
    path = written(
        tmp_path,
        "upstreams:\n"
        "  one: {base_url: 'https://one.example/v1/', api_key_env: ONE, max_connections: 8, timeout: 60}\n"
        "models:\n"
        "  a: {upstream: one, context_window: 100, price: {prompt: 1, completion: 2.5}}\n"
        "  b: {upstream: one, api_key_env: OTHER_KEY, max_connections: 2, timeout: 5, mode: replay}\n"
        "  c: {base_url: 'http://localhost:8000/v1'}\n",
    )
    url = "https://one.example/v1"
    assert read_upstreams(path) == (
        Upstream("a", url, "ONE", 100, 8, 60, 1, 2.5),
        Upstream("b", url, "OTHER_KEY", None, 2, 5, mode="replay"),
        Upstream("c", "http://localhost:8000/v1"),
    )


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("models: {a: {base_ulr: 'https://x/v1'}}", ":1:14", 'did you mean "base_url"'),
        ("models: {a: {base_url: 'https://x', price: {promt: 1, completion: 1}}}", ":1:45", '"prompt"'),
        ("upstream: {}\nmodels: {a: {base_url: 'https://x'}}", ":1:1", '"upstreams"'),
        ("models: {a: {upstream: b}}", ":1:24", 'no upstream "b"'),
        ("models: {a: }", ":1:10", "where it runs"),
        ("models: {}", ":1:9", "must not be empty"),
        ("upstreams: {}", ":1:1", '"models" is missing'),
        ("models: {a: {base_url: 'ftp://x'}}", ":1:24", "must begin with http"),
        ("models: {a: {base_url: 'https://x', context_window: 0}}", ":1:53", "at least 1"),
        ("models: {a: {base_url: 'https://x', mode: record-all}}", ":1:43", "must be 'forward', 'record'"),
        ("models: {5: {base_url: 'https://x'}}", ":1:10", "quotes"),
        ("models: {a: {base_url: 'https://x'}, a: {base_url: 'https://y'}}", ":1:", "twice"),
        (
            "upstreams: {u: {base_url: 'https://x'}}\nmodels: {a: {upstream: u, base_url: 'https://y'}}",
            ":2:27",
            "a model has one",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, where: str, words: str) -> None:
    """File, line and column, and what to do."""
    with pytest.raises(SpecError) as caught:
        read_upstreams(written(tmp_path, text))
    assert f"models.yaml{where}" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "api_key: sk-abc-secret",
        "key: sk-abc-secret",
        "headers: {Authorization: Bearer sk-abc-secret}",
        "api_key_env: sk-abc-secret",
        "base_url: https://user:sk-abc-secret@host/v1",
        "base_url: https://host/v1?key=sk-abc-secret",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    """It belongs into the environment, and so it is not shown on a terminal either."""
    base = "" if "base_url" in line else "    base_url: https://host/v1\n"
    with pytest.raises(SpecError) as caught:
        read_upstreams(written(tmp_path, f"models:\n  a:\n{base}    {line}\n"))
    assert "secret" not in str(caught.value)
    assert "models.yaml:" in str(caught.value)


def test_wanted_models_must_be_there(tmp_path: Path) -> None:
    """The nearest is named; the order is that of the file."""
    path = written(tmp_path, "models: {a1: {base_url: 'https://x'}, b1: {base_url: 'https://x'}}")
    assert [one.id for one in read_upstreams(path, ["b1", "a1"])] == ["a1", "b1"]
    with pytest.raises(UsageError, match=r'no model "a11"(.|\n)*did you mean "a1"\?'):
        read_upstreams(path, ["a11"])


def test_models_without_their_key_are_found() -> None:
    """Unset and empty are the same; a model that needs none is none of them."""
    models = [Upstream("a", "u", "A"), Upstream("b", "u", "B"), Upstream("c", "u"), Upstream("d", "u", "D")]
    assert keyless(models, {"A": "", "B": "sk"}) == {"a": "A", "d": "D"}
    with pytest.raises(UsageError, match="variable A holds what cannot be a key") as caught:
        keyless(models, {"A": "sk-two\nlines"})
    assert "sk-two" not in str(caught.value)


def test_settings_travel_as_json() -> None:
    """The serving process gets what was asked for."""
    settings = GatewaySettings(
        demo=("demo/v1",),
        upstreams=(Upstream("a", "https://x", "K", 5, 6, 7.5, 0.1, 0.2, "forward"),),
        only=("a",),
        record="dir",
        redact=("$.user",),
        redact_patterns=("x+",),
        log="-",
        log_prompts=True,
    )
    assert GatewaySettings.decode(settings.encode()) == settings


def test_an_unknown_upstream_is_told_with_the_other_faults(tmp_path: Path) -> None:
    """A wrong number elsewhere does not hide it."""
    path = tmp_path / "models.yaml"
    path.write_text(
        "upstreams: {router: {base_url: 'http://x', timeout: -1}}\nmodels: {a: {upstream: rooter}}\n"
    )
    with pytest.raises(SpecError) as caught:
        read_upstreams(path)
    assert len(caught.value.problems) == 2
    assert 'did you mean "router"?' in str(caught.value)
