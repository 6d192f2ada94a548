"""What searches over thoughts share: the tree, what is asked for it, and the answer that it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from agentkit.answers import extract
from agentkit.errors import ConfigError
from agentkit.events import Emit, ThoughtScored
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies import level_vote, prompts, thoughts
from agentkit.strategies.asking import Asking
from agentkit.strategies.game24 import Game24
from agentkit.strategies.thoughts import General, Step, Task
from agentkit.types import Problem, Sample, Solution, Thought

Kind = Literal["propose", "evaluate", "conclude", "vote"]

PLACES = ("question", "state", "count")
"""What a template of a task may name."""

_STATE_TOKENS = 2000  # a thought is at most a thousand characters
_TASKS: dict[str, type[General] | type[Game24]] = {"general": General, "game24": Game24}


def task_of(name: str, **templates: str) -> Task:
    """The task of this name, with those of its templates replaced that are not empty."""
    return _TASKS[name](**{kind: text for kind, text in templates.items() if text})


def check_options(options: object, counts: Sequence[str], templates: Sequence[str]) -> None:
    """Raise ``ConfigError`` for a count below 1 (None is none) or a template that names a place unknown."""
    for name in counts:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}")
    for name in templates:
        prompts.check(getattr(options, name), name, PLACES)


def prompt_tokens(task: Task, depth: int) -> int:
    """How many tokens a prompt of the task holds at most beside the question, ``depth`` thoughts down."""
    templates = (task.propose, task.evaluate, task.conclude, task.vote)
    return max(text_tokens(one) + task.overhead(one) for one in templates) + depth * _STATE_TOKENS


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A thought in the making; ``place`` is its index in the tree. ``solved`` where its task could tell;
    ``ballot`` numbers the last vote it stood in, 0 for none: only votes of one ballot compare.
    """

    step: Step
    place: int
    parent: Node | None
    depth: int
    solved: bool | None
    value: float | None = None
    kept: bool = False
    ballot: int = 0

    @property
    def path(self) -> list[str]:
        """The thoughts from the root to this one."""
        return [*(self.parent.path if self.parent else ()), self.step.text]

    @property
    def rank(self) -> tuple[bool, int, float, bool]:
        """What makes one thought better than another in the end."""
        return bool(self.solved), self.ballot, self.value or 0.0, self.step.final


