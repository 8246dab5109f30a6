"""Two arms, sample by sample: joined, paired, and what changed between them."""

from regrade.compare.agreements import agreements_of
from regrade.compare.changes import change_of, changes_of
from regrade.compare.flips import find_flips
from regrade.compare.joining import join, match_arms, partner_of
from regrade.compare.leads import find_leads, main_measures
from regrade.compare.pairing import chosen_samples, pair_up
from regrade.compare.ranks import Rank, among, changes_among, changes_within, ranks_of
from regrade.compare.whole import compare_pairs

__all__ = [
    "Rank",
    "agreements_of",
    "among",
    "change_of",
    "changes_among",
    "changes_of",
    "changes_within",
    "chosen_samples",
    "compare_pairs",
    "find_flips",
    "find_leads",
    "join",
    "main_measures",
    "match_arms",
    "pair_up",
    "partner_of",
    "ranks_of",
]
