"""Models whose names hold a comma, as sides of a comparison."""

from collections.abc import Callable
from typing import Any

import regrade
from regrade.addresses import CompareAddress


def test_a_model_with_a_comma_can_be_chosen(
    run: Callable[..., regrade.Run], model: Callable[..., dict[str, Any]], dashboard: Any
) -> None:
    """The form offers it, and the page compares it, with one other as with several."""
    models = [{**model(f"m{place}", place), "name": name} for place, name in enumerate(("a,b", "c", "d,e"))]
    found = run(models)
    served = dashboard()
    page = served.get(CompareAddress(found.id, by="model").url())
    sides = [rf"{found.id},model=a\,b", f"{found.id},model=c"]
    assert sides[0] in [one.attrib["value"] for one in page.find(".//select[@name='a']//option")]
    address = CompareAddress(sides[0], sides[1], by="model").url()
    served.get(f"{address}&format=html")  # waits for what is computed
    page = served.get(address)
    assert page.words(".//h1") == ["c against a,b"]
    several = served.get(CompareAddress(by="model").among([*sides, rf"{found.id},model=d\,e"]).url())
    assert "3 models of" in several.words(".//h1")[0]
