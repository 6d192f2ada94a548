"""Chains of no known kind: sums, stocks, answers and numbers out of nowhere."""

import pytest

from agentkit.evaluators.planning.reasoning.chain import Chain, Reading
from agentkit.evaluators.planning.reasoning.route import read


def judged(question: str, *steps: str) -> Reading:
    return read(Chain(question=question, steps=steps))


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ("Tom had 5 apples and gave 2 to Ann, so 3 are left.", False),
        ("Tom had 5 apples and gave 2 to Ann, so 4 are left.", True),
        ("She has 12 coins and finds 3 more, so she now has 15.", False),
        ("She has 12 coins and finds 3 more, so she now has 16.", True),
        ("У Тома было 5 яблок, он съел 2, осталось 3.", False),
        ("У Тома было 5 яблок, он съел 2, осталось 4.", True),
        ("Each box has 15 cakes and she eats 1 a night so after 60 days she needs 4 boxes.", False),
    ],
)
def test_a_stock_that_shrinks_or_grows_is_counted(step: str, wrong: bool) -> None:
    reading = judged("How many?", step, "1 + 1 = 2")
    assert (reading.first_error == 0) is wrong


def test_an_answer_that_no_step_found_does_not_follow() -> None:
    reading = judged("A shelf holds 7 books. How many do 2 hold?", "7 * 2 = 14", "The answer is 15.")
    assert reading.first_error == 1
    assert reading.flaws[0].code == "unsupported_conclusion"
    assert reading.flaws[0].evidence == "step 1 answers 15; no step before it found that, the last one found 14"


@pytest.mark.parametrize("answer", ["A: 14", "The answer is 14 books.", "So the final answer: 14", "Ответ: 14"])
def test_an_answer_that_was_found_follows(answer: str) -> None:
    assert judged("A shelf holds 7 books. How many do 2 hold?", "7 * 2 = 14", answer).first_error is None


def test_a_number_out_of_nowhere_is_a_remark_only() -> None:
    reading = judged("Bob has 17 cats.", "17 * 2 = 34", "19 * 2 = 38")
    assert reading.first_error is None
    assert [(flaw.step, flaw.code, flaw.minor) for flaw in reading.flaws] == [(1, "ungrounded_number", True)]


def test_a_chain_that_says_nothing_checkable_is_not_judged() -> None:
    assert judged("Who wrote Faust?", "Goethe did.").checked == frozenset()
