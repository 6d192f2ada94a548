"""Who said a value first, and what rests on it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agentkit.traces import Step, Trace, calls, failed, provenance
from agentkit.traces.seen import Seen


def call(name, arguments, place):
    return Step(kind="call", agent="assistant", name=name, arguments=arguments, call=f"c{place}")


def result(data, place):
    return Step(kind="result", agent="tool", result=data, call=f"c{place}")


BOOKING = Trace(
    task="Cancel the trip of omar_davis_3817.",
    steps=(
        call("get_user", {"user_id": "omar_davis_3817"}, 0),
        result({"name": "Omar Davis", "trips": ["JG7FMM", "LQ940Q"]}, 0),
        call("get_trip", {"trip_id": "JG7FMM"}, 1),
        result({"trip_id": "JG7FMM", "price": 1859.5, "date": "2024-05-21"}, 1),
        call("get_weather", {"city": "Oslo"}, 2),
        result("cloudy", 2),
        Step(kind="message", agent="assistant", text="Trip JG7FMM on May 21, 2024 costs $1,859.50."),
        call("refund", {"amount": 1859.5, "trip_id": "JG7FMM"}, 3),
    ),
)


def test_a_value_leads_back_to_the_step_that_said_it_first():
    found = provenance(BOOKING)
    assert found.sources(2) == (1,)
    assert found.sources(3) == (2, 1)[::-1]
    assert found.sources(6) == (1, 3)
    assert found.sources(7) == (1, 3)
    assert [link.value for link in found.path(1, 7)] == ["JG7FMM"]


def test_what_the_task_gave_is_nobodys_consequence():
    assert provenance(BOOKING).sources(0) == ()


def test_consequences_are_all_that_can_be_reached_and_nothing_else():
    found = provenance(BOOKING)
    assert found.consequences(0) == (1, 2, 3, 6, 7)
    assert found.consequences(4) == (5,)
    assert found.path(4, 7) == ()


def test_results_find_their_calls_by_id_by_name_and_by_order():
    steps = (
        Step(kind="call", name="a", arguments={}, call="1"),
        Step(kind="call", name="b", arguments={}, call="2"),
        Step(kind="result", result="of b", call="2"),
        Step(kind="result", result="of a", call="1"),
        Step(kind="call", name="a", arguments={}),
        Step(kind="call", name="b", arguments={}),
        Step(kind="result", name="b", result="B"),
        Step(kind="result", result="A"),
    )
    found = {one.place: one.answer_place for one in calls(Trace(task="", steps=steps))}
    assert found == {0: 3, 1: 2, 4: 7, 5: 6}


def test_failures_are_told_from_results_that_speak_of_errors():
    for told in (
        "Error: no such order",
        "Traceback (most recent call last)",
        {"error": "gone"},
        "exitcode: 1 (failed)",
    ):
        assert failed(Step(kind="result", result=told)), told
    for told in (
        "No errors were found.",
        {"error": None, "ok": 1},
        "exitcode: 0 (execution succeeded)",
        [],
        None,
        7,
        "Error handling in Rust",
    ):
        assert not failed(Step(kind="result", result=told)), told
    assert not failed(Step(kind="result", result="Error: quoted", metadata={"failed": False}))


def test_a_value_is_known_in_all_its_spellings():
    seen = Seen()
    seen.add(0, "Please fly me out on May 20th, flight HAT 028, for $1,200.50; call (555) 123-4567. Order #W2378156.")
    for spelling in ("2024-05-20", "HAT028", "hat-028", 1200.5, "1200.50", "5551234567", "W2378156", "#W2378156"):
        assert seen.first(spelling) == 0, spelling
    for other in ("2024-05-21", "HAT029", 1200.51, "W2378157", "5551234568", "Oslo"):
        assert seen.first(other) is None, other


def test_sums_and_neighbouring_days_of_what_was_said_are_recognised():
    seen = Seen()
    seen.add(0, "2 bags of 1500 and 40; on 2024-05-20")
    assert seen.derivable(1540)
    assert seen.derivable(3000)
    assert seen.derivable(600)  # 40 % of 1500
    assert seen.derivable(900)  # 1500 less 40 %
    assert not seen.derivable(1777)
    assert seen.near("2024-05-22")
    assert not seen.near("2024-06-22")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
kinds = st.sampled_from(["message", "thought", "call", "result", "action", "error"])
steps = st.lists(st.builds(Step, kind=kinds, text=st.text(max_size=40), name=st.sampled_from(["", "a"]), result=plain))


@given(st.builds(Trace, task=st.text(max_size=30), steps=steps.map(tuple)))
def test_links_point_backwards_in_time_and_nothing_rests_on_itself(trace):
    found = provenance(trace)
    assert all(0 <= link.source < link.step < len(trace.steps) for link in found.links)
    for place in range(len(trace.steps)):
        assert place not in found.consequences(place)
        assert all(found.path(place, after)[-1].step == after for after in found.consequences(place))


@given(st.text(max_size=40), st.integers(min_value=0, max_value=5))
def test_what_was_said_is_found_again(text, place):
    seen = Seen()
    seen.add(place, json.dumps(text))
    assert seen.first(text) in (place, None)
    if any(letter.isalnum() for letter in text) and text.isascii() and text.isprintable() and "\\" not in text:
        seen.add(place + 1, text)
        assert seen.first(text) is not None
