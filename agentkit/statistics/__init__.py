"""How sure a number is: intervals, paired tests, ranking, calibration, repeats and survival, as pure functions of values.

Every estimate comes with its bounds. Chance is an argument: whatever resamples takes ``rng``, so the same seed gives
the same interval. Rules followed: Miller, "Adding Error Bars to Evals" (2024, arXiv 2411.00640).
"""

from agentkit.statistics.calibration import brier, ece
from agentkit.statistics.comparison import holm, mcnemar
from agentkit.statistics.dependence import propagation, self_conditioning
from agentkit.statistics.intervals import (
    LEVEL,
    RESAMPLES,
    Interval,
    mean,
    median,
    paired_difference,
    quantile,
    wilson,
)
from agentkit.statistics.monotone import Knots, at, monotone_map
from agentkit.statistics.ranking import auroc, auroc_interval
from agentkit.statistics.repeats import pass_at_k, pass_at_k_interval, pass_hat_k, pass_hat_k_interval
from agentkit.statistics.survival import (
    Lifetime,
    Survival,
    Weibull,
    bootstrap,
    constant_horizon,
    hazard_rate,
    kaplan_meier,
    weibull,
)

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "Interval",
    "Knots",
    "Lifetime",
    "Survival",
    "Weibull",
    "at",
    "auroc",
    "auroc_interval",
    "bootstrap",
    "brier",
    "constant_horizon",
    "ece",
    "hazard_rate",
    "holm",
    "kaplan_meier",
    "mcnemar",
    "mean",
    "median",
    "monotone_map",
    "paired_difference",
    "pass_at_k",
    "pass_at_k_interval",
    "pass_hat_k",
    "pass_hat_k_interval",
    "propagation",
    "quantile",
    "self_conditioning",
    "weibull",
    "wilson",
]
