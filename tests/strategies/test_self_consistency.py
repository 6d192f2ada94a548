import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import AuthenticationError, BudgetExceededError, ConfigError, ServerError
from agentkit.events import VoteCast
from agentkit.runtime.concurrency import run_sync
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.testing import ScriptedModel
from agentkit.types import Message, Problem, Sample

QUESTION = "Tom has 3 apples and buys 4 more. How many?"


def by_seed(*replies):
    """A model whose sample i says replies[i], whenever it is asked."""
    return ScriptedModel(script=lambda request: replies[request.seed % len(replies)])


async def test_the_plurality_wins_and_the_answer_is_as_its_earliest_sample_gave_it():
    model = ScriptedModel(script=["So he has 7 apples.", "The answer is 8.", "Answer: 7", "7.0", "So he has seven."])
    solution = await SelfConsistency(samples=5, stop="fixed").solve(QUESTION, model=model)
    assert solution.answer == "7"
    assert [(vote.answer, vote.count) for vote in solution.votes] == [("7", 4), ("8", 1)]
    assert solution.votes[0].samples == (0, 2, 3, 4)
    assert solution.confidence == 0.8
    assert solution.stopped == "full"
    assert solution.usage.calls == 5


async def test_four_that_agree_stop_beta_and_nothing_more_is_asked():
    with ScriptedModel(script=["Answer: 7"] * 4) as model:
        solution = await SelfConsistency(samples=40, stop="beta").solve(QUESTION, model=model)
    assert solution.stopped == "rule"
    assert len(solution.samples) == len(model.requests) == 4
    assert model.cancelled == 0


async def test_samples_are_asked_to_end_at_until():
    model = ScriptedModel(script=["seven"])
    await SelfConsistency(samples=1, until=("\n",)).solve(QUESTION, model=model)
    assert model.requests[0].stop == ("\n",)


async def test_samples_ahead_of_need_are_cancelled_when_the_rule_holds():
    class Uneven(ScriptedModel):
        async def generate(self, request):
            if request.seed >= 4:
                self.requests.append(request)
                try:
                    await asyncio.sleep(3600)
                finally:
                    self.cancelled += 1
            async for sample in super().generate(request):
                yield sample

    model = Uneven(script=lambda request: "Answer: 7")
    solution = await SelfConsistency(samples=40, stop="beta", ahead=3).solve(QUESTION, model=model)
    assert len(solution.samples) == 4
    assert model.cancelled == 3


async def test_a_slow_sample_does_not_hold_the_vote_when_others_are_ahead():
    release = asyncio.Event()

    class FirstIsSlow(ScriptedModel):
        async def generate(self, request):
            if request.seed == 0:
                await release.wait()
            async for sample in super().generate(request):
                yield sample

    model = FirstIsSlow(script=lambda request: "Answer: 7")
    solution = await SelfConsistency(samples=40, stop="beta", ahead=1).solve(QUESTION, model=model)
    assert [sample.index for sample in solution.samples] == [1, 2, 3, 4]


async def test_instructions_take_turns_until_paired_holds():
    with ScriptedModel(script=["Answer: 7", "Answer: 8", "Answer: 7", "Answer: 7", "Answer: 7"]) as model:
        strategy = SelfConsistency(samples=20, instruction="Think.", alternate=("Compute.",), stop="paired")
        solution = await strategy.solve(QUESTION, model=model)
    assert solution.answer == "7"
    asked = [request.messages[-1].content.rpartition("\n\n")[2] for request in model.requests]
    assert asked == ["Think.", "Compute.", "Think.", "Compute.", "Think."]


async def test_auto_keeps_three_fifths_of_the_samples_less_one_ahead_and_three_at_least():
    for samples, most in ((5, 5), (8, 4 + 3), (40, 4 + 23)):
        model = ScriptedModel(script=lambda request: "Answer: 7", delay=0.001)
        await SelfConsistency(samples=samples, stop="beta", ahead="auto").solve(QUESTION, model=model)
        assert len(model.requests) - model.cancelled >= 4
        assert len(model.requests) <= most


async def test_concurrency_bounds_what_is_in_flight():
    open_now, most = 0, 0

    class Counting(ScriptedModel):
        async def generate(self, request):
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            try:
                async for sample in super().generate(request):
                    yield sample
            finally:
                open_now -= 1

    model = Counting(script=lambda request: f"Answer: {request.seed}", delay=0.001)
    await SelfConsistency(samples=9, stop="fixed", concurrency=3).solve(QUESTION, model=model)
    assert most == 3


async def test_one_bad_sample_is_an_abstention():
    model = by_seed("Answer: 7", ServerError("the server is on fire"), "no idea at all, sorry", "Answer: 7")
    solution = await SelfConsistency(samples=4, stop="fixed", answer="number").solve(QUESTION, model=model)
    assert solution.answer == "7"
    assert [sample.index for sample in solution.samples] == [0, 2, 3]
    assert solution.votes[0].samples == (0, 2)
    assert solution.confidence == pytest.approx(2 / 3)
    assert solution.metadata["errors"] == [{"sample": 1, "error": "the server is on fire"}]


async def test_when_the_first_samples_all_fail_the_first_error_is_raised_and_no_more_are_sent():
    model = ScriptedModel(script=lambda request: ServerError(f"failure {request.seed}"))
    with pytest.raises(ServerError, match="failure 0"):
        await SelfConsistency(samples=40, stop="beta").solve(QUESTION, model=model)
    assert len(model.requests) < 10


