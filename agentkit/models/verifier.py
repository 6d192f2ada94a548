"""A learned verifier: how likely an answer is right, read off what a model makes of it (Cobbe et al. 2021, arXiv 2110.14168)."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from agentkit.errors import InputError, StoreError
from agentkit.models.transformers import Transformers
from agentkit.statistics import Knots, at
from agentkit.types import Message, Problem, Record, Score

SCHEMA = "agentkit-verifier/v1"
VERSION = "1"


@dataclass(frozen=True, kw_only=True)
class Head:
    """A linear score over the hidden states of ``model`` after ``layer``, and the map from it to a probability.

    ``weights`` holds two parts of equal length: for the mean over the answer's tokens, and for its last token.
    """

    model: str
    layer: int
    weights: tuple[float, ...]
    bias: float
    knots: Knots
    report: dict[str, Any] = field(default_factory=dict)

    def raw(self, features: Sequence[float]) -> float:
        """The score before calibration, in (0, 1)."""
        odds = self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def probability(self, features: Sequence[float]) -> float:
        """The calibrated probability that the answer is right."""
        return at(self.knots, self.raw(features))

    def save(self, path: Path) -> None:
        """Write it as JSON. Raises ``StoreError`` where that is not possible."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"schema": SCHEMA, **asdict(self)}) + "\n", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None

    @staticmethod
    def load(path: Path) -> Head:
        """The head in a file. Raises ``InputError`` for a file that holds none."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("schema") != SCHEMA:
                raise KeyError("schema")
            weights = tuple(float(one) for one in found.pop("weights"))
            knots = tuple((float(score), float(probability)) for score, probability in found.pop("knots"))
            return Head(weights=weights, knots=knots, **found)
        except OSError as error:
            raise InputError(f"the verifier {path} cannot be read: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path} is no verifier: make one with agentkit train verifier") from None


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Scores an answer by ``head``, a file that ``agentkit train verifier`` wrote.

    The score is the probability that ``record.output`` answers ``record.input`` rightly, calibrated on the samples that it
    was trained on; on other kinds of questions it may be worth nothing. ``weights`` is the folder of the model that the head
    was trained on, where it is not at its old place. In Python it also serves as a process reward: ``score`` tells how
    likely a solution is to end well after each of its steps. Needs the extra ``torch``.
    """

    head: Path
    weights: str = ""
    device: str = "auto"

    def __post_init__(self) -> None:
        self._loaded  # noqa: B018 - a file that is no verifier is told of now, not at the first answer

    @cached_property
    def _loaded(self) -> Head:
        return Head.load(Path(self.head))

    @cached_property
    def _reader(self) -> Transformers:
        return Transformers(model=self.weights or self._loaded.model, device=self.device, dtype="float32")

    async def evaluate(self, record: Record) -> Score:
        """The probability, labelled ``right`` from one half on and ``wrong`` below."""
        question, answer = _text(record.input), _text(record.output)
        if not question or not answer:
            missing = "question" if not question else "answer"
            return Score(
                value=None, status="unscored", reason=f"there is no {missing}", evaluator="verifier", version=VERSION
            )
        value = (await self.score(Problem.of(question), [answer]))[0]
        label = "right" if value >= 0.5 else "wrong"
        return Score(value=value, label=label, evaluator="verifier", version=VERSION)

    async def score(self, problem: Problem, steps: Sequence[str]) -> Sequence[float]:
        """The probability after each of ``steps``; the text is read once."""
        if not steps:
            return ()
        loaded = await self._reader.opened()
        asked = (Message("user", problem.question),)
        texts = ["\n".join(steps[: place + 1]) for place in range(len(steps))]
        tokens = [loaded.tokens((*asked, Message("assistant", text))) for text in texts]
        states = await asyncio.to_thread(loaded.hidden, tokens[-1], layer=self._loaded.layer)
        start = len(loaded.tokens(asked))
        ends = [min(len(one), len(tokens[-1])) for one in tokens]
        return tuple(self._loaded.probability(features(states[:end], start)) for end in ends)


def features(states: Any, start: int) -> list[float]:
    """The mean of the rows from ``start`` on, and the last row: what a head weighs. ``states`` is of shape (tokens, hidden)."""
    answer = states[min(start, len(states) - 1) :]
    return [*answer.mean(axis=0).tolist(), *states[-1].tolist()]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
