"""Monte Carlo tree search over thoughts: RAP (Hao et al. 2023, arXiv 2305.14992), LATS (Zhou et al. 2024, arXiv 2310.04406)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log, sqrt
from typing import Literal

from agentkit.answers import read
from agentkit.errors import ConfigError
from agentkit.events import Emit, ignore
from agentkit.protocols import Model
from agentkit.strategies import thoughts, votes
from agentkit.strategies.asking import Asking
from agentkit.strategies.search import Node, Tree, check_options, prompt_tokens, task_of
from agentkit.strategies.thoughts import Task
from agentkit.types import Bounds, Problem, Sample, Solution, Vote


@dataclass(frozen=True, kw_only=True)
class MonteCarloTreeSearch:
    """Spends ``rollouts`` on the thoughts that promise most, trading what is known to be good for what is little known (UCT).

    A rollout goes down from the root by UCT to a thought not gone on from, and from there by the best value, proposing up to
    ``breadth`` steps each time, until a thought is final or ``depth`` thoughts deep. ``value_samples`` samples value a thought.
    With ``reward: path`` (RAP) a thought is rewarded by the values from it to the end of the rollout together, and the
    answer is the one that paths of most reward come to; with ``end`` (LATS) by the value of the last thought, and the answer
    is the best one. ``exploration`` weighs what is little known. ``parallel`` rollouts run at once, told apart by virtual loss;
    how long calls take changes nothing. Paths to the same state share it, and what is searched whole is not entered again.

    ``task`` and the prompts are those of ``tree_of_thought``. A call that fails costs its thoughts only. When a budget ends the
    search, the answer is the best so far; the tree marks as ``kept`` what a rollout went through.
    """

    task: Literal["general", "game24"] = "general"
    rollouts: int = 8
    parallel: int = 4
    breadth: int = 4
    depth: int = 4
    value_samples: int = 1
    reward: Literal["path", "end"] = "path"
    exploration: float = 1.0
    propose: str = ""
    evaluate: str = ""
    conclude: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        counts = ("rollouts", "parallel", "breadth", "depth", "value_samples", "concurrency")
        check_options(self, counts, ("propose", "evaluate", "conclude"))
        if not 0 <= self.exploration < float("inf"):
            raise ConfigError(f"exploration must be a number of at least 0, not {self.exploration}")

    def bounds(self) -> tuple[Bounds, ...]:
        """One proposal that leads nowhere, up to rollouts that all go to the full depth and share nothing."""
        task, asked, valued, states = self._task(), 0, 0, 1
        for depth in range(self.depth):
            grown, fan = min(self.rollouts, states), min(self.breadth, task.fan(depth))
            asked, valued, states = asked + grown, valued + grown * fan * self.value_samples, grown * fan
        most = asked + valued + bool(task.conclude)
        return (Bounds(least=1, most=most, output=self.max_tokens, text=prompt_tokens(task, self.depth)),)

    def _task(self) -> Task:
        return task_of(self.task, propose=self.propose, evaluate=self.evaluate, conclude=self.conclude)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer and the whole tree; ``votes`` weigh the answers by reward, ``metadata`` counts rollouts and calls."""
        tree = Tree(
            task=self._task(),
            problem=Problem.of(problem),
            asking=Asking.of(self, model),
            emit=emit,
            breadth=self.breadth,
            value_samples=self.value_samples,
            concurrency=self.concurrency,
        )
        return await _Search(options=self, tree=tree, root=_Place(state=tree.start(), terminal=False)).run()


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """A state of the search: its thought (None at the root), what rollouts through it came to, and where it leads."""

    state: str
    terminal: bool
    node: Node | None = None
    depth: int = 0
    children: list[_Place] = field(default_factory=list)
    grown: bool = False
    taken: bool = False
    visits: int = 0
    lost: int = 0
    total: float = 0.0

    @property
    def open(self) -> bool:
        """Whether a rollout of its own can still learn something here."""
        if self.taken or (self.terminal and self.visits):
            return False
        return not self.grown or any(child.open for child in self.children)


_Path = list[_Place]


