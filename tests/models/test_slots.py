"""Slots are granted in the order of asking and never lost."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from agentkit.models.slots import Slots


async def taken(slots: Slots, most: int) -> int:
    return await asyncio.wait_for(slots.take(most), 5)


async def test_one_takes_as_many_as_are_free():
    slots = Slots(4)
    assert await taken(slots, 3) == 3
    assert await taken(slots, 3) == 1


async def test_the_first_to_ask_is_the_first_to_get():
    slots = Slots(1)
    await slots.take(1)
    order = []

    async def ask(name):
        await slots.take(1)
        order.append(name)
        slots.give(1)

    waiting = [asyncio.create_task(ask(name)) for name in "abc"]
    await asyncio.sleep(0)
    slots.give(1)
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c"]


async def test_a_slot_granted_to_someone_who_has_just_left_is_not_lost():
    slots = Slots(1)
    await slots.take(1)
    leaving = asyncio.create_task(slots.take(1))
    await asyncio.sleep(0)
    slots.give(1)  # granted now, but the task has not run since
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await taken(slots, 1) == 1


async def test_threads_may_give_back():
    slots = Slots(1)
    await slots.take(1)
    waiting = asyncio.create_task(slots.take(1))
    await asyncio.sleep(0)
    await asyncio.to_thread(slots.give, 1)
    assert await asyncio.wait_for(waiting, 5) == 1


@given(total=st.integers(1, 6), wishes=st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=20))
def test_no_more_than_all_are_out_and_all_come_back(total, wishes):
    async def play():
        slots, out, most_out = Slots(total), 0, 0

        async def work(most):
            nonlocal out, most_out
            count = await slots.take(most)
            assert 1 <= count <= most
            out += count
            most_out = max(most_out, out)
            await asyncio.sleep(0)
            out -= count
            slots.give(count)

        tasks = [asyncio.create_task(work(most)) for most, _ in wishes]
        await asyncio.sleep(0)
        for task, (_, leaves) in zip(tasks, wishes, strict=True):
            if leaves:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most_out <= total
        return await taken(slots, total)

    assert asyncio.run(play()) == total
