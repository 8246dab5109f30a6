"""Where the dashboard's pages lie: one frozen record a page, read from a URL and written as one.

Every link to a page is its address's `url()`, whoever draws it; nothing else puts URLs together.
"""

from regrade.addresses.address import Address, Read, joined, one_of, pieces, prefixed, split
from regrade.addresses.places import (
    CompareAddress,
    EvalAddress,
    EvalsAddress,
    GatesAddress,
    LiveAddress,
    NewestSamplesAddress,
    OverviewAddress,
    RunAddress,
    RunsAddress,
    SampleFileAddress,
    SamplesAddress,
    SampleTextAddress,
    SearchAddress,
)
from regrade.addresses.refs import ids_meant, read_ref, sample_ref

__all__ = [
    "Address",
    "CompareAddress",
    "EvalAddress",
    "EvalsAddress",
    "GatesAddress",
    "LiveAddress",
    "NewestSamplesAddress",
    "OverviewAddress",
    "Read",
    "RunAddress",
    "RunsAddress",
    "SampleFileAddress",
    "SampleTextAddress",
    "SamplesAddress",
    "SearchAddress",
    "ids_meant",
    "joined",
    "one_of",
    "pieces",
    "prefixed",
    "read_ref",
    "sample_ref",
    "split",
]
