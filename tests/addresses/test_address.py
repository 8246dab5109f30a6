"""Addresses: what a URL means, and how a view is written as one."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.addresses import CompareAddress, EvalAddress, OverviewAddress, RunAddress, SamplesAddress

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_defaults_are_left_out_and_the_order_is_fixed() -> None:
    """Equal views have equal URLs, however they came about."""
    assert OverviewAddress().url() == "/"
    assert OverviewAddress(sort="name", eval="a-*").url() == "/?eval=a-*&sort=name"
    assert OverviewAddress(eval="x").url(eval="", tag="prod") == "/?tag=prod"


def test_names_become_part_of_the_path_safely() -> None:
    """A name cannot leave its place in the path."""
    assert RunAddress("../x?a=1#b").url() == "/run/..%2Fx%3Fa=1%23b".replace("=", "%3D")
    assert EvalAddress("qa/long form").url() == "/eval/qa/long%20form"


def test_lists_are_written_with_commas_and_may_hold_them() -> None:
    """A comma of a name is not one between names; forms may repeat a parameter instead."""
    url = OverviewAddress(model=("a,b", "c\\d")).url()
    read = OverviewAddress.read({}, [("model", "a\\,b,c\\\\d")])
    assert url == "/?model=a%5C,b,c%5C%5Cd"
    assert read.address == OverviewAddress(model=("a,b", "c\\d"))
    assert OverviewAddress.read({}, [("model", "a"), ("model", "b")]).address == OverviewAddress(
        model=("a", "b")
    )


def test_sides_of_models_with_commas_are_kept_apart() -> None:
    """An arm of a model `a,b` stays one side, whether it is the first or the third, there and back."""
    sides = ("r1,model=m", "r2", "r3,model=a\\,b,prompt=c\\\\d", "r4")
    address = CompareAddress().among(sides)
    assert address.sides == sides
    query = urlsplit(address.url()).query
    assert CompareAddress.read({}, parse_qsl(query)).address == address


def test_what_means_nothing_is_ignored_and_named() -> None:
    """An unknown parameter by its name, an unknown word with its value."""
    read = OverviewAddress.read({}, [("sort", "up"), ("x", "1"), ("tag", "prod")])
    assert read.address == OverviewAddress(tag="prod")
    assert read.ignored == ("sort=up", "x")


def test_metadata_have_parameters_of_their_own() -> None:
    """`meta.channel=chat` is a filter on that field."""
    read = SamplesAddress.read({"run": "r"}, [("meta.channel", "chat"), ("meta.", "x")])
    assert read.address == SamplesAddress("r", meta=(("channel", "chat"),))
    assert read.address.url() == "/run/r/samples?meta.channel=chat"
    assert read.ignored == ("meta.=x",)


@given(q=TEXTS, models=st.lists(TEXTS, max_size=3), meta=st.lists(st.tuples(TEXTS, TEXTS), max_size=2))
def test_every_view_survives_its_url(q: str, models: list[str], meta: list[tuple[str, str]]) -> None:
    """Writing and reading again gives the same view, whatever the names hold."""
    from urllib.parse import parse_qsl, urlsplit

    view = SamplesAddress("r", q=q, model=tuple(models), meta=tuple(meta))
    query = parse_qsl(urlsplit(view.url()).query, keep_blank_values=True)
    assert SamplesAddress.read({"run": "r"}, query).address == view


@pytest.mark.parametrize("name", ["q", "model", "meta"])
def test_a_filter_can_be_dropped(name: str) -> None:
    """The rest of the view stays."""
    view = SamplesAddress("r", q="a", model=("b",), meta=(("c", "d"),), sort="-latency")
    dropped = view.without(name)
    assert getattr(dropped, name) in {"", ()}
    assert dropped.sort == "-latency"
