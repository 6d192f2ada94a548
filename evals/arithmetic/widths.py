"""What votes of every width come to on the twenty samples of ``pool.yaml``, and what they cost.

    agentkit eval evals/arithmetic/pool.yaml
    python evals/arithmetic/widths.py .agentkit/evals/arithmetic-pool [--save FILE]

A vote of k is that of the first k in a random order of the twenty. Tokens and seconds are those of the recorded run, a sample's
mean of them times the samples drawn; the prompt is read once a question and cached after that.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from agentkit.answers import equivalent
from agentkit.statistics import Interval, mean, paired_difference
from agentkit.strategies import stopping
from agentkit.strategies.pools import Pooled, replay

_DRAWN = 20
_ORDERS = 40
_WIDTHS: tuple[tuple[str, int, stopping.Rule], ...] = (
    ("1 sample", 1, stopping.Fixed()),
    ("vote of 5", 5, stopping.Fixed()),
    ("vote of 10", 10, stopping.Fixed()),
    ("vote of 20", 20, stopping.Fixed()),
    ("up to 10, regret", 10, stopping.Regret()),
    ("up to 20, regret", 20, stopping.Regret()),
    ("up to 20, Beta .95", 20, stopping.Beta()),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="the folder that agentkit eval printed")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    lines = (options.results / "results.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines[1:]) if row["output"]]
    pools = [_pooled(row) for row in rows]
    tokens = sum(row["usage"]["output_tokens"] for row in rows) / (_DRAWN * len(rows))
    seconds = sum(row["seconds"] for row in rows) / (_DRAWN * len(rows))
    figures = _figures(pools, tokens, seconds)
    ceiling = mean([float(one.right is not None) for one in pools], rng=Random(0))
    print(f"{len(pools)} questions, {_DRAWN} samples each; right among the {_DRAWN}: {_shown(ceiling)}")
    for name, one in figures.items():
        print(
            f"{name:20} right {_shown(one['accuracy'])}  over one sample {_shown(one['gain'])}  samples {one['samples']:5.2f}"
            f"  tokens {one['tokens']:6.1f}  seconds {one['seconds']:5.2f}"
        )
    if options.save:
        told = {"date": str(date.today()), "python": platform.python_version(), "xllamacpp": version("xllamacpp")}
        plain = {name: {key: _plain(value) for key, value in one.items()} for name, one in figures.items()}
        kept = {
            **told,
            "model": "local/smollm2",
            "questions": len(pools),
            "any_right": _plain(ceiling),
            "widths": plain,
        }
        options.save.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _pooled(row: Mapping[str, Any]) -> Pooled:
    """The samples of a question by the class they voted for; one that voted for none abstained."""
    votes = row["output"]["votes"]
    labels = {place: number for number, vote in enumerate(votes) for place in vote["samples"]}
    wanted = str(row["target"])
    right = next((number for number, vote in enumerate(votes) if equivalent(vote["answer"], wanted, "number")), None)
    return Pooled(id=row["id"], labels=tuple(labels.get(place) for place in range(_DRAWN)), right=right)


def _figures(pools: Sequence[Pooled], tokens: float, seconds: float) -> dict[str, dict[str, Any]]:
    outcomes = {name: [_outcome(one, width, rule) for one in pools] for name, width, rule in _WIDTHS}
    single = [right for right, _ in outcomes["1 sample"]]
    found = {}
    for name, results in outcomes.items():
        right, drawn = [one for one, _ in results], fmean(samples for _, samples in results)
        found[name] = {
            "accuracy": mean(right, rng=Random(0)),
            "gain": paired_difference(single, right, rng=Random(0)),
            "samples": drawn,
            "tokens": drawn * tokens,
            "seconds": drawn * seconds,
        }
    return found


def _outcome(question: Pooled, width: int, rule: stopping.Rule) -> tuple[float, float]:
    rng = Random(question.id)
    runs = [replay(rng.sample(question.labels, width), rule) for _ in range(_ORDERS)]
    return fmean(label is not None and label == question.right for label, _ in runs), fmean(n for _, n in runs)


def _shown(one: Interval) -> str:
    return f"{100 * one.value:5.1f} [{100 * one.low:5.1f}, {100 * one.high:5.1f}]"


def _plain(value: object) -> object:
    if isinstance(value, Interval):
        return {"value": round(value.value, 4), "low": round(value.low, 4), "high": round(value.high, 4)}
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
