"""How well ``self_check`` and ``semantic_entropy`` tell wrong answers from right ones, on recorded samples of real models.

python evals/hallucination/samples.py --data FOLDER [--output FILE] [--resamples N]

The answer of a question is its vote (with four solutions of GSM8K: the best model's). For each pool: AUROC of wrong against right
answers with a 95 % bootstrap interval, beside the log-frequency of the answer as it is written, and the paired difference.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import log
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from agentkit import answers, run_sync
from agentkit.evaluators.hallucination.samples import parse
from agentkit.evaluators.hallucination.self_check import VERSION, SelfCheck
from agentkit.evaluators.hallucination.semantic_entropy import SemanticEntropy
from agentkit.statistics import auroc

POOLS = {
    "GPT3_date_cot1_40": "date",
    "GPT3_date_cot2_t0.8": "date",
    "llama2_13B_date_cot1": "date",
    "llama2_13B_gsm_pot1": "number",
    "llama2_13B_gsm_pot2": "number",
    "GPT4_gsm_cot1": "number",
    "GPT4_gsm_pot1": "number",
}


class Question(NamedTuple):
    """The samples (None: could not be parsed), the answer judged, and whether it is wrong."""

    samples: tuple[str | None, ...]
    answer: str
    wrong: bool


def pool(data: Path, name: str, kind: str) -> Iterator[Question]:
    """Voted questions of an answer pool; those in which no sample could be parsed are left out."""
    for row in _lines(data / f"answer_pools/{name}.jsonl.gz"):
        samples = tuple(None if one is None else str(one) for one in row.get("answers", ()))
        groups = answers.classes([one and answers.extract(one, kind) for one in samples], kind)
        if groups:
            answer = samples[max(groups, key=len)[0]] or ""
            stated = answers.extract(answer, kind) or answer
            yield Question(samples, answer, not answers.equivalent(stated, str(row["gold"]), kind))


def game24(data: Path, name: str) -> Iterator[Question]:
    """Voted puzzles of the game of 24: the log says which samples are right."""
    for row in _lines(data / f"tot_game24/{name}.jsonl.gz"):
        samples = tuple(_formula(text) for text in row["ys"])
        groups = answers.classes(samples)
        place = max(groups, key=len)[0]
        yield Question(samples, samples[place] or "", not row["r"][place])


def gsm8k(data: Path) -> Iterator[Question]:
    """The strongest recorded solution of a GSM8K question, beside three of the same and a smaller model."""
    for row in _lines(data / "openai_gsm8k/example_model_solutions.jsonl.gz"):
        others = ("175b_finetuning", "6b_verification", "6b_finetuning")
        best = row["175b_verification"]
        samples = tuple(_last(row[one]["solution"]) for one in others)
        if answer := _last(best["solution"]):
            yield Question(samples, answer, not best["is_correct"])


def measure(questions: Sequence[Question], kind: str, resamples: int) -> dict[str, Any]:
    """AUROC of wrong answers by each method, with intervals, and the difference to the baseline's."""
    judges = {"self_check": SelfCheck(method="answer", kind=kind), "semantic_entropy": SemanticEntropy(kind=kind)}
    risks = {name: [_risk(judge, one) for one in questions] for name, judge in judges.items()}
    risks = {"log_frequency": [_log_frequency(one) for one in questions], **risks}
    wrong = [one.wrong for one in questions]
    drawn = _draws(wrong, risks, resamples)
    base = auroc(wrong, risks["log_frequency"])
    report: dict[str, Any] = {"questions": len(questions), "wrong": sum(wrong)}
    for name, values in risks.items():
        value = auroc(wrong, values)
        gaps = [one - two for one, two in zip(drawn[name], drawn["log_frequency"], strict=True)]
        report[name] = {"auroc": _interval(value, drawn[name]), "difference": _interval(value - base, gaps)}
    return report


def _risk(judge: SelfCheck | SemanticEntropy, question: Question) -> float:
    """1 less the score; 1 where it is unscored. The answer is among the samples of a vote and is not counted twice."""
    voted = question.answer in question.samples
    beside = {"answer": question.answer} if isinstance(judge, SelfCheck) or not voted else {}
    score = run_sync(judge.evaluate(parse({"samples": list(question.samples), **beside})))
    return 1.0 if score.value is None else 1 - score.value


def _log_frequency(question: Question) -> float:
    counts = Counter(question.samples)
    return -log((counts[question.answer] + 1) / (len(question.samples) + 1))


def _draws(wrong: Sequence[bool], risks: dict[str, list[float]], resamples: int) -> dict[str, list[float]]:
    random, drawn = Random(0), {name: [] for name in risks}
    while len(drawn["log_frequency"]) < resamples:
        places = random.choices(range(len(wrong)), k=len(wrong))
        truth = [wrong[place] for place in places]
        if 0 < sum(truth) < len(truth):
            for name, values in risks.items():
                drawn[name].append(auroc(truth, [values[place] for place in places]))
    return drawn


def _interval(value: float, drawn: Sequence[float]) -> dict[str, float]:
    ordered = sorted(drawn)
    low, high = ordered[int(0.025 * len(drawn))], ordered[int(0.975 * len(drawn)) - 1]
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def _formula(text: str) -> str | None:
    lines = [line for line in text.strip().splitlines() if line.lower().startswith("answer:")]
    return lines[-1][7:].partition("=")[0].strip() if lines and "=" in lines[-1] else None


def _last(solution: str) -> str | None:
    _, mark, answer = solution.rpartition("A:")
    return answer.strip() or None if mark else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> None:
    options = _arguments()
    sets = {name: (list(pool(options.data, name, kind)), kind) for name, kind in POOLS.items()}
    sets |= {f"game24_{name}": (list(game24(options.data, name)), "auto") for name in ("io_n100", "cot_n100")}
    sets["gsm8k_solutions"] = (list(gsm8k(options.data)), "number")
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "evaluators": f"self_check {VERSION}, semantic_entropy {VERSION}",
        "versions": {"python": platform.python_version()},
        "resamples": options.resamples,
        "sets": {name: measure(questions, kind, options.resamples) for name, (questions, kind) in sets.items()},
    }
    for name, measured in report["sets"].items():
        print(f"| {name} | {measured['questions']} ({measured['wrong']}) | {_cells(measured)} |")
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _cells(measured: dict[str, Any]) -> str:
    shown = [measured["log_frequency"]["auroc"]]
    shown += [measured[name][what] for name in ("self_check", "semantic_entropy") for what in ("auroc", "difference")]
    return " | ".join(f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in shown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with answer_pools/, tot_game24/, openai_gsm8k/"
    )
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    parser.add_argument("--resamples", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
