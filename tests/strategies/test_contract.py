import pytest

from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.strategies.beam_search import BeamSearch
from agentkit.strategies.best_of_n import BestOfN
from agentkit.strategies.chain_of_thought import ChainOfThought
from agentkit.strategies.constitutional_critique import ConstitutionalCritique
from agentkit.strategies.decomposed_vote import DecomposedVote
from agentkit.strategies.deepconf import DeepConf
from agentkit.strategies.least_to_most import LeastToMost
from agentkit.strategies.mixture_of_agents import MixtureOfAgents
from agentkit.strategies.plan_and_solve import PlanAndSolve
from agentkit.strategies.reflexion import Reflexion
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.strategies.self_refine import SelfRefine
from agentkit.strategies.step_back import StepBack
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.strategies.universal_self_consistency import UniversalSelfConsistency
from agentkit.testing.conformance import check_strategy

STRATEGIES = [
    ChainOfThought(),
    SelfConsistency(samples=5),
    SelfConsistency(samples=5, ahead=2, answer="text"),
    DeepConf(samples=5, warmup=2),
    BeamSearch(width=2, depth=2),
    DecomposedVote(steps=3),
    PlanAndSolve(),
    StepBack(),
    LeastToMost(parts=2),
    Reflexion(trials=2),
    ConstitutionalCritique(principles=("Be kind.",)),
    MixtureOfAgents(samples=2, layers=2),
    TreeOfThought(depth=2),
    TreeOfThought(depth=2, value="vote"),
    TreeOfThought(search="depth", proposals=4),
    BestOfN(samples=3),
    BestOfN(samples=3, evaluator=Groundedness(encoder="none"), choose="weighted"),
    UniversalSelfConsistency(samples=3),
    SelfRefine(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
async def test_strategies_keep_their_contract(strategy):
    await check_strategy(lambda: strategy)


async def test_the_game_of_24_keeps_the_contract_too():
    def answer(request):
        return "4 + 5 = 9 (left: 6 9 10)\n10 - 6 = 4 (left: 4 4 5)\nlikely"

    await check_strategy(lambda: TreeOfThought(task="game24"), answer=answer, question="4 5 6 10")
