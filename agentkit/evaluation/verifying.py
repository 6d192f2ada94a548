"""Recorded answers with their verdicts, and what a verifier trained on them is worth on questions it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from random import Random
from statistics import fmean

from agentkit.answers import Kind, equivalent, extract, partition, read
from agentkit.errors import EvaluationError, InputError
from agentkit.evaluation.labelled import Fitted, fit
from agentkit.statistics import Interval, mean, paired_difference
from agentkit.types import JSON

Raw = Callable[[int], float]
"""The score of row i before calibration, in (0, 1)."""
Fit = Callable[[Sequence[int], float], Raw]
"""A verifier trained on these rows with this penalty."""

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_FEWEST = 10  # questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One recorded answer: the question (``group`` is what it is known by), the text, and whether it is right."""

    group: str
    question: str
    answer: str
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The accuracy of a way to choose among a question's answers, and its lead over the majority on the same questions."""

    name: str
    accuracy: Interval
    over_majority: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What cross-validation over questions says: ``fitted`` of the scores, ``choices`` where questions have several answers."""

    penalty: float
    questions: int
    scores: tuple[float, ...]
    fitted: Fitted
    choices: tuple[Choice, ...]


def answered(row: JSON, kind: Kind = "auto") -> list[Answered]:
    """The answers of a row: ``{question, answer, right}``, or a pool's ``{question, answers, gold}``. Raises ``InputError``."""
    if not isinstance(row, Mapping) or not isinstance(row.get("question"), str):
        raise InputError("a row needs a 'question' that is text")
    question, name = str(row["question"]), str(row.get("id") or row["question"])
    if isinstance(row.get("answer"), str) and isinstance(row.get("right"), bool):
        return [Answered(group=name, question=question, answer=str(row["answer"]), right=bool(row["right"]))]
    texts, gold = row.get("answers"), row.get("gold")
    if not isinstance(texts, list) or gold is None:
        raise InputError("a row needs 'answer' and 'right' (true or false), or 'answers' and 'gold'")
    wanted = str(gold)
    found = [(text, extract(text, kind)) for text in texts if isinstance(text, str) and text.strip()]
    return [
        Answered(group=name, question=question, answer=text, right=one is not None and equivalent(one, wanted, kind))
        for text, one in found
    ]


def cross_validate(rows: Sequence[Answered], train: Fit, *, rng: Random, folds: int, kind: Kind = "auto") -> Verified:
    """Train and judge in ``folds`` parts of whole questions. The penalty of a part is chosen without looking at it.

    Raises ``EvaluationError`` for fewer than ten questions, or where all answers are right or all are wrong.
    """
    parts = _parts(rows, rng, folds)
    scores, chosen = dict[int, float](), list[float]()
    for place, held in enumerate(parts):
        rest = [row for part in parts if part is not held for row in part]
        penalty = _penalty(rows, train, rest, parts[(place + 1) % folds])
        chosen.append(penalty)
        raw = train(rest, penalty)
        scores |= {row: raw(row) for row in held}
    ordered = tuple(scores[place] for place in range(len(rows)))
    return Verified(
        penalty=sorted(chosen)[len(chosen) // 2],
        questions=len({row.group for row in rows}),
        scores=ordered,
        fitted=fit(ordered, [row.right for row in rows], rng=rng, folds=folds),
        choices=_choices(rows, ordered, rng, kind),
    )


def _parts(rows: Sequence[Answered], rng: Random, folds: int) -> list[list[int]]:
    groups = sorted({row.group for row in rows})
    if len(groups) < _FEWEST:
        raise EvaluationError(f"a verifier needs answers to at least {_FEWEST} questions, and there are {len(groups)}")
    if not 2 <= folds <= len(groups):
        raise EvaluationError(f"folds must lie between 2 and the number of questions, {len(groups)}, not {folds}")
    right = sum(row.right for row in rows)
    if right in (0, len(rows)):
        raise EvaluationError(f"all {len(rows)} answers are {'right' if right else 'wrong'}: nothing tells them apart")
    rng.shuffle(groups)
    part_of = {group: place % folds for place, group in enumerate(groups)}
    return [[place for place, row in enumerate(rows) if part_of[row.group] == part] for part in range(folds)]


def _penalty(rows: Sequence[Answered], train: Fit, rest: Sequence[int], inner: Sequence[int]) -> float:
    """The penalty with the least surprise on ``inner`` when trained on the others of ``rest``."""
    held = set(inner)
    known = [place for place in rest if place not in held]

    def surprise(penalty: float) -> float:
        raw = train(known, penalty)
        return fmean(-log(raw(place) if rows[place].right else 1 - raw(place)) for place in inner)

    return min(PENALTIES, key=surprise)


def _choices(rows: Sequence[Answered], scores: Sequence[float], rng: Random, kind: Kind) -> tuple[Choice, ...]:
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row.group, []).append(place)
    several = [places for places in groups.values() if len(places) > 1]
    if len(several) < 2:
        return ()
    results = [_chosen(rows, scores, places, kind) for places in several]
    majority = [one["majority"] for one in results]
    return tuple(
        Choice(
            name=name,
            accuracy=mean([one[name] for one in results], rng=rng),
            over_majority=paired_difference(majority, [one[name] for one in results], rng=rng),
        )
        for name in ("one sample", "majority", "best", "weighted", "any")
    )


def _chosen(rows: Sequence[Answered], scores: Sequence[float], places: Sequence[int], kind: Kind) -> dict[str, float]:
    """Whether each way to choose comes out right at a question."""
    right = [float(rows[place].right) for place in places]
    found = [extract(rows[place].answer, kind) for place in places]
    classes = partition([None if one is None else read(one, kind) for one in found]) or [[0]]
    best = max(range(len(places)), key=lambda one: scores[places[one]])
    return {
        "one sample": fmean(right),
        "majority": right[max(classes, key=len)[0]],
        "best": right[best],
        "weighted": right[max(classes, key=lambda group: sum(scores[places[one]] for one in group))[0]],
        "any": max(right),
    }
