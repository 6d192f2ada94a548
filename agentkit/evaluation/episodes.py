"""Play episodes of an environment with a graph: a whole plan at once, step by step, or with the actions as tools."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from agentkit.errors import AgentkitError, InputError, did_you_mean
from agentkit.protocols import Environment, Episode
from agentkit.traces import Step, Trace
from agentkit.types import JSON, Outcome, Usage

Mode = Literal["plan", "steps", "tools"]
MODES: tuple[Mode, ...] = ("plan", "steps", "tools")
FIELDS = ("question", "task", "observation", "actions", "history", "step")
"""What a graph may take as inputs; ``question`` is all that matters in one text."""

ANSWERS = ("action", "plan", "answer", "text")
"""The outputs that are read, the first that a graph has; else its first output."""

_DONE = "done"
_BULLET = re.compile(
    r"^\s*(?:[-*•>]\s+|\(?\d{1,4}[.)]\s+|(?:step|action|шаг|действие)\s*\d*\s*[:.)]\s*)+", re.IGNORECASE
)
_MARK = re.compile(r"^\W*(?:action|plan|answer|действие|план|ответ)\s*:\s*", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_PLAN = "{task}\n\nWrite the whole plan now: one action on each line, in order, and nothing else."
_STEP = "{task}\n\nDone so far: {history}\nNow: {observation}\n\nWrite the next action on one line, and nothing else."
_TOOLS = "{task}\n\nNow: {observation}\n\nAct by calling the tools, one call at a time, until the task is done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One episode: its actions and the verdict on each, what it cost, and the error that ended it, where one did."""

    seed: int
    task: str
    actions: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    reference: int
    usage: Usage = field(default_factory=Usage)
    error: str = ""

    @property
    def first_error(self) -> int | None:
        """The first action (0-based) that is wrong; None where all are right."""
        return next((place for place, one in enumerate(self.outcomes) if one.code), None)

    @property
    def success(self) -> bool:
        """Whether the task was solved."""
        return bool(self.outcomes) and self.outcomes[-1].success is True

    def trace(self, environment: str) -> Trace:
        """The episode as a trace; the verdict on a step is in its metadata."""
        return trace(self.task, self.actions, self.outcomes, name=f"{environment}/{self.seed}")


class Player(Protocol):
    """A graph, as far as it is needed here."""

    @property
    def spec(self) -> Any:
        """What its file says."""
        ...

    @property
    def provided(self) -> Mapping[str, Any]:
        """What its components may ask for."""
        ...

    async def execute(self, inputs: Mapping[str, Any], **settings: Any) -> Any:
        """Run it."""
        ...


def trace(task: str, actions: Sequence[str], outcomes: Sequence[Outcome], *, name: str = "") -> Trace:
    """Actions and verdicts as a trace: ``metadata`` of a step has ``code`` and ``message`` where it is wrong, and the state."""
    steps = tuple(_step(action, outcome) for action, outcome in zip(actions, outcomes, strict=True))
    success = outcomes[-1].success if outcomes else None
    return Trace(task=task, steps=steps, outcome=success, id=name, source="environment")


def act(episode: Episode, actions: Iterable[str]) -> tuple[tuple[str, ...], tuple[Outcome, ...]]:
    """Take the actions in order; one that stops short of the end is followed by ``done``, which is then judged."""
    taken, outcomes = [], list[Outcome]()
    for action in actions:
        taken.append(action)
        outcomes.append(episode.step(action))
    if not outcomes or not outcomes[-1].done:
        taken.append(_DONE)
        outcomes.append(episode.step(_DONE))
    return tuple(taken), tuple(outcomes)


async def play(
    environment: Environment,
    graph: Player,
    *,
    seeds: Iterable[int],
    mode: Mode,
    answer: str = "",
    stop_at_error: bool = False,
    tell: Callable[[int, int], None] = lambda seed, step: None,
) -> AsyncGenerator[Played, None]:
    """The episodes of ``seeds``, each as it ends. ``tell(seed, step)`` hears of every step.

    The output ``answer`` is read. A graph that fails ends its episode, with the error told; raises ``InputError`` for one that
    does not fit.
    """
    check(graph, answer)
    for seed in seeds:
        yield await _episode(environment, graph, seed, mode, answer, stop_at_error, tell)


def check(graph: Player, answer: str) -> None:
    """Raise ``InputError`` unless the graph takes what there is to give and has the output to be read."""
    for name, one in graph.spec.inputs.items():
        if name not in FIELDS and one.required:
            hint = did_you_mean(name, FIELDS)
            raise InputError(
                f"{graph.spec.name} needs the input {name!r}; an environment gives {', '.join(FIELDS)}{hint}"
            )
    if not set(graph.spec.inputs) & {"question", "task"}:
        raise InputError(f"{graph.spec.name} must take an input 'question' or 'task', or it does not know what to do")
    if answer and answer not in graph.spec.outputs:
        raise InputError(f"{graph.spec.name} has no output {answer!r}{did_you_mean(answer, graph.spec.outputs)}")