@dataclass(slots=True, kw_only=True)
class _Search:
    """One search being made; ``places`` are the states met, by their key."""

    options: MonteCarloTreeSearch
    tree: Tree
    root: _Place
    places: dict[str, _Place] = field(default_factory=dict)
    done: int = 0

    async def run(self) -> Solution:
        while self.done < self.options.rollouts and self.root.open and not self._ended():
            paths = self._select(min(self.options.parallel, self.options.rollouts - self.done))
            told = len(self.tree.nodes)
            await self._simulate(paths)
            self._reward(paths)
            self.done += len(paths)
            self.tree.tell(self.tree.nodes[told:])
        return await self._finish()

    def _ended(self) -> bool:
        return self.tree.asking.exhausted or any(node.solved for node in self.tree.nodes)

    def _select(self, count: int) -> list[_Path]:
        """Up to ``count`` ways down by UCT, each to a place of its own."""
        paths: list[_Path] = []
        while len(paths) < count and self.root.open:
            path = [self.root]
            while path[-1].children:
                above = path[-1]
                path.append(max((one for one in above.children if one.open), key=lambda one: self._promise(above, one)))
            for place in path:
                place.lost += 1
            path[-1].taken = True
            paths.append(path)
        return paths

    def _promise(self, above: _Place, place: _Place) -> float:
        """The upper confidence bound; a rollout under way counts as one that came to nothing."""
        seen = place.visits + place.lost
        mean = place.total / seen if seen else self._worth(place)
        spread = 2.0 if self.options.reward == "end" else 1.0
        return mean + self.options.exploration * sqrt(spread * log(max(1, above.visits + above.lost)) / max(1, seen))

    def _worth(self, place: _Place) -> float:
        """The value of a thought from 0 to 1."""
        most = thoughts.BEST * self.options.value_samples
        return (place.node.value or 0.0) / most if place.node else 0.0

    async def _simulate(self, paths: Sequence[_Path]) -> None:
        """Go on from the ends of all paths, step by step together, so that the order of replies changes nothing."""
        going = [path for path in paths if not path[-1].terminal]
        while going and not self._ended():
            replies = await self.tree.propose([path[-1].state for path in going])
            fresh = [self._grow(path[-1], reply) for path, reply in zip(going, replies, strict=True)]
            await self.tree.value([node for nodes in fresh for node in nodes])
            going = [path for path in going if self._descend(path) and not path[-1].terminal and not path[-1].grown]

    def _grow(self, place: _Place, replies: Sequence[Sample]) -> list[Node]:
        """The places that the replies lead to, known ones among them; those of its thoughts that are new."""
        place.grown, fresh = True, []
        for step in self.tree.steps(place.state, replies):
            if len(place.children) == self.options.breadth:
                break
            key = self.tree.task.key(step.state)
            if node := self.tree.add(place.node, step, place.depth):
                fresh.append(node)
                terminal = step.final or place.depth + 1 == self.options.depth
                self.places[key] = _Place(state=step.state, terminal=terminal, node=node, depth=place.depth + 1)
            child = self.places.get(key)
            if child and child.depth == place.depth + 1 and child not in place.children:
                place.children.append(child)
        return fresh

    def _descend(self, path: _Path) -> bool:
        """Go to the child of most value that is nobody's yet, if there is one."""
        free = [child for child in path[-1].children if child.open]
        if not free:
            return False
        path.append(max(free, key=self._worth))
        path[-1].taken = True
        path[-1].lost += 1
        return True

    def _reward(self, paths: Sequence[_Path]) -> None:
        """Reward every place on a path: by all that follows from it, or by the end."""
        for path in paths:
            reward = 0.0 if self.options.reward == "path" else self._worth(path[-1])
            for place in reversed(path):
                reward += self._worth(place) if self.options.reward == "path" else 0.0
                place.total += reward
                place.visits += 1
                place.lost, place.taken = 0, False
                if place.node:
                    place.node.kept = True

    async def _finish(self) -> Solution:
        found = self.tree.answers()
        readings = [read(answer) for _, answer in found]
        along = self.options.reward == "path"
        tally = votes.tally(readings, [self._along(node) if along else node.value or 0.0 for node, _ in found])
        more = {"rollouts": self.done}
        if not found or found[0][0].solved or not along:
            return replace(await self.tree.finish(**more), votes=_shares(tally))
        return replace(self.tree.solution(found[tally[0].samples[0]][1], "solved", **more), votes=_shares(tally))

    def _along(self, node: Node) -> float:
        """The reward of the whole path to a thought."""
        above = self._along(node.parent) if node.parent else 0.0
        return above + (node.value or 0.0) / (thoughts.BEST * self.options.value_samples)


def _shares(tally: Sequence[Vote]) -> tuple[Vote, ...]:
    """The votes of thoughts, which are no samples."""
    return tuple(replace(vote, samples=()) for vote in tally)
