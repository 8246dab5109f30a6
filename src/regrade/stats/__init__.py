"""What every number means: pure functions over arrays; NaN in is a missing value, NaN never comes out."""

from regrade.stats.bounded import bounded_mean_interval, bounded_mean_z, cluster_bounded_interval
from regrade.stats.confusion import LABEL_STATISTICS, LabelCodes, confusion, label_codes, label_units
from regrade.stats.epochs import both_outcomes, pass_all_k, pass_at_k
from regrade.stats.estimates import answered, mean_estimate, parsed_rate, quantile_estimate, score_mean
from regrade.stats.flips import sign_flip
from regrade.stats.labels import LabelComparison, PairedLabels, compare_labels, paired_labels
from regrade.stats.mcnemar import McNemar, mcnemar
from regrade.stats.means import cluster_error, epoch_means, epoch_spread, standard_error, t_interval
from regrade.stats.multiple import benjamini_hochberg, holm
from regrade.stats.paired import Differences, PairedBounds, PairedTest, limit_p, paired_bounds, paired_test
from regrade.stats.quantiles import quantile_interval, ranks, samples_for_upper_bound
from regrade.stats.resampling import DRAWS, bootstrap_totals, percentile_interval
from regrade.stats.unpaired import Welch, newcombe_independent, welch

__all__ = [
    "DRAWS",
    "LABEL_STATISTICS",
    "Differences",
    "LabelCodes",
    "LabelComparison",
    "McNemar",
    "PairedBounds",
    "PairedLabels",
    "PairedTest",
    "Welch",
    "answered",
    "benjamini_hochberg",
    "bootstrap_totals",
    "both_outcomes",
    "bounded_mean_interval",
    "bounded_mean_z",
    "cluster_bounded_interval",
    "cluster_error",
    "compare_labels",
    "confusion",
    "epoch_means",
    "epoch_spread",
    "holm",
    "label_codes",
    "label_units",
    "limit_p",
    "mcnemar",
    "mean_estimate",
    "newcombe_independent",
    "paired_bounds",
    "paired_labels",
    "paired_test",
    "parsed_rate",
    "pass_all_k",
    "pass_at_k",
    "percentile_interval",
    "quantile_estimate",
    "quantile_interval",
    "ranks",
    "samples_for_upper_bound",
    "score_mean",
    "sign_flip",
    "standard_error",
    "t_interval",
    "welch",
]
