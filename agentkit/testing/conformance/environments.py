"""The contract of an environment: the solution solves and is never flagged, planted errors are found where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agentkit.protocols import Environment, Episode
from agentkit.testing.conformance.checks import demand, run_checks
from agentkit.types import Outcome

NONSENSE = (
    "",
    " ",
    "\x00",
    "{}",
    "[]",
    "|",
    " | ",
    "act",
    'act {"action": 1}',
    "да" * 5000,
    "move " * 3000,
    "🙂",
    "0",
    "-",
    "(" * 500,
)
"""What a broken player may say."""

_SPREAD = 12


async def check_environment(
    make_environment: Callable[[], Environment], *, seeds: Iterable[int] = range(5), seconds: float = 60.0
) -> None:
    """Check an environment on some seeds; raises ``AssertionError`` with what it does wrong."""
    on = _Checks(seeds=tuple(seeds))
    checks = (
        on.same_seed_same_episode,
        on.solution_solves_and_is_never_flagged,
        on.legal_actions_are_legal,
        on.planted_errors_are_found_where_they_are,
        on.bears_nonsense,
        on.an_episode_ends,
    )
    await run_checks(make_environment, checks, seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class _Checks:
    """The checks, on these seeds."""

    seeds: tuple[int, ...]

    async def same_seed_same_episode(self, environment: Environment) -> None:
        for seed in self.seeds:
            one, two = environment.start(seed), environment.start(seed)
            demand(one.task == two.task, f"two episodes of seed {seed} have different tasks")
            demand(one.observe() == two.observe(), f"two episodes of seed {seed} begin differently")
            demand(tuple(environment.solve(seed)) == tuple(environment.solve(seed)), f"seed {seed} has two solutions")
        tasks = {(environment.start(seed).task, *environment.solve(seed)) for seed in self.seeds}
        demand(len(tasks) > 1 or len(self.seeds) < 3, "every seed gives the same episode")

    async def solution_solves_and_is_never_flagged(self, environment: Environment) -> None:
        for seed in self.seeds:
            outcomes = _walk(environment.start(seed), environment.solve(seed))
            flagged = [(step, one.message) for step, one in enumerate(outcomes) if one.code]
            demand(not flagged, f"the solution of seed {seed} is flagged: {flagged[:1]}")
            demand(outcomes and outcomes[-1].success, f"the solution of seed {seed} does not solve it")
            demand(not any(one.done for one in outcomes[:-1]), f"seed {seed} is over before its solution is")

    async def legal_actions_are_legal(self, environment: Environment) -> None:
        for seed in self.seeds:
            for action in environment.start(seed).legal():
                outcome = environment.start(seed).step(action)
                wasted = outcome.code == "wasted_step"
                demand(not outcome.code or wasted, f"{action!r} is listed as legal, but: {outcome.message}")

    async def planted_errors_are_found_where_they_are(self, environment: Environment) -> None:
        demand(environment.errors, "no kind of error can be planted")
        for seed in self.seeds:
            steps = len(environment.solve(seed))
            for kind in environment.errors:
                for step in range(0, steps, max(1, steps // _SPREAD)):
                    _found(environment, seed, kind, step)
            beyond = environment.inject(seed, environment.errors[0], steps)
            demand(beyond is None, f"an error is planted at step {steps}, after the end of the solution")

    async def bears_nonsense(self, environment: Environment) -> None:
        for text in NONSENSE:
            episode = environment.start(self.seeds[0])
            outcome = episode.step(text)
            demand(isinstance(outcome, Outcome), f"step must return an Outcome, not {outcome!r}")
            demand(outcome.code, f"{text[:20]!r} was taken for an action")
            demand(outcome.message, f"{outcome.code} is not explained")

    async def an_episode_ends(self, environment: Environment) -> None:
        episode = environment.start(self.seeds[0])
        for _ in range(100_000):
            if episode.step("nonsense").done:
                break
        else:
            raise AssertionError("an episode of nothing but nonsense does not end")
        after = episode.step("nonsense")
        demand(after.code and after.done and not after.success, "an action after the end is not refused")
        demand(not episode.legal(), "there are legal actions after the end")


def _walk(episode: Episode, actions: Iterable[str]) -> list[Outcome]:
    return [episode.step(action) for action in actions]


def _found(environment: Environment, seed: int, kind: str, step: int) -> None:
    actions = environment.inject(seed, kind, step)
    if actions is None:
        return
    outcomes = _walk(environment.start(seed), actions)
    first = next((place for place, one in enumerate(outcomes) if one.code), None)
    demand(first == step, f"{kind} was planted at step {step} of seed {seed}, and the first error is found at {first}")
