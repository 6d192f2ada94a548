"""Every place is given out once; what failed is given out again, the lowest first."""

from hypothesis import given
from hypothesis import strategies as st

from agentkit.runtime.ordinals import Ordinals


def test_equal_requests_follow_one_another() -> None:
    ordinals: Ordinals[str] = Ordinals()
    assert ordinals.take("a", 3) == (0, 1, 2)
    assert ordinals.take("b", 1) == (0,)
    assert ordinals.take("a", 2) == (3, 4)


def test_what_was_put_back_is_taken_first() -> None:
    ordinals: Ordinals[str] = Ordinals()
    ordinals.take("a", 4)
    ordinals.put_back("a", [2, 1])
    assert ordinals.take("a", 3) == (1, 2, 4)


def test_forgetting_starts_from_the_beginning() -> None:
    ordinals: Ordinals[str] = Ordinals()
    ordinals.take("a", 4)
    ordinals.take("b", 4)
    ordinals.put_back("a", [2])
    ordinals.forget(lambda key: key == "a")
    assert (ordinals.take("a", 1), ordinals.take("b", 1)) == ((0,), (4,))


@given(st.lists(st.tuples(st.integers(1, 5), st.sets(st.integers(0, 4)))))
def test_no_place_is_held_twice_and_none_is_skipped(steps: list[tuple[int, set[int]]]) -> None:
    ordinals: Ordinals[str] = Ordinals()
    held: set[int] = set()
    for count, failed in steps:
        taken = ordinals.take("a", count)
        assert held.isdisjoint(taken)
        back = [one for index, one in enumerate(taken) if index in failed]
        held |= set(taken) - set(back)
        ordinals.put_back("a", back)
    rest = ordinals.take("a", 1)
    assert rest == (min(set(range(len(held) + 1)) - held),)
