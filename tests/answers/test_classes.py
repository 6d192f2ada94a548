from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.answers import canonical, classes, equivalent

_ANSWERS = "5|5.0|five|5 km|5000 m|5 kg|50%|50|0.5|1/2|B|(b)|yes|да|May 1, 2021|05/01/2021|Paris|paris.|6"
ANSWERS = st.sampled_from(_ANSWERS.split("|"))


def test_a_bare_number_joins_the_same_number_with_a_unit():
    assert equivalent("5", "5 km")
    assert classes(["5", "5 km", "5000 m"]) == ((0, 1, 2),)


def test_a_bare_number_beside_two_units_joins_neither():
    assert classes(["5 km", "5", "5 kg"]) == ((0,), (1,), (2,))


def test_a_percentage_meets_its_number_or_its_share_but_never_both():
    assert equivalent("50%", "0.5")
    assert equivalent("50", "50%")
    assert classes(["50%", "50", "0.5"]) == ((0,), (1,), (2,))


def test_abstentions_are_in_no_class():
    assert classes([None, "7", None, "seven"]) == ((1, 3),)


def test_the_class_of_the_earliest_answer_comes_first():
    assert classes(["b x", "a y", "b x"]) == ((0, 2), (1,))


@given(ANSWERS, ANSWERS)
def test_equivalence_is_symmetric_and_reflexive(a, b):
    assert equivalent(a, b) == equivalent(b, a)
    assert equivalent(a, a)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), ANSWERS), max_size=12))
def test_classes_share_out_every_answer_once_and_keep_equal_keys_together(answers):
    groups = classes(answers)
    assert sorted(place for group in groups for place in group) == [
        i for i, one in enumerate(answers) if one is not None
    ]
    keys = [{canonical(answers[place]) for place in group} for group in groups]
    assert sum(map(len, keys)) == len(set().union(*keys))


@settings(deadline=None)
@given(st.lists(ANSWERS, max_size=10), st.randoms(use_true_random=False))
def test_classes_do_not_depend_on_the_order_of_the_answers(answers, random):
    order = list(range(len(answers)))
    random.shuffle(order)
    shuffled = classes([answers[place] for place in order])
    assert {frozenset(order[place] for place in group) for group in shuffled} == {
        frozenset(one) for one in classes(answers)
    }
