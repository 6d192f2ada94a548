import asyncio
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import permutations

import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.strategies.game24 import given as numbers_of
from agentkit.strategies.game24 import makes_24
from agentkit.strategies.monte_carlo_tree_search import MonteCarloTreeSearch
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_strategy
from agentkit.types import Problem

PUZZLE = "4 5 6 10"
STEPS = {
    "(none)": "Add them.\nTake them away.",
    "Add them.": "3 + 4 = 7\nAnswer: 8",
    "Take them away.": "Answer: 9",
    "Add them.\n3 + 4 = 7": "Answer: 7",
}
SURE = ("Add them.", "Add them.\n3 + 4 = 7", "Add them.\n3 + 4 = 7\nAnswer: 7")


def thinker(request):
    """Knows its way to 7: proposes from ``STEPS`` and is sure of what leads there."""
    _, _, rest = request.messages[-1].content.partition("Steps taken so far:\n")
    state, _, order = rest.partition("\n\n")
    if order.startswith("Propose"):
        return STEPS.get(state, "")
    return "sure" if state in SURE else "impossible"


@cache
def can_make_24(numbers):
    if len(numbers) == 1:
        return numbers[0] == 24
    return any(can_make_24(left) for _, left in moves(numbers))


def moves(numbers):
    for i, j in permutations(range(len(numbers)), 2):
        rest = [one for place, one in enumerate(numbers) if place not in (i, j)]
        a, b = numbers[i], numbers[j]
        for sign, made in (("+", a + b), ("-", a - b), ("*", a * b), *([("/", a / b)] if b else [])):
            yield f"{a} {sign} {b} = {made}", tuple(sorted((*rest, made)))


def expert(request):
    lines = request.messages[-1].content.strip().splitlines()
    proposing = lines[-1].startswith("Possible next steps")
    state = lines[-2].removeprefix("Input: ") if proposing else lines[-1]
    numbers = tuple(sorted(Fraction(one) for one in state.split()))
    if not proposing:
        return "likely" if can_make_24(numbers) else "impossible"
    whole = [text for text, left in moves(numbers) if all(one.denominator == 1 and one >= 0 for one in left)]
    return "\n".join(whole)


@pytest.mark.parametrize("reward", ["path", "end"])
async def test_it_comes_to_the_answer_that_its_values_lead_to(reward):
    solution = await MonteCarloTreeSearch(reward=reward).solve("3 + 4?", model=ScriptedModel(script=thinker))
    assert (solution.answer, solution.stopped) == ("7", "solved")
    assert solution.votes[0].answer == "7"
    assert all(solution.tree[one.parent].kept for one in solution.tree if one.parent is not None)


async def test_what_is_searched_whole_is_not_entered_again():
    model = ScriptedModel(script=thinker)
    solution = await MonteCarloTreeSearch(rollouts=50).solve("3 + 4?", model=model)
    asked = Counter(request.messages[-1].content for request in model.requests)
    assert max(asked.values()) == 1
    assert solution.metadata["rollouts"] < 50


@pytest.mark.parametrize("parallel", [1, 4])
async def test_a_game_of_24_is_solved_and_no_state_is_asked_about_twice(parallel):
    model = ScriptedModel(script=expert)
    search = MonteCarloTreeSearch(task="game24", rollouts=40, parallel=parallel, breadth=40)
    solution = await search.solve(PUZZLE, model=model)
    assert solution.stopped == "solved"
    assert makes_24(solution.answer, numbers_of(Problem.of(PUZZLE)))
    assert max(Counter(request.messages[-1].content for request in model.requests).values()) == 1


async def test_rollouts_run_at_once_from_places_of_their_own():
    out, most = 0, 0

    class Counting(ScriptedModel):
        async def generate(self, request):
            nonlocal out, most
            if "Propose" in request.messages[-1].content:
                out += 1
                most = max(most, out)
                await asyncio.sleep(0)
                out -= 1
            async for sample in super().generate(request):
                yield sample

    def fork(request):
        content = request.messages[-1].content
        return f"left {len(content)}\nright {len(content)}" if "Propose" in content else "likely"

    await MonteCarloTreeSearch(rollouts=9, parallel=4).solve("Which way?", model=Counting(script=fork))
    assert 1 < most <= 4


async def test_the_same_seed_makes_the_same_tree_however_long_calls_take():
    runs = []
    for delay in (0, 0.001):
        model = ScriptedModel(script=expert, delay=delay)
        search = MonteCarloTreeSearch(task="game24", seed=7, rollouts=6, concurrency=3)
        solution = await search.solve(PUZZLE, model=model)
        runs.append((solution, sorted((request.seed, request.messages) for request in model.requests)))
    assert [one[0] for one in runs[:1]] == [one[0] for one in runs[1:]]
    assert [seed for seed, _ in runs[0][1]] == list(range(7, 7 + len(runs[0][1])))
    assert runs[0][1] == runs[1][1]


async def test_a_spent_budget_leaves_the_best_so_far():
    asked = 0

    def poor(request):
        nonlocal asked
        asked += 1
        return thinker(request) if asked <= 6 else BudgetExceededError("spent", resource="calls")

    solution = await MonteCarloTreeSearch().solve("3 + 4?", model=ScriptedModel(script=poor))
    assert (solution.stopped, solution.usage.calls) == ("budget", 6)
    assert solution.answer in {"8", None}
    assert solution.tree


async def test_a_model_that_only_fails_is_an_error():
    with pytest.raises(ServerError):
        await MonteCarloTreeSearch().solve("3 + 4?", model=ScriptedModel(script=lambda request: ServerError("on fire")))


@pytest.mark.parametrize("options", [{"rollouts": 0}, {"parallel": 0}, {"exploration": -1.0}, {"propose": "{{x}}"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        MonteCarloTreeSearch(**options)


@pytest.mark.parametrize("reward", ["path", "end"])
async def test_it_keeps_the_contract(reward):
    await check_strategy(lambda: MonteCarloTreeSearch(rollouts=3, reward=reward))
    await check_strategy(lambda: MonteCarloTreeSearch(task="game24", rollouts=3), answer=expert, question=PUZZLE)
