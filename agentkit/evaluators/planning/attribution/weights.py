"""How much each feature counts: one line each, to be read and argued with.

``FITTED`` comes from ``evals/planning/fit_attribution.py``: conditional logistic regression with a ridge penalty on the
algorithm part of Who&When (Zhang et al. 2025, arXiv 2505.00212; MIT licence), whose logs have 5 to 10 steps. ``SET`` was not
fitted, because no labelled long log was at hand: it is what one expects where a leader hands out the work turn by turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FITTED: Mapping[str, float] = MappingProxyType(
    {
        "fresh": 1.48,  # 515 steps, 99 of them labelled
        "opening_runs": 1.48,  # 26 steps, 13 of them labelled
        "opening_drifts": 1.47,  # 116 steps, 19 of them labelled
        "opening_foreign": 1.22,  # 13 steps, 10 of them labelled
        "reply": -1.10,  # 304 steps, 2 of them labelled
        "assumes": 0.94,  # 96 steps, 32 of them labelled
        "first_failure": 0.86,  # 73 steps, 28 of them labelled
        "concludes_first": 0.80,  # 90 steps, 22 of them labelled
        "born": 0.65,  # 323 steps, 73 of them labelled
        "last": -0.55,  # 126 steps, 6 of them labelled
        "unfinished": 0.53,  # 36 steps, 6 of them labelled
        "short": -0.51,  # 74 steps, 0 of them labelled
        "by_hand": 0.51,  # 104 steps, 23 of them labelled
        "concludes": -0.48,  # 222 steps, 25 of them labelled
        "plans": -0.46,  # 133 steps, 18 of them labelled
        "invents_first": 0.39,  # 32 steps, 14 of them labelled
        "opener": 0.31,  # 242 steps, 40 of them labelled
    }
)

SET: Mapping[str, float] = MappingProxyType(
    {
        "asker": -4.0,  # whoever asks is not the agent
        "works": 0.8,  # most of what goes wrong goes wrong where something is done
        "leads": -0.4,
        "notes": -0.8,  # a ledger sums up what happened
        "astray": 0.5,  # a page about something else
        "errs": 0.4,
        "stalls": 0.6,  # the leader itself says that nothing was gained
        "late": -1.5,  # the earliest of several errors is the one the others follow from
    }
)

WEIGHTS: Mapping[str, float] = MappingProxyType({**FITTED, **SET})
