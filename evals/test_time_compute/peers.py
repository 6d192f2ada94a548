"""Votes by other libraries beside ours: one fake provider, the same recorded samples, the same delays.

    python evals/test_time_compute/peers.py --data FOLDER --its-hub PYTHON --optillm PYTHON [--save FILE]

PYTHON is the interpreter of an environment with the library (``pip install 'its_hub[lm]'``; ``pip install --no-deps optillm``
and ``pip install openai``). Each library runs in a process of its own against an HTTP server that gives the recorded answers of
GPT-3.5 to date questions, every one after a lognormal delay (median 0.5 s, sigma 0.5, seeded by question, place and turn, so
the same for all). Tokens are in proportion to the delay, 150 a second, as with a model that writes at that rate; a request
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
    *(f"agentkit:ahead={ahead}" for ahead in (0, 2, 4, "auto")),
    *("its_hub:gather", "its_hub:adaptive", "its_hub:beta"),
    *("optillm:majority_voting", "optillm:self_consistency"),
)
SLOW = ("optillm:self_consistency",)
UNITS = (("seconds", 1, 3), ("tokens", 1, 0), ("requests", 1, 2), ("aborted", 1, 2), ("right", 100, 1))
CLIENT = Path(__file__).with_name("peer_client.py")


class Recorded:
    """Gives recorded answer i to the i-th request for a question, and knows what every request would have cost in full."""

    def __init__(self, rows: dict[str, dict[str, Any]], turn: int) -> None:
        self._rows, self._given, self._turn = rows, Counter[str](), turn
        self._answers = {
            question: Random(f"{question}/{turn}").sample(row["answers"], len(row["answers"]))
            for question, row in rows.items()
        }
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
        answers = self._answers[question]
        delays = [Random(f"{question}/{place}/{self._turn}").lognormvariate(log(0.5), 0.5) for place in places]
        texts = tuple(said(answers[place % len(answers)]) for place in places)
        tokens = round(TOKENS_A_SECOND * sum(delays))
        self.full.append((max(delays), tokens))
        return Completion(text=texts, usage=(20, tokens), delay=max(delays))

    def costs(self, calls: list[Call]) -> dict[str, dict[str, float]]:
        """By question: tokens written (of an aborted request, the share written until then), requests sent and aborted."""
        found = {question: {"tokens": 0.0, "requests": 0.0, "aborted": 0.0} for question in self._rows}
        for call, (delay, tokens) in zip(calls, self.full, strict=True):
            share, aborted = 1.0, call.outcome == "aborted"
            if aborted and call.ended is not None and delay:
                share = min(1.0, (call.ended - call.received) / delay)
            question = call.body["messages"][-1]["content"]
            if question in found:
                row = found[question]
                row["tokens"], row["requests"] = row["tokens"] + share * tokens, row["requests"] + 1
                row["aborted"] += aborted
        return found


def said(answer: str | None) -> str:
    return "I cannot tell." if answer is None else f"The answer is {answer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds answer_pools/")
    parser.add_argument("--its-hub", required=True, help="Python of the environment with its_hub")
    parser.add_argument("--optillm", required=True, help="Python of the environment with OptiLLM")
    parser.add_argument(
        "--questions", type=int, default=40, help="how many; a tenth as many for a peer that goes one by one"
    )
    parser.add_argument("--repetitions", type=int, default=3, help="of every cell, the peers taking turns")
    parser.add_argument("--peers", nargs="+", default=PEERS, help="which, such as agentkit:ahead=16 its_hub:beta")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    rows = Random(1).sample(load(options.data / "answer_pools" / "GPT3_date_cot1_40.jsonl.gz"), options.questions)
    pythons = {"agentkit": sys.executable, "its_hub": options.its_hub, "optillm": options.optillm}
    versions = {
        "agentkit": version("agentkit"),
        **{name: installed(pythons[name], name) for name in ("its_hub", "optillm") if name in str(options.peers)},
    }
    figures: dict[str, Any] = {"date": date.today().isoformat(), "versions": versions, "tables": {}}
    for k in (40, 8):
        asked: dict[str, list[dict[str, Any]]] = {peer: [] for peer in options.peers}
        for turn in range(options.repetitions):
            for peer, found in asked.items():
                chosen = rows[: max(1, len(rows) // 10)] if peer in SLOW else rows
                if turn == 0 or peer not in SLOW:
                    found += measure(peer, pythons[peer.partition(":")[0]], k, chosen, turn)
        print(f"k = {k}")
        figures["tables"][str(k)] = {peer: summary(found) for peer, found in asked.items()}
        for peer, row in figures["tables"][str(k)].items():
            print(f"  {peer:<26} " + "  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def installed(python: str, name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def measure(peer: str, python: str, k: int, rows: list[dict[str, Any]], turn: int) -> list[dict[str, Any]]:
    """What every question cost with one peer in this turn; another turn has other delays and another order of the answers."""
    named = {f"question {row['id']}": row for row in rows}
    recorded = Recorded(named, turn)
    with FakeProvider(recorded) as provider:
        order = {"peer": peer, "url": provider.base_url, "k": k, "questions": list(named)}
        done = subprocess.run(
            [python, str(CLIENT)], input=json.dumps(order), capture_output=True, text=True, timeout=600
        )
        calls = [*provider.calls]
    if done.returncode:
        raise SystemExit(f"{peer} failed:\n{done.stderr[-2000:]}")
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    costs = recorded.costs(calls)
    return [
        {**one, **costs[one["id"]], "right": float(correct(one["text"], named[one["id"]]["gold"]))} for one in found
    ]


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Means with 95 % intervals over the questions, each of which counts with the mean of its turns."""
    by_question: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        by_question.setdefault(one["id"], []).append(one)
    row: dict[str, Any] = {"questions": len(by_question), "asked": len(found)}
    for name, scale, digits in UNITS:
        means = [fmean(one[name] for one in turns) for turns in by_question.values()]
        interval = mean(means, rng=Random(0), resamples=1000)
        row[name] = round(scale * interval.value, digits)
        row[f"{name}_95"] = [round(scale * interval.low, digits), round(scale * interval.high, digits)]
    row["seconds_median"] = round(median(one["seconds"] for one in found), 3)
    return row


def correct(text: str, gold: str) -> bool:
    answer = extract(text, "auto")
    return answer is not None and equivalent(answer, str(gold))


if __name__ == "__main__":
    main()
