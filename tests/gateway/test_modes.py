"""Flags and catalogue put together."""

from pathlib import Path
from typing import Any

import pytest

from regrade.errors import UsageError
from regrade.gateway.modes import Plan, Wish, plan
from regrade.gateway.settings import GatewaySettings

CATALOGUE = """
models:
  plain: {base_url: 'https://x/v1', api_key_env: X_KEY}
  taped: {base_url: 'https://x/v1', api_key_env: X_KEY, mode: replay}
  live: {base_url: 'https://x/v1', mode: forward}
"""


@pytest.fixture(autouse=True)
def _catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models.yaml").write_text(CATALOGUE)


def planned(env: dict[str, str] | None = None, models: Any = None, **flags: Any) -> Plan:
    """Return the plan of these flags."""
    wish = {name: flags.pop(name) for name in ("demo", "forward") if name in flags}
    return plan(Wish(**wish, models=models, settings=GatewaySettings(**flags)), env or {"X_KEY": "k"})


def modes(plan: Plan) -> dict[str, str | None]:
    """Return the mode of each upstream."""
    return {one.id: one.mode for one in plan.settings.upstreams}


def test_a_model_is_recorded_before_it_is_forwarded_before_it_is_replayed() -> None:
    """Its own mode comes before the server's."""
    both = planned(record="a", replay="b")
    assert modes(both) == {"plain": "record", "taped": "replay", "live": "forward"}
    assert modes(planned(forward=True, replay="b")) == {
        "plain": "forward",
        "taped": "replay",
        "live": "forward",
    }


def test_a_recording_alone_needs_no_catalogue() -> None:
    """And no key."""
    Path("models.yaml").unlink()
    found = planned({}, replay="b", models=["x"])
    assert (found.settings.upstreams, found.settings.only, found.keyless) == ((), ("x",), {})


def test_demo_models_are_recorded_without_a_catalogue() -> None:
    """`--record` forwards only where nothing else is to be recorded."""
    Path("models.yaml").unlink()
    assert planned(demo=True, record="a", models=["demo/v2"]).settings.demo == ("demo/v2",)


def test_models_of_both_kinds_can_be_chosen() -> None:
    """Each name is looked for where its kind is."""
    found = planned(demo=True, forward=True, replay=None, models=["live", "demo/v2"])
    assert (found.settings.demo, modes(found)) == (("demo/v2",), {"live": "forward"})


def test_a_model_without_its_key_is_shown_and_not_served() -> None:
    """One that is replayed needs none; one that is asked for by name must be there."""
    found = planned({"X_KEY": ""}, record="a", replay="b")
    assert (modes(found), found.keyless) == ({"taped": "replay", "live": "forward"}, {"plain": "X_KEY"})
    with pytest.raises(UsageError, match='model "plain" is not set: environment variable X_KEY'):
        planned({"X_KEY": ""}, record="a", replay="b", models=["plain"])
    Path("models.yaml").write_text("models: {plain: {base_url: 'https://x/v1', api_key_env: X_KEY}}")
    with pytest.raises(UsageError, match=r"no model of models\.yaml can be served(.|\n)*X_KEY"):
        planned({"X_KEY": ""}, forward=True)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, "--demo(.|\n)*--forward(.|\n)*--record DIR(.|\n)*--replay DIR"),
        ({"demo": True, "replay": "a"}, "--demo and --replay"),
        ({"record": "a", "replay": "./a"}, "same folder"),
        ({"demo": True, "pace": "recorded"}, "--pace goes with --replay"),
        ({"demo": True, "repeat_last": True}, "--repeat-last goes with --replay"),
        ({"demo": True, "redact": ("$.a",)}, "--redact goes with --record"),
        ({"demo": True, "redact_patterns": ("a",)}, "--redact-pattern goes with --record"),
        ({"demo": True, "log_prompts": True}, "--log-prompts goes with --log"),
        ({"forward": True}, '"taped" is to be replayed(.|\n)*--replay DIR'),
        ({"demo": True, "models": ["demo/v22"]}, 'did you mean "demo/v2"'),
        ({"forward": True, "replay": "b", "models": ["demo/v2"]}, None),
    ],
)
def test_what_makes_no_sense_is_refused(flags: dict[str, Any], words: str | None) -> None:
    """Before anything starts, in one message that names the flags."""
    if words is None:
        planned(**flags)
        return
    with pytest.raises(UsageError, match=words):
        planned(**flags)


def test_a_missing_catalogue_is_told_with_the_way_to_one() -> None:
    """The file that was looked for, and how to begin."""
    Path("models.yaml").unlink()
    with pytest.raises(UsageError, match=r"models\.yaml: no such file(.|\n)*--example-catalogue"):
        planned(forward=True)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (["X_KEY"], "the key is not set: X_KEY\n.*export it"),
        (["X_KEY", "Y_KEY"], "the keys are not set: X_KEY, Y_KEY\n.*export one of them"),
    ],
)
def test_where_all_keys_are_missing_they_are_named(variables: list[str], words: str) -> None:
    """However many there are."""
    models = [f"  m{one}: {{base_url: 'https://x/v1', api_key_env: {one}}}" for one in variables]
    Path("models.yaml").write_text("\n".join(["models:", *models, ""]))
    with pytest.raises(UsageError, match=words):
        planned({"OTHER": "x"}, forward=True)
