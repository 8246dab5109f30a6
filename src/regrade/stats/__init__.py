"""What every number means: pure functions over arrays; NaN in is a missing value, NaN never comes out."""

from regrade.stats.bounded import bounded_mean_interval, bounded_mean_z, cluster_bounded_interval
from regrade.stats.confusion import LABEL_STATISTICS, LabelCodes, confusion, label_codes, label_units
from regrade.stats.epochs import both_outcomes, pass_all_k, pass_at_k
from regrade.stats.estimates import answered, mean_estimate, parsed_rate, quantile_estimate, score_mean
from regrade.stats.means import cluster_error, epoch_means, epoch_spread, standard_error, t_interval
from regrade.stats.quantiles import quantile_interval, ranks, samples_for_upper_bound
from regrade.stats.resampling import DRAWS, bootstrap_totals, percentile_interval

__all__ = [
    "DRAWS",
    "LABEL_STATISTICS",
    "LabelCodes",
    "answered",
    "bootstrap_totals",
    "both_outcomes",
    "bounded_mean_interval",
    "bounded_mean_z",
    "cluster_bounded_interval",
    "cluster_error",
    "confusion",
    "epoch_means",
    "epoch_spread",
    "label_codes",
    "label_units",
    "mean_estimate",
    "parsed_rate",
    "pass_all_k",
    "pass_at_k",
    "percentile_interval",
    "quantile_estimate",
    "quantile_interval",
    "ranks",
    "samples_for_upper_bound",
    "score_mean",
    "standard_error",
    "t_interval",
]
