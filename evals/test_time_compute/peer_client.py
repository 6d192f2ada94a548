"""Votes on questions with one library, in the environment where that library is installed; started by ``peers.py``.

Reads {"peer", "url", "k", "questions": [...]} from standard input and writes {"id", "text", "seconds"} a question. It imports
nothing but the library it drives.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import time
import types
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Solve = Callable[[str], Awaitable[str]]


def agentkit(url: str, k: int, name: str) -> Solve:
    from agentkit.models.openai_http import OpenAIHTTP
    from agentkit.strategies.self_consistency import SelfConsistency

    model = OpenAIHTTP(model="fake-model", base_url=url)
    ahead = name.removeprefix("ahead=")
    strategy = SelfConsistency(samples=k, ahead="auto" if ahead == "auto" else min(int(ahead), k), concurrency=k)

    async def solve(question: str) -> str:
        return (await strategy.solve(question, model=model)).answer or ""

    return solve


def its_hub(url: str, k: int, name: str) -> Solve:
    from its_hub.core.algorithms import adaptive_self_consistency, beta_self_consistency, self_consistency
    from its_hub.core.lms.openai_lm import OpenAICompatibleLanguageModel
    from its_hub.core.orchestrator import LMOrchestrator

    def answer(text: str) -> str:
        return text.rpartition("answer is ")[2].strip(" .").lower()

    made = {
        "gather": self_consistency.SelfConsistency,
        "adaptive": adaptive_self_consistency.AdaptiveSelfConsistency,
        "beta": beta_self_consistency.BetaSelfConsistency,
    }[name]
    model = OpenAICompatibleLanguageModel(endpoint=url, api_key="none", model_name="fake-model")
    orchestrator = LMOrchestrator(max_concurrency=k)
    algorithm = made(consistency_space_projection_func=answer, orchestrator=orchestrator)

    async def solve(question: str) -> str:
        return str((await algorithm.ainfer(model, question, budget=k))["content"])

    return solve


def optillm(url: str, k: int, name: str) -> Solve:
    import openai

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    if name == "self_consistency":
        module = _optillm("self_consistency.py")
        voting = module.AdvancedSelfConsistency(client, "fake-model", num_samples=k)

        def vote(question: str) -> str:
            return str(voting.evaluate("", question)["aggregated_result"]["clusters"][0]["answer"])

    else:
        module = _optillm("plugins/majority_voting_plugin.py")

        def vote(question: str) -> str:
            return str(module.run("", question, client, "fake-model", {"k": k})[0])

    async def solve(question: str) -> str:
        return await asyncio.to_thread(vote, question)

    return solve


def _optillm(file: str) -> Any:
    """One file of OptiLLM as installed, without its package: that imports a web server and torch, which a vote has no use for."""
    package = importlib.util.find_spec("optillm")
    assert package
    assert package.origin
    sys.modules["optillm"] = stand_in = types.ModuleType("optillm")
    stand_in.conversation_logger = None  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("voting", Path(package.origin).parent / file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def main() -> None:
    order = json.loads(sys.stdin.read())
    library, _, name = order["peer"].partition(":")
    solve = {"agentkit": agentkit, "its_hub": its_hub, "optillm": optillm}[library](order["url"], order["k"], name)
    await solve("warm up")
    for question in order["questions"]:
        started = time.perf_counter()
        text = await solve(question)
        print(json.dumps({"id": question, "text": text, "seconds": time.perf_counter() - started}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
