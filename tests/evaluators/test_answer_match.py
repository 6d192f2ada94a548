"""An answer is right when it says what the target says, whatever the words around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit import Kit
from agentkit.errors import ConfigError
from agentkit.evaluators.answer_match import AnswerMatch
from agentkit.types import Record


async def score(output, target, **options):
    return await AnswerMatch(**options).evaluate(Record(input="?", output=output, target=target))


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ("7", "7"),
        ("3 + 4 = 7. The answer is 7.", "7"),
        ("seven", 7),
        ("It costs $1,200.", "1200"),
        ("\\boxed{\\frac{1}{2}}", "0.5"),
        ("Ответ: семь", "7"),
        ("The capital is Paris.", "paris"),
        ("Yes", True),
        (7, "7"),
        (0.5, "1/2"),
        ("72", "Natalia sold 48/2 = 24 clips in May.\n48+24 = 72 altogether.\n#### 72"),
        ("four", ["3", "4"]),
    ],
)
async def test_an_equivalent_answer_is_right(output, target):
    found = await score(output, target)
    assert (found.value, found.label) == (1.0, "right")


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ("8", "7"),
        ("The answer is 17.", "7"),
        ("Lyon", "Paris"),
        ("5", ["3", "4"]),
        ("It is 7 or 8", "8"),
        ("12 km", "12 miles"),
    ],
)
async def test_another_answer_is_wrong(output, target):
    found = await score(output, target)
    assert (found.value, found.label) == (0.0, "wrong")


@pytest.mark.parametrize("output", ["", None, "   "])
async def test_no_answer_is_wrong_and_says_so(output):
    found = await score(output, "7")
    assert (found.value, found.label, found.metadata["answer"]) == (0.0, "no answer", None)


@pytest.mark.parametrize("target", [None, [], {"a": 1}, ""])
async def test_a_record_without_a_target_is_unscored(target):
    found = await score("7", target)
    assert (found.value, found.status) == (None, "unscored")
    assert "no target" in found.reason


async def test_an_output_that_is_an_object_is_unscored_with_a_reason():
    found = await score({"answer": "7"}, "7")
    assert found.status == "unscored"
    assert "which part of it" in found.reason


async def test_exact_wants_the_same_characters():
    assert (await score(" 7 ", "7", mode="exact")).value == 1.0
    assert (await score("seven", "7", mode="exact")).value == 0.0


@pytest.mark.parametrize(
    ("output", "target", "value"),
    [
        ("I think it is  New\nYork.", "new york", 1.0),
        ("24", "4", 0.0),
        ("4.5", "4", 0.0),
        ("3.4", "4", 0.0),
        ("It is 4.", "4", 1.0),
        ("a+b (c)", "b (c)", 1.0),
        ("Это Москва.", "москва", 1.0),
    ],
)
async def test_contains_looks_for_whole_words(output, target, value):
    assert (await score(output, target, mode="contains")).value == value


async def test_the_kind_of_answer_can_be_told():
    assert (await score("We eat 3 apples and then 4 of the 9 pears", "9", kind="number")).value == 1.0
    assert (await score("1.234,5", "1234.5", kind="number", convention="eu")).value == 1.0


@given(st.text(max_size=40), st.text(min_size=1, max_size=20))
async def test_any_text_gets_a_score(output, target):
    for mode in ("equivalent", "exact", "contains"):
        found = await score(output, target, mode=mode)
        assert found.value in (0.0, 1.0)


@given(st.text(min_size=1, max_size=20).filter(str.strip))
async def test_a_text_matches_itself_exactly(text):
    assert (await score(text, text, mode="exact")).value == 1.0


def test_the_kit_makes_it_and_refuses_what_it_has_not():
    kit = Kit(installed=False)
    assert kit.evaluator("answer_match", mode="exact") == AnswerMatch(mode="exact")
    with pytest.raises(ConfigError, match="did you mean 'contains'"):
        kit.evaluator("answer_match", mode="contain")