def read_plan(text: str) -> list[str]:
    """The actions in an answer: the lines of its last code block, or of what follows ``Plan:``, without bullets and numbers."""
    fenced = _FENCE.findall(text)
    body = fenced[-1] if fenced else _after_mark(text)
    lines = (_BULLET.sub("", line).strip().strip("`") for line in body.splitlines())
    return [line for line in lines if line and not line.endswith(":")]


def read_action(text: str) -> str:
    """The action in an answer: what follows ``Action:``, or the last line."""
    lines = read_plan(text)
    if not lines:
        return ""
    return lines[0] if _MARK.search(text) and not _FENCE.search(text) else lines[-1]


async def _episode(
    environment: Environment,
    graph: Player,
    seed: int,
    mode: Mode,
    answer: str,
    stop_at_error: bool,
    tell: Callable[[int, int], None],
) -> Played:
    episode = environment.start(seed)
    table = _Table(episode, graph, seed=seed, answer=answer, stop_at_error=stop_at_error, tell=tell)
    error = ""
    try:
        await getattr(table, mode)()
    except AgentkitError as failed:
        error = str(failed)
    if not error and table.unfinished:
        table.take(_DONE)
    return Played(
        seed=seed,
        task=episode.task,
        actions=tuple(table.actions),
        outcomes=tuple(table.outcomes),
        reference=len(environment.solve(seed)),
        usage=table.usage,
        error=error,
    )


@dataclass(kw_only=False)
class _Table:
    """An episode under way."""

    episode: Episode
    graph: Player
    seed: int
    answer: str
    stop_at_error: bool
    tell: Callable[[int, int], None]
    actions: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    @property
    def unfinished(self) -> bool:
        """Whether the player stopped of their own accord: not at the end, nor at an error."""
        return not self.outcomes or not (self.outcomes[-1].done or self.outcomes[-1].code)

    def take(self, action: str) -> Outcome:
        """Take an action and keep the verdict."""
        outcome = self.episode.step(action)
        self.actions.append(action)
        self.outcomes.append(outcome)
        self.tell(self.seed, len(self.actions))
        return outcome

    async def plan(self) -> None:
        """One answer has all actions; the first wrong one ends it."""
        for action in read_plan(await self._ask(_PLAN)):
            outcome = self.take(action)
            if outcome.code or outcome.done:
                return

    async def steps(self) -> None:
        """The graph is asked anew at every step."""
        while not (self.outcomes and self.outcomes[-1].done):
            outcome = self.take(read_action(await self._ask(_STEP)))
            if outcome.code and self.stop_at_error:
                return

    async def tools(self) -> None:
        """The graph runs once, and its agent calls the tools."""
        from agentkit.tools.environment import Stage

        stage = Stage(tools=tuple(self.episode.tools), act=self._call)
        self.graph = replace(self.graph, provided={**self.graph.provided, "stage": stage})  # type: ignore[type-var]
        await self._run(_TOOLS)

    def _call(self, tool: str, arguments: dict[str, JSON]) -> Outcome:
        from agentkit.environments.play import action_of

        return self.take(action_of(tool, arguments))

    async def _ask(self, template: str) -> str:
        output = await self._run(template)
        name = self.answer or next((one for one in ANSWERS if one in output), next(iter(output)))
        value = output[name]
        if isinstance(value, list):
            return "\n".join(map(str, value))
        return "" if value is None else str(value)

    async def _run(self, template: str) -> Mapping[str, Any]:
        fields = self._fields(template)
        inputs = {name: fields[name] for name in self.graph.spec.inputs if name in fields}
        run = await self.graph.execute(inputs, seed=self.seed * 10_000 + len(self.actions), keep=False)
        self.usage += run.usage
        output: Mapping[str, Any] = run.output
        return output

    def _fields(self, template: str) -> dict[str, Any]:
        task, observation = self.episode.task, self.episode.observe()
        history = "; ".join(self.actions[-50:]) or "nothing"
        question = template.format(task=task, history=history, observation=observation)
        return {
            "question": question,
            "task": task,
            "observation": observation,
            "actions": list(self.episode.legal()),
            "history": list(self.actions),
            "step": len(self.actions),
        }


def _step(action: str, outcome: Outcome) -> Step:
    from agentkit.environments.play import read_call

    name, arguments = read_call(action) if "{" in action else ("", None)
    wrong = {"code": outcome.code, "message": outcome.message} if outcome.code else {}
    return Step(
        kind="call" if arguments is not None else "action",
        agent="player",
        text=action,
        name=name if arguments is not None else "",
        arguments=arguments,
        result=outcome.result,
        state=None,
        metadata={**wrong, "world": outcome.state},
    )


def _after_mark(text: str) -> str:
    marks = list(_MARK.finditer(text))
    return text[marks[-1].end() :] if marks else text
