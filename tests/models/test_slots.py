"""Slots are granted in the order of asking, to whom they suit best, and never lost."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from agentkit.models.slots import Slots, shared


async def taken(slots: Slots) -> int:
    return await asyncio.wait_for(slots.take(""), 5)


async def test_the_first_to_ask_is_the_first_to_get():
    slots = Slots(1)
    await slots.take("")
    order = []

    async def ask(name):
        slot = await slots.take("")
        order.append(name)
        slots.give(slot)

    waiting = [asyncio.create_task(ask(name)) for name in "abc"]
    await asyncio.sleep(0)
    slots.give(0)
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c"]


async def test_a_slot_granted_to_someone_who_has_just_left_is_not_lost():
    slots = Slots(1)
    await slots.take("")
    leaving = asyncio.create_task(slots.take(""))
    await asyncio.sleep(0)
    slots.give(0)  # granted now, but the task has not run since
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await taken(slots) == 0


async def test_threads_may_give_back():
    slots = Slots(1)
    await slots.take("")
    waiting = asyncio.create_task(taken(slots))
    await asyncio.sleep(0)
    await asyncio.to_thread(slots.give, 0)
    assert await waiting == 0


@given(total=st.integers(1, 6), leaving=st.lists(st.booleans(), max_size=20))
def test_no_more_than_all_are_out_and_all_come_back(total, leaving):
    async def play():
        slots, out, most_out = Slots(total), 0, 0

        async def work():
            nonlocal out, most_out
            slot = await slots.take("")
            out += 1
            most_out = max(most_out, out)
            await asyncio.sleep(0)
            out -= 1
            slots.give(slot)

        tasks = [asyncio.create_task(work()) for _ in leaving]
        await asyncio.sleep(0)
        for task, leaves in zip(tasks, leaving, strict=True):
            if leaves:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most_out <= total
        return [await taken(slots) for _ in range(total)]

    assert sorted(asyncio.run(play())) == list(range(total))


async def test_whoever_takes_a_slot_gets_the_free_one_that_knows_most_of_his_prompt():
    slots = Slots(3)
    for slot, prompt in enumerate(("a cat", "a dog", "a doge")):
        slots.learn(slot, prompt)
    assert [await slots.take("a dog") for _ in range(3)] == [1, 2, 0]
    assert slots.knows(1, "a dog")
    assert not slots.knows(2, "a dog")


async def test_among_equals_the_one_that_was_left_first_is_taken():
    slots = Slots(2)
    first, second = await slots.take("x"), await slots.take("x")
    slots.give(second)
    slots.give(first)
    assert await slots.take("y") == second


@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_shared_beginnings_are_counted(one, other):
    assert shared(one, other) == next(
        (at for at in range(len(one)) if one[at : at + 1] != other[at : at + 1]), len(one)
    )
