"""Puts faults between clients and the server, the same ones in every run with one seed."""

from random import Random

from starlette.types import ASGIApp, Receive, Scope, Send

from regrade.gateway.faults.exchange import Exchange
from regrade.gateway.faults.kinds import KINDS
from regrade.gateway.faults.request import Asked, Seen, read_request
from regrade.gateway.faults.rule import FaultRule
from regrade.gateway.faults.rules import FaultPlan

__all__ = ["FaultInjector"]

_DRAWS = 2**64


class FaultInjector:
    """Wraps the endpoints of a server.

    Whether a request meets a fault depends on the seed, the request and how often it came, not on when it
    came among others: two runs that ask the same meet the same, in whatever order their requests arrive. Only
    `after` and `rising_latency` look at the other requests.

    Args:
        plan: Which faults come how often.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._seen = Seen()
        self._crowd = 0

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Return the endpoint with faults before it; all endpoints together count requests."""

        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            self._crowd += 1
            try:
                content, again = await read_request(receive)
                arrived = self._seen.total
                asked = self._seen.asked(scope, content)
                rule, draw = self._meets(asked, arrived) if asked else (None, 0)
                if rule is None:
                    await inner(scope, again, send)
                    return
                exchange = Exchange(inner, scope, again, receive, send, rule, Random(draw), self._crowd)  # noqa: S311 - repeatable on purpose
                await KINDS[rule.fault].act(exchange)
            finally:
                self._crowd -= 1

        return endpoint

    def _meets(self, asked: Asked, arrived: int) -> tuple[FaultRule | None, int]:
        """Return the rule whose fault meets a request, and what else to draw from."""
        for place, rule in enumerate(self._plan.rules):
            if not (KINDS[rule.fault].fits(asked) and rule.fits(asked, arrived)):
                continue
            draw = asked.draw(self._plan.seed, place)
            if draw < rule.rate * _DRAWS:
                return rule, draw
        return None, 0
