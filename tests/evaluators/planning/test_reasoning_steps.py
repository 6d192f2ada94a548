"""The evaluator: rows in, verdicts out, and a reason whenever there is none."""

import json
import math
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.reasoning_steps import ReasoningSteps
from agentkit.testing.conformance import check_evaluator
from agentkit.types import Record, Score

SAMPLE = Path(__file__).parent / "data" / "bigbench_mistake_sample.jsonl"
WRONG = {"input": "(2 + 3) * 4 - 1 =", "steps": ["(2 + 3) * 4 - 1 = 5 * 4 - 1", "5 * 4 - 1 = 21 - 1", "21 - 1 = 20"]}


async def verdict(row: dict, **options: object) -> tuple[Score, dict]:
    judge = ReasoningSteps(**options)
    score = await judge.evaluate(judge.parse(row))
    return score, dict(judge.render(score))


async def test_the_first_wrong_step_is_named_with_its_evidence_and_repair() -> None:
    score, line = await verdict(WRONG)
    assert (score.value, score.label) == (0.0, "mistake")
    assert line["first_error"] == 1
    assert line["findings"][0] == {
        "code": "arithmetic_wrong",
        "step": 1,
        "evidence": "step 1 says 5 * 4 - 1 = 21 - 1; 5 * 4 - 1 is 19",
        "repair": "5 * 4 - 1 = 19",
        "minor": False,
    }


async def test_no_mistake_and_not_read_are_different_answers() -> None:
    right, told = await verdict({"input": "", "steps": ["16 - 3 = 13", "13 * 2 = 26"]})
    unread, reason = await verdict({"input": "Who wrote Faust?", "steps": ["Goethe wrote Faust."]})
    assert (right.status, told["first_error"], right.value) == ("scored", None, 1.0)
    assert (unread.status, reason["first_error"], unread.value) == ("unscored", None, None)
    assert unread.label == "unparsed"
    assert reason["reason"]


async def test_a_chain_of_which_too_little_was_read_is_not_called_right() -> None:
    row = {"input": "", "steps": ["2 + 2 = 4", *["Now think of something else."] * 9]}
    score, _ = await verdict(row)
    lenient, _ = await verdict(row, least_checked=0.1)
    assert "only 1 of 10 steps" in score.reason
    assert lenient.label == "no_mistake"


@pytest.mark.parametrize("output", ["4 + 5 = 8", ["4 + 5 = 8"], [{"text": "4 + 5 = 8"}], ({"content": "4 + 5 = 8"},)])
async def test_steps_may_be_a_text_a_list_or_messages(output: object) -> None:
    score = await ReasoningSteps().evaluate(Record(input="How many?", output=output))
    assert score.metadata["first_error"] == 0
    assert score.findings[0].text == "4 + 5 = 8"


async def test_later_flaws_are_told_apart_from_the_first() -> None:
    score, _ = await verdict({"input": "", "steps": ["1 + 1 = 3", "2 + 2 = 4", "3 + 3 = 7"]})
    assert [(finding.step, finding.kind) for finding in score.findings] == [(0, "first"), (2, "later")]


def test_a_row_without_steps_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="steps"):
        ReasoningSteps().parse({"input": "2 + 2 ="})
    with pytest.raises(InputError, match="JSON object"):
        ReasoningSteps().parse([1])


@pytest.mark.parametrize("options", [{"least_checked": 2}, {"max_steps": 0}, {"max_characters": 0}])
def test_an_impossible_option_is_refused(options: dict) -> None:
    with pytest.raises(ConfigError, match="reasoning_steps"):
        ReasoningSteps(**options)


async def test_the_evaluator_keeps_the_contract() -> None:
    record = Record(id="1", input=WRONG["input"], output=WRONG["steps"])
    await check_evaluator(ReasoningSteps, record=record)


def test_the_command_writes_one_line_a_row(tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    command = [
        sys.executable,
        "-m",
        "agentkit",
        "evaluate",
        "reasoning_steps",
        "-i",
        str(SAMPLE),
        "-o",
        str(out),
        "--quiet",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    told = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in told] == [row["id"] for row in rows]
    agreed = [line["first_error"] == row["mistake_index"] for line, row in zip(told, rows, strict=True)]
    assert sum(agreed) == len(rows) - 1  # one label is provably wrong, see test_checkers


HOSTILE = {
    "a megabyte of sums": "1 + 1 = 2, " * 95_000,
    "deep brackets": "(" * 50_000 + "1" + ")" * 49_000,
    "signs without end": "- " * 49_000,
    "nines without end": "9" * 99_000,
    "one long word": "a" * 99_000,
    "stacks without end": "< ; stack: " + "< " * 40_000,
    "letters without end": '"kitten": "k" (11). ' * 4_000,
    "powers of powers": "9^9^9^9^9^9 = 1",
    "division by zero": "1 / 0 = 5",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("question", ["", "< < (", "(1 + 2) * 3 =", "kitten scan wadi"])
@pytest.mark.timeout(20)
async def test_hostile_chains_end_with_a_verdict_or_a_reason(question: str, text: str) -> None:
    for steps in ([text], [text[:900]] * 100):
        score = await ReasoningSteps().evaluate(Record(input=question, output=steps))
        assert score.status == "scored" or (score.value is None and score.reason)


async def test_a_chain_past_the_limits_is_refused_with_the_limit() -> None:
    long, _ = await verdict({"input": "", "steps": ["1 + 1 = 2"] * 1001})
    large, _ = await verdict({"input": "", "steps": ["x" * 100_001]})
    assert "1,000" in long.reason
    assert "100,000" in large.reason


PIECES = [
    "Alice", " swaps with ", "Bob", "first", "second to ", "< ", "] ", "stack", "=", "-", "(", ")", "12", "3.5", "%", "A", " is ",
    "not ", "the red book", "left of ", '"kitten"', ": ", "k (11)", "\x00", "\u202e", "\ud800", "½", "，", "\n", "Step 3:", "**",
    "[", "{", "so ",
]  # fmt: skip
QUESTIONS = [row["input"] for row in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())][::4]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_whatever_the_steps_say_the_verdict_is_sound(seed: int) -> None:
    random = Random(seed)
    steps = ["".join(random.choices(PIECES, k=random.randrange(14))) for _ in range(random.randrange(6))]
    score = await ReasoningSteps().evaluate(Record(input=random.choice(QUESTIONS), output=steps))
    if score.value is None:
        assert score.status == "unscored"
        assert score.reason
        return
    assert math.isfinite(score.value)
    for finding in score.findings:
        assert finding.step is not None
        assert finding.text == steps[finding.step]
        assert finding.message.startswith(f"step {finding.step} ")
