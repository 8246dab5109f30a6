"""From settings to what the server runs: the one place that knows all backends and all that plugs in."""

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from regrade.errors import GatewayError
from regrade.gateway.accesslog import AccessLog
from regrade.gateway.admission import KeyAdmission, prices_of
from regrade.gateway.catalogue import Catalogue
from regrade.gateway.hooks import Admission, AnyKey, Hooks
from regrade.gateway.keyring import KeyRing
from regrade.gateway.offers import demo_offers, forward_offers, recorded, replay_offers
from regrade.gateway.settings import GatewaySettings

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
async def assembled(settings: GatewaySettings, env: Mapping[str, str]) -> AsyncIterator[Parts]:
    """Put everything together; it is closed at the end of the context.

    Args:
        settings: What to serve.
        env: Environment variables, for the keys of upstreams.

    Raises:
        GatewayError: When a part cannot be started, or nothing would be served.
        StoreError: When a recording cannot be read or written.
    """
    async with AsyncExitStack() as stack:
        log = _access_log(settings, stack)
        live = await demo_offers(settings, stack)
        live |= await forward_offers(settings, env, stack)
        live = recorded(live, settings, env, stack)
        offers = live | replay_offers(settings, live, stack)
        if not offers:
            raise GatewayError(f"there is nothing to serve: {settings.replay} holds no request to any model")
        hooks = Hooks(_admission(settings, offers, stack), _around_answers(settings))
        yield Parts(offers, hooks, log)


def _access_log(settings: GatewaySettings, stack: AsyncExitStack) -> AccessLog | None:
    if settings.log is None:
        return None
    if settings.log == "-":
        return AccessLog(sys.stderr.buffer, prompts=settings.log_prompts)
    try:
        stream = Path(settings.log).open("ab")  # noqa: SIM115 - the stack closes it; nothing is served yet
    except OSError as error:
        raise GatewayError(f"--log {settings.log}: cannot be written: {error.strerror}") from error
    return AccessLog(stack.enter_context(stream), prompts=settings.log_prompts)


def _admission(settings: GatewaySettings, offers: Catalogue, stack: AsyncExitStack) -> Admission:
    if settings.keys is None:
        return AnyKey()
    ring = KeyRing(Path(settings.keys))
    stack.callback(ring.close)
    return KeyAdmission(ring, prices_of(offers.values(), settings), is_local=settings.is_local)


def _around_answers(settings: GatewaySettings) -> Callable[[ASGIApp], ASGIApp] | None:
    if settings.faults is None:
        return None
    # Reading them takes what reads specs.
    from regrade.gateway.faults.injector import FaultInjector
    from regrade.gateway.faults.rules import read_faults

    return FaultInjector(read_faults(Path(settings.faults))).around
