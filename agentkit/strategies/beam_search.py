"""Beam search over steps with a process reward (Lightman et al. 2023, arXiv 2305.20050; Snell et al. 2024, arXiv 2408.03314)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Literal

from agentkit.errors import ConfigError
from agentkit.events import Emit, ignore
from agentkit.protocols import Model, ProcessRewardModel
from agentkit.runtime.concurrency import gather
from agentkit.strategies.asking import Asking
from agentkit.strategies.best_of_n import score
from agentkit.strategies.search import Node, Tree, check_options, prompt_tokens
from agentkit.strategies.thoughts import General, Step
from agentkit.types import Bounds, Problem, Solution

_STEP = (
    "{{question}}\n\nSteps taken so far:\n{{state}}\n\nWrite the next step only, on one line. If the steps settle the question, "
    "write 'Answer: ' and then the final answer instead."
)
_JUDGE = (
    "{{question}}\n\nSteps taken so far:\n{{state}}\n\nCheck the last of these steps. Then write on the last line nothing but "
    "its score, from 0 (certainly wrong) to 10 (certainly right)."
)
_UNREAD = 0.5

_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "product": prod,
    "min": min,
    "mean": lambda scores: sum(scores) / len(scores),
    "last": lambda scores: scores[-1],
}


@dataclass(frozen=True, kw_only=True)
class _Steps(General):
    """One step a reply, worth from 0 to 1."""

    def steps(self, state: str, reply: str) -> Sequence[Step]:
        """The first line that says something."""
        return super().steps(state, reply)[:1]

    def value(self, reply: str) -> float:
        """The score out of 10; one that cannot be read tells neither way."""
        found = score(reply)
        return _UNREAD if found is None else found / 10


@dataclass(frozen=True, kw_only=True)
class BeamSearch:
    """Grows ``width`` solutions step by step, by ``samples`` next steps each, and keeps the ``width`` whose steps score best.

    ``reward`` scores the steps (from Python only); without one, ``judge`` (the model itself by default) scores every step from
    0 to 10. ``aggregate`` makes one value of the scores along a path. A path that comes to an answer stays among the best while
    its value does; the search ends ``depth`` steps deep, or when no path still growing is worth more than an answer.

    ``step_prompt``, ``judge_prompt`` and ``conclude`` are templates over ``{{question}}`` and ``{{state}}``, the steps so far.
    A call that fails costs its steps only; when a budget ends the search, the answer is the best so far.
    """

    width: int = 3
    samples: int = 3
    depth: int = 6
    reward: ProcessRewardModel | None = None
    judge: Model | None = None
    aggregate: Literal["product", "min", "mean", "last"] = "product"
    step_prompt: str = _STEP
    judge_prompt: str = _JUDGE
    conclude: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        check_options(self, ("width", "samples", "depth", "concurrency"), ("step_prompt", "judge_prompt", "conclude"))
        if self.reward is not None and self.judge is not None:
            raise ConfigError("beam_search takes a reward or a judge, not both")

    def bounds(self) -> tuple[Bounds, ...]:
        """The first steps, when they lead nowhere, up to full beams of steps that all differ, each judged."""
        drawn, frontier = 0, 1
        for _ in range(self.depth):
            drawn += frontier * self.samples
            frontier = min(self.width, frontier * self.samples)
        text = prompt_tokens(self._task(), self.depth)
        steps = Bounds(
            least=self.samples, most=drawn + 1, output=self.max_tokens, text=text, vote=self.width * self.samples > 1
        )
        judged = Bounds(least=0, most=drawn, output=self.max_tokens, text=text, model=self.judge)
        return (steps, judged) if self.reward is None else (steps,)

    def _task(self) -> General:
        own = {"conclude": self.conclude} if self.conclude else {}
        return _Steps(propose=self.step_prompt, evaluate=self.judge_prompt, **own)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer of the path of most value; the tree holds the values of all paths."""
        tree = Tree(
            task=self._task(),
            problem=Problem.of(problem),
            asking=Asking.of(self, model),
            emit=emit,
            breadth=self.samples,
            value_samples=1,
            concurrency=self.concurrency,
            drafts=self.samples,
            judge=self.judge,
        )
        return await _Beams(options=self, tree=tree).run()


@dataclass(slots=True, kw_only=True)
class _Beams:
    """One search being made; ``scores`` are those of the steps along the path to each thought, by its place."""

    options: BeamSearch
    tree: Tree
    scores: dict[int, tuple[float, ...]] = field(default_factory=dict)

    async def run(self) -> Solution:
        beams: list[Node] = await self._grow([(None, self.tree.start())], [])
        for _ in range(1, self.options.depth):
            growing = [(node, node.step.state) for node in beams if not node.step.final]
            if not growing or self.tree.asking.exhausted or beams[0].step.final:
                break
            beams = await self._grow(growing, [node for node in beams if node.step.final])
        found = self.tree.answers()
        if not found:
            return await self.tree.finish()
        self.tree.asking.must_have_come()
        return self.tree.solution(found[0][1], "solved")

    async def _grow(self, growing: Sequence[tuple[Node | None, str]], done: Sequence[Node]) -> list[Node]:
        """The best of the paths that are done and those that grew by a step, the best first."""
        replies = await self.tree.propose([state for _, state in growing])
        fresh: list[Node] = []
        for (parent, state), arrived in zip(growing, replies, strict=True):
            depth = parent.depth + 1 if parent else 0
            grown = [self.tree.add(parent, step, depth) for step in self.tree.steps(state, arrived)]
            fresh += [node for node in grown if node]
        await self._score(fresh)
        scored = [node for node in (*done, *fresh) if node.value]
        best = sorted(scored, key=lambda node: node.value or 0.0, reverse=True)[: self.options.width]
        for node in best:
            node.kept = True
        self.tree.tell(fresh)
        return best

    async def _score(self, nodes: Sequence[Node]) -> None:
        """Give each path the value of its steps; one whose last step nobody scored stays without."""
        if (reward := self.options.reward) is None:
            await self.tree.value(nodes)
            for node in nodes:
                above = self.scores[node.parent.place] if node.parent else ()
                self.scores[node.place] = () if node.value is None else (*above, node.value)
        else:
            asked = [partial(reward.score, self.tree.problem, node.path) for node in nodes]
            scores = await gather(asked, limit=self.options.concurrency)
            self.scores |= {node.place: tuple(one) for node, one in zip(nodes, scores, strict=True)}
        for node in nodes:
            found = self.scores[node.place]
            node.value = _AGGREGATES[self.options.aggregate](found) if found else None
