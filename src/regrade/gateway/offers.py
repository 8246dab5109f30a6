"""The offers of each kind of model, with their backends."""

import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from regrade.errors import GatewayError, did_you_mean
from regrade.gateway.catalogue import Offer
from regrade.gateway.demo import DemoBackend
from regrade.gateway.echo import EchoedCompletions
from regrade.gateway.forward import ForwardBackend
from regrade.gateway.llamacpp import LlamaCpp
from regrade.gateway.models import demo_models
from regrade.gateway.settings import GatewaySettings, Mode
from regrade.http import HttpSession, Timeouts

__all__ = ["demo_offers", "forward_offers", "recorded", "replay_offers"]

Offers = dict[str, Offer]


async def demo_offers(settings: GatewaySettings, stack: AsyncExitStack) -> Offers:
    """Run the demo models and return what they offer.

    Raises:
        GatewayError: When a model cannot be loaded.
    """
    if not settings.demo:
        return {}
    # llama.cpp is loaded only where it is served.
    from regrade.gateway.servers import SLOTS, running_models

    models = demo_models(settings.demo)
    urls = stack.enter_context(running_models(models))
    session = await stack.enter_async_context(HttpSession())
    now, dialect = int(time.time()), LlamaCpp()
    return {
        one.id: Offer(
            one.id,
            DemoBackend(
                one.id,
                urls[one.id],
                dialect,
                session,
                slots=SLOTS,
                parts=EchoedCompletions(urls[one.id], session, dialect, one.context_window),
            ),
            one.context_window,
            created=now,
        )
        for one in models
    }


async def forward_offers(settings: GatewaySettings, env: Mapping[str, str], stack: AsyncExitStack) -> Offers:
    """Return what the upstreams offer, those that are to be replayed left out.

    Raises:
        GatewayError: When one is to be recorded or replayed and no folder is named.
    """
    _check_folders(settings)
    sessions: dict[float, HttpSession] = {}
    usual: Mode = "forward" if settings.record is None else "record"
    offers = {}
    now = int(time.time())
    for one in settings.upstreams:
        if one.mode == "replay":
            continue
        if one.timeout_s not in sessions:
            session = HttpSession(Timeouts(read=one.timeout_s))
            sessions[one.timeout_s] = await stack.enter_async_context(session)
        key = env.get(one.api_key_env, "").strip() if one.api_key_env else ""
        backend = ForwardBackend(one, key or None, sessions[one.timeout_s])
        host = urlsplit(one.base_url).netloc
        offers[one.id] = Offer(one.id, backend, one.context_window, one.mode or usual, host, now)
    return offers


def _check_folders(settings: GatewaySettings) -> None:
    for one in settings.upstreams:
        for mode, done in (("record", "recorded"), ("replay", "replayed")):
            if one.mode == mode and getattr(settings, mode) is None:
                where = "to" if mode == "record" else "from"
                raise GatewayError(
                    f'"{one.id}" is to be {done}, and no folder to do that {where} is named',
                    hint=f"name it as `{mode}` of the settings, or leave the mode of the model out",
                )


def recorded(
    offers: Offers, settings: GatewaySettings, env: Mapping[str, str], stack: AsyncExitStack
) -> Offers:
    """Return the offers with every exchange kept, except for models that are only to be forwarded.

    Raises:
        StoreError: When the folder cannot be written, or another process records there.
    """
    if settings.record is None:
        return offers
    from regrade.cassette import Recorder, Redaction
    from regrade.gateway.recording import RecordingBackend

    chosen = settings.redact or settings.redact_patterns
    redaction = Redaction(settings.redact, settings.redact_patterns) if chosen else None
    recorder = stack.enter_context(Recorder(Path(settings.record), redaction))
    stack.callback(lambda: _warn(recorder.unmatched))
    for upstream in settings.upstreams:
        recorder.redaction.hide(env.get(upstream.api_key_env or "", ""))
    return {
        id_: offer
        if offer.mode == "forward"
        else replace(offer, backend=RecordingBackend(offer.backend, recorder), mode="record")
        for id_, offer in offers.items()
    }


def replay_offers(settings: GatewaySettings, taken: Offers, stack: AsyncExitStack) -> Offers:
    """Return what a recording offers, except for models that are offered otherwise.

    Raises:
        GatewayError: When it holds nothing of a model that was asked for.
        StoreError: When there is no recording that can be read.
    """
    if settings.replay is None:
        return {}
    from regrade.cassette import Replayer
    from regrade.gateway.replaying import ReplayBackend

    replayer = stack.enter_context(Replayer(Path(settings.replay), repeat_last=settings.repeat_last))
    _warn([replayer.torn] if replayer.torn else [])
    backend = ReplayBackend(replayer, settings.pace)
    windows = {one.id: one.context_window for one in settings.upstreams}
    ids = dict.fromkeys([one.id for one in settings.upstreams if one.mode == "replay"] + replayer.models())
    for wanted in settings.only:
        if wanted not in taken and wanted not in ids:
            hint = did_you_mean(wanted, [*taken, *ids]) or f"it has {', '.join(ids)}"
            raise GatewayError(f'{settings.replay} holds no request to "{wanted}"', hint=hint)
    now = int(time.time())
    return {
        id_: Offer(id_, backend, windows.get(id_), "replay", created=now)
        for id_ in ids
        if id_ not in taken and (not settings.only or id_ in settings.only)
    }


def _warn(warnings: Iterable[str]) -> None:
    for one in warnings:
        print(f"warning: {one}", file=sys.stderr, flush=True)  # noqa: T201 - the starter passes it on
