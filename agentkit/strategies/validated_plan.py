"""Plan, validate, tell the planner what is wrong, plan again (LLM-Modulo, Kambhampati et al. 2024, arXiv 2402.01817)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from agentkit import pddl
from agentkit.errors import ConfigError, InputError
from agentkit.pddl.grounding import Step
from agentkit.protocols import Model
from agentkit.strategies.drawing import seeded, several, spent
from agentkit.types import GenerateRequest, Message, Problem, Sample, Solution, Thought

_ASK = (
    "Write a plan that reaches the goal: one action a line, in PDDL, such as (pick-up a), and nothing else. If the goal cannot "
    "be reached, write only: no plan."
)
_KEPT = 60
"""Facts that a message lists at most."""


class Draft(NamedTuple):
    """A plan and what became of it; ``right`` is how many steps can be taken before the first error."""

    steps: tuple[str, ...]
    verdict: pddl.Verdict
    valid: bool

    @property
    def right(self) -> int:
        """How many steps can be taken before the first error."""
        return self.verdict.executed


@dataclass(frozen=True, kw_only=True)
class ValidatedPlan:
    """Lets the model plan, checks the plan exactly, and tells it the first error, up to ``rounds`` times or until a plan works.

    The task is ``problem.metadata["domain_pddl"]`` and ``["problem_pddl"]``, else the options ``domain`` and ``problem`` (PDDL
    text), else the two ``(define ...)`` that stand in the question. With ``replan: rest`` the steps that work are kept and the
    model goes on from the first error; when that gains nothing, or with ``whole``, it writes the whole plan again. ``ask`` is
    added to the question. The answer is the best plan so far, in PDDL, one step a line; ``confidence`` is 1 when it works and 0
    when not, and ``metadata`` says what is still wrong. ``max_states`` bounds the search that checks an answer "no plan".
    """

    rounds: int = 8
    replan: Literal["rest", "whole"] = "rest"
    domain: str = ""
    problem: str = ""
    ask: str = _ASK
    max_states: int = 50_000
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rounds", "max_states"):
            if getattr(self, name) < 0:
                raise ConfigError(f"validated_plan: {name} must be at least 0, not {getattr(self, name)}")

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The best plan; ``stopped`` is ``solved``, ``full`` (no rounds left) or ``budget``.

        Raises ``InputError`` where no task is given, and ``PDDLError`` where it cannot be read.
        """
        put = Problem.of(problem)
        task = self._task(put)
        talk = [*put.messages[:-1], _with(put.messages[-1], self.ask)]
        drawn: list[Sample] = []
        drafts: list[Draft] = []
        kept: tuple[str, ...] = ()
        for _ in range(self.rounds + 1):
            said = await several(model, [self._request(model, talk, len(drawn))])
            if not said.arrived and not drafts:
                raise said.errors[0]
            if not said.arrived:
                return _solution(drafts, drawn, "budget" if said.exhausted else "full")
            drawn += said.arrived
            drafts.append(self._draft(task, kept, said.arrived[0].text))
            if drafts[-1].valid:
                return _solution(drafts, drawn, "solved")
            kept = self._kept(drafts)
            talk += [Message("assistant", said.arrived[0].text), Message("user", _feedback(task, drafts[-1], kept))]
        return _solution(drafts, drawn, "full")

    def _task(self, put: Problem) -> pddl.Task:
        found = [
            put.metadata.get(f"{kind}_pddl") or own or _defined(kind, put.question)
            for kind, own in (("domain", self.domain), ("problem", self.problem))
        ]
        if not all(isinstance(text, str) and text for text in found):
            raise InputError(
                "validated_plan needs a planning task: a PDDL domain and problem, as options or in the question"
            )
        return pddl.load_task(str(found[0]), str(found[1]))

    def _draft(self, task: pddl.Task, kept: tuple[str, ...], text: str) -> Draft:
        """The better of two readings: what was written as the rest of the plan, and as the whole of it."""
        read = pddl.read_plan(text, task)
        steps = tuple(f"({' '.join((one.name, *one.arguments))})" for one in read.steps)
        if not steps and read.answer == "no plan":
            right = pddl.solvability(task, max_states=self.max_states) == "unsolvable"
            return Draft((), pddl.explain(task, "no plan"), right)
        drafts = [_checked(task, one) for one in dict.fromkeys(((*kept, *steps), steps))]
        return max(drafts, key=lambda draft: (draft.valid, draft.right))

    def _kept(self, drafts: Sequence[Draft]) -> tuple[str, ...]:
        """The steps to go on from: those of the last plan that work, if they are more than before."""
        last = drafts[-1]
        gained = all(last.right > one.right for one in drafts[:-1])
        return last.steps[: last.right] if self.replan == "rest" and gained else ()

    def _request(self, model: Model, messages: Sequence[Message], place: int) -> GenerateRequest:
        return GenerateRequest(
            messages=tuple(messages),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=seeded(model, self.seed, place),
        )


