"""Gates: how many calls at once, and how many a minute."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError, RateLimitError, RequestRefusedError
from agentkit.models.gate import Adaptive, Gate, Pace


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_who_came_first_enters_first() -> None:
    gate, order = Gate(1), []

    async def visit(name: str) -> None:
        await gate.enter()
        order.append(name)
        await asyncio.sleep(0)
        gate.leave()

    await asyncio.gather(*(visit(name) for name in "abc"))
    assert (order, gate.inside) == (["a", "b", "c"], 0)


async def test_one_who_gives_up_waiting_leaves_no_hole() -> None:
    gate = Gate(1)
    await gate.enter()
    second, third = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    second.cancel()
    gate.leave()
    await third
    assert gate.inside == 1


async def test_one_who_gives_up_the_moment_he_is_called_in_passes_his_turn_on() -> None:
    gate = Gate(1)
    await gate.enter()
    second, third = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    second.cancel()
    await third
    assert gate.inside == 1


def test_the_limit_halves_on_overload_once_for_all_calls_under_way() -> None:
    gate = Adaptive()
    calls = [gate.started() for _ in range(8)]
    for call in calls:
        gate.failed(call, RateLimitError("slow down"))
    assert gate.limit == 4
    gate.failed(gate.started(), RateLimitError("slower still"))
    assert gate.limit == 2


def test_the_limit_grows_by_one_a_round_of_a_full_gate_and_never_in_an_empty_one() -> None:
    gate = Adaptive()
    gate.succeeded()
    assert gate.limit == 8
    gate.inside = 8
    for _ in range(8):
        gate.succeeded()
    assert 8.9 < gate.limit <= 9


def test_a_wrong_request_says_nothing_about_the_load() -> None:
    gate = Adaptive()
    gate.failed(gate.started(), RequestRefusedError("no such model"))
    assert gate.limit == 8


@given(
    rate=st.floats(1, 1e4),
    amounts=st.lists(st.floats(0.1, 50), min_size=1, max_size=40),
    gaps=st.lists(st.floats(0, 5)),
)
def test_no_minute_sees_more_than_its_rate_and_the_burst(rate: float, amounts: list[float], gaps: list[float]) -> None:
    clock = Clock()
    pace, used = Pace(rate, clock), []
    for place, amount in enumerate(amounts):
        clock.now += gaps[place] if place < len(gaps) else 0
        used.append((clock.now + pace.take(amount), amount))
    burst = max(1.0, rate / 6)
    for start, _ in used:
        within = sum(amount for at, amount in used if start <= at < start + 60)
        assert within <= rate + burst + max(amounts) + 1e-6


def test_units_given_back_can_be_used_at_once() -> None:
    pace = Pace(60, Clock())
    assert pace.take(10) == 0
    assert pace.take(5) == 5
    pace.give_back(5)
    assert pace.take(1) == 1


def test_a_rate_is_above_zero() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Pace(0)
