"""What every number means: pure functions over arrays; NaN in is a missing value, NaN never comes out."""

from regrade.stats.bounded import (
    bounded_mean_interval,
    bounded_mean_z,
    cluster_bounded_interval,
    cluster_bounded_z,
)
from regrade.stats.confusion import (
    LABEL_SHARES,
    LABEL_STATISTICS,
    LabelCodes,
    confusion,
    label_codes,
    label_units,
)
from regrade.stats.detecting import detectable_drop
from regrade.stats.epochs import both_outcomes, pass_all_k, pass_at_k
from regrade.stats.estimates import (
    answered,
    mean_estimate,
    parsed_rate,
    quantile_estimate,
    reached,
    sample_mean,
    score_mean,
)
from regrade.stats.flips import sign_flip
from regrade.stats.judging import Agreement, Corrected, cohen_kappa, corrected_mean
from regrade.stats.labels import (
    LabelComparison,
    LabelDraws,
    PairedLabels,
    compare_labels,
    draw_labels,
    label_limit_p,
    paired_labels,
)
from regrade.stats.mcnemar import McNemar, mcnemar
from regrade.stats.means import cluster_error, epoch_means, epoch_spread, standard_error, t_interval
from regrade.stats.multiple import benjamini_hochberg, holm
from regrade.stats.paired import Differences, PairedBounds, PairedTest, limit_p, paired_bounds, paired_test
from regrade.stats.planning import (
    design_effect,
    intraclass,
    mcnemar_drop,
    mcnemar_power,
    mcnemar_samples,
    mean_drop,
    mean_samples,
    planned_sd,
    t_samples,
)
from regrade.stats.quantiles import quantile_interval, ranks, samples_for_upper_bound
from regrade.stats.resampling import DRAWS, bootstrap_totals, percentile_interval
from regrade.stats.sequential import (
    McNemarLooks,
    betting_log_wealth,
    empirical_bernstein,
    sequential_mcnemar,
    spending_bounds,
)
from regrade.stats.unpaired import Welch, newcombe_independent, welch

__all__ = [
    "DRAWS",
    "LABEL_SHARES",
    "LABEL_STATISTICS",
    "Agreement",
    "Corrected",
    "Differences",
    "LabelCodes",
    "LabelComparison",
    "LabelDraws",
    "McNemar",
    "McNemarLooks",
    "PairedBounds",
    "PairedLabels",
    "PairedTest",
    "Welch",
    "answered",
    "benjamini_hochberg",
    "betting_log_wealth",
    "bootstrap_totals",
    "both_outcomes",
    "bounded_mean_interval",
    "bounded_mean_z",
    "cluster_bounded_interval",
    "cluster_bounded_z",
    "cluster_error",
    "cohen_kappa",
    "compare_labels",
    "confusion",
    "corrected_mean",
    "design_effect",
    "detectable_drop",
    "draw_labels",
    "empirical_bernstein",
    "epoch_means",
    "epoch_spread",
    "holm",
    "intraclass",
    "label_codes",
    "label_limit_p",
    "label_units",
    "limit_p",
    "mcnemar",
    "mcnemar_drop",
    "mcnemar_power",
    "mcnemar_samples",
    "mean_drop",
    "mean_estimate",
    "mean_samples",
    "newcombe_independent",
    "paired_bounds",
    "paired_labels",
    "paired_test",
    "parsed_rate",
    "pass_all_k",
    "pass_at_k",
    "percentile_interval",
    "planned_sd",
    "quantile_estimate",
    "quantile_interval",
    "ranks",
    "reached",
    "sample_mean",
    "samples_for_upper_bound",
    "score_mean",
    "sequential_mcnemar",
    "sign_flip",
    "spending_bounds",
    "standard_error",
    "t_interval",
    "t_samples",
    "welch",
]
