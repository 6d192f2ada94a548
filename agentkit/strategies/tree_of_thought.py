"""Tree of thought, breadth first: propose, value, keep the best (Yao et al. 2023, arXiv 2305.10601)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from agentkit.answers import extract
from agentkit.errors import AgentkitError, BudgetExceededError, ConfigError, ServerError
from agentkit.events import Emit, ThoughtScored, ignore
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.estimate import text_tokens
from agentkit.runtime.sampling import samples
from agentkit.strategies import prompts, thoughts
from agentkit.strategies.drawing import HOPELESS, seeded, spent
from agentkit.strategies.game24 import Game24
from agentkit.strategies.thoughts import General, Step, Task
from agentkit.types import Bounds, GenerateRequest, Problem, Sample, Solution, Thought

_STATE_TOKENS = 2000  # a thought is at most a thousand characters
_PLACES = ("question", "state", "count")


@dataclass(frozen=True, kw_only=True)
class TreeOfThought:
    """Grows a tree of thoughts level by level and keeps the ``breadth`` best of each, down to ``depth``.

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
    propose: str = ""
    evaluate: str = ""
    conclude: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in ("breadth", "depth", "value_samples", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, not {value}")
        for name in ("propose", "evaluate", "conclude"):
            prompts.check(getattr(self, name), name, _PLACES)

    def bounds(self) -> tuple[Bounds, ...]:
        """One proposal that leads nowhere, up to a whole tree in which every reply is full of new thoughts."""
        task, asked, valued, frontier = self._task(), 0, 0, 1
        for depth in range(self.depth):
            fresh = frontier * task.fan(depth)
            asked, valued = asked + frontier, valued + fresh * self.value_samples
            frontier = min(self.breadth, fresh)
        most = asked + valued + bool(task.conclude)
        templates = (task.propose, task.evaluate, task.conclude)
        text = max(text_tokens(one) + task.overhead(one) for one in templates)
        return (Bounds(least=1, most=most, output=self.max_tokens, text=text + self.depth * _STATE_TOKENS),)

    def _task(self) -> Task:
        own = {name: getattr(self, name) for name in ("propose", "evaluate", "conclude") if getattr(self, name)}
        return _TASKS[self.task](**own)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer of the best path and the whole tree with its values."""
        search = _Search(options=self, task=self._task(), problem=Problem.of(problem), model=model, emit=emit)
        return await search.run()


_TASKS: dict[str, type[General] | type[Game24]] = {"general": General, "game24": Game24}


@dataclass(slots=True, kw_only=True, eq=False)
class _Node:
    """A thought in the making; ``place`` is its index in the tree. ``solved`` where its task could tell."""

    step: Step
    place: int
    parent: _Node | None
    depth: int
    solved: bool | None
    value: float | None = None
    kept: bool = False

    @property
    def path(self) -> list[str]:
        """The thoughts from the root to this one."""
        return [*(self.parent.path if self.parent else ()), self.step.text]

    @property
    def rank(self) -> tuple[bool, float, bool]:
        """What makes one thought better than another in the end."""
        return bool(self.solved), self.value or 0.0, self.step.final


_From = tuple[_Node | None, str]
"""A state to propose for, and the thought that led to it."""


@dataclass(slots=True, kw_only=True)
class _Search:
    """One search being made."""

    options: TreeOfThought
    task: Task
    problem: Problem
    model: Model
    emit: Emit
    tree: list[_Node] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: {"propose": 0, "evaluate": 0, "conclude": 0})
    drawn: int = 0
    errors: list[AgentkitError] = field(default_factory=list)
    exhausted: bool = False

    async def run(self) -> Solution:
        start = self.task.start(self.problem)
        self.visited.add(self.task.key(start))
        frontier = await self._level([(None, start)], 0)
        for depth in range(1, self.options.depth):
            if self._ended(frontier):
                break
            frontier = await self._level([(node, node.step.state) for node in frontier], depth)
        return await self._finish()

    async def _level(self, states: Sequence[_From], depth: int) -> list[_Node]:
        """Propose for every state, value what is new, keep the best: the thoughts to go on from."""
        fresh: list[_Node] = []
        for group in self._groups(states):
            asked = [partial(self._ask, "propose", state) for _, state in group]
            replies = await gather(asked, limit=self.options.concurrency)
            for (parent, state), reply in zip(group, replies, strict=True):
                fresh += self._grow(parent, state, reply, depth)
            if any(node.solved for node in fresh):
                break
        else:
            unknown = [node for node in fresh if node.solved is None]
            await gather([partial(self._value, node) for node in unknown], limit=self.options.concurrency)
        return self._select(fresh)

    def _groups(self, states: Sequence[_From]) -> Iterator[Sequence[_From]]:
        """What to propose for at the same time: all, but one by one, best first, where the next step can be the solution."""
        size = 1 if all(self.task.closing(state) for _, state in states) else len(states)
        return (states[first : first + size] for first in range(0, len(states), size))

    def _grow(self, parent: _Node | None, state: str, replies: Sequence[Sample], depth: int) -> list[_Node]:
        """The thoughts that lead to states never seen before, added to the tree."""
        grown = []
        for step in (step for reply in replies for step in self.task.steps(state, reply.text)):
            key = self.task.key(step.state)
            if key not in self.visited:
                self.visited.add(key)
                solved = self.task.verdict(step)
                value = None if solved is None else solved * thoughts.BEST * self.options.value_samples
                node = _Node(step=step, place=len(self.tree), parent=parent, depth=depth, solved=solved, value=value)
                self.tree.append(node)
                grown.append(node)
        return grown

    async def _value(self, node: _Node) -> None:
        votes = await self._ask("evaluate", node.step.state)
        if votes:
            node.value = sum(self.task.value(sample.text) for sample in votes)

    def _select(self, fresh: Sequence[_Node]) -> list[_Node]:
        """Mark the best and tell of them all; what is final is not gone on from."""
        best = sorted(fresh, key=lambda node: node.rank, reverse=True)[: self.options.breadth]
        for node in best:
            node.kept = (node.value or 0.0) > 0.0
        for node in fresh:
            if node.value is not None:
                self.emit(ThoughtScored(depth=node.depth, text=node.step.text, value=node.value, kept=node.kept))
        return [node for node in best if node.kept and not node.step.final]

    def _ended(self, frontier: Sequence[_Node]) -> bool:
        """Whether there is nothing to go on with or no need to: an answer is as good as all that could still grow."""
        answers = [node for node in self.tree if node.step.final and node.value]
        best = max(answers, key=lambda node: node.rank, default=None)
        if self.exhausted or not frontier or (best and best.solved):
            return True
        return best is not None and (best.value or 0.0) >= max(node.value or 0.0 for node in frontier)

    async def _ask(self, kind: Literal["propose", "evaluate", "conclude"], state: str) -> list[Sample]:
        """The samples of one call, as many as came; none when nothing is left to spend."""
        if self.exhausted:
            return []
        self.calls[kind] += 1
        request = self._request(
            getattr(self.task, kind), state, self.options.value_samples if kind == "evaluate" else 1
        )
        arrived: list[Sample] = []
        try:
            async with aclosing(samples(self.model, request)) as stream:
                async for sample in stream:
                    arrived.append(sample)
        except HOPELESS:
            raise
        except AgentkitError as error:
            self.errors.append(error)
            self.exhausted = self.exhausted or isinstance(error, BudgetExceededError)
        self.samples += arrived
        return arrived

    def _request(self, template: str, state: str, count: int) -> GenerateRequest:
        """The request for one state; each sample of a search has a seed of its own."""
        question = self.task.question(self.problem)
        text = prompts.fill(template, question=question, state=state, count=self.options.breadth)
        seed = seeded(self.model, self.options.seed, self.drawn)
        self.drawn += count
        return GenerateRequest(
            messages=self.task.messages(self.problem, template, text),
            n=count,
            temperature=self.options.temperature,
            max_tokens=self.options.max_tokens,
            seed=seed,
        )

    async def _finish(self) -> Solution:
        if not self.samples:
            raise self.errors[0] if self.errors else ServerError(f"{self.model.name} gave no samples")
        answer, reached = self._reached()
        if not reached:
            answer = await self._concluded() or answer
        failed = {"errors": [str(error) for error in self.errors]} if self.errors else {}
        return Solution(
            answer=answer,
            tree=tuple(_thought(node) for node in self.tree),
            stopped="budget" if self.exhausted else "solved" if reached else "exhausted",
            usage=spent(self.samples),
            metadata={"calls": dict(self.calls), "states": len(self.visited), **failed},
        )

    def _reached(self) -> tuple[str | None, bool]:
        """The answer of the best thought that has one, and whether it is the best thought of all."""
        ranked = sorted(self.tree, key=lambda node: node.rank, reverse=True)
        answers = (
            (node, self.task.answer(self.problem, node.path)) for node in ranked if node.step.final and node.value
        )
        for node, answer in answers:
            if answer is not None:
                return answer, node is ranked[0]
        return None, False

    async def _concluded(self) -> str | None:
        """The answer that the model draws from the best path, where the task lets it."""
        best = max(self.tree, key=lambda node: node.rank, default=None)
        if best is None or not self.task.conclude:
            return None
        replies = await self._ask("conclude", best.step.state)
        return extract(replies[0].text, stated=replies[0].finish_reason == "length") if replies else None


def _thought(node: _Node) -> Thought:
    return Thought(
        text=node.step.text,
        parent=node.parent.place if node.parent else None,
        depth=node.depth,
        value=node.value,
        state=node.step.state,
        kept=node.kept,
    )
