"""The contract of a strategy: a well-formed solution that accounts for every call, and nothing left running."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from agentkit.errors import AgentkitError, ServerError
from agentkit.protocols import Bounded, Strategy
from agentkit.runtime.concurrency import cancel
from agentkit.testing.conformance.checks import Watched, demand, run_checks
from agentkit.testing.scripted import ScriptedModel
from agentkit.types import GenerateRequest, Solution

Answer = Callable[[GenerateRequest], str]

NONSENSE = ("", " \n\t ", "\x00\x07\u202e\ud800", "}{][<|im_end|>", "da " * 20_000, "ответ: ∞")
"""What a broken model may say."""


async def check_strategy(
    make_strategy: Callable[[], Strategy],
    *,
    answer: Answer = lambda request: "The answer is 7.",
    question: str = "What is 3 + 4?",
    seconds: float = 60.0,
) -> None:
    """Check a strategy on a scripted model; ``answer`` says what the model replies to each request.

    Raises ``AssertionError`` with what it does wrong.
    """
    on = _Checks(answer=answer, question=question)
    checks = (
        on.accounts_for_every_call,
        on.bears_nonsense,
        on.does_not_answer_for_a_failing_model,
        on.cancelling_closes_its_streams,
        on.keeps_the_bounds_that_it_declares,
    )
    await run_checks(make_strategy, checks, seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class _Checks:
    """The checks, on one question and the model's answers to it."""

    answer: Answer
    question: str

    async def accounts_for_every_call(self, strategy: Strategy) -> None:
        model = Watched(model=ScriptedModel(script=self.answer))
        solution = await strategy.solve(self.question, model=model)
        _well_formed(solution)
        demand(model.asked, "the strategy asked the model nothing")
        demand(model.open == 0, f"{model.open} streams were left open after solve returned")
        spent, told = model.usage, solution.usage
        demand(told == spent, f"the samples cost {spent}, but the solution's usage says {told}")

    async def bears_nonsense(self, strategy: Strategy) -> None:
        for text in NONSENSE:
            _well_formed(await strategy.solve(self.question, model=ScriptedModel(script=_constant(text))))

    async def does_not_answer_for_a_failing_model(self, strategy: Strategy) -> None:
        with suppress(AgentkitError):
            solution = await strategy.solve(self.question, model=ScriptedModel(script=_broken))
            demand(solution.answer is None, f"the model failed every call, yet the answer is {solution.answer!r}")

    async def cancelling_closes_its_streams(self, strategy: Strategy) -> None:
        model = Watched(model=ScriptedModel(script=self.answer, delay=3600))
        solving = asyncio.create_task(_solve(strategy, self.question, model))
        asked = asyncio.create_task(model.begun.wait())
        await asyncio.wait({solving, asked}, return_when=asyncio.FIRST_COMPLETED)
        await cancel([solving, asked])
        demand(solving.cancelled(), "a cancelled solve did not end as cancelled")
        demand(model.open == 0, f"{model.open} streams were left open after solve was cancelled")

    async def keeps_the_bounds_that_it_declares(self, strategy: Strategy) -> None:
        if not isinstance(strategy, Bounded):
            return
        bounds = [one for one in strategy.bounds() if one.model is None]
        few = sum(one.least for one in bounds)
        many = sum(math.inf if one.most is None else one.most for one in bounds)
        for answer in (self.answer, *map(_constant, NONSENSE)):
            model = Watched(model=ScriptedModel(script=answer))
            await strategy.solve(self.question, model=model)
            drawn = len(model.samples)
            demand(few <= drawn <= many, f"it drew {drawn} samples, but declares from {few} to {many}")


async def _solve(strategy: Strategy, question: str, model: Watched) -> Solution:
    return await strategy.solve(question, model=model)


def _constant(text: str) -> Answer:
    return lambda request: text


def _broken(request: GenerateRequest) -> ServerError:
    return ServerError("the server is on fire")


def _well_formed(solution: Solution) -> None:
    demand(isinstance(solution, Solution), f"solve must return a Solution, not {solution!r}")
    demand(
        solution.answer is None or isinstance(solution.answer, str), f"the answer must be text, not {solution.answer!r}"
    )
    sure = solution.confidence
    demand(sure is None or 0 <= sure <= 1, f"confidence must lie in [0, 1], not {sure}")
    cast = [place for vote in solution.votes for place in vote.samples]
    drawn = len(solution.samples)
    demand(all(0 <= place < drawn for place in cast), f"the votes name samples beyond the {drawn} drawn: {cast}")
    demand(len(cast) == len(set(cast)), f"a sample voted twice: {cast}")
    for place, thought in enumerate(solution.tree):
        parent = thought.parent
        demand(
            parent is None or 0 <= parent < place, f"thought {place} has the parent {parent}, which comes not before it"
        )
