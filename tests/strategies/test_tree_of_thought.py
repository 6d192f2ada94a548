import asyncio
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import permutations

import pytest

from agentkit.answers.numbers import spell
from agentkit.errors import AuthenticationError, BudgetExceededError, ConfigError, InputError, ServerError
from agentkit.strategies.game24 import given, makes_24
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.testing import ScriptedModel
from agentkit.types import Message, Problem

PUZZLE = "4 5 6 10"
UNSOLVABLE = "1 1 1 1"


def outcomes(a, b):
    yield "+", a + b
    yield "-", a - b
    yield "*", a * b
    if b:
        yield "/", a / b


@cache
def can_make_24(numbers):
    if len(numbers) == 1:
        return numbers[0] == 24
    pairs = permutations(range(len(numbers)), 2)
    return any(
        can_make_24(tuple(sorted((*(one for place, one in enumerate(numbers) if place not in (i, j)), made))))
        for i, j in pairs
        for _, made in outcomes(numbers[i], numbers[j])
    )


def state_of(request):
    lines = request.messages[-1].content.strip().splitlines()
    proposing = lines[-1].startswith("Possible next steps")
    return ("propose", lines[-2].removeprefix("Input: ")) if proposing else ("evaluate", lines[-1])


def expert(request):
    """Answers the prompts of the game of 24 as one who never errs: every operation, and the exact value of a state."""
    kind, state = state_of(request)
    numbers = tuple(sorted(Fraction(one) for one in state.split()))
    if kind == "evaluate":
        return "so\nsure" if can_make_24(numbers) else "so\nimpossible"
    operations = ((a, sign, b, made) for a, b in permutations(numbers, 2) for sign, made in outcomes(a, b))
    return "\n".join(f"({spell(a)}) {sign} ({spell(b)}) = {spell(made)}" for a, sign, b, made in operations)


def game(script=expert, **options):
    return ScriptedModel(script=script), TreeOfThought(task="game24", **options)


async def test_a_game_of_24_is_solved_and_the_answer_uses_every_number_once():
    model, strategy = game()
    solution = await strategy.solve(PUZZLE, model=model)
    assert solution.stopped == "solved"
    assert makes_24(solution.answer, given(Problem.of(PUZZLE)))
    assert solution.usage.calls == sum(request.n for request in model.requests)


@pytest.mark.parametrize("puzzle", [PUZZLE, UNSOLVABLE, "3 3 8 8"])
async def test_no_state_is_proposed_for_or_valued_twice(puzzle):
    model, strategy = game()
    solution = await strategy.solve(puzzle, model=model)
    assert max(Counter(map(state_of, model.requests)).values()) == 1
    assert len({thought.state for thought in solution.tree}) == len(solution.tree)
    assert makes_24(solution.answer or "0", given(Problem.of(puzzle))) == (puzzle != UNSOLVABLE)


async def test_a_puzzle_without_solution_is_exhausted_and_has_no_answer():
    model, strategy = game()
    solution = await strategy.solve(UNSOLVABLE, model=model)
    assert (solution.answer, solution.stopped) == (None, "exhausted")


async def test_the_tree_tells_parents_values_and_what_was_kept():
    model, strategy = game(breadth=2)
    tree = (await strategy.solve(PUZZLE, model=model)).tree
    kept = [thought for thought in tree if thought.kept]
    assert {thought.depth for thought in tree} == {0, 1, 2}
    assert max(Counter(thought.depth for thought in kept).values()) == 2
    assert all(thought.parent is None for thought in tree if thought.depth == 0)
    assert all(tree[thought.parent].kept for thought in tree if thought.depth > 0)
    assert {thought.value for thought in kept} == {60.0}


async def test_thoughts_are_told_of_as_they_are_scored():
    told = []
    model, strategy = game()
    solution = await strategy.solve(PUZZLE, model=model, emit=told.append)
    scored = [
        (thought.text, thought.depth, thought.value, thought.kept)
        for thought in solution.tree
        if thought.value is not None
    ]
    assert [(event.text, event.depth, event.value, event.kept) for event in told] == scored


async def test_the_same_seed_makes_the_same_requests_and_the_same_tree():
    runs = []
    for delay in (0, 0.001):
        model = ScriptedModel(script=expert, delay=delay)
        solution = await TreeOfThought(task="game24", seed=7, concurrency=3).solve(PUZZLE, model=model)
        runs.append((solution, sorted((request.seed, request.n) for request in model.requests)))
    assert runs[0] == runs[1]
    seeds = [seed + i for seed, n in runs[0][1] for i in range(n)]
    assert sorted(seeds) == list(range(7, 7 + len(seeds)))


