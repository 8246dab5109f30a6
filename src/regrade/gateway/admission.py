"""Who may enter, by the file of keys: which models, how fast, and for how much money."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from regrade import jsonio
from regrade.gateway.catalogue import Offer
from regrade.gateway.hooks import AnyKey, Holder, Ticket, no_valid_key
from regrade.gateway.keyring import KeyRing
from regrade.gateway.keys import Key
from regrade.gateway.limits import RateLimits
from regrade.gateway.refusals import Refusal
from regrade.gateway.settings import GatewaySettings
from regrade.types import Endpoint, JsonObject, Usage

__all__ = ["KeyAdmission", "Price", "prices_of"]

_BYTES_A_TOKEN = 4
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of one answer."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / _MILLION


def prices_of(offers: Iterable[Offer], settings: GatewaySettings) -> dict[str, Price]:
    """Return what answers cost, where that is known; those of demo models and of a recording cost nothing."""
    found = {
        one.id: Price(one.prompt_price, one.completion_price)
        for one in settings.upstreams
        if one.prompt_price is not None and one.completion_price is not None
    }
    free = [one.id for one in offers if one.mode == "replay" or one.id in settings.demo]
    return {**found, **dict.fromkeys(free, Price())}


class KeyAdmission:
    """Lets holders of keys in; before the first key is made, everybody who sends one at all.

    Rates are counted by this server alone; money is counted over all servers that share the file.

    Args:
        ring: The keys.
        prices: Of the models, as far as they are known.
        is_local: Whether only this machine reaches the server; else a key is needed from the start.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        ring: KeyRing,
        prices: Mapping[str, Price],
        *,
        is_local: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_local = is_local
        self._ring = ring
        self._prices = prices
        self._clock = clock
        self._anybody = AnyKey()
        self._rates: dict[bytes, RateLimits] = {}

    def identify(self, key: str) -> Holder:
        """Return who holds the key.

        Raises:
            Refusal: With status 401.
        """
        found = self._ring.find(key) if key else None
        if found:
            return _Holder(found, self._ring, self._rates_of(found), self._prices)
        if self._is_local and self._ring.is_open:
            return self._anybody.identify(key)
        raise no_valid_key()

    def _rates_of(self, key: Key) -> RateLimits:
        rates = self._rates.get(key.digest)
        if rates is None:
            rates = self._rates[key.digest] = RateLimits(key.limits.rpm, key.limits.tpm, self._clock)
        return rates


class _Holder:
    """One key, during one request."""

    def __init__(self, key: Key, ring: KeyRing, rates: RateLimits, prices: Mapping[str, Price]) -> None:
        self.name = key.name
        self._key = key
        self._ring = ring
        self._rates = rates
        self._prices = prices

    def sees(self, model: str) -> bool:
        patterns = self._key.limits.models
        return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)

    def admit(self, endpoint: Endpoint, body: JsonObject) -> Ticket:
        price = self._affordable(body["model"])
        self._rates.admit()
        counts = price is not None or self._key.limits.tpm is not None
        asked = _text_bytes(body["messages" if endpoint == "chat" else "prompt"]) if counts else 0
        return _Ticket(self._key, self._ring, self._rates, price, asked)

    def _affordable(self, model: str) -> Price | None:
        """Return the price where money is counted."""
        budget = self._key.limits.budget_usd
        if budget is None:
            return None
        price = self._prices.get(model)
        if price is None:
            message = f"this key has a budget, and '{model}' has no price in the catalogue"
            raise Refusal(403, message, param="model", code="model_not_priced")
        if self._ring.spent(self._key) >= budget:
            message = f"the budget of this key is used up: ${budget:,.2f}; waiting does not help"
            # Official clients try again after any 429 unless they are told not to.
            headers = (("x-should-retry", "false"),)
            raise Refusal(429, message, "insufficient_quota", code="insufficient_quota", headers=headers)
        return price


class _Ticket:
    """The right to one answer of a key that counts something."""

    def __init__(
        self, key: Key, ring: KeyRing, rates: RateLimits, price: Price | None, asked_bytes: int
    ) -> None:
        self._key = key
        self._ring = ring
        self._rates = rates
        self._price = price
        self._asked_bytes = asked_bytes
        self.needs_usage = price is not None or key.limits.tpm is not None
        self.headers = dict(rates.headers())

    def done(self, usage: Usage | None, text_bytes: int) -> None:
        if not self.needs_usage or (usage is None and not text_bytes):
            return
        counted = usage or Usage()
        prompt, completion = counted.prompt_tokens, counted.completion_tokens
        prompt = _tokens(self._asked_bytes) if prompt is None else prompt
        completion = _tokens(text_bytes) if completion is None else completion
        self._rates.spend(prompt + completion)
        if self._price and (usd := self._price.of(prompt, completion)):
            self._ring.charge(self._key, usd)


def _text_bytes(value: object) -> int:
    """Return the bytes of a prompt; pictures and sounds in it count as the text they are sent as."""
    return len(value.encode("utf-8", "replace")) if isinstance(value, str) else len(jsonio.encode(value))


def _tokens(size: int) -> int:
    return -(-size // _BYTES_A_TOKEN)