@dataclass(slots=True, kw_only=True)
class Tree:
    """The thoughts of one search, by the state they lead to, and all that is asked for them.

    ``breadth`` proposals are asked for at a time, of ``drafts`` samples; ``value_samples`` samples, of ``judge`` if there is one,
    value a state, or vote over all states at hand with ``voting``. ``concurrency`` calls are out at once.
    """

    task: Task
    problem: Problem
    asking: Asking
    emit: Emit
    breadth: int
    value_samples: int
    concurrency: int | None
    drafts: int = 1
    judge: Model | None = None
    voting: bool = False
    ballots: int = 0
    nodes: list[Node] = field(default_factory=list)
    known: dict[str, Node | None] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=lambda: {"propose": 0, "evaluate": 0, "conclude": 0})

    def start(self) -> str:
        """The state at the root, which is known from here on."""
        state = self.task.start(self.problem)
        self.known[self.task.key(state)] = None
        return state

    async def ask(self, kind: Kind, state: str) -> list[Sample]:
        """The samples of one call, as many as came; none when nothing is left to spend."""
        if self.asking.exhausted:
            return []
        self.calls[kind] = self.calls.get(kind, 0) + 1
        template = getattr(self.task, kind)
        question = self.task.question(self.problem)
        text = prompts.fill(template, question=question, state=state, count=self.breadth)
        messages = self.task.messages(self.problem, template, text)
        if kind in ("evaluate", "vote"):
            return await self.asking.ask(messages, self.value_samples, model=self.judge)
        return await self.asking.ask(messages, self.drafts if kind == "propose" else 1)

    async def propose(self, states: Sequence[str]) -> list[list[Sample]]:
        """The proposals for each state."""
        return await gather([partial(self.ask, "propose", state) for state in states], limit=self.concurrency)

    def steps(self, state: str, replies: Sequence[Sample]) -> list[Step]:
        """The steps that replies propose from ``state``."""
        return [step for reply in replies for step in self.task.steps(state, reply.text)]

    def add(self, parent: Node | None, step: Step, depth: int) -> Node | None:
        """The step as a new thought; None where its state was known before."""
        key = self.task.key(step.state)
        if key in self.known:
            return None
        solved = self.task.verdict(step)
        value = None if solved is None else solved * thoughts.BEST * self.value_samples
        node = Node(step=step, place=len(self.nodes), parent=parent, depth=depth, solved=solved, value=value)
        self.known[key] = node
        self.nodes.append(node)
        return node

    async def value(self, nodes: Sequence[Node]) -> None:
        """Have those valued whose task cannot tell by itself; one that no reply values stays without."""
        unknown = [node for node in nodes if node.solved is None]
        if self.voting:
            return await self._vote(unknown)
        await gather([partial(self._value, node) for node in unknown], limit=self.concurrency)

    async def _value(self, node: Node) -> None:
        votes = await self.ask("evaluate", node.step.state)
        if votes:
            node.value = sum(self.task.value(sample.text) for sample in votes)

    async def _vote(self, nodes: Sequence[Node]) -> None:
        """Count the votes of one ballot; a thought alone on it needs none, and one that nobody could read changes nothing."""
        counts = [self.value_samples] * len(nodes)
        if len(nodes) > 1:
            replies = await self.ask("vote", level_vote.shown([node.step.state for node in nodes]))
            counts = level_vote.counted([reply.text for reply in replies], len(nodes))
        if any(counts):
            self.ballots += 1
            for node, votes in zip(nodes, counts, strict=True):
                node.value, node.ballot = float(votes), self.ballots

    def tell(self, nodes: Sequence[Node]) -> None:
        """Tell of the thoughts that have a value."""
        for node in nodes:
            if node.value is not None:
                self.emit(ThoughtScored(depth=node.depth, text=node.step.text, value=node.value, kept=node.kept))

    async def finish(self, **metadata: object) -> Solution:
        """The answer of the best thought that has one, else what the model concludes from the best path."""
        self.asking.must_have_come()
        answer, reached = self._reached()
        if not reached:
            answer = await self._concluded() or answer
        return self.solution(answer, "solved" if reached else "exhausted", **metadata)

    def solution(self, answer: str | None, stopped: str, **metadata: object) -> Solution:
        """The tree as data; ``stopped`` is ``budget`` where that ended the search."""
        return Solution(
            answer=answer,
            tree=tuple(_thought(node) for node in self.nodes),
            stopped="budget" if self.asking.exhausted else stopped,
            usage=self.asking.usage,
            metadata={"calls": dict(self.calls), "states": len(self.known), **metadata, **self.asking.failed},
        )

    def answers(self) -> list[tuple[Node, str]]:
        """The thoughts of worth that come to an answer, the best first, and the answers."""
        ranked = sorted(self.nodes, key=lambda node: node.rank, reverse=True)
        found = [(node, self.task.answer(self.problem, node.path)) for node in ranked if node.step.final and node.value]
        return [(node, answer) for node, answer in found if answer is not None]

    def _reached(self) -> tuple[str | None, bool]:
        """The answer of the best thought that has one, and whether it is the best thought of all."""
        found = self.answers()
        if not found:
            return None, False
        node, answer = found[0]
        return answer, node is max(self.nodes, key=lambda one: one.rank)

    async def _concluded(self) -> str | None:
        """The answer that the model draws from the best path, where the task lets it."""
        best = max(self.nodes, key=lambda node: node.rank, default=None)
        if best is None or not self.task.conclude:
            return None
        replies = await self.ask("conclude", best.step.state)
        return extract(replies[0].text, stated=replies[0].finish_reason == "length") if replies else None


def _thought(node: Node) -> Thought:
    return Thought(
        text=node.step.text,
        parent=node.parent.place if node.parent else None,
        depth=node.depth,
        value=node.value,
        state=node.step.state,
        kept=node.kept,
    )