async def test_a_spent_budget_ends_the_search_with_what_there_is():
    asked = 0

    def poor(request):
        nonlocal asked
        asked += 1
        return expert(request) if asked <= 40 else BudgetExceededError("40 samples are spent", resource="calls")

    model, strategy = game(poor)
    solution = await strategy.solve(PUZZLE, model=model)
    assert (solution.answer, solution.stopped) == (None, "budget")
    assert solution.tree
    assert solution.usage.calls == 40


async def test_failing_calls_cost_their_thoughts_only():
    def flaky(request):
        return ServerError("on fire") if request.seed % 7 == 3 else expert(request)

    model, strategy = game(flaky)
    solution = await strategy.solve(PUZZLE, model=model)
    assert solution.stopped == "solved"
    assert "on fire" in solution.metadata["errors"]


async def test_a_model_that_only_fails_is_an_error():
    model, strategy = game(lambda request: ServerError("on fire"))
    with pytest.raises(ServerError):
        await strategy.solve(PUZZLE, model=model)


async def test_a_refused_key_ends_the_search_at_once():
    model, strategy = game(lambda request: AuthenticationError("no key"))
    with pytest.raises(AuthenticationError):
        await strategy.solve(PUZZLE, model=model)
    assert len(model.requests) == 1


async def test_a_question_without_numbers_is_no_game_of_24():
    model, strategy = game()
    with pytest.raises(InputError):
        await strategy.solve("What now?", model=model)


async def test_cancelling_the_search_closes_every_stream():
    valuing = asyncio.Event()

    def reply(request):
        if state_of(request)[0] == "evaluate":
            valuing.set()
        return expert(request)

    class Slow(ScriptedModel):
        async def generate(self, request):
            self.delay = 3600 if state_of(request)[0] == "evaluate" else 0
            async for sample in super().generate(request):
                yield sample

    model = Slow(script=reply)
    search = asyncio.create_task(TreeOfThought(task="game24").solve(PUZZLE, model=model))
    await valuing.wait()
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    valuations = [request for request in model.requests if state_of(request)[0] == "evaluate"]
    assert model.cancelled == len(valuations)


def sage(request):
    text = request.messages[-1].content
    if "Propose" in text:
        return "1. The sea is salty.\n2. the sea is salty\n- Answer: salt" if "(none)" in text else "Answer: salt water"
    if "sure, likely" in text:
        return "impossible" if "Answer: salt\n" in text + "\n" and "sea" not in text.split("far:")[1] else "sure"
    return "Answer: concluded"


async def test_any_question_can_be_thought_about():
    model = ScriptedModel(script=sage)
    solution = await TreeOfThought(depth=2).solve("What does the sea taste of?", model=model)
    assert [thought.text for thought in solution.tree] == ["The sea is salty.", "Answer: salt", "Answer: salt water"]
    assert solution.tree[2].parent == 0
    assert (solution.answer, solution.stopped) == ("salt water", "solved")


async def test_a_path_that_reaches_no_answer_is_concluded_by_the_model():
    model = ScriptedModel(script=sage)
    solution = await TreeOfThought(depth=1).solve("What does the sea taste of?", model=model)
    assert (solution.answer, solution.stopped) == ("concluded", "exhausted")


async def test_documents_and_earlier_turns_stay_in_the_conversation():
    talk = (Message("system", "Be brief."), Message("user", "Sources: [1] Salt.\n\nWhat does the sea taste of?"))
    model = ScriptedModel(script=sage)
    await TreeOfThought(depth=1).solve(Problem(question="What does the sea taste of?", messages=talk), model=model)
    assert model.requests[0].messages[0] == talk[0]
    assert "Sources: [1] Salt." in model.requests[0].messages[1].content


async def test_the_published_examples_are_turns_of_the_conversation():
    model, strategy = game()
    await strategy.solve(PUZZLE, model=model)
    roles = [[message.role for message in request.messages] for request in model.requests]
    assert roles[0] == ["user", "assistant", "user"]
    assert roles[1] == ["user", "assistant"] * 8 + ["user"]


async def test_prompts_can_be_replaced():
    model = ScriptedModel(script=["a way", "sure", "Answer: 7"])
    strategy = TreeOfThought(depth=1, value_samples=1, propose="Next for {{question}}?", evaluate="{{state}}: good?")
    await strategy.solve("3 + 4", model=model)
    assert [request.messages[-1].content for request in model.requests[:2]] == ["Next for 3 + 4?", "a way: good?"]


@pytest.mark.parametrize("options", [{"breadth": 0}, {"depth": 0}, {"propose": "{{questoin}}"}])
def test_wrong_options_are_refused_when_the_strategy_is_made(options):
    with pytest.raises(ConfigError):
        TreeOfThought(**options)
