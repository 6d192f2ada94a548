"""Votes by other libraries beside ours: one fake provider, the same recorded samples, the same delays.

    python evals/test_time_compute/peers.py --data FOLDER --its-hub PYTHON --optillm PYTHON [--questions 20] [--save FILE]

PYTHON is the interpreter of an environment with the library (``pip install 'its_hub[lm]'``; ``pip install --no-deps optillm``
and ``pip install openai``). Each library runs in a process of its own against an HTTP server that gives the recorded answers of
GPT-3.5 to date questions, every one after a lognormal delay (median 0.5 s, sigma 0.5, seeded by question and place, so the
same for all). Tokens are in proportion to the delay, 150 a second, as with a model that writes at that rate; a request
that is aborted has cost what was written until then. A reply reads "The answer is ...": the recordings are answers only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections import Counter
from datetime import date
from importlib.metadata import version
from math import log
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any

from replay_pools import load

from agentkit.answers import equivalent, extract
from agentkit.statistics import mean
from agentkit.testing.fake_provider import Call, FakeProvider
from agentkit.testing.replies import Completion

TOKENS_A_SECOND = 150
PEERS = (
    *(f"agentkit:ahead={ahead}" for ahead in (0, 2, 4, 8, 16, 36)),
    *("its_hub:gather", "its_hub:adaptive", "its_hub:beta"),
    *("optillm:majority_voting", "optillm:self_consistency"),
)
SLOW = ("optillm:self_consistency",)
CLIENT = Path(__file__).with_name("peer_client.py")


class Recorded:
    """Gives recorded answer i to the i-th request for a question, and knows what every request would have cost in full."""

    def __init__(self, rows: dict[str, dict[str, Any]]) -> None:
        self._rows, self._given = rows, Counter[str]()
        self._lock = threading.Lock()
        self.full: list[tuple[float, int]] = []

    def __call__(self, body: dict[str, Any]) -> Completion:
        question, count = body["messages"][-1]["content"], body.get("n") or 1
        if question not in self._rows:
            self.full.append((0.0, 0))
            return Completion(text=("The answer is 1",) * count, usage=(1, 1))
        with self._lock:
            places = range(self._given[question], self._given[question] + count)
            self._given[question] += count
        answers = self._rows[question]["answers"]
        delays = [Random(f"{question}/{place}").lognormvariate(log(0.5), 0.5) for place in places]
        texts = tuple(said(answers[place % len(answers)]) for place in places)
        tokens = round(TOKENS_A_SECOND * sum(delays))
        self.full.append((max(delays), tokens))
        return Completion(text=texts, usage=(20, tokens), delay=max(delays))

    def spent(self, calls: list[Call]) -> float:
        """Tokens written in all: of a request that was aborted, the share that was written until then."""
        total = 0.0
        for call, (delay, tokens) in zip(calls, self.full, strict=True):
            share = 1.0
            if call.outcome == "aborted" and call.ended is not None and delay:
                share = min(1.0, (call.ended - call.received) / delay)
            total += share * tokens
        return total


def said(answer: str | None) -> str:
    return "I cannot tell." if answer is None else f"The answer is {answer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds answer_pools/")
    parser.add_argument("--its-hub", required=True, help="Python of the environment with its_hub")
    parser.add_argument("--optillm", required=True, help="Python of the environment with OptiLLM")
    parser.add_argument(
        "--questions", type=int, default=20, help="how many; a third as many for a peer that goes one by one"
    )
    parser.add_argument("--peers", nargs="+", default=PEERS, help="which, such as agentkit:ahead=16 its_hub:beta")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    rows = Random(1).sample(load(options.data / "answer_pools" / "GPT3_date_cot1_40.jsonl.gz"), options.questions)
    pythons = {"agentkit": sys.executable, "its_hub": options.its_hub, "optillm": options.optillm}
    versions = {
        "agentkit": version("agentkit"),
        **{name: installed(pythons[name], name) for name in ("its_hub", "optillm")},
    }
    figures: dict[str, Any] = {"date": date.today().isoformat(), "versions": versions, "tables": {}}
    for k in (40, 8):
        figures["tables"][str(k)] = table = {}
        print(f"k = {k}")
        for peer in options.peers:
            chosen = rows[: max(1, len(rows) // 3)] if peer in SLOW else rows
            table[peer] = measure(peer, pythons[peer.partition(":")[0]], k, chosen)
            print(f"  {peer:<26} " + "  ".join(f"{name} {value}" for name, value in table[peer].items()), flush=True)
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def installed(python: str, name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def measure(peer: str, python: str, k: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    named = {f"question {row['id']}": row for row in rows}
    recorded = Recorded(named)
    with FakeProvider(recorded) as provider:
        order = {"peer": peer, "url": provider.base_url, "k": k, "questions": list(named)}
        done = subprocess.run(
            [python, str(CLIENT)], input=json.dumps(order), capture_output=True, text=True, timeout=600
        )
        calls = [*provider.calls]
    if done.returncode:
        raise SystemExit(f"{peer} failed:\n{done.stderr[-2000:]}")
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    right = [float(correct(one["text"], named[one["id"]]["gold"])) for one in found]
    asked = [call for call in calls if call.body["messages"][-1]["content"] in named]
    accuracy = mean(right, rng=Random(0), resamples=1000)
    return {
        "questions": len(found),
        "seconds": round(fmean(one["seconds"] for one in found), 3),
        "median_seconds": round(median(one["seconds"] for one in found), 3),
        "tokens": round(recorded.spent(calls) / len(found)),
        "requests": round(len(asked) / len(found), 2),
        "aborted": round(sum(call.outcome == "aborted" for call in asked) / len(found), 2),
        "accuracy": round(100 * accuracy.value, 1),
        "accuracy_95": [round(100 * accuracy.low, 1), round(100 * accuracy.high, 1)],
    }


def correct(text: str, gold: str) -> bool:
    answer = extract(text, "auto")
    return answer is not None and equivalent(answer, str(gold))


if __name__ == "__main__":
    main()
