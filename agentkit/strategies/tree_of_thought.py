"""Tree of thought: propose, value, keep the best, breadth first or depth first (Yao et al. 2023, arXiv 2305.10601)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agentkit.errors import ConfigError
from agentkit.events import Emit, ignore
from agentkit.protocols import Model
from agentkit.strategies.asking import Asking
from agentkit.strategies.depth_first import DepthFirst
from agentkit.strategies.search import Node, Tree, check_options, prompt_tokens, task_of
from agentkit.strategies.thoughts import Task
from agentkit.types import Bounds, Problem, Solution


@dataclass(frozen=True, kw_only=True)
class TreeOfThought:
    """Grows a tree of thoughts level by level and keeps the ``breadth`` best of each, down to ``depth``.

    With ``search: depth`` it follows the best thought at once and turns back at dead ends: up to ``breadth`` thoughts of a state
    are tried, but none whose mean value is below ``prune`` (likely is worth 1, sure 20). The first answer that is not pruned ends
    the search, as ``proposals`` states proposed for do; ``prune`` and ``proposals`` are of no use breadth first.

    With ``value: vote``, breadth first only, the model sees all new states of a level at once, beside the answers reached before,
    and ``value_samples`` votes say which are best; a state without a vote is not gone on from. ``vote`` replaces that prompt, in
    which ``{{state}}`` is the numbered choices.

    One call proposes the next steps of a state, one of ``value_samples`` samples values a state. A table of visited states
    sees to it that no state is proposed for or valued twice, however it was reached. ``task`` is ``general`` for any question or
    ``game24``, whose states are compared, checked and finished exactly; ``propose``, ``evaluate`` and ``conclude`` replace the
    task's prompts (templates over ``{{question}}``, ``{{state}}`` and ``{{count}}``). The calls of a level go out together,
    ``concurrency`` at a time; where the next step can be seen to solve the problem, states are tried one by one, best first.

    A call that fails costs its thoughts only. When a budget ends the search, the answer is that of the best path so far and
    ``stopped`` says ``budget``; otherwise it says ``solved``, or ``exhausted`` when no path reached an answer by itself.
    """

    task: Literal["general", "game24"] = "general"
    breadth: int = 5
    depth: int = 3
    value_samples: int = 3
    value: Literal["score", "vote"] = "score"
    search: Literal["breadth", "depth"] = "breadth"
    prune: float = 0.5
    proposals: int = 20
    propose: str = ""
    evaluate: str = ""
    conclude: str = ""
    vote: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        counts = ("breadth", "depth", "value_samples", "proposals", "concurrency")
        check_options(self, counts, ("propose", "evaluate", "conclude", "vote"))
        if self.value == "vote" and self.search == "depth":
            raise ConfigError("value: vote compares the states of a level; use it with search: breadth")

    def bounds(self) -> tuple[Bounds, ...]:
        """One proposal that leads nowhere, up to a whole tree in which every reply is full of new thoughts."""
        task, asked, valued, frontier, shown = self._task(), 0, 0, 1, 1
        for depth in range(self.depth):
            fresh = frontier * task.fan(depth)
            asked, valued = asked + frontier, valued + (1 if self.value == "vote" else fresh) * self.value_samples
            shown += fresh if self.value == "vote" else 0
            frontier = min(self.breadth * (frontier if self.search == "depth" else 1), fresh)
        if self.search == "depth":
            asked = min(asked, self.proposals)
            valued = asked * max(task.fan(depth) for depth in range(self.depth)) * self.value_samples
        most = asked + valued + bool(task.conclude)
        return (Bounds(least=1, most=most, output=self.max_tokens, text=prompt_tokens(task, self.depth * shown)),)

    def _task(self) -> Task:
        return task_of(self.task, propose=self.propose, evaluate=self.evaluate, conclude=self.conclude, vote=self.vote)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer of the best path and the whole tree with its values."""
        tree = Tree(
            task=self._task(),
            problem=Problem.of(problem),
            asking=Asking.of(self, model),
            emit=emit,
            breadth=self.breadth,
            value_samples=self.value_samples,
            concurrency=self.concurrency,
            voting=self.value == "vote",
        )
        if self.search == "depth":
            return await DepthFirst(tree=tree, depth=self.depth, prune=self.prune, proposals=self.proposals).run()
        return await _Levels(tree=tree, depth=self.depth).run()


_From = tuple[Node | None, str]
"""A state to propose for, and the thought that led to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Levels:
    """One search being made, breadth first."""

    tree: Tree
    depth: int

    async def run(self) -> Solution:
        frontier = await self._level([(None, self.tree.start())], 0)
        for depth in range(1, self.depth):
            if self._ended(frontier):
                break
            frontier = await self._level([(node, node.step.state) for node in frontier], depth)
        return await self.tree.finish()

    async def _level(self, states: Sequence[_From], depth: int) -> list[Node]:
        """Propose for every state, value what is new, keep the best: the thoughts to go on from."""
        fresh: list[Node] = []
        for group in self._groups(states):
            replies = await self.tree.propose([state for _, state in group])
            for (parent, state), reply in zip(group, replies, strict=True):
                grown = [self.tree.add(parent, step, depth) for step in self.tree.steps(state, reply)]
                fresh += [node for node in grown if node]
            if any(node.solved for node in fresh):
                break
        else:
            reached = [node for node in self.tree.nodes if node.step.final and node.depth < depth]
            await self.tree.value([*reached, *fresh] if self.tree.voting else fresh)
        return self._select(fresh)

    def _groups(self, states: Sequence[_From]) -> Iterator[Sequence[_From]]:
        """What to propose for at the same time: all, but one by one, best first, where the next step can be the solution."""
        size = 1 if all(self.tree.task.closing(state) for _, state in states) else len(states)
        return (states[first : first + size] for first in range(0, len(states), size))

    def _select(self, fresh: Sequence[Node]) -> list[Node]:
        """Mark the best and tell of them all; what is final is not gone on from."""
        best = sorted(fresh, key=lambda node: node.rank, reverse=True)[: self.tree.breadth]
        for node in best:
            node.kept = (node.value or 0.0) > 0.0
        self.tree.tell(fresh)
        return [node for node in best if node.kept and not node.step.final]

    def _ended(self, frontier: Sequence[Node]) -> bool:
        """Whether there is nothing to go on with or no need to: an answer is as good as all that could still grow."""
        answers = [node for node in self.tree.nodes if node.step.final and node.value]
        best = max(answers, key=lambda node: node.rank, default=None)
        if self.tree.asking.exhausted or not frontier or (best and best.solved):
            return True
        return best is not None and (best.value or 0.0) >= max(node.value or 0.0 for node in frontier)
