"""Examples for a soft prompt."""

from random import Random

import pytest

from agentkit.errors import EvaluationError, InputError
from agentkit.evaluation.prompted import Example, example, gain, labels, split


def test_rows_with_one_input_are_never_on_both_sides():
    rows = [Example(input=f"text {n % 20}", target=str(n)) for n in range(60)]
    learned, held = split(rows, 0.25, Random(1))
    assert len(held) == 15
    assert not {row.input for row in learned} & {row.input for row in held}


def test_too_few_inputs_are_refused():
    with pytest.raises(EvaluationError, match="at least 10 different inputs, and there are 1"):
        split([Example(input="a", target="b")] * 40, 0.2, Random(0))


def test_few_targets_that_come_again_are_classes():
    assert labels([Example(input=str(n), target="good" if n % 2 else "bad") for n in range(20)]) == ("bad", "good")
    assert labels([Example(input=str(n), target=str(n)) for n in range(20)]) == ()


def test_rows_under_other_names_are_read_and_others_refused():
    assert example({"question": "3 + 4?", "gold": 7}) == Example(input="3 + 4?", target="7")
    with pytest.raises(InputError, match="an 'input' and a 'target'"):
        example({"input": "x"})


def test_the_gain_is_paired():
    found = gain([False, True] * 20, [True, True] * 20, Random(0))
    assert (found.before.value, found.after.value, found.difference.value) == (0.5, 1.0, 0.5)
    assert found.difference.low > 0
