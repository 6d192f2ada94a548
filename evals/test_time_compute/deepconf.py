"""DeepConf on traces with planted confidence, over real connections: what is given up, what is saved, what is lost.

    python evals/test_time_compute/deepconf.py [--questions 60] [--save FILE]

A provider on loopback streams traces of 120 tokens with log-probabilities. A trace is right with the question's own chance, from
0.2 to 0.8; a wrong one has a stretch of twenty unsure tokens in its first half with probability 0.7, a right one with 0.1. All
samples of a question are known, so the full vote over the same traces costs nothing to compare with. Synthetic: it says that
the mechanics work, not what real models' confidence is worth.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from agentkit.models.openai_http import OpenAIHTTP
from agentkit.statistics import Interval, mean, paired_difference
from agentkit.strategies.deepconf import DeepConf
from agentkit.testing import FakeProvider
from agentkit.testing.replies import Completion
from agentkit.types import TokenLogprob

LENGTH, DIP, SAMPLES = 120, 20, 40
SETTINGS = {
    "keep .9, weighted": DeepConf(samples=SAMPLES, warmup=8, keep=0.9, window=20, consensus=1.0),
    "keep .5, weighted": DeepConf(samples=SAMPLES, warmup=8, keep=0.5, window=20, consensus=1.0),
    "keep .5, weighted, consensus .95": DeepConf(samples=SAMPLES, warmup=8, keep=0.5, window=20, consensus=0.95),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.questions))
    print(
        f"{options.questions} questions, {SAMPLES} traces of {LENGTH} tokens each; full vote {shown(figures['full'])}"
    )
    for name, one in figures["settings"].items():
        print(
            f"{name:34} right {shown(one['accuracy'])}  over the full vote {shown(one['over_full'])}  tokens saved "
            f"{100 * one['saved']:4.1f} %  given up: wrong {100 * one['wrong_given_up']:.0f} %, right "
            f"{100 * one['right_given_up']:.0f} %  aborted on the wire {one['aborted']:,}"
        )
    if options.save:
        told = {"date": str(date.today()), "python": platform.python_version(), "questions": options.questions}
        kept = {**told, "samples": SAMPLES, "length": LENGTH, **plain(figures)}
        options.save.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


async def measure(questions: int) -> dict[str, Any]:
    """Accuracy of the full vote and of each setting, over the same traces."""
    full = [float(vote(number) == "right") for number in range(questions)]
    found: dict[str, Any] = {"full": mean(full, rng=Random(0)), "settings": {}}
    for name, strategy in SETTINGS.items():
        results = []
        async with FakeProvider(script=reply) as provider:
            model = OpenAIHTTP(base_url=provider.base_url, model="m", api_key="k")
            for number in range(questions):
                results.append(await strategy.solve(f"question {number}", model=model))
            await asyncio.sleep(0.1)
            aborted = provider.aborted
        found["settings"][name] = summary(results, full, aborted)
    return found


def summary(results: list[Any], full: list[float], aborted: int) -> dict[str, Any]:
    right = [float(one.answer == "right") for one in results]
    tokens, given_up, drawn = 0, Counter[bool](), Counter[bool]()
    for number, one in enumerate(results):
        stopped = {trace["sample"]: trace["tokens"] for trace in one.metadata["given_up"]}
        for place in range(len(one.metadata["confidences"])):
            good = planted(number, place)[0] == "right"
            drawn[good] += 1
            given_up[good] += place in stopped
            tokens += stopped.get(place, LENGTH)
    return {
        "accuracy": mean(right, rng=Random(0)),
        "over_full": paired_difference(full, right, rng=Random(0)),
        "saved": 1 - tokens / (SAMPLES * LENGTH * len(results)),
        "wrong_given_up": given_up[False] / max(1, drawn[False]),
        "right_given_up": given_up[True] / max(1, drawn[True]),
        "aborted": aborted,
    }


def planted(question: int, place: int) -> tuple[str, bool]:
    """What a trace says, and whether it has an unsure stretch."""
    rng = Random(f"{question}/{place}")
    chance = 0.2 + 0.6 * Random(f"question {question}").random()
    answer = "right" if rng.random() < chance else rng.choice(("wrong", "other"))
    return answer, rng.random() < (0.1 if answer == "right" else 0.7)


def vote(question: int) -> str:
    """The majority of all traces, the earliest among equals."""
    return Counter(planted(question, place)[0] for place in range(SAMPLES)).most_common(1)[0][0]


def reply(body: Mapping[str, Any]) -> Completion:
    """The trace that belongs to the question and the seed of a request."""
    question, place = int(body["messages"][0]["content"].split()[1]), int(body["seed"])
    answer, unsure = planted(question, place)
    rng = Random(f"{question}/{place}/tokens")
    start = rng.randrange(10, LENGTH // 2 - DIP)
    words = ["so "] * (LENGTH - 4) + ["The ", "answer ", "is ", answer]
    levels = [(2.0 if unsure and start <= n < start + DIP else 8.0) + rng.gauss(0, 1) for n in range(LENGTH)]
    pairs = zip(words, levels, strict=True)
    tokens = [
        TokenLogprob(token=word, logprob=-0.1, top=((word, -0.1), ("?", 0.1 - 2 * max(0.1, x)))) for word, x in pairs
    ]
    return Completion(logprobs=tuple(tokens), pause=0.001)


def shown(one: Interval) -> str:
    return f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return {"value": round(value.value, 4), "low": round(value.low, 4), "high": round(value.high, 4)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
