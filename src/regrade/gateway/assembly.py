"""From settings to what the server runs: the one place that knows all backends and all that plugs in."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from regrade.gateway.accesslog import AccessLog
from regrade.gateway.catalogue import Catalogue, Offer
from regrade.gateway.demo import DemoBackend
from regrade.gateway.echo import EchoedCompletions
from regrade.gateway.hooks import Hooks
from regrade.gateway.llamacpp import LlamaCpp
from regrade.gateway.models import demo_models
from regrade.gateway.settings import GatewaySettings
from regrade.http import HttpSession

__all__ = ["Parts", "assembled"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of.

    Attributes:
        catalogue: Offers with their backends.
        hooks: Admission and faults.
        log: The access log, where one is kept.
    """

    catalogue: Catalogue
    hooks: Hooks
    log: AccessLog | None = None


@asynccontextmanager
async def assembled(settings: GatewaySettings, env: Mapping[str, str]) -> AsyncIterator[Parts]:  # noqa: ARG001 - keys of upstreams
    """Put everything together; it is closed at the end of the context.

    Args:
        settings: What to serve.
        env: Environment variables, for the keys of upstreams.

    Raises:
        GatewayError: When a part cannot be started.
    """
    with ExitStack() as stack:
        async with HttpSession() as session:
            yield Parts(_demo_offers(settings, stack, session), _hooks(settings))


def _hooks(settings: GatewaySettings) -> Hooks:
    if settings.faults is None:
        return Hooks()
    # Reading them takes what reads specs.
    from regrade.gateway.faults.injector import FaultInjector
    from regrade.gateway.faults.rules import read_faults

    return Hooks(around_answers=FaultInjector(read_faults(Path(settings.faults))).around)


def _demo_offers(settings: GatewaySettings, stack: ExitStack, session: HttpSession) -> dict[str, Offer]:
    if not settings.demo:
        return {}
    # llama.cpp is loaded only where it is served.
    from regrade.gateway.servers import SLOTS, running_models

    models = demo_models(settings.demo)
    urls = stack.enter_context(running_models(models))
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
