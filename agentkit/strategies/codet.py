"""CodeT: best of N by tests that the model writes itself (Chen et al. 2023, arXiv 2207.10397)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentkit.errors import ConfigError
from agentkit.protocols import Model, Tool
from agentkit.registry import provided
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies import prompts
from agentkit.strategies.drawing import Draws, seeded, several, spent
from agentkit.strategies.generated_tests import Group, asserts, groups, program, run
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Solution, Vote

_WRITE = "Write the Python function, whole, with its imports, in one ```python block and nothing else."
_TESTS = (
    "{{question}}\n\nDo not write the function. Write test cases for it: lines such as `assert name(arguments) == result`, ten "
    "at most, and nothing else."
)


@dataclass(frozen=True, kw_only=True)
class Codet:
    """Draws ``samples`` programs and ``tests`` replies full of assertions, runs all against all, and returns the best agreed one.

    Programs that pass the very same tests form a group; the group whose number of programs times number of tests passed is
    largest wins, and its earliest program is the answer. ``enabled: true`` allows what the model wrote to run in the Python
    sandbox (Linux). Of each reply the first ``tests_each`` assertions count, each with ``seconds`` of CPU.
    ``instruction`` is added to the question for the programs; ``tests_prompt`` is a template over ``{{question}}``.
    ``entry_point`` in the problem's metadata names the function that a test has to call.
    """

    enabled: bool = False
    samples: int = 10
    tests: int = 5
    tests_each: int = 5
    seconds: float = 0.1
    instruction: str = _WRITE
    tests_prompt: str = _TESTS
    temperature: float = 0.8
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None
    sandbox: Tool | None = provided("sandbox")

    def __post_init__(self) -> None:
        if not self.enabled:
            raise ConfigError(
                "codet runs programs that a model wrote: say enabled: true to allow it, in the Python sandbox"
            )
        for name in ("samples", "tests", "tests_each"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.seconds <= 0:
            raise ConfigError(f"seconds must be more than 0, not {self.seconds}")
        prompts.check(self.tests_prompt, "tests_prompt", ("question",))

    def bounds(self) -> tuple[Bounds, ...]:
        """All programs, and all replies with tests."""
        own = prompts.instruction_tokens(self.instruction)
        asked = text_tokens(self.tests_prompt)
        return (
            Bounds(least=self.samples, most=self.samples, output=self.max_tokens, text=own, vote=self.samples > 1),
            Bounds(least=self.tests, most=self.tests, output=self.max_tokens, text=asked),
        )

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The chosen program; ``votes`` are the groups by score, ``metadata`` holds the tests and how many each program passed.

        Raises ``ToolError`` where the sandbox cannot run, and the first error when no program arrived. Without a single test
        every program is in one group, and the first one is returned.
        """
        if self.sandbox is None:
            raise ConfigError("codet needs a sandbox: make it with Kit().strategy('codet', ...), or give it sandbox=")
        put = Problem.of(problem)
        written = await several(model, self._requests(model, put), limit=self.concurrency)
        programs = [program(one.text) for one in written.samples[: self.samples] if one is not None]
        if not programs:
            raise written.errors[0]
        tests = self._tests(written, str(put.metadata.get("entry_point", "")))
        passed = await run(self.sandbox, programs, tests, seconds=self.seconds)
        return _solution(written, programs, tests, passed, groups(passed))

    def _requests(self, model: Model, problem: Problem) -> list[GenerateRequest]:
        """The requests for programs, then those for tests, each with a seed of its own."""
        write = prompts.instructed(problem.messages, self.instruction)
        test = (Message("user", prompts.fill(self.tests_prompt, question=prompts.asked(problem))),)
        one = GenerateRequest(messages=write, temperature=self.temperature, max_tokens=self.max_tokens)
        every = [one] * self.samples + [replace(one, messages=test)] * self.tests
        return [replace(request, seed=seeded(model, self.seed, place)) for place, request in enumerate(every)]

    def _tests(self, written: Draws, calls: str) -> list[str]:
        replies = [program(one.text) for one in written.samples[self.samples :] if one is not None]
        found = [test for reply in replies for test in asserts(reply, most=self.tests_each, calls=calls)]
        return list(dict.fromkeys(found))


def _solution(
    written: Draws,
    programs: Sequence[str],
    tests: Sequence[str],
    passed: Sequence[Sequence[bool]],
    ranked: Sequence[Group],
) -> Solution:
    best = ranked[0]
    votes = [
        Vote(answer=programs[one.members[0]], count=len(one.members), weight=float(one.score), samples=one.members)
        for one in ranked
    ]
    return Solution(
        answer=programs[best.members[0]],
        votes=tuple(votes),
        samples=written.arrived[: len(programs)],
        confidence=len(best.members) / len(programs) if best.passed else None,
        stopped="budget" if written.exhausted else "full",
        usage=spent(written.arrived),
        metadata={"tests": list(tests), "passed": [sum(marks) for marks in passed], "chosen": best.members[0]},
    )
