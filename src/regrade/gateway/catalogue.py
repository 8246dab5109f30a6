"""What the server offers: a model's id, how it is listed, and the backend that answers for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from regrade.errors import did_you_mean
from regrade.gateway.backend import Backend
from regrade.gateway.hooks import Holder
from regrade.gateway.refusals import Refusal
from regrade.gateway.settings import Mode

__all__ = ["Catalogue", "Offer", "find_offer"]

_NAMED = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """One model of the server.

    Attributes:
        id: What clients ask for.
        backend: Answers for it.
        context_window: In tokens; None when it is not known.
        mode: Where its answers come from.
        upstream: The host behind it, for people; empty when there is none.
        created: Unix time, for the listing.
    """

    id: str
    backend: Backend
    context_window: int | None = None
    mode: Mode = "demo"
    upstream: str = ""
    created: int = 0


Catalogue: TypeAlias = Mapping[str, Offer]
"""Offers by id."""


def find_offer(catalogue: Catalogue, model: str, holder: Holder) -> Offer:
    """Return the offer of a model.

    Raises:
        Refusal: With status 404, naming the nearest model that there is for the holder of the key.
    """
    offer = catalogue.get(model)
    if offer is None or not holder.sees(model):
        known = [one for one in catalogue if holder.sees(one)]
        more = ", ..." if len(known) > _NAMED else ""
        there_are = f"there are {', '.join(known[:_NAMED])}{more}" if known else "there is none"
        message = f"the model '{model}' does not exist here: {did_you_mean(model, known) or there_are}"
        raise Refusal(404, message, param="model", code="model_not_found")
    return offer