async def test_an_error_that_every_sample_would_meet_ends_the_vote_at_once():
    model = by_seed("Answer: 7", AuthenticationError("the key is not valid"), "Answer: 7")
    with pytest.raises(AuthenticationError):
        await SelfConsistency(samples=12, stop="fixed", concurrency=2).solve(QUESTION, model=model)
    assert len(model.requests) == 2


async def test_a_spent_budget_ends_the_vote_with_the_best_so_far():
    model = by_seed("Answer: 8", "Answer: 7", "Answer: 7", BudgetExceededError("3 calls are spent", resource="calls"))
    solution = await SelfConsistency(samples=4, stop="fixed").solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped, len(solution.samples)) == ("7", "budget", 3)


async def test_a_budget_spent_before_the_first_sample_is_an_error():
    model = ScriptedModel(script=lambda request: BudgetExceededError("nothing left", resource="usd"))
    with pytest.raises(BudgetExceededError):
        await SelfConsistency(samples=4).solve(QUESTION, model=model)


async def test_cancelling_the_vote_closes_every_stream():
    all_asked = asyncio.Event()

    def reply(request):
        if request.seed == 7:
            all_asked.set()
        return "Answer: 7"

    model = ScriptedModel(script=reply, delay=3600)
    vote = asyncio.create_task(SelfConsistency(samples=8, stop="fixed").solve(QUESTION, model=model))
    await all_asked.wait()
    vote.cancel()
    with pytest.raises(asyncio.CancelledError):
        await vote
    assert model.cancelled == 8


async def test_every_vote_is_told_with_the_tally_after_it():
    told = []
    model = by_seed("Answer: 7", "I cannot say", "Answer: 8", "Answer: 7")
    await SelfConsistency(samples=4, stop="fixed").solve(QUESTION, model=model, emit=told.append)
    assert told == [
        VoteCast(answer="7", counts={"7": 1}, wanted=4),
        VoteCast(answer=None, counts={"7": 1}, wanted=4),
        VoteCast(answer="8", counts={"7": 1, "8": 1}, wanted=4),
        VoteCast(answer="7", counts={"7": 2, "8": 1}, wanted=4),
    ]


async def test_whole_texts_vote_when_the_answer_is_text():
    replies = ["Because the sea is blue.", "because the Sea is blue", "It is not known."]
    solution = await SelfConsistency(samples=3, stop="fixed", answer="text").solve("Why?", model=by_seed(*replies))
    assert (solution.answer, solution.votes[0].count) == ("Because the sea is blue.", 2)


async def test_a_sample_that_was_cut_off_votes_only_when_it_stated_its_answer():
    cut = Sample(text="First, 3 and 4 are", finish_reason="length")
    stated = Sample(text="The answer is 7. To check this, we", finish_reason="length")
    model = ScriptedModel(script=[cut, stated])
    solution = await SelfConsistency(samples=2, stop="fixed").solve(QUESTION, model=model)
    assert [(vote.answer, vote.samples) for vote in solution.votes] == [("7", (1,))]


async def test_a_vote_of_abstentions_has_no_answer():
    solution = await SelfConsistency(samples=3, answer="number").solve(QUESTION, model=by_seed("no idea"))
    assert (solution.answer, solution.votes, solution.confidence, solution.stopped) == (None, (), None, "full")


async def test_the_conversation_is_sent_as_it_is_with_the_instruction_at_its_end():
    shot = (Message("user", "2 + 2?"), Message("assistant", "4"), Message("user", "3 + 4?"))
    model = ScriptedModel(script=["7"])
    strategy = SelfConsistency(samples=1, instruction="Think.", temperature=0.5, max_tokens=9, seed=3)
    await strategy.solve(Problem(question="3 + 4?", messages=shot), model=model)
    (request,) = model.requests
    assert [message.content for message in request.messages] == ["2 + 2?", "4", "3 + 4?\n\nThink."]
    assert (request.temperature, request.max_tokens, request.seed) == (0.5, 9, 3)


@pytest.mark.parametrize(
    "options", [{"samples": 0}, {"stop": "betta"}, {"confidence": 2}, {"concurrency": 0}, {"ahead": -1}]
)
def test_wrong_options_are_refused_when_the_strategy_is_made(options):
    with pytest.raises(ConfigError):
        SelfConsistency(**options)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["7", "8", "9", "I cannot say"]), min_size=24, max_size=24),
    st.sampled_from(["regret", "beta", "dirichlet", "certain"]),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_the_result_does_not_depend_on_which_sample_comes_back_first(answers, stop, delays):
    class Jittery(ScriptedModel):
        async def generate(self, request):
            for _ in range(delays[request.seed % 6]):
                await asyncio.sleep(0)
            async for sample in super().generate(request):
                yield sample

    def vote(model):
        return run_sync(SelfConsistency(samples=24, stop=stop).solve(QUESTION, model=model))

    script = dict(enumerate(answers))
    at_once = vote(ScriptedModel(script=lambda request: script[request.seed]))
    jittery = vote(Jittery(script=lambda request: script[request.seed]))
    assert at_once == jittery
    assert [sample.index for sample in at_once.samples] == list(range(len(at_once.samples)))


def test_hundreds_of_samples_are_counted():
    model = ScriptedModel(script=lambda request: f"Answer: {7 + (request.seed % 3 == 1)}")
    solution = run_sync(SelfConsistency(samples=300, stop="fixed").solve(QUESTION, model=model))
    assert [(vote.answer, vote.count) for vote in solution.votes] == [("7", 200), ("8", 100)]
