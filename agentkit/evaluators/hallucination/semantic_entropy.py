"""The evaluator ``semantic_entropy``: how scattered samples are over meanings (Farquhar et al. 2024, Nature 630, 625-630)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agentkit import answers
from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination import agreement, samples
from agentkit.evaluators.hallucination.calibrated import calibrated
from agentkit.evaluators.hallucination.entailment import follows, question_bounds
from agentkit.protocols import Model
from agentkit.types import Bounds, Finding, Record, Score, Usage

VERSION = "1.0"
Weights = Literal["auto", "count", "likelihood"]


class Clusters(NamedTuple):
    """Groups of sample indices that mean the same, what finding them cost, and the replies that were no verdict."""

    groups: tuple[tuple[int, ...], ...]
    usage: Usage = Usage()
    unread: int = 0


@dataclass(frozen=True, kw_only=True)
class SemanticEntropy:
    """Puts samples that mean the same together and scores 1 less the entropy of the groups over its greatest possible value.

    Samples are ``record.metadata["samples"]``; an output beside them counts as one more. They mean the same when their
    final answers do (``kind``, ``convention``), or with a ``model`` when each follows from the other for it: the first
    ``max_asked`` samples are compared so. ``weights``: ``count`` gives each sample the same weight (discrete entropy),
    ``likelihood`` its probability by the mean log-probability of its tokens, ``auto`` that where all samples have one. A
    sample without an answer is a meaning of its own. ``label`` is ``consistent`` from ``threshold`` on, else
    ``scattered``; ``metadata`` has the ``entropy`` in nats and the ``clusters``. Of more than ``max_samples`` samples the
    first are read.
    ``calibration`` is a file of ``agentkit calibrate``: the score becomes a probability by your own labels.
    """

    model: Model | None = None
    kind: Kind = "auto"
    convention: Convention = "us"
    weights: Weights = "auto"
    threshold: float = 0.5
    max_samples: int = 100
    max_asked: int = 10
    calibration: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"semantic_entropy: threshold must lie above 0 and at most at 1, not {self.threshold}")
        for name in ("max_samples", "max_asked"):
            if getattr(self, name) < 2:
                raise ConfigError(f"semantic_entropy: {name} must be at least 2, not {getattr(self, name)}")

    def bounds(self) -> tuple[Bounds, ...]:
        """Two questions a pair of samples, where a model is asked."""
        return question_bounds(self.model, self.max_asked * (self.max_asked - 1)) if self.model else ()

    def parse(self, row: Any) -> Record:
        """The record of a row ``{samples: [...], answer?}``; raises ``InputError`` when it has no samples."""
        return samples.parse(row)

    async def evaluate(self, record: Record) -> Score:
        """The score; without two samples, or without the likelihoods that are asked for, it is unscored with a reason."""
        began = time.perf_counter()
        pool = samples.pool(record, self.max_samples)
        if isinstance(pool, str):
            return _unscored(pool)
        drawn = (*pool.samples, *([samples.Drawn(pool.answer)] if pool.answer is not None else ()))
        drawn = drawn[: self.max_asked] if self.model else drawn
        shares = self._shares(drawn)
        if shares is None:
            return _unscored(
                "not every sample has log-probabilities: use weights: count, or ask the model for logprobs"
            )
        found = await self._clusters(drawn, record)
        return calibrated(self._scored(found, drawn, shares, time.perf_counter() - began), self.calibration)

    def _shares(self, drawn: Sequence[samples.Drawn]) -> list[float] | None:
        known = [one.logprob for one in drawn if one.logprob is not None]
        if self.weights == "count" or (self.weights == "auto" and len(known) < len(drawn)):
            return [1 / len(drawn)] * len(drawn)
        if len(known) < len(drawn):
            return None
        likely = [math.exp(one - max(known)) for one in known]
        return [one / math.fsum(likely) for one in likely]

    async def _clusters(self, drawn: Sequence[samples.Drawn], record: Record) -> Clusters:
        texts = samples.said(drawn)
        if self.model is not None:
            question = record.input if isinstance(record.input, str) else ""
            found = await _asked(self.model, texts, question)
        else:
            short = agreement.final_answers(texts, self.kind, self.convention)
            found = Clusters(answers.classes(short, self.kind, convention=self.convention))
        placed = {place for group in found.groups for place in group}
        alone = tuple((place,) for place in range(len(drawn)) if place not in placed)
        return found._replace(groups=(*found.groups, *alone))

    def _scored(
        self, found: Clusters, drawn: Sequence[samples.Drawn], shares: Sequence[float], seconds: float
    ) -> Score:
        masses = [math.fsum(shares[place] for place in group) for group in found.groups]
        entropy = max(0.0, -math.fsum(mass * math.log(mass) for mass in masses if mass > 0))
        value = min(1.0, max(0.0, 1 - entropy / math.log(len(drawn))))
        sure = value >= self.threshold
        return Score(
            value=value,
            label="consistent" if sure else "scattered",
            findings=() if sure else (_finding(found.groups, masses, drawn),),
            evaluator="semantic_entropy",
            version=VERSION,
            usage=found.usage,
            seconds=seconds,
            metadata={
                "entropy": entropy,
                "clusters": [list(group) for group in found.groups],
                "samples": len(drawn),
                "unread": found.unread,
            },
        )


async def _asked(model: Model, texts: Sequence[str | None], question: str) -> Clusters:
    """Each sample joins the first group whose first member it follows from and that follows from it; equal texts cost nothing."""
    groups: list[list[int]] = []
    usage, unread = Usage(), 0
    for place, text in enumerate(texts):
        if text is None:
            continue
        home = next((group for group in groups if any(texts[other] == text for other in group)), None)
        for group in groups if home is None else ():
            one = await follows(model, texts[group[0]] or "", text, question=question)
            usage, unread = usage + one.usage, unread + (one.follows is None)
            if one.follows:
                back = await follows(model, text, texts[group[0]] or "", question=question)
                usage, unread = usage + back.usage, unread + (back.follows is None)
                home = group if back.follows else None
            if home is not None:
                break
        if home is None:
            groups.append([place])
        else:
            home.append(place)
    return Clusters(tuple(map(tuple, groups)), usage, unread)


def _finding(groups: Sequence[Sequence[int]], masses: Sequence[float], drawn: Sequence[samples.Drawn]) -> Finding:
    most = max(range(len(groups)), key=masses.__getitem__)
    text = drawn[groups[most][0]].text
    return Finding(
        code="scattered",
        kind="inconsistent",
        message=f"{len(drawn)} samples have {len(groups)} meanings; the most frequent holds {masses[most]:.0%}",
        text=text,
        confidence=min(1.0, max(0.0, 1 - masses[most])),
    )


def _unscored(reason: str) -> Score:
    return Score(value=None, status="unscored", reason=reason, evaluator="semantic_entropy", version=VERSION)
