import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError, ServerError, ToolError
from agentkit.kit import Kit
from agentkit.strategies.codet import Codet
from agentkit.strategies.generated_tests import asserts, groups, program, run
from agentkit.testing import ScriptedModel
from agentkit.tools.python_sandbox import PythonSandbox

confined = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
SANDBOX = PythonSandbox(enabled=True, seconds=5)
RIGHT = "def double(n):\n    return 2 * n\n"
ALSO_RIGHT = "def double(n):\n    return n + n\n"
WRONG = "def double(n):\n    return n * n\n"
TESTS = ["assert double(2) == 4", "assert double(3) == 6", "assert double(0) == 0"]


def test_the_program_is_the_longest_fenced_block_or_the_whole_reply():
    assert program("Here:\n```python\nx = 1\n```\nand\n```\ny\n```") == "x = 1\n"
    assert program("```py\nx = 1") == "x = 1"
    assert program(RIGHT) == RIGHT


def test_assertions_are_read_one_by_one_and_written_alike():
    reply = "assert double( 2 )==4\nassert double(3) == (\n  6)\nassert double(\nassert double(2) == 4 # again\nassert x = 1"
    assert asserts(reply) == ("assert double(2) == 4", "assert double(3) == 6")
    assert asserts(reply, most=1) == ("assert double(2) == 4",)
    assert asserts("assert double(2) == 4\nassert other(1)", calls="other") == ("assert other(1)",)
    assert asserts("assert True") == ()
    assert asserts("no tests here") == ()


@given(st.text(max_size=200))
def test_any_text_can_be_searched_for_assertions(text):
    for one in asserts(f"assert {text}"):
        assert one.startswith("assert")


def test_programs_that_pass_the_same_tests_are_a_group_scored_by_both_numbers():
    found = groups([(True, False), (True, True), (False, False), (True, False), (True, False)])
    assert [(one.members, one.passed, one.score) for one in found] == [((0, 3, 4), 1, 3), ((1,), 2, 2), ((2,), 0, 0)]


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=12))
def test_every_program_is_in_one_group(passed):
    found = groups(passed)
    assert sorted(place for group in found for place in group.members) == list(range(len(passed)))
    assert found[0].score == max(group.score for group in found)


@confined
async def test_programs_are_run_against_all_tests():
    assert await run(SANDBOX, [RIGHT, WRONG, RIGHT], TESTS) == ((True,) * 3, (True, False, True), (True,) * 3)


@confined
@pytest.mark.parametrize(
    "bad",
    [
        "def double(n):\n    while True: pass",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "def double(n:\n",
        "def double(n):\n    return [0] * 10**12",
        "def double(n):\n    return double(n)",
        "print('0 111')\ndef double(n): pass",
        "x = '\ud800\x00'",
    ],
)
async def test_a_bad_program_passes_nothing_and_spoils_no_other(bad):
    assert await run(SANDBOX, [WRONG, bad, RIGHT], TESTS) == ((True, False, True), (False,) * 3, (True,) * 3)


@confined
async def test_a_program_that_cannot_be_interrupted_costs_only_its_own_process():
    stubborn = "def double(n):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    sandbox = PythonSandbox(enabled=True, seconds=1)
    assert await run(sandbox, [stubborn, RIGHT], TESTS) == ((False,) * 3, (True,) * 3)


async def test_a_sandbox_that_is_off_is_an_error():
    with pytest.raises(ToolError, match="off"):
        await run(PythonSandbox(), [RIGHT], TESTS)


def writing(programs, tests=None):
    tests = tests or "\n".join(TESTS)
    return ScriptedModel(script=lambda request: programs[request.seed] if request.seed < len(programs) else tests)


@confined
async def test_the_program_that_most_programs_and_tests_agree_on_is_chosen():
    strategy = Kit().strategy("codet", enabled=True, samples=4, tests=2)
    solution = await strategy.solve(
        "Double a number.", model=writing([WRONG, f"```python\n{RIGHT}```", ALSO_RIGHT, WRONG])
    )
    assert solution.answer == RIGHT
    assert [(vote.samples, vote.weight) for vote in solution.votes] == [((1, 2), 6.0), ((0, 3), 4.0)]
    assert solution.metadata["passed"] == [2, 3, 3, 2]
    assert (solution.confidence, solution.usage.calls) == (0.5, 6)


@confined
@pytest.mark.parametrize("tests", ["I cannot think of any.", ServerError("on fire")])
async def test_without_tests_the_first_program_is_returned_without_confidence(tests):
    strategy = Codet(enabled=True, samples=2, sandbox=SANDBOX)
    solution = await strategy.solve("Double.", model=writing([WRONG, RIGHT], tests))
    assert (solution.answer, solution.confidence) == (WRONG, None)


@confined
async def test_programs_that_failed_to_arrive_are_left_out():
    strategy = Codet(enabled=True, samples=2, sandbox=SANDBOX)
    solution = await strategy.solve("Double.", model=writing([ServerError("on fire"), RIGHT]))
    assert (solution.answer, len(solution.samples)) == (RIGHT, 1)


async def test_when_no_program_arrives_the_first_error_is_raised():
    with pytest.raises(ServerError):
        await Codet(enabled=True, sandbox=SANDBOX).solve(
            "?", model=ScriptedModel(script=lambda request: ServerError("on fire"))
        )


async def test_it_runs_nothing_unless_allowed():
    with pytest.raises(ConfigError, match="enabled: true"):
        Codet()
    with pytest.raises(ConfigError, match="sandbox"):
        await Codet(enabled=True).solve("?", model=writing([RIGHT]))


@pytest.mark.parametrize("option", ["samples", "tests", "tests_each", "seconds"])
def test_odd_options_are_mistakes(option):
    with pytest.raises(ConfigError, match=option):
        Codet(enabled=True, **{option: 0})
