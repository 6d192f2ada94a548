"""The kits pass what keeps its contract and name what does not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from agentkit.protocols import Model, SampleStream
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_evaluator, check_model, check_retriever, check_strategy
from agentkit.types import (
    Bounds,
    Capabilities,
    Delta,
    Document,
    Finding,
    GenerateRequest,
    Problem,
    Record,
    Sample,
    Score,
    Solution,
    Usage,
    Vote,
)

# Models


async def test_a_scripted_model_keeps_the_contract() -> None:
    await check_model(lambda: ScriptedModel(script=lambda request: "Hello there, friend."))


class Honest:
    """A model that keeps the contract, to be broken in one way at a time."""

    name = "honest"
    capabilities = Capabilities(stream=True)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        for index in range(request.n):
            await asyncio.sleep(0)
            if request.stream:
                yield Delta(text="Hel", index=index)
                yield Delta(text="lo", index=index)
            yield self.sample(index)

    def sample(self, index: int) -> Sample:
        return Sample(text="Hello", index=index, usage=Usage(calls=1))


class Nameless(Honest):
    name = ""


class OneShort(Honest):
    async def generate(self, request: GenerateRequest) -> SampleStream:
        async for item in Honest.generate(self, replace(request, n=max(1, request.n - 1))):
            yield item


class SameIndex(Honest):
    def sample(self, index: int) -> Sample:
        return Sample(text="Hello", usage=Usage(calls=1))


class ChattyUnasked(Honest):
    async def generate(self, request: GenerateRequest) -> SampleStream:
        async for item in Honest.generate(self, replace(request, stream=True)):
            yield item


class FreeRider(Honest):
    def sample(self, index: int) -> Sample:
        return Sample(text="Hello", index=index)


class NegativeUsage(Honest):
    def sample(self, index: int) -> Sample:
        return Sample(text="Hello", index=index, usage=Usage(calls=1, input_tokens=-5))


class Mumbler(Honest):
    async def generate(self, request: GenerateRequest) -> SampleStream:
        async for item in Honest.generate(self, request):
            yield replace(item, text="Hallo") if isinstance(item, Sample) else item


class Leaky(Honest):
    tasks: ClassVar[list[asyncio.Task[None]]] = []

    async def generate(self, request: GenerateRequest) -> SampleStream:
        self.tasks.append(asyncio.create_task(asyncio.sleep(30)))
        async for item in Honest.generate(self, request):
            yield item


class OnceOnly(Honest):
    def __init__(self) -> None:
        self.closed = False

    async def generate(self, request: GenerateRequest) -> SampleStream:
        if self.closed:
            return
        try:
            async for item in Honest.generate(self, request):
                yield item
        except GeneratorExit:
            self.closed = True
            raise


class Hanging(Honest):
    async def generate(self, request: GenerateRequest) -> SampleStream:
        await asyncio.sleep(60)
        yield self.sample(0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Nameless, "must have a name"),
        (OneShort, "asked for 3 samples, it gave 2"),
        (SameIndex, "must have the indexes 0 to 2"),
        (ChattyUnasked, "did not ask for"),
        (FreeRider, "its usage says 0"),
        (NegativeUsage, "impossible usage"),
        (Mumbler, "do not join"),
        (Leaky, "tasks still run"),
        (OnceOnly, "a stream was closed"),
    ],
)
async def test_a_model_that_breaks_the_contract_is_told_how(make: type[Model], sentence: str) -> None:
    await check_model(Honest)
    with pytest.raises(AssertionError, match=sentence):
        await check_model(make)
    for task in Leaky.tasks:
        task.cancel()
    Leaky.tasks.clear()


async def test_a_model_that_hangs_fails_rather_than_hold_the_tests() -> None:
    with pytest.raises(AssertionError, match="did not end within"):
        await check_model(Hanging, seconds=0.05)


# Strategies


@dataclass(frozen=True, kw_only=True)
class Simple:
    """Two samples, the first one wins."""

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        samples = await draw_all(model, GenerateRequest(messages=Problem.of(problem).messages, n=2))
        return self.solution(tuple(samples))

    def solution(self, samples: tuple[Sample, ...]) -> Solution:
        usage = sum((sample.usage for sample in samples), Usage())
        votes = (Vote(answer="7", count=2, weight=2.0, samples=(0, 1)),)
        return Solution(answer=samples[0].text, samples=samples, votes=votes, usage=usage, confidence=1.0)


class HidesACall(Simple):
    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        await draw(model, GenerateRequest(messages=Problem.of(problem).messages))
        return await Simple.solve(self, problem, model=model)


class TooSure(Simple):
    def solution(self, samples: tuple[Sample, ...]) -> Solution:
        return replace(Simple.solution(self, samples), confidence=1.5)


class CountsAStranger(Simple):
    def solution(self, samples: tuple[Sample, ...]) -> Solution:
        return replace(Simple.solution(self, samples), votes=(Vote(answer="7", count=1, weight=1, samples=(9,)),))


class Fragile(Simple):
    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        solution = await Simple.solve(self, problem, model=model)
        assert solution.answer is not None
        return replace(solution, answer=solution.answer[0])


class MakesItUp(Simple):
    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        try:
            return await Simple.solve(self, problem, model=model)
        except Exception:
            return Solution(answer="42")


class LeavesStreamsOpen(Simple):
    kept: ClassVar[list[SampleStream]] = []

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        stream = model.generate(GenerateRequest(messages=Problem.of(problem).messages, n=2))
        self.kept.append(stream)
        first = await anext(stream)
        assert isinstance(first, Sample)
        return Solution(answer=first.text, samples=(first,), usage=first.usage)


class DrawsMoreThanItSays(Simple):
    def bounds(self) -> tuple[Bounds, ...]:
        return (Bounds(least=1, most=1),)


async def test_a_strategy_that_keeps_the_contract_passes() -> None:
    await check_strategy(Simple)


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (HidesACall, AssertionError, "the solution's usage says"),
        (TooSure, AssertionError, "confidence"),
        (CountsAStranger, AssertionError, "beyond the 2 drawn"),
        (Fragile, IndexError, "index"),
        (MakesItUp, AssertionError, "the model failed every call"),
        (LeavesStreamsOpen, AssertionError, "left open"),
        (DrawsMoreThanItSays, AssertionError, "it drew 2 samples, but declares from 1 to 1"),
    ],
)
async def test_a_strategy_that_breaks_the_contract_is_told_how(
    make: type[Simple], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        await check_strategy(make)
    for stream in LeavesStreamsOpen.kept:
        await stream.aclose()
    LeavesStreamsOpen.kept.clear()


# Evaluators


@dataclass(frozen=True, kw_only=True)
class Exact:
    """1 for the target itself."""

    async def evaluate(self, record: Record) -> Score:
        if not isinstance(record.output, str):
            return Score(value=None, status="unscored", reason="the output is no text", evaluator="exact")
        return self.score(record.output, float(record.output == record.target))

    def score(self, text: str, value: float) -> Score:
        return Score(value=value, evaluator="exact")


class NotANumber(Exact):
    def score(self, text: str, value: float) -> Score:
        return Score(value=value / value if value else float("nan"), evaluator="exact")


class PointsNowhere(Exact):
    def score(self, text: str, value: float) -> Score:
        finding = Finding(code="x", message="there", start=0, end=len(text) + 1)
        return Score(value=value, evaluator="exact", findings=(finding,))


class Misquotes(Exact):
    def score(self, text: str, value: float) -> Score:
        finding = Finding(code="x", message="there", start=0, end=1, text="Z")
        return Score(value=value, evaluator="exact", findings=(finding,) if text else ())


class NeedsText(Exact):
    async def evaluate(self, record: Record) -> Score:
        return self.score(record.output, float(record.output[0] == "T"))


class GivesNoReason(Exact):
    async def evaluate(self, record: Record) -> Score:
        return Score(value=None, status="unscored", evaluator="exact")


async def test_an_evaluator_that_keeps_the_contract_passes() -> None:
    await check_evaluator(Exact)


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (NotANumber, AssertionError, "must lie in"),
        (PointsNowhere, AssertionError, "outside the output"),
        (Misquotes, AssertionError, "a span says 'Z'"),
        (NeedsText, IndexError, "index"),
        (GivesNoReason, AssertionError, "must say why"),
    ],
)
async def test_an_evaluator_that_breaks_the_contract_is_told_how(
    make: type[Exact], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        await check_evaluator(make)


# Retrievers


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Two passages, whatever is asked."""

    top_k: int = 2

    async def retrieve(self, query: str) -> Sequence[Document]:
        return [Document(text="a", id="1", score=0.9), Document(text="b", id="2", score=0.5)]


class Backwards(Shelf):
    async def retrieve(self, query: str) -> Sequence[Document]:
        return list(reversed(await Shelf.retrieve(self, query)))


class Unscored(Shelf):
    async def retrieve(self, query: str) -> Sequence[Document]:
        return [Document(text="a", id="1")]


class Repeats(Shelf):
    async def retrieve(self, query: str) -> Sequence[Document]:
        return [Document(text="a", id="1", score=0.9)] * 2


class Empty(Shelf):
    async def retrieve(self, query: str) -> Sequence[Document]:
        return []


async def test_a_retriever_that_keeps_the_contract_passes() -> None:
    await check_retriever(Shelf, query="a")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Shelf(top_k=1), "at most 1"),
        (Backwards, "best first"),
        (Unscored, "must have a score"),
        (Repeats, "returned twice"),
        (Empty, "nothing was found"),
    ],
)
async def test_a_retriever_that_breaks_the_contract_is_told_how(make: type[Shelf], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        await check_retriever(make, query="a")
