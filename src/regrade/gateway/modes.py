"""Which model answers from where: flags and catalogue put together, and refused where they make no sense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from regrade.errors import UsageError
from regrade.gateway.models import demo_models
from regrade.gateway.settings import GatewaySettings, Mode, Upstream

__all__ = ["Plan", "Wish", "plan"]

_DEMO = "demo/"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for.

    Attributes:
        demo: Serve the demo models.
        forward: Serve the models of the catalogue.
        catalogue: Its file.
        models: Only these; None is all.
        settings: Everything else, the folders of cassettes included.
    """

    demo: bool = False
    forward: bool = False
    catalogue: Path = Path("models.yaml")
    models: Sequence[str] | None = None
    settings: GatewaySettings = field(default_factory=GatewaySettings)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be served.

    Attributes:
        settings: Complete, every upstream with its mode.
        keyless: Models of the catalogue that are not served, each with the variable that holds no key.
    """

    settings: GatewaySettings
    keyless: Mapping[str, str]


def plan(wish: Wish, env: Mapping[str, str]) -> Plan:
    """Put flags and catalogue together.

    A model of the catalogue is recorded where there is a folder to record to, else forwarded, else replayed,
    unless its own `mode` says otherwise. `--record` alone forwards; beside `--demo` it records the demo
    models, and those of the catalogue only with `--forward`.

    Args:
        wish: What the user asked for.
        env: Environment variables.

    Raises:
        UsageError: When flags contradict each other, or nothing would be served.
    """
    settings = wish.settings
    _check(wish)
    if settings.redact or settings.redact_patterns:
        from regrade.cassette import Redaction

        Redaction(settings.redact, settings.redact_patterns)
    asked = list(dict.fromkeys(wish.models)) if wish.models is not None else None
    demo: tuple[str, ...] = ()
    if wish.demo:
        own = asked
        if asked is not None and _forwards(wish):
            own = [one for one in asked if one.startswith(_DEMO)]
        demo = tuple(one.id for one in demo_models(own))
    upstreams: tuple[Upstream, ...] = ()
    missing: dict[str, str] = {}
    if _forwards(wish):
        rest = None if asked is None else [one for one in asked if one not in demo]
        upstreams, missing = _upstreams(wish, rest, env)
    if missing and not demo and not upstreams and not settings.replay:
        names = list(dict.fromkeys(missing.values()))
        keys, them = ("the key is", "it") if len(names) == 1 else ("the keys are", "one of them")
        raise UsageError(
            f"no model of {wish.catalogue} can be served: {keys} not set: {', '.join(names)}",
            hint=f"export {them}, or put it into a file named .env",
        )
    only = tuple(asked or ())
    return Plan(replace(settings, demo=demo, upstreams=upstreams, only=only), missing)


def _forwards(wish: Wish) -> bool:
    return wish.forward or (wish.settings.record is not None and not wish.demo)


def _upstreams(
    wish: Wish, wanted: list[str] | None, env: Mapping[str, str]
) -> tuple[tuple[Upstream, ...], dict[str, str]]:
    from regrade.gateway.upstreams import keyless, read_upstreams

    if not wish.catalogue.is_file():
        raise UsageError(
            f"{wish.catalogue}: no such file; it says which models there are and where",
            hint="begin with: regrade gateway --example-catalogue > models.yaml",
        )
    # Names that it does not have may be recorded ones.
    known = read_upstreams(wish.catalogue, None if wish.settings.replay else wanted)
    chosen = [one for one in known if wanted is None or one.id in wanted]
    moded = [replace(one, mode=_mode(one, wish)) for one in chosen]
    missing = keyless([one for one in moded if one.mode != "replay"], env)
    if wanted is not None and missing:
        id_, variable = next(iter(missing.items()))
        raise UsageError(
            f'the key of model "{id_}" is not set: environment variable {variable}',
            hint=f"export {variable}=..., or put it into a file named .env",
        )
    return tuple(one for one in moded if one.id not in missing), missing


def _mode(upstream: Upstream, wish: Wish) -> Mode:
    settings = wish.settings
    if upstream.mode is None:
        return "record" if settings.record else "forward"
    if upstream.mode == "record" and settings.record is None:
        raise UsageError(
            f'{wish.catalogue}: "{upstream.id}" is to be recorded', hint="say where: --record DIR"
        )
    if upstream.mode == "replay" and settings.replay is None:
        raise UsageError(
            f'{wish.catalogue}: "{upstream.id}" is to be replayed', hint="say from where: --replay DIR"
        )
    return upstream.mode


def _check(wish: Wish) -> None:
    settings = wish.settings
    record, replay = settings.record, settings.replay
    if not (wish.demo or wish.forward or record or replay):
        raise UsageError(
            "which models?",
            hint="--demo serves the small models that regrade ships, --forward those of models.yaml,"
            "\n  --record DIR keeps what they answer, --replay DIR answers from such a recording alone",
        )
    contradictions = (
        (
            wish.demo and replay is not None,
            "--demo and --replay: a recording answers for the demo models too",
            "leave one of them out",
        ),
        (
            record is not None and replay is not None and Path(record).resolve() == Path(replay).resolve(),
            "--record and --replay name the same folder",
            "record to another",
        ),
        (settings.pace != "at-once" and not replay, "--pace goes with --replay", None),
        (settings.repeat_last and not replay, "--repeat-last goes with --replay", None),
        (bool(settings.redact) and not record, "--redact goes with --record", None),
        (bool(settings.redact_patterns) and not record, "--redact-pattern goes with --record", None),
        (settings.log_prompts and settings.log is None, "--log-prompts goes with --log FILE", None),
    )
    for wrong, message, hint in contradictions:
        if wrong:
            raise UsageError(message, hint=hint)
