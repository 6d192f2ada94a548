"""Search the game of 24 again on recorded thoughts of GPT-4, and count the calls that a table of states saves.

    python evals/test_time_compute/replay_game24.py --data FOLDER [--save FILE]

FOLDER holds ``tot_game24/`` (princeton-nlp/tree-of-thought-llm, MIT): for each puzzle the log of a breadth-first search with
b = 5, and 100 direct and 100 chain-of-thought samples. The strategy asks; the recording answers. A state that the log never
expanded has no recorded proposals: it is answered with nothing, so the success shown is a lower bound.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentkit.protocols import SampleStream, Strategy
from agentkit.statistics import wilson
from agentkit.strategies.game24 import Game24, given, makes_24
from agentkit.strategies.monte_carlo_tree_search import MonteCarloTreeSearch
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.types import Capabilities, GenerateRequest, Problem, Sample, Usage

GAME = Game24()
WORDS = {20: "sure", 1: "likely", 0.001: "impossible"}


@dataclass(kw_only=True)
class Recording:
    """A model that answers the prompts of one puzzle from its log; ``missed`` counts states the log never expanded."""

    proposals: dict[str, list[str]]
    values: dict[str, float]
    name: str = "gpt-4 (recorded)"
    capabilities: Capabilities = field(default_factory=Capabilities)
    missed: int = 0

    async def generate(self, request: GenerateRequest) -> SampleStream:
        lines = request.messages[-1].content.strip().splitlines()
        proposing = lines[-1].startswith("Possible next steps")
        state = lines[-2].removeprefix("Input: ") if proposing else lines[-1]
        self.missed += proposing and state not in self.proposals
        words = votes(self.values.get(state, 0.0), request.n)
        for index in range(request.n):
            text = "\n".join(self.proposals.get(state, [])) if proposing else words[index]
            yield Sample(text=text, index=index, usage=Usage(calls=1))


def votes(total: float, count: int) -> list[str]:
    """The replies whose values add up to ``total``; the recorded sums i * 0.001 + j * 1 + k * 20 say which they were."""
    words: list[str] = []
    for worth, word in WORDS.items():
        times = min(count - len(words), int(total / worth + 1e-6))
        words += [word] * times
        total -= times * worth
    return words + ["?"] * (count - len(words))


def recording(row: dict[str, Any]) -> Recording:
    """What the log of one puzzle says of each state, by the state's exact numbers; the first time it was asked counts."""
    proposals: dict[str, list[str]] = {}
    values: dict[str, float] = {}
    for step in row["steps"][:3]:
        for parent in step["ys"]:
            state = reached(row["x"], parent)
            children = [path.removeprefix(parent).strip() for path in step["new_ys"] if path.startswith(parent)]
            if state is not None:
                proposals.setdefault(state, children)
        for path, value in zip(step["new_ys"], step["values"], strict=True):
            state = reached(row["x"], path)
            if state is not None and value:
                values.setdefault(state, value)
    return Recording(proposals=proposals, values=values)


def reached(puzzle: str, path: str) -> str | None:
    """The exact state after the operations of ``path``; None when one of them cannot be done."""
    state = GAME.start(Problem.of(puzzle))
    for line in path.strip().splitlines():
        steps = GAME.steps(state, line)
        if not steps:
            return None
        state = steps[0].state
    return state


SEARCHES: dict[str, Strategy] = {
    "breadth first": TreeOfThought(task="game24"),
    "breadth first, one call at a time": TreeOfThought(task="game24", concurrency=1),
    "depth first": TreeOfThought(task="game24", search="depth"),
    "monte carlo, reward path": MonteCarloTreeSearch(task="game24", rollouts=20, breadth=40, value_samples=3),
    "monte carlo, reward end": MonteCarloTreeSearch(
        task="game24", rollouts=20, breadth=40, value_samples=3, reward="end"
    ),
}


async def search(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    strategy = SEARCHES[name]
    solved, missed, calls = 0, 0, {"propose": 0, "evaluate": 0}
    for row in rows:
        model = recording(row)
        solution = await strategy.solve(row["x"], model=model)
        right = solution.answer is not None and makes_24(solution.answer, given(Problem.of(row["x"])))
        solved += right
        missed += model.missed
        for kind in calls:
            calls[kind] += solution.metadata["calls"][kind]
    found = wilson(solved, len(rows))
    interval = [round(100 * found.low, 1), round(100 * found.high, 1)]
    return {"search": name, "solved": solved, "percent_95": interval, **calls, "states_not_in_log": missed}


def logged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    steps = [step for row in rows for step in row["steps"]]
    return {
        "solved_any_of_five": sum(any(row["r"]) for row in rows),
        "solved_first": sum(row["r"][0] for row in rows),
        "propose": sum(len(step["ys"]) for step in steps),
        "evaluate": sum(len(set(step["new_ys"])) for step in steps),
    }


def sampled(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Percent right for one sample and for the best of a hundred, by the recorded verdicts and by our checker."""
    ours = [[checks(row["x"], sample) for sample in row["ys"]] for row in rows]
    theirs = [[bool(verdict) for verdict in row["r"]] for row in rows]
    mean = 100 / sum(map(len, ours))
    return {
        "one": mean * sum(map(sum, ours)),
        "one_as_recorded": mean * sum(map(sum, theirs)),
        "best_of_100": 100 * sum(map(any, ours)) / len(ours),
        "best_of_100_as_recorded": 100 * sum(map(any, theirs)) / len(theirs),
        "verdicts_that_differ": sum(
            a != b for mine, other in zip(ours, theirs, strict=True) for a, b in zip(mine, other, strict=True)
        ),
    }


def checks(puzzle: str, sample: str) -> bool:
    last = sample.strip().splitlines()[-1] if sample.strip() else ""
    return makes_24(last.lower().replace("answer: ", ""), given(Problem.of(puzzle)))


def load(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds tot_game24/")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    folder = options.data / "tot_game24"
    rows = load(folder / "tot_bfs_b5.jsonl.gz")
    figures = {
        "date": date.today().isoformat(),
        "agentkit": version("agentkit"),
        "puzzles": len(rows),
        "log": logged(rows),
        "ours": [asyncio.run(search(rows, name)) for name in SEARCHES],
        "direct": sampled(load(folder / "io_n100.jsonl.gz")),
        "chain_of_thought": sampled(load(folder / "cot_n100.jsonl.gz")),
    }
    print(json.dumps(figures, indent=1))
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
