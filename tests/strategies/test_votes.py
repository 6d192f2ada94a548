from hypothesis import given
from hypothesis import strategies as st

from agentkit.answers import read
from agentkit.strategies import votes

KEYS = st.one_of(st.none(), st.sampled_from("abcd"))


def test_the_answer_given_most_wins():
    assert votes.majority(["a", "b", "b"]) == "b"


def test_ties_go_to_the_earliest_sample():
    assert votes.majority(["b", "a", "a", "b"]) == "b"


def test_abstentions_never_win():
    assert votes.majority([None, None, "a"]) == "a"
    assert votes.majority([None, None]) is None


def test_weights_can_overrule_the_majority():
    assert votes.weighted(["a", "a", "b"], [0.2, 0.2, 0.9]) == "b"


def test_a_tally_names_every_class_with_its_samples():
    tally = votes.tally([read(one) if one else None for one in ("7", None, "seven", "8", "7.0")])
    assert [(vote.answer, vote.count, vote.samples) for vote in tally] == [("7", 3, (0, 2, 4)), ("8", 1, (3,))]


def test_counts_come_in_the_order_in_which_answers_were_first_given():
    assert list(votes.counts(votes.tally(votes.keys(["b", "a", "a"]))).items()) == [("b", 1), ("a", 2)]


def test_a_streak_passes_over_abstentions():
    assert votes.streak(votes.tally(votes.keys(["b", "a", None, "a"]))) == 2
    assert votes.streak(()) == 0


@given(st.lists(KEYS, max_size=20), st.randoms(use_true_random=False))
def test_order_matters_to_ties_alone(answers, random):
    shuffled = list(answers)
    random.shuffle(shuffled)
    best = max((answers.count(one) for one in set(answers) - {None}), default=0)
    winners = {one for one in set(answers) - {None} if answers.count(one) == best}
    assert votes.majority(shuffled) in (winners or {None})


@given(st.lists(KEYS, max_size=20))
def test_every_vote_is_counted_once(answers):
    tally = votes.tally(votes.keys(answers))
    assert sum(vote.count for vote in tally) == sum(one is not None for one in answers)
    assert [vote.weight for vote in tally] == sorted((vote.weight for vote in tally), reverse=True)


@given(st.lists(KEYS, max_size=20))
def test_equal_weights_are_no_weights(answers):
    assert votes.weighted(answers, [0.5] * len(answers)) == votes.majority(answers)
