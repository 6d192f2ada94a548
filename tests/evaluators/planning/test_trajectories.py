"""Adherence to a plan, redundant calls, states that come back, and drifting from the task."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit import run_sync
from agentkit.errors import ConfigError
from agentkit.evaluators.planning.goal_drift import GoalDrift
from agentkit.evaluators.planning.plan_adherence import PlanAdherence
from agentkit.evaluators.planning.redundancy import Redundancy
from agentkit.evaluators.planning.repeated_state import RepeatedState
from agentkit.evaluators.planning.trajectory.alignment import Planned, script
from agentkit.testing.conformance import check_evaluator
from agentkit.traces import Call, Step
from agentkit.types import Record


def talk(*calls, ask="Do it.", end=()):
    messages = [{"role": "user", "content": ask}]
    for number, (name, arguments, result) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [{"id": f"c{number}", "function": function}]},
            {
                "role": "tool",
                "tool_call_id": f"c{number}",
                "content": result if isinstance(result, str) else json.dumps(result),
            },
        ]
    return [*messages, *({"role": "assistant", "content": text} for text in end)]


def line(judge, row):
    return judge.render(run_sync(judge.evaluate(judge.parse(row))))


def marks(told):
    return [(one["kind"], one["step"]) for one in told["findings"]]


PLAN = [{"name": "search", "arguments": {"q": "a"}}, {"name": "book", "arguments": {"id": 7}}, "pay", "mail"]
DONE = [("search", {"q": "a", "page": 1}, "x"), ("book", {"id": 7}, "x"), ("pay", {}, "x"), ("mail", {}, "x")]


@pytest.mark.parametrize(
    ("calls", "expected", "score"),
    [
        (DONE, [], 1.0),
        (DONE[:2] + DONE[3:], [("missing", 5)], 0.75),
        (DONE[:3], [("missing", 6)], 0.75),
        ([*DONE[:2], ("refund", {}, "x"), *DONE[2:]], [("extra", 5)], 0.8),
        ([DONE[0], ("book", {"id": 8}, "x"), *DONE[2:]], [("changed", 3)], 0.75),
        ([*DONE[:2], DONE[3], DONE[2]], [("reordered", 5)], 0.75),
        ([DONE[0], ("book", {"id": 7}, "Error: full"), *DONE[1:]], [], 1.0),
    ],
)
def test_the_script_says_what_was_done_otherwise(calls, expected, score):
    told = line(PlanAdherence(), {"plan": PLAN, "messages": talk(*calls)})
    assert (marks(told), told["score"]) == (expected, pytest.approx(score))
    assert all(one["code"] == "plan_execution_mismatch" and one["repair"] for one in told["findings"])


def test_free_tools_may_be_called_at_any_time():
    calls = [("get_x", {}, "x"), *DONE]
    assert line(PlanAdherence(free=["get_*"]), {"plan": PLAN, "messages": talk(*calls)})["score"] == 1.0


def test_a_plan_may_be_text_or_names_or_the_target():
    text = "First I will search.\n2. book the room\n3. then pay\n4. mail the invoice"
    assert line(PlanAdherence(), {"plan": text, "messages": talk(*DONE)})["edits"]["kept"] == 4
    assert (
        line(PlanAdherence(), {"plan": ["1. search", "2. book", "3. mail"], "messages": talk(*DONE)})["edits"]["extra"]
        == 1
    )
    score = run_sync(PlanAdherence().evaluate(Record(output=talk(*DONE), target=PLAN)))
    assert score.value == 1.0


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (None, "there is no plan"),
        ([{"tool": 1}], "step 1 of the plan"),
        (7, "a plan must be"),
        ("nothing here", "names none"),
    ],
)
def test_a_plan_that_is_none_is_not_scored(plan, reason):
    told = line(PlanAdherence(), {"messages": talk(*DONE), **({"plan": plan} if plan is not None else {})})
    assert told["status"] == "unscored"
    assert reason in told["reason"]


NAMES = st.sampled_from("abcd")


@given(st.lists(NAMES, max_size=8), st.lists(NAMES, max_size=8))
def test_every_script_turns_the_plan_into_what_was_made(plan, made):
    steps = [Planned(name=name) for name in plan]
    edits = script(steps, [Call(place=place, step=Step(kind="call", name=name)) for place, name in enumerate(made)])
    assert sorted(one.planned for one in edits if one.planned is not None) == list(range(len(plan)))
    assert sorted(one.made for one in edits if one.made is not None) == list(range(len(made)))
    assert all(plan[one.planned] == made[one.made] for one in edits if one.kind in ("kept", "reordered"))
    assert (plan == made) == all(one.kind == "kept" for one in edits)
    kept = [one for one in edits if one.kind == "kept"]
    assert [one.planned for one in kept] == sorted(one.planned for one in kept)


ROOM = {"room_id": "R-101", "price": 245.5}


def test_lookups_that_bring_nothing_are_redundant():
    calls = [
        ("get_room", {"room": "R-101"}, ROOM),
        ("get_room", {"room": "R-101"}, ROOM),
        ("get_price", {"room": "R-101"}, {"price": 245.5}),
        ("get_weather", {"city": "Oslo"}, {"report": "WX-7788 cold"}),
        ("book", {"room": "R-101"}, "done"),
    ]
    told = line(
        Redundancy(), {"messages": talk(*calls, ask="Book room R-101 in Oslo", end=["Room R-101 is booked at 245.5."])}
    )
    assert marks(told) == [("repeated", 3), ("nothing_new", 5), ("unused", 7)]
    assert (told["calls"], told["redundant"], told["score"]) == (5, 3, pytest.approx(0.4))


def test_calls_with_effects_and_used_results_are_not_redundant():
    calls = [("find_room", {"city": "Oslo"}, ROOM), ("book", {"room": "R-101"}, "done")]
    assert line(Redundancy(), {"messages": talk(*calls, end=["Booked R-101."])})["findings"] == []
    assert line(Redundancy(), {"messages": talk()})["score"] == 1.0


def test_states_that_come_back_tell_their_cycle():
    told = line(RepeatedState(), {"states": [[1, 2], [2], {"a": 1}, [2], [1, 2], [2.0], None]})
    assert marks(told) == [("state", 3), ("state", 4), ("state", 5)]
    assert [(one["cycle"], one["times"]) for one in told["findings"]] == [(2, 2), (4, 2), (2, 3)]
    assert told["score"] == pytest.approx(4 / 7)
    assert marks(line(RepeatedState(times=2), {"states": [1, 1, 1]})) == [("state", 2)]


def test_an_agent_that_says_the_same_again_is_told_but_thanks_are_not():
    say = "Let me search the archive for the missing invoice."
    told = line(RepeatedState(), {"messages": talk(end=[say, "Thanks!", say, "Thanks!"])})
    assert marks(told) == [("message", 3)]


TRIP = "Find a hotel in Lisbon near the aquarium with breakfast included, under 150 euros."
ON = [
    "I will look for a Lisbon hotel near the aquarium.",
    "The hotel Oriente in Lisbon includes breakfast for 120 euros.",
    "Booking hotel Oriente.",
]
OFF = [
    "Quantum entanglement links photons across laboratories.",
    "Bell inequality experiments violate classical locality bounds.",
    "Decoherence destroys superposition quickly.",
]


def test_an_agent_that_takes_up_another_matter_drifts():
    told = line(GoalDrift(), {"messages": talk(ask=TRIP, end=[*ON, *OFF])})
    assert [(one["code"], one["step"]) for one in told["findings"]] == [("goal_drift", 4)]
    assert told["findings"][0]["confidence"] <= 0.7
    clean = line(GoalDrift(), {"messages": talk(ask=TRIP, end=ON)})
    assert clean["findings"] == []
    assert clean["score"] > told["score"]


def test_what_came_of_steps_on_the_topic_is_on_the_topic():
    calls = [
        ("search_hotels", {"city": "Lisbon", "near": "aquarium"}, {"name": "Casa Azulejo", "district": "Parque Nacoes"})
    ]
    end = ["Casa Azulejo stands in the district Parque Nacoes.", "Casa Azulejo, Parque Nacoes, has rooms."]
    assert line(GoalDrift(), {"messages": talk(*calls, ask=TRIP, end=end)})["findings"] == []


@pytest.mark.parametrize("options", [{"drop": 0.0}, {"drop": 1.0}, {"window": 0}])
def test_a_drift_needs_a_drop_and_a_window(options):
    with pytest.raises(ConfigError):
        GoalDrift(**options)


@pytest.mark.parametrize("make", [PlanAdherence, Redundancy, RepeatedState, GoalDrift])
async def test_each_keeps_the_contract_of_evaluators(make):
    await check_evaluator(make)
    await check_evaluator(make, record=Record(output=talk(*DONE, end=[*ON, *OFF]), target=PLAN))


@pytest.mark.parametrize("seed", range(30))
def test_a_change_injected_into_a_right_run_is_found_where_it_is(seed):
    rng = Random(seed)
    plan = [{"name": f"tool_{rng.randint(0, 5)}", "arguments": {"n": number}} for number in range(rng.randint(3, 9))]
    calls = [(step["name"], dict(step["arguments"]), "ok") for step in plan]
    place, kind = rng.randrange(len(calls)), rng.choice(["extra", "changed"])
    if kind == "extra":
        calls.insert(place, ("other", {}, "ok"))
    else:
        calls[place] = (calls[place][0], {"n": -1}, "ok")
    told = line(PlanAdherence(), {"plan": plan, "messages": talk(*calls)})
    assert marks(told) == [(kind, 2 * place + 1)]
