"""What ``agentkit calibrate`` found on a user's own labels, applied to a score."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from agentkit.errors import ConfigError
from agentkit.statistics import Knots, at
from agentkit.types import Score

SCHEMA = "agentkit-calibration/v1"


class Calibration(NamedTuple):
    """The map from scores to probabilities; ``accept`` and ``reject`` bound the scores on which it does not decide.

    ``abstains`` is false where no band could be promised: then every score is only mapped.
    """

    evaluator: str
    knots: Knots
    accept: float
    reject: float
    abstains: bool


def calibrated(score: Score, path: Path | None) -> Score:
    """The score as a probability, or unscored with label ``abstained`` inside the band; as it is without a ``path``.

    ``metadata["raw"]`` keeps the score as it was. Raises ``ConfigError`` for a file that is no calibration of this evaluator.
    """
    if path is None or score.value is None:
        return score
    found = read(path)
    if found.evaluator != score.evaluator:
        raise ConfigError(f"{path} calibrates {found.evaluator}, not {score.evaluator}: run agentkit calibrate for it")
    value, metadata = at(found.knots, score.value), {**score.metadata, "raw": score.value}
    if found.abstains and found.reject < score.value < found.accept:
        reason = f"the score {score.value:.3f} lies where your labels allow no verdict (probability {value:.0%})"
        return replace(score, value=None, status="unscored", label="abstained", reason=reason, metadata=metadata)
    return replace(score, value=value, metadata=metadata)


@lru_cache(maxsize=16)
def read(path: Path) -> Calibration:
    """The file; read once in the life of the process."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise ValueError
        return _calibration(found)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(f"{path} is no calibration: write one with agentkit calibrate") from None


def _calibration(found: dict[str, Any]) -> Calibration:
    knots = tuple((float(score), float(probability)) for score, probability in found["knots"])
    accept, reject = found["accept_from"], found["reject_to"]
    rising = all(one[0] < two[0] and one[1] <= two[1] for one, two in pairwise(knots))
    if (
        not knots
        or not rising
        or not all(0 <= probability <= 1 and math.isfinite(score) for score, probability in knots)
    ):
        raise ValueError
    return Calibration(
        evaluator=str(found["evaluator"]),
        knots=knots,
        accept=math.inf if accept is None else float(accept),
        reject=-math.inf if reject is None else float(reject),
        abstains=accept is not None or reject is not None,
    )
