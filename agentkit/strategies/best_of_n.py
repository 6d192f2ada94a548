"""Best of N: draw several answers, have each scored, return the best (Cobbe et al. 2021, arXiv 2110.14168)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from agentkit.answers import Convention, Kind
from agentkit.errors import AgentkitError, ConfigError
from agentkit.options import plainly
from agentkit.protocols import Bounded, Evaluator, Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies import prompts
from agentkit.strategies.candidates import Candidates, candidates
from agentkit.strategies.drawing import HOPELESS, Draws, seeded, several
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Record, Sample, Score, Solution

_JUDGE = (
    "{{question}}\n\nA proposed answer:\n{{answer}}\n\nCheck it step by step. Then write on the last line nothing but its score, "
    "from 0 (certainly wrong) to 10 (certainly right)."
)
_SCORE = re.compile(r"(?<![\d.])(\d{1,2}(?:\.\d+)?)(?:\s*/\s*10)?(?![\d.]*\d)")


@dataclass(frozen=True, kw_only=True)
class BestOfN:
    """Draws ``samples`` answers, lets ``judge`` (the model itself by default) score each, and returns the best.

    ``choose: best`` takes the answer with the highest score, ``choose: weighted`` the one whose samples' scores add up to most
    (Li et al. 2023, arXiv 2206.02336); ties go to the earliest. A candidate whose score cannot be read has none, and
    when no score can, the majority decides. ``judge_prompt`` is a template over ``{{question}}`` and ``{{answer}}``.

    ``evaluator`` (from Python only) scores in place of the judge: ``groundedness`` by the documents of the problem, a trained
    ``verifier``, or any other that judges a question, a text and documents. A candidate that it leaves unscored has no score.
    """

    samples: int = 8
    judge: Model | None = None
    evaluator: Evaluator | None = None
    choose: Literal["best", "weighted"] = "best"
    judge_prompt: str = _JUDGE
    answer: Kind = "auto"
    convention: Convention = "us"
    instruction: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"samples must be at least 1, not {self.samples}")
        prompts.check(self.judge_prompt, "judge_prompt", ("question", "answer"))
        if self.evaluator is None:
            return
        if not isinstance(self.evaluator, Evaluator):
            raise ConfigError(f"evaluator must be an evaluator made in Python, not {plainly(self.evaluator)}")
        if self.judge is not None:
            raise ConfigError("best_of_n takes an evaluator or a judge, not both")

    def bounds(self) -> tuple[Bounds, ...]:
        """All samples, and a judgement of each; with an evaluator only what that asks a model of its own."""
        count, output, own = self.samples, self.max_tokens, prompts.instruction_tokens(self.instruction)
        drawn = Bounds(least=count, most=count, output=output, text=own, vote=count > 1)
        if self.evaluator is not None:
            asked = self.evaluator.bounds() if isinstance(self.evaluator, Bounded) else ()
            return (drawn, *(_for_each(one, count) for one in asked))
        text = text_tokens(self.judge_prompt)
        return drawn, Bounds(least=count, most=count, output=output, text=text, answers=1, model=self.judge)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The chosen answer; ``votes`` weigh each answer by its scores, ``metadata`` holds the scores by sample."""
        problem = Problem.of(problem)
        request = GenerateRequest(
            messages=prompts.instructed(problem.messages, self.instruction),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        found = await candidates(
            model,
            request,
            self.samples,
            seed=self.seed,
            answer=self.answer,
            convention=self.convention,
            concurrency=self.concurrency,
        )
        if self.evaluator is not None:
            return await self._evaluated(problem, found, self.evaluator)
        judging = await self._judge(problem, found, self.judge or model)
        scores = [None if sample is None else score(sample.text) for sample in judging.samples]
        return self._choose(found, scores, judging)

    async def _judge(self, problem: Problem, found: Candidates, judge: Model) -> Draws:
        """The judge's replies, one a candidate."""
        if found.exhausted:
            return Draws(samples=[None] * len(found.samples))
        requests = [self._judgement(problem, one, judge, place) for place, one in enumerate(found.samples)]
        return await several(judge, requests, limit=self.concurrency)

    def _judgement(self, problem: Problem, candidate: Sample, judge: Model, place: int) -> GenerateRequest:
        text = prompts.fill(self.judge_prompt, question=prompts.asked(problem), answer=candidate.text)
        seed = seeded(judge, self.seed + self.samples, place)
        return GenerateRequest(
            messages=(Message("user", text),), temperature=0.0, max_tokens=self.max_tokens, seed=seed
        )

    async def _evaluated(self, problem: Problem, found: Candidates, evaluator: Evaluator) -> Solution:
        """The choice by the evaluator's scores; its cost is counted, and why a candidate has no score is told."""
        records = [
            Record(input=problem.question, output=one.text, documents=problem.documents) for one in found.samples
        ]
        failed = Draws()
        verdicts = await gather(
            [partial(_verdict, evaluator, record, failed) for record in records], limit=self.concurrency
        )
        unscored = [{"sample": place, "reason": one.reason} for place, one in enumerate(verdicts) if one.value is None]
        solution = self._choose(found, [one.value for one in verdicts], failed)
        return replace(
            solution,
            usage=sum((one.usage for one in verdicts), solution.usage),
            metadata={**solution.metadata, "unscored": unscored} if unscored else solution.metadata,
        )

    def _choose(self, found: Candidates, scores: list[float | None], judging: Draws) -> Solution:
        weights = None if all(one is None for one in scores) else [one or 0.0 for one in scores]
        tally = found.votes(weights)
        chosen = tally[0].samples[0] if tally else None
        if weights and chosen is not None and self.choose == "best":
            answered = [place for place, reading in enumerate(found.readings) if reading is not None]
            chosen = max(answered, key=lambda place: weights[place])
        return found.solution(chosen, tally, judging, {"scores": scores})


async def _verdict(evaluator: Evaluator, record: Record, failed: Draws) -> Score:
    """The score of one candidate; a failure that the next need not meet goes to ``failed`` and costs this score only."""
    try:
        return await evaluator.evaluate(record)
    except HOPELESS:
        raise
    except AgentkitError as error:
        failed.errors.append(error)
        return Score(value=None, status="error", reason=str(error))


def _for_each(one: Bounds, count: int) -> Bounds:
    """What an evaluator asks for ``count`` candidates, each of which its prompts hold beside the problem."""
    most = None if one.most is None else one.most * count
    return replace(one, least=one.least * count, most=most, answers=one.answers + 1)


def score(reply: str) -> float | None:
    """The last number from 0 to 10 in a judge's reply, its last line first; None when there is none."""
    lines = reply.strip().splitlines()
    for text in (lines[-1] if lines else "", reply):
        numbers = [float(one) for one in _SCORE.findall(text)]
        within = [one for one in numbers if 0 <= one <= 10]
        if within:
            return within[-1]
    return None
