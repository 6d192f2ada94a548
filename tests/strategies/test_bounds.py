"""What a strategy declares before it runs holds for whatever the model says."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.evaluators.hallucination.self_check import SelfCheck
from agentkit.runtime.estimate import prompt_tokens, text_tokens
from agentkit.strategies.beam_search import BeamSearch
from agentkit.strategies.best_of_n import BestOfN
from agentkit.strategies.chain_of_thought import ChainOfThought
from agentkit.strategies.constitutional_critique import ConstitutionalCritique
from agentkit.strategies.decomposed_vote import DecomposedVote
from agentkit.strategies.deepconf import DeepConf
from agentkit.strategies.least_to_most import LeastToMost
from agentkit.strategies.mixture_of_agents import MixtureOfAgents
from agentkit.strategies.monte_carlo_tree_search import MonteCarloTreeSearch
from agentkit.strategies.plan_and_solve import PlanAndSolve
from agentkit.strategies.reflexion import Reflexion
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.strategies.self_refine import SelfRefine
from agentkit.strategies.step_back import StepBack
from agentkit.strategies.stopping import RULES
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.strategies.universal_self_consistency import UniversalSelfConsistency
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Problem

COUNT = st.integers(1, 9)
STRATEGIES = st.one_of(
    st.builds(ChainOfThought, instruction=st.sampled_from(["", "Think."])),
    st.builds(
        SelfConsistency, samples=COUNT, stop=st.sampled_from(sorted(RULES)), answer=st.sampled_from(["auto", "text"])
    ),
    st.builds(SelfConsistency, samples=COUNT, ahead=st.integers(0, 3), concurrency=st.none() | COUNT),
    st.builds(DeepConf, samples=COUNT, warmup=COUNT, wave=COUNT),
    st.builds(BestOfN, samples=COUNT, choose=st.sampled_from(["best", "weighted"])),
    st.builds(BestOfN, samples=COUNT, evaluator=st.just(Groundedness(encoder="none"))),
    st.builds(UniversalSelfConsistency, samples=COUNT),
    st.builds(SelfRefine, rounds=st.integers(0, 3)),
    st.builds(TreeOfThought, breadth=st.integers(1, 3), depth=st.integers(1, 3), value_samples=st.integers(1, 3)),
    st.builds(TreeOfThought, value=st.just("vote"), breadth=st.integers(1, 3), depth=st.integers(1, 3)),
    st.builds(TreeOfThought, task=st.just("game24"), breadth=st.integers(1, 3), depth=st.integers(1, 4)),
    st.builds(
        TreeOfThought,
        search=st.just("depth"),
        task=st.sampled_from(["general", "game24"]),
        breadth=st.integers(1, 3),
        depth=st.integers(1, 3),
        value_samples=st.integers(1, 2),
        proposals=st.integers(1, 9),
    ),
    st.builds(BeamSearch, width=st.integers(1, 3), samples=st.integers(1, 3), depth=st.integers(1, 3)),
    st.builds(DecomposedVote, lead=st.integers(1, 3), samples=COUNT, steps=st.integers(1, 4)),
    st.builds(PlanAndSolve),
    st.builds(StepBack),
    st.builds(LeastToMost, parts=st.integers(0, 3)),
    st.builds(Reflexion, trials=st.integers(1, 3), instruction=st.sampled_from(["", "Think."])),
    st.builds(ConstitutionalCritique, principles=st.lists(st.just("Be kind."), min_size=1, max_size=3).map(tuple)),
    st.builds(MixtureOfAgents, samples=st.integers(1, 3), layers=st.integers(1, 3)),
    st.builds(
        MonteCarloTreeSearch,
        task=st.sampled_from(["general", "game24"]),
        rollouts=COUNT,
        parallel=st.integers(1, 4),
        breadth=st.integers(1, 3),
        depth=st.integers(1, 4),
        value_samples=st.integers(1, 2),
        reward=st.sampled_from(["path", "end"]),
    ),
)
LINES = [
    "Answer: 7",
    "Answer: 8",
    "7",
    "no problems",
    "sure",
    "impossible",
    "Response 2",
    "",
    "2 + 8 = 10 (left: 8 10 14)",
]
LINES += ["8 / 2 = 4 (left: 4 8 14)", "- Add them.", "- Take one away.", "14 - 2 = 12 (left: 8 8 12)", "8 + 8 = 16"]


def script(seed: int, lines: int) -> Any:
    rng = random.Random(seed)
    return lambda request: "\n".join(rng.choices(LINES, k=rng.randint(1, lines)))


def asked(requests: list[GenerateRequest]) -> int:
    return sum(request.n for request in requests)


@settings(max_examples=150, deadline=None)
@given(STRATEGIES, st.integers(0, 1000), st.sampled_from([1, 3, 40]))
async def test_it_draws_no_more_and_no_less(strategy: Any, seed: int, lines: int) -> None:
    model = ScriptedModel(script=script(seed, lines))
    problem = Problem(question="2 8 8 14", messages=(Message("user", "2 8 8 14"),))
    await strategy.solve(problem, model=model)
    bounds = strategy.bounds()
    assert asked(model.requests) <= sum(one.most for one in bounds)
    assert asked(model.requests) - model.cancelled >= sum(one.least for one in bounds)
    given_tokens = prompt_tokens(GenerateRequest(messages=problem.messages))
    longest = text_tokens("\n".join(LINES)) * lines
    most = max(given_tokens * one.problems + longest * one.answers + one.text for one in bounds)
    assert max(prompt_tokens(request) for request in model.requests) <= most


async def test_a_judge_of_its_own_is_told_apart() -> None:
    judge = ScriptedModel(script=lambda request: "5", name="judge")
    drawn, judged = BestOfN(samples=4, judge=judge).bounds()
    assert (drawn.model, judged.model) == (None, judge)
    assert (drawn.most, judged.most) == (4, 4)


async def test_an_evaluator_takes_the_place_of_all_judgements_but_its_own() -> None:
    assert [one.most for one in BestOfN(samples=4, evaluator=Groundedness()).bounds()] == [4]
    judge = ScriptedModel(script=lambda request: "yes", name="judge")
    check = SelfCheck(model=judge)
    drawn, checked = BestOfN(samples=4, evaluator=check).bounds()
    most = check.bounds()[0].most
    assert most is not None
    assert (drawn.most, checked.most, checked.model) == (4, 4 * most, judge)


@pytest.mark.parametrize("stop", sorted(RULES))
async def test_a_vote_without_dissent_draws_the_least(stop: str) -> None:
    vote = SelfConsistency(samples=9, stop=stop)
    model = ScriptedModel(script=lambda request: "Answer: 7")
    await vote.solve("3 + 4?", model=model)
    assert asked(model.requests) == vote.bounds()[0].least
