"""Tree of thought, depth first: follow the best thought, prune what looks hopeless, turn back at dead ends (arXiv 2305.10601)."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.strategies.search import Node, Tree
from agentkit.types import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthFirst:
    """One search being made: at most ``proposals`` states are gone on from, and thoughts valued below ``prune`` are not."""

    tree: Tree
    depth: int
    prune: float
    proposals: int

    async def run(self) -> Solution:
        """The first path to an answer that is not pruned; else the best there is."""
        stack: list[tuple[Node | None, str]] = [(None, self.tree.start())]
        while stack and not self.tree.asking.exhausted and self.tree.calls["propose"] < self.proposals:
            node, state = stack.pop()
            best = await self._grow(node, state)
            if best and best[0].step.final:
                return self._answered(best[0]) or await self.tree.finish()
            deeper = [one for one in best if not one.step.final and one.depth + 1 < self.depth]
            stack += [(one, one.step.state) for one in reversed(deeper)]
        return await self.tree.finish()

    async def _grow(self, parent: Node | None, state: str) -> list[Node]:
        """The thoughts worth following from a state, the best first."""
        replies = await self.tree.propose([state])
        depth = parent.depth + 1 if parent else 0
        grown = [self.tree.add(parent, step, depth) for step in self.tree.steps(state, replies[0])]
        fresh = [node for node in grown if node]
        if not any(node.solved for node in fresh):
            await self.tree.value(fresh)
        ranked = sorted(fresh, key=lambda node: node.rank, reverse=True)
        least = self.prune * self.tree.value_samples
        best = [node for node in ranked if node.value is not None and node.value >= least][: self.tree.breadth]
        for node in best:
            node.kept = True
        self.tree.tell(fresh)
        return best

    def _answered(self, node: Node) -> Solution | None:
        answer = self.tree.task.answer(self.tree.problem, node.path)
        return None if answer is None else self.tree.solution(answer, "solved")
