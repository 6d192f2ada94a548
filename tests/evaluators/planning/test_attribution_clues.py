"""The clues: each kind of error is found where it was planted, quoted in the log's words, and not where it is not."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.evaluators.planning.attribution.clues import Clue, find
from agentkit.evaluators.planning.attribution.features import NAMES, Facts, measure
from agentkit.evaluators.planning.attribution.kinds import KINDS, TAXONOMY
from agentkit.evaluators.planning.attribution.log import Log, bare, read, trace_of
from agentkit.evaluators.planning.attribution.ranking import chances, suspects
from agentkit.evaluators.planning.attribution.weights import FITTED, SET, WEIGHTS
from agentkit.evaluators.planning.attribution.windows import shortened, window
from agentkit.traces import Step, StepKind, Trace

CODE = "```python\nrows = load('register.csv')\nprint(sum(row.bolts for row in rows))\n```"
FAILED = "exitcode: 1 (execution failed)\nCode output: Traceback (most recent call last):\nKeyError: 'bolts'"


def log(*said: tuple[str, str], question: str = "How many bolts has the Maren bridge?") -> Log:
    return read(trace_of(question, [{"agent": who, "content": text} for who, text in said]))


def clues(*said: tuple[str, str], **options: Any) -> Sequence[Clue]:
    return find(Facts(log(*said, **options)))


def kinds(*said: tuple[str, str], **options: Any) -> list[tuple[str, int]]:
    return [(one.name, one.step) for one in clues(*said, **options)]


def test_code_that_failed_is_its_authors_and_quotes_the_error() -> None:
    (found,) = [one for one in clues(("Ann", CODE), ("terminal", FAILED)) if one.code == "bad_arguments"]
    assert (found.step, found.quote) == (0, "KeyError: 'bolts'")


def test_a_name_that_does_not_exist_is_an_unknown_action() -> None:
    answer = "exitcode: 1 (execution failed)\nCode output: NameError: name 'load' is not defined"
    assert ("unknown_action", 0) in kinds(("Ann", CODE), ("terminal", answer))


@pytest.mark.parametrize("output", ["", "None", "[]", "no results found", "The page could not be found"])
def test_an_empty_output_is_told(output: str) -> None:
    answer = f"exitcode: 0 (execution succeeded)\nCode output: {output}"
    assert ("empty_result", 0) in kinds(("Ann", CODE), ("terminal", answer))


@pytest.mark.parametrize("output", ["4", "42", "Maren: 4,812 bolts"])
def test_a_short_output_is_an_output(output: str) -> None:
    answer = f"exitcode: 0 (execution succeeded)\nCode output: {output}"
    assert "empty_result" not in dict(kinds(("Ann", CODE), ("terminal", answer)))


def test_going_past_a_failure_to_a_conclusion_is_told() -> None:
    found = kinds(("Ann", CODE), ("terminal", FAILED), ("Bob", "The final answer is 12."))
    assert ("result_ignored", 2) in found


def test_running_the_same_again_is_told_and_a_changed_call_is_not() -> None:
    again = kinds(("Ann", CODE), ("terminal", FAILED), ("Bob", f"Let me try.\n{CODE}"), ("terminal", FAILED))
    assert ("repeated_call", 2) in again
    other = CODE.replace("register", "archive").replace("bolts", "rivets")
    assert "repeated_call" not in dict(kinds(("Ann", CODE), ("terminal", FAILED), ("Bob", other)))


def test_an_answer_other_than_what_was_computed_is_told() -> None:
    output = "exitcode: 0 (execution succeeded)\nCode output: 47"
    assert ("answer_differs", 2) in kinds(("Ann", CODE), ("terminal", output), ("Bob", "The final answer is 53."))
    assert "answer_differs" not in dict(kinds(("Ann", CODE), ("terminal", output), ("Bob", "The final answer is 47.")))
    assert "answer_differs" not in dict(
        kinds(("Ann", CODE), ("terminal", output), ("Bob", "The final answer is Olsen."))
    )


@pytest.mark.parametrize("text", ["so 31 * 12 = 370", "we get 2 + 2 = 5.", "total: $3 + $4 = $8", "10 / 4 = 3.5"])
def test_a_false_equality_is_told(text: str) -> None:
    assert ("arithmetic_wrong", 1) in kinds(("Ann", "start"), ("Bob", text))


@pytest.mark.parametrize(
    "text",
    ["31 * 12 = 372", "10 / 3 = 3.33", "10 / 4 = 3", "a code like (7-3-1) = 90", "x = 5", "1 + 2 = 3 + 4 - 4"],
)
def test_a_true_or_rounded_equality_is_not(text: str) -> None:
    assert "arithmetic_wrong" not in dict(kinds(("Ann", "start"), ("Bob", text)))


@given(left=st.integers(1, 10**6), right=st.integers(1, 10**6), off=st.integers(-3, 3))
def test_sums_are_told_exactly_when_they_are_wrong(left: int, right: int, off: int) -> None:
    said = f"That makes {left:,} + {right:,} = {left + right + off:,} in all"
    assert (("arithmetic_wrong", 1) in kinds(("Ann", "start"), ("Bob", said))) == (off != 0)


def test_a_task_about_something_else_is_told_at_the_step_that_hands_it_out() -> None:
    brief = "# Task description\nDebug the template engine and repair the failing unit tests of the parser module."
    assert ("goal_drift", 0) in kinds(("manager", brief), ("Ann", "ok"))


def test_a_log_without_an_end_stops_early_and_one_with_an_answer_does_not() -> None:
    assert ("premature_stop", 1) in kinds(("Ann", "let us see"), ("Bob", "I look at the page of the register"))
    assert "premature_stop" not in dict(kinds(("Ann", "let us see"), ("Bob", "The answer is 12. TERMINATE")))


def test_giving_up_and_handing_the_work_back_are_told() -> None:
    found = kinds(
        ("Ann", "start"),
        ("Bob", "Unfortunately I cannot open it. Please visit the site manually."),
        ("Ann", "TERMINATE"),
    )
    assert {("premature_stop", 1), ("work_handed_back", 1)} <= set(found)


def test_a_leader_that_sees_no_progress_points_at_the_step_before() -> None:
    ledger = '{"is_request_satisfied": {"answer": false}, "is_progress_being_made": {"reason": "same page", "answer": false}}'
    fine = ledger.replace('page", "answer": false', 'page", "answer": true')
    said = [("human", "?"), ("Orchestrator", fine), ("Web", "page one"), ("Orchestrator", ledger), ("Web", "page two")]
    found = kinds(*said, ("Orchestrator", fine), ("Web", "page three"), ("Orchestrator", "FINAL ANSWER"))
    assert [step for name, step in found if name == "no_progress"] == [2]


def test_every_clue_quotes_its_log_and_has_a_code_and_a_repair() -> None:
    said = [
        ("Ann", CODE),
        ("terminal", FAILED),
        ("Bob", "I assume 2 + 2 = 5, a hypothetical value"),
        ("Bob", "TERMINATE"),
    ]
    whole = "\n".join(text for _, text in said)
    for one in clues(*said):
        assert one.quote in whole
        assert TAXONOMY[one.code]
        assert KINDS[one.name].repair


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("Orchestrator (-> WebSurfer)", "Orchestrator"),
        ("Orchestrator (thought)", "Orchestrator"),
        ("Web_Expert", "Web_Expert"),
        ("(thought)", "(thought)"),
        ("", ""),
    ],
)
def test_names_are_bare(name: str, agent: str) -> None:
    assert bare(name) == agent


def test_replies_are_known_by_what_they_say_whatever_their_name() -> None:
    parts = [turn.part for turn in log(("Ann", CODE), ("agent_2", FAILED), ("Bob", "ok"), ("user", "and?")).turns]
    assert parts == ["action", "reply", "action", "task"]


def test_whoever_only_asks_is_not_blamed() -> None:
    found = suspects(
        log(("user", "How many bolts?"), ("assistant", "4,812, I assume."), ("user", "Are you sure of 4,812 bolts?"))
    )
    assert found[0].step == 1


def test_tool_calls_of_messages_count_as_what_was_run() -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "count", "arguments": '{"of": "bolts"}'}}]
    history = [
        {"role": "assistant", "content": None, "tool_calls": call},
        {"role": "tool", "content": "Error: no such table"},
        {"role": "assistant", "content": [{"type": "text", "text": "The answer is 3."}]},
    ]
    found = read(trace_of("How many bolts?", history))
    assert (found.turns[0].outcome, found.turns[1].part) == ("failed", "reply")
    assert found.turns[2].text == "The answer is 3."


def test_steps_out_of_one_message_are_one_turn() -> None:
    def step(kind: StepKind, message: int, **more: Any) -> Step:
        return Step(kind=kind, metadata={"message": message}, **more)

    steps = (
        step("message", 0, agent="user", text="How many bolts?"),
        step("thought", 1, agent="Ann", text="I look it up."),
        step("call", 1, agent="Ann", name="count", arguments={"of": "bolts"}),
        step("call", 1, agent="Ann", name="count", arguments={"of": "rivets"}),
        step("result", 2, agent="tool", result={"error": "no table"}),
        step("message", 4, agent="Ann", text="The answer is 4,812."),
    )
    turns = read(Trace(task="How many bolts?", steps=steps)).turns
    assert [turn.part for turn in turns] == ["task", "action", "reply", "reply", "action"]
    assert turns[1].runs
    assert "rivets" in turns[1].text
    assert suspects(Log(question="How many bolts?", turns=turns))[0].step in (1, 4)


def test_every_feature_has_one_weight() -> None:
    assert set(WEIGHTS) == set(NAMES)
    assert not FITTED.keys() & SET.keys()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_chances_add_up_to_one(scores: list[float]) -> None:
    assert sum(chances(scores)) == pytest.approx(1)


names = st.text(alphabet="abc", min_size=1, max_size=3)


@given(st.lists(st.tuples(names, st.text(max_size=80)), min_size=1, max_size=10))
def test_features_lie_between_0_and_1(said: list[tuple[str, str]]) -> None:
    for features in measure(log(*said)):
        assert all(0 <= value <= 1 for value in features.values())


@given(st.text(max_size=400), st.integers(0, 200))
def test_a_shortened_text_keeps_its_length_and_its_ends(text: str, length: int) -> None:
    found = shortened(text, length)
    assert len(found) <= max(length, 7)
    assert found == text if len(text) <= length else found[:1] in (text[:1], " ")


@given(sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=60), characters=st.integers(1000, 20_000))
def test_a_window_fits_and_keeps_what_must_be_whole(sizes: list[int], characters: int) -> None:
    made = log(*[("Ann", "x" * size) for size in sizes])
    last = len(sizes) - 1
    text = window(made, characters=characters, whole=(last,))
    assert f"[step {last}] Ann" in text
    assert len(text) <= 1.3 * characters + 200


def test_a_window_says_what_it_left_out() -> None:
    made = log(*[("Ann", "word " * 400) for _ in range(60)])
    text = window(made, characters=3000, whole=(0, 59), marks={59: "look here"})
    assert "left out]" in text
    assert "note: look here" in text


def test_short_steps_stand_whole_beside_a_long_one() -> None:
    made = log(("Ann", "word " * 4000), ("Bob", "a short remark"), ("Ann", "word " * 4000))
    assert "a short remark" in window(made, characters=2000)


def led(leader: str, rounds: int, stalled: int) -> Log:
    """A log in which a leader keeps a ledger and sends a worker out; after round ``stalled`` it sees no progress."""
    said = [
        ("human", "How many bolts has the Maren bridge?"),
        (f"{leader} (thought)", "Initial plan: ask Web for the register"),
    ]
    for number in range(rounds):
        fine = "false" if number == stalled else "true"
        ledger = f'{{"is_request_satisfied": {{"answer": false}}, "is_progress_being_made": {{"answer": {fine}}}}}'
        said.append((f"{leader} (-> Web)", f"Please open page {number} of the register."))
        said.append(
            ("Web", f"Page {number}: Olsen {number}1, Berg {number}2, Dahl {number}3, Lund {number}4, Moe {number}5")
        )
        said.append((f"{leader} (thought)", ledger))
    return log(*said, (f"{leader} (-> human)", "FINAL ANSWER: 17"))


@pytest.mark.parametrize("leader", ["Orchestrator", "Zed"])
def test_where_a_leader_hands_out_work_the_workers_are_suspected_first(leader: str) -> None:
    made = led(leader, rounds=9, stalled=4)
    named = suspects(made)[:5]
    assert {one.agent for one in named} == {"Web"}
    assert 3 + 3 * 4 in {one.step for one in named}, "the step after which the leader saw no progress"
    assert {one.step for one in named} - {15} == {3, 6, 9, 12}, "and the earliest of the others"
