"""What samples ahead of need buy: time, requests and cancellations of a vote of up to 40 on recorded answers.

    python evals/test_time_compute/latency.py --data FOLDER [--save FILE]

FOLDER holds ``answer_pools/GPT3_date_cot1_40.jsonl.gz``. Each recorded answer arrives after a lognormal delay (median 0.5 s,
sigma 0.5, seeded); the clock runs five times as fast, and the times shown are scaled back.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import time
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from math import log
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from agentkit.protocols import SampleStream
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.types import Capabilities, GenerateRequest, Sample

SPEED = 5
QUESTIONS = 60


@dataclass(kw_only=True)
class Delayed:
    """A model that gives recorded answer i to the request with seed i, after a while."""

    answers: list[str]
    delays: list[float]
    name: str = "recorded"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(seed=True))
    sent: int = 0
    cancelled: int = 0

    async def generate(self, request: GenerateRequest) -> SampleStream:
        place = request.seed or 0
        self.sent += 1
        arrived = False
        try:
            await asyncio.sleep(self.delays[place] / SPEED)
            arrived = True
            yield Sample(text=self.answers[place])
        finally:
            self.cancelled += not arrived


async def measure(rows: list[dict[str, Any]], ahead: int) -> dict[str, Any]:
    seconds, sent, cancelled = [], [], []
    for row in rows:
        rng = Random(row["id"])
        delays = [rng.lognormvariate(log(0.5), 0.5) for _ in row["answers"]]
        model = Delayed(answers=row["answers"], delays=delays)
        started = time.perf_counter()
        await SelfConsistency(samples=len(row["answers"]), ahead=ahead).solve("?", model=model)
        seconds.append(SPEED * (time.perf_counter() - started))
        sent.append(model.sent)
        cancelled.append(model.cancelled)
    return {"ahead": ahead, "seconds": round(fmean(seconds), 3), "sent": fmean(sent), "cancelled": fmean(cancelled)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds answer_pools/")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    with gzip.open(options.data / "answer_pools" / "GPT3_date_cot1_40.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = Random(1).sample([json.loads(line) for line in lines], QUESTIONS)
    results = [asyncio.run(measure(rows, ahead)) for ahead in (0, 1, 2, 4, 8, 36)]
    figures = {
        "date": date.today().isoformat(),
        "agentkit": version("agentkit"),
        "questions": QUESTIONS,
        "regret": results,
    }
    print(json.dumps(figures, indent=1))
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
