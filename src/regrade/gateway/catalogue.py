"""What the server offers: a model's id, where its requests go, and how that upstream differs from the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from regrade.errors import did_you_mean
from regrade.gateway.refusals import Refusal
from regrade.types import Endpoint, JsonObject

__all__ = ["Catalogue", "Dialect", "Offer", "find_offer"]


class Dialect(Protocol):
    """Translates between the API and what one kind of upstream makes of it."""

    def prepare(self, endpoint: Endpoint, body: JsonObject) -> JsonObject:
        """Return the body to send for a checked request.

        Raises:
            Refusal: When this upstream cannot do what is asked.
        """
        ...

    def answer(self, endpoint: Endpoint, body: JsonObject, model: str) -> JsonObject:
        """Return a whole answer as the API has it, in the name of `model`."""
        ...

    def chunks(
        self, endpoint: Endpoint, body: JsonObject, model: str, *, usage: bool
    ) -> Iterable[JsonObject]:
        """Yield what the API makes of one chunk of a stream; `usage` says whether the client asked for it."""
        ...

    def refusal(self, status: int, content: bytes) -> Refusal:
        """Return the API's form of an answer other than 200."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """One model of the server.

    Attributes:
        id: What clients ask for.
        url: Base URL of the upstream, without a trailing slash.
        context_window: In tokens.
        dialect: Of the upstream.
        max_connections: Requests that the upstream takes at a time; more wait here, in order.
        created: Unix time, for the listing.
    """

    id: str
    url: str
    context_window: int
    dialect: Dialect
    max_connections: int
    created: int = 0


Catalogue: TypeAlias = Mapping[str, Offer]
"""Offers by id."""


def find_offer(catalogue: Catalogue, model: str) -> Offer:
    """Return the offer of a model.

    Raises:
        Refusal: With status 404, naming the nearest model there is.
    """
    offer = catalogue.get(model)
    if offer is None:
        hint = did_you_mean(model, catalogue) or f"there are {', '.join(catalogue)}"
        message = f"the model '{model}' does not exist here: {hint}"
        raise Refusal(404, message, param="model", code="model_not_found")
    return offer
