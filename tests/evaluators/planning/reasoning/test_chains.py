"""Laws over made-up chains: a right chain is never flagged, a spoiled step is found where it stands, in any words."""

import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.evaluators.planning.reasoning.chain import Chain
from agentkit.evaluators.planning.reasoning.route import read

SUITE = Path(__file__).parents[4] / "evals" / "planning"
sys.path.insert(0, str(SUITE))
try:
    import chains
    from rewrite import rewrite
    from rewrite_second import rewrite_second
    from rewrite_third import rewrite_third
finally:
    sys.path.remove(str(SUITE))

TASKS = ("dyck_languages", "logical_deduction", "multistep_arithmetic", "tracking_shuffled_objects", "word_sorting")
WORDINGS = {
    "as recorded": lambda task, steps, random: list(steps),
    "in other words": rewrite,
    "in words farther off": rewrite_second,
    "in the words of a third": rewrite_third,
}
EXAMPLES = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("task", TASKS)
@EXAMPLES
@given(seed=st.integers(0, 2**32))
def test_a_right_chain_is_never_flagged(task: str, wording: str, seed: int) -> None:
    random = Random(seed)
    question, steps = chains.chain(task, random)
    reading = read(Chain(question=question, steps=tuple(WORDINGS[wording](task, steps, random))))
    assert not reading.obstacle
    assert [flaw.evidence for flaw in reading.flaws] == []
    assert len(reading.checked) >= len(steps) - 1


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("task", TASKS)
@EXAMPLES
@given(seed=st.integers(0, 2**32))
def test_a_step_made_wrong_is_found_where_it_stands(task: str, wording: str, seed: int) -> None:
    random = Random(seed)
    question, steps = chains.chain(task, random)
    wrong, place = chains.spoiled(task, steps, random)
    reading = read(Chain(question=question, steps=tuple(WORDINGS[wording](task, wrong, random))))
    assert reading.first_error == place


@pytest.mark.parametrize("task", TASKS)
def test_rewriting_changes_words_and_is_repeatable(task: str) -> None:
    _, steps = chains.chain(task, Random(1))
    for rewriter in (rewrite, rewrite_second, rewrite_third):
        assert rewriter(task, steps, Random(5)) == rewriter(task, steps, Random(5))
        assert any(rewriter(task, steps, Random(seed)) != steps for seed in range(3))