def _checked(task: pddl.Task, steps: tuple[str, ...]) -> Draft:
    verdict = pddl.explain(task, list(steps))
    return Draft(steps, verdict, verdict.valid)


def _feedback(task: pddl.Task, draft: Draft, kept: tuple[str, ...]) -> str:
    """What is wrong first, and from where to go on."""
    if draft.verdict.answer == "no plan":
        return "That is not shown: look for a plan. Write it whole, one action a line, in PDDL, and nothing else."
    fault = draft.verdict.faults[0]
    hint = f" Hint: {fault.hint}." if fault.hint else ""
    said = f"This plan does not work: {fault.message}.{hint}"
    if not kept:
        return f"{said}\nWrite the whole plan again, one action a line, in PDDL, and nothing else."
    return (
        f"{said}\nThese first {len(kept)} steps work and are kept:\n" + "\n".join(kept) + "\nAfter them this is true:\n"
        f"{_facts(task, kept)}\nGo on from there: write only the steps that come next, until the goal is reached."
    )


def _facts(task: pddl.Task, steps: Sequence[str]) -> str:
    """What is true after the steps and may change: facts that no action touches are left out."""
    state, values = task.initial, task.values
    for text in steps:
        name, *arguments = text[1:-1].split(" ")
        step = task.step(name, tuple(arguments))
        if isinstance(step, Step):
            state, values = step.applied(state, values)
    names = [name for place, name in enumerate(task.atoms) if state >> place & 1]
    changing = [name for name in names if name[1:-1].split(" ")[0] in task.changing]
    numbers = [f"(= {name} {value:g})" for name, value in values.items()]
    return " ".join([*changing, *numbers][:_KEPT])


def _defined(kind: str, text: str) -> str:
    """The ``(define (KIND ...) ...)`` in a text, to its closing bracket; empty where there is none."""
    begun = re.search(rf"\(\s*define\s*\(\s*{kind}\b", text, re.IGNORECASE)
    if begun is None:
        return ""
    depth = 0
    for found in re.finditer(r";[^\n]*|[()]", text[begun.start() :]):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return text[begun.start() : begun.start() + found.end()]
    return ""


def _with(message: Message, more: str) -> Message:
    return Message(message.role, f"{message.content}\n\n{more}" if more else message.content)


def _solution(drafts: Sequence[Draft], drawn: Sequence[Sample], stopped: str) -> Solution:
    best = max(range(len(drafts)), key=lambda place: (drafts[place].valid, drafts[place].right, place))
    draft = drafts[best]
    fault = None if draft.valid or not draft.verdict.faults else draft.verdict.faults[0]
    return Solution(
        answer="\n".join(draft.steps) or ("no plan" if draft.valid and draft.verdict.answer == "no plan" else None),
        samples=tuple(drawn),
        tree=tuple(_thought(one, place, kept=place == best) for place, one in enumerate(drafts)),
        confidence=float(draft.valid),
        stopped=stopped,
        usage=spent(drawn),
        metadata={
            "valid": draft.valid,
            "rounds": len(drafts) - 1,
            "code": None if fault is None else fault.code,
            "step": None if fault is None else fault.step,
            "reason": "" if fault is None else fault.message,
        },
    )


def _thought(draft: Draft, place: int, *, kept: bool) -> Thought:
    share = draft.right / len(draft.steps) if draft.steps else 0.0
    return Thought(
        text="\n".join(draft.steps),
        parent=place - 1 if place else None,
        depth=place,
        value=1.0 if draft.valid else share / 2,
        state="" if draft.valid or not draft.verdict.faults else draft.verdict.faults[0].message,
        kept=kept,
    )
