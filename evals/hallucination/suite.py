"""How well ``groundedness`` tells supported answers from the others, on labelled sets, beside plain word overlap.

python evals/hallucination/suite.py --data FOLDER [--output FILE] [--sets NAME ...] [--resamples N]

For each set: AUROC with a 95 % bootstrap interval (rows of one source are resampled together), the AUROC of flagging everything
(0.5 by construction) and of the best of three word-overlap baselines, and the difference with its interval; then the AUROC
without the encoder, and the claim-only control: every claim beside the evidence of another row, where only the claim can tell.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sets import SETS, Row

from agentkit.evaluators.hallucination.groundedness import VERSION, Groundedness
from agentkit.statistics import auroc, ece
from agentkit.types import Document

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"\b[A-ZА-ЯЁ]\w+")


def main() -> None:
    options = _arguments()
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "evaluator": f"groundedness {VERSION}",
        "versions": {"python": platform.python_version(), **_versions("agentkit", "PyStemmer", "onnxruntime")},
        "resamples": options.resamples,
        "sets": {},
    }
    figures = f"{'AUROC':22} {'best overlap':22} {'difference':24} {'words':>6} {'claim':>6} {'ECE':>5} {'ms/row':>6}"
    print(f"{'set':38} {'rows':>5} {'true':>5}  {figures}")
    for name in options.sets or SETS:
        report["sets"][name] = measured = measure(SETS[name](options.data), options.resamples)
        print(_line(name, measured), flush=True)
    report["timing"] = timing()
    print(json.dumps(report["timing"]))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def measure(rows: Sequence[Row], resamples: int) -> dict[str, Any]:
    """Everything about one set; rows that are not scored are left out of all figures and counted."""
    judge = Groundedness(encoder="auto")
    judge.check(rows[0].answer, rows[0].documents)
    began = time.process_time()
    scores = [judge.check(row.answer, row.documents) for row in rows]
    milliseconds = (time.process_time() - began) * 1000 / len(rows)
    kept = [(row, score) for row, score in zip(rows, scores, strict=True) if score.value is not None]
    labels = [row.supported for row, _ in kept]
    ours = [score.value or 0.0 for _, score in kept]
    baselines = {name: [of(row) for row, _ in kept] for name, of in _BASELINES.items()}
    best = max(baselines, key=lambda name: auroc(labels, baselines[name]))
    intervals = _bootstrap([row.group for row, _ in kept], labels, ours, baselines[best], resamples)
    return {
        "rows": len(rows),
        "supported": sum(labels),
        "unscored": len(rows) - len(kept),
        "auroc": intervals["ours"],
        "flag_all": 0.5,
        "baselines": {name: round(auroc(labels, values), 4) for name, values in baselines.items()},
        "best_baseline": {"name": best, "auroc": intervals["baseline"]},
        "difference": intervals["difference"],
        "encoder": Counter(str(score.metadata["encoder"]) for _, score in kept).most_common(1)[0][0],
        "without_encoder": _control([row for row, _ in kept], Groundedness(encoder="none"), shift=0),
        "claim_only": _control([row for row, _ in kept], judge, shift=len(kept) // 2 + 1),
        "ece": round(ece(ours, labels), 4),
        "labels": _counts(kept),
        "by_rule": _by_rule(kept),
        "cpu_ms_per_row": round(milliseconds, 2),
    }


def _control(rows: Sequence[Row], judge: Groundedness, *, shift: int) -> float:
    """The AUROC where each claim stands beside the evidence of the row ``shift`` places on."""
    pairs = [(row, judge.check(row.answer, rows[(n + shift) % len(rows)].documents)) for n, row in enumerate(rows)]
    kept = [(row.supported, score.value) for row, score in pairs if score.value is not None]
    return round(auroc([label for label, _ in kept], [value for _, value in kept]), 4)


def timing() -> dict[str, float]:
    """Milliseconds of one core: reading a source of 2,000 words, and checking a claim against it once it is read."""
    plain = _timed(Groundedness(encoder="none"))
    return {**{f"words_{key}": value for key, value in plain.items()}, **_timed(Groundedness())}


def _timed(judge: Groundedness) -> dict[str, float]:
    random = Random(0)
    listed = files("agentkit.text").joinpath("data/frequent_en.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = " ".join(line for line in listed if not line.startswith("#")).split()
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]

    def sentence() -> str:
        return " ".join(random.choices(vocabulary, weights, k=20)).capitalize() + "."

    first, rest = [], []
    for turn in range(20):
        sentences = [sentence() for _ in range(2000 // 20)]
        documents = (Document(text=f"Turn {turn}. " + " ".join(sentences)),)
        claims = [sentence() for _ in range(10)]
        began = time.process_time()
        judge.check(claims[0], documents)
        middle = time.process_time()
        for claim in claims:
            judge.check(claim, documents)
        first.append(middle - began)
        rest.append((time.process_time() - middle) / len(claims))
    return {
        "source_of_2000_words_and_first_claim_ms": round(median(first) * 1000, 2),
        "further_claim_ms": round(median(rest) * 1000, 2),
    }


def _unigrams(row: Row) -> float:
    said, there = _words(row)
    return sum(word in set(there) for word in said) / len(said) if said else 0.0


def _bigrams(row: Row) -> float:
    said, there = _words(row)
    pairs, known = list(pairwise(said)), set(pairwise(there))
    return sum(pair in known for pair in pairs) / len(pairs) if pairs else _unigrams(row)


def _sum(row: Row) -> float:
    """Both overlaps, less new numbers and new names."""
    said, there = _words(row)
    known = set(there)
    numbers = sum(word[0].isdigit() and word not in known for word in said)
    names = sum(name.casefold() not in known for name in _NAME.findall(row.answer))
    return _unigrams(row) + _bigrams(row) - 0.3 * min(numbers, 3) - 0.1 * min(names, 3)


def _words(row: Row) -> tuple[list[str], list[str]]:
    source = " ".join(document.text for document in row.documents)
    return _WORD.findall(row.answer.casefold()), _WORD.findall(source.casefold())


_BASELINES = {"unigram_overlap": _unigrams, "bigram_overlap": _bigrams, "hand_sum": _sum}


def _bootstrap(
    groups: Sequence[str], labels: Sequence[bool], ours: Sequence[float], baseline: Sequence[float], resamples: int
) -> dict[str, dict[str, float]]:
    members: dict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    names, random = list(members), Random(0)
    drawn: dict[str, list[float]] = {"ours": [], "baseline": [], "difference": []}
    while len(drawn["ours"]) < resamples:
        places = [place for name in random.choices(names, k=len(names)) for place in members[name]]
        truth = [labels[place] for place in places]
        if 0 < sum(truth) < len(truth):
            one, two = (auroc(truth, [values[place] for place in places]) for values in (ours, baseline))
            for key, value in (("ours", one), ("baseline", two), ("difference", one - two)):
                drawn[key].append(value)
    one, two = auroc(labels, ours), auroc(labels, baseline)
    points = {"ours": one, "baseline": two, "difference": one - two}
    return {key: _interval(points[key], sorted(values)) for key, values in drawn.items()}


def _interval(value: float, drawn: Sequence[float]) -> dict[str, float]:
    low, high = drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn)) - 1]
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def _counts(kept: Sequence[tuple[Row, Any]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"supported": 0, "not": 0})
    for row, score in kept:
        counts[score.label]["supported" if row.supported else "not"] += 1
    return dict(sorted(counts.items()))


def _by_rule(kept: Sequence[tuple[Row, Any]]) -> dict[str, float]:
    """AUROC of each corruption against all the supported rows."""
    good = [score.value for row, score in kept if row.supported]
    bad: dict[str, list[float]] = defaultdict(list)
    for row, score in kept:
        if row.rule and not row.supported:
            bad[row.rule].append(score.value)
    return {
        rule: round(auroc([True] * len(good) + [False] * len(values), [*good, *values]), 4)
        for rule, values in sorted(bad.items())
    }


def _line(name: str, measured: dict[str, Any]) -> str:
    figures = (measured["auroc"], measured["best_baseline"]["auroc"], measured["difference"])
    shown = [f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in figures]
    return (
        f"{name:38} {measured['rows']:5} {measured['supported']:5}  {shown[0]:22} {shown[1]:22} {shown[2]:24} "
        f"{measured['without_encoder']:6.3f} {measured['claim_only']:6.3f} {measured['ece']:5.3f} "
        f"{measured['cpu_ms_per_row']:6.1f}"
    )


def _versions(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with wice/, begin/, qags/, ...")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    parser.add_argument("--sets", nargs="*", choices=SETS, help="only these")
    parser.add_argument("--resamples", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
