"""Two evaluations of the same records: is the second better, or is it luck?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from agentkit import statistics
from agentkit.errors import EvaluationError
from agentkit.evaluation.metrics import RIGHT, value
from agentkit.evaluation.plain import plain
from agentkit.evaluation.report import aligned
from agentkit.evaluation.results import Results
from agentkit.evaluation.row import Row
from agentkit.statistics import Interval
from agentkit.types import Usage

COLUMNS = ("evaluator", "before", "after", "difference", "95 % interval", "records", "only before", "only after", "p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One evaluator's scores of the records that both evaluations scored.

    ``difference`` is the mean of after minus before over the same records. ``only_before`` and ``only_after`` count the
    records that only one of them got right, and ``p`` is McNemar's exact p for that split, adjusted by Holm for the number of
    evaluators compared; None where records were repeated, for then a record is not simply right or wrong.
    """

    evaluator: str
    before: float
    after: float
    difference: Interval
    records: int
    only_before: int
    only_after: int
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``before`` and ``after`` say where the two are; ``left_out`` counts records that only one of them has.

    ``spent`` is what each used for the records that both have.
    """

    before: str
    after: str
    differences: Sequence[Difference]
    left_out: int
    spent: tuple[Usage, Usage]

    def __str__(self) -> str:
        return as_text(self)


_Pairs = dict[str, tuple[list[Row], list[Row]]]


def compare(before: Results, after: Results, *, seed: int = 0) -> Comparison:
    """The paired difference for every evaluator that both have; ``seed`` drives the bootstrap.

    Raises ``EvaluationError`` when they share no evaluator or no scored record, and when a record is not the same in both.
    """
    evaluators = [name for name in before.header.evaluators if name in after.header.evaluators]
    if not evaluators:
        raise EvaluationError(f"nothing to compare: {_judged(before)}, {_judged(after)}")
    old, new = _by_record(before.rows), _by_record(after.rows)
    pairs = {name: (old[name], new[name]) for name in sorted(old.keys() & new.keys())}
    _check_same(pairs)
    found = [one for name in evaluators if (one := _difference(name, pairs, Random(seed)))]
    if not found:
        raise EvaluationError(f"{before.path} and {after.path} have no scored record in common")
    return Comparison(
        before=str(before.path),
        after=str(after.path),
        differences=_adjusted(found),
        left_out=len(old.keys() ^ new.keys()),
        spent=(_usage(one for one, _ in pairs.values()), _usage(one for _, one in pairs.values())),
    )


def as_text(comparison: Comparison) -> str:
    """The table for a terminal, and a sentence for each evaluator."""
    rows = [COLUMNS, *(_cells(one) for one in comparison.differences)]
    before, after = comparison.spent
    lines = [f"before: {comparison.before}", f"after:  {comparison.after}", "", *aligned(rows), ""]
    lines += [_verdict(one) for one in comparison.differences]
    lines.append(f"calls {before.calls:,} -> {after.calls:,}, tokens {before.tokens:,} -> {after.tokens:,}")
    if comparison.left_out:
        lines.append(f"{comparison.left_out:,} records are only in one of the two and were left out")
    return "\n".join(lines)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The same as data."""
    return {"schema": "agentkit-comparison/v1", **plain(comparison)}


def _by_record(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row.id].append(row)
    return found


def _check_same(pairs: _Pairs) -> None:
    for name, (old, new) in pairs.items():
        if (old[0].input, old[0].target) != (new[0].input, new[0].target):
            raise EvaluationError(f"record {name!r} is not the same in both: these are results over two data sets")


def _difference(evaluator: str, pairs: _Pairs, rng: Random) -> Difference | None:
    scored = []
    for old, new in pairs.values():
        before, after = _mean(old, evaluator), _mean(new, evaluator)
        if before is not None and after is not None:
            scored.append((before, after, old[0].cluster))
    if not scored:
        return None
    befores, afters, clusters = (list(column) for column in zip(*scored, strict=True))
    only_before = sum(before >= RIGHT > after for before, after, _ in scored)
    only_after = sum(after >= RIGHT > before for before, after, _ in scored)
    once = all(len(rows) == 1 for pair in pairs.values() for rows in pair) and len(set(clusters)) == len(clusters)
    return Difference(
        evaluator=evaluator,
        before=sum(befores) / len(befores),
        after=sum(afters) / len(afters),
        difference=statistics.paired_difference(befores, afters, rng=rng, clusters=clusters),
        records=len(scored),
        only_before=only_before,
        only_after=only_after,
        p=statistics.mcnemar(only_before, only_after) if once else None,
    )


def _mean(rows: Sequence[Row], evaluator: str) -> float | None:
    values = [found for row in rows if (found := value(row, evaluator)) is not None]
    return sum(values) / len(values) if values else None


def _adjusted(found: Sequence[Difference]) -> tuple[Difference, ...]:
    tested = [one.evaluator for one in found if one.p is not None]
    adjusted = dict(zip(tested, statistics.holm([one.p for one in found if one.p is not None]), strict=True))
    return tuple(replace(one, p=adjusted.get(one.evaluator)) for one in found)


def _usage(groups: Iterable[Sequence[Row]]) -> Usage:
    return sum((row.usage for rows in groups for row in rows), Usage())


def _judged(results: Results) -> str:
    return f"{results.path} was judged by {', '.join(results.header.evaluators) or 'nobody'}"


def _cells(one: Difference) -> tuple[str, ...]:
    found = one.difference
    return (
        one.evaluator,
        f"{one.before:.3f}",
        f"{one.after:.3f}",
        f"{found.value:+.3f}",
        f"{found.low:+.3f} to {found.high:+.3f}",
        f"{one.records:,}",
        f"{one.only_before:,}",
        f"{one.only_after:,}",
        "-" if one.p is None else f"{one.p:.3g}",
    )


def _verdict(one: Difference) -> str:
    if one.difference.low > 0:
        return f"{one.evaluator}: better"
    if one.difference.high < 0:
        return f"{one.evaluator}: worse"
    return f"{one.evaluator}: no difference that {one.records:,} records can show"
