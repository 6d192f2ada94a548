"""Mixture of agents: layers of models that see each other's answers, and one that sums them up (Wang et al. 2024, 2406.04692)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from agentkit.answers import Convention, Kind, extract, read
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.strategies import votes
from agentkit.strategies.asking import Asking
from agentkit.types import Bounds, Message, Problem, Sample, Solution, Thought

_AGGREGATE = (
    "You have been given answers of several models to the latest question. Put them together into one answer of high quality. "
    "Look at them critically: some may be one-sided or wrong. Do not copy them; write an answer that is accurate, well ordered "
    "and whole.\n\nAnswers of the models:"
)
_TOKENS_A_NUMBER = 6


@dataclass(frozen=True, kw_only=True)
class MixtureOfAgents:
    """Lets ``proposers`` answer in ``layers``, each seeing all answers of the layer before, and the model sum up the last.

    Without ``proposers`` the model answers ``samples`` times a layer (self-mixture). ``aggregate`` is what a model is told before
    the numbered answers, in its system message. ``tree`` holds every answer. An answer that fails is left out; when the model
    cannot sum up, the majority of the last layer decides, the earliest where all differ.
    """

    proposers: tuple[Model, ...] = ()
    samples: int = 3
    layers: int = 1
    aggregate: str = _AGGREGATE
    answer: Kind = "text"
    convention: Convention = "us"
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in ("samples", "layers", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, not {value}")

    def bounds(self) -> tuple[Bounds, ...]:
        """Every layer, and one to sum up."""
        width, output, layers = len(self.proposers) or self.samples, self.max_tokens, self.layers
        text = text_tokens(f"\n\n{self.aggregate}") + _TOKENS_A_NUMBER * width + TOKENS_A_MESSAGE
        seen = width if layers > 1 else 0
        last = Bounds(output=output, text=text, answers=width)
        if not self.proposers:
            count = width * layers
            return (Bounds(least=count, most=count, output=output, text=text, answers=seen, vote=width > 1), last)
        each = [
            Bounds(least=layers, most=layers, output=output, text=text, answers=seen, model=one)
            for one in self.proposers
        ]
        return (*each, last)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer that sums up; ``votes`` are those of the last layer. Raises the first error when nothing came."""
        messages, asking = Problem.of(problem).messages, Asking.of(self, model)
        tree: list[Thought] = []
        layer: list[Sample] = []
        for depth in range(self.layers):
            found = await self._layer(asking, self._seeing(messages, layer))
            layer = found or layer
            tree += [Thought(text=one.text, depth=depth) for one in found]
        asking.must_have_come()
        summed = await asking.ask(self._seeing(messages, layer))
        tree += [Thought(text=one.text, depth=self.layers, kept=True) for one in summed]
        return self._solution(asking, layer, summed, tree)

    async def _layer(self, asking: Asking, messages: Sequence[Message]) -> list[Sample]:
        """The answers of all proposers, in their order."""
        models = self.proposers or (asking.model,) * self.samples
        replies = await gather([partial(asking.ask, messages, model=model) for model in models], limit=self.concurrency)
        return [sample for reply in replies for sample in reply]

    def _seeing(self, messages: tuple[Message, ...], layer: Sequence[Sample]) -> tuple[Message, ...]:
        """The conversation with a layer's answers, numbered, in the system message."""
        if not layer:
            return messages
        numbered = "\n".join(f"{number}. {one.text.strip()}" for number, one in enumerate(layer, 1))
        told = f"{self.aggregate}\n{numbered}"
        if messages and messages[0].role == "system":
            return (replace(messages[0], content=f"{messages[0].content}\n\n{told}"), *messages[1:])
        return (Message("system", told), *messages)

    def _solution(
        self, asking: Asking, layer: Sequence[Sample], summed: Sequence[Sample], tree: Sequence[Thought]
    ) -> Solution:
        given = [self._answer(one) for one in layer]
        readings = [None if one is None else read(one, self.answer, convention=self.convention) for one in given]
        tally = votes.tally(readings)
        chosen = given[tally[0].samples[0]] if tally else None
        return Solution(
            answer=self._answer(summed[0]) if summed else chosen,
            votes=tuple(replace(vote, samples=()) for vote in tally),
            samples=tuple(asking.samples),
            tree=tuple(tree),
            stopped="budget" if asking.exhausted else "full",
            usage=asking.usage,
            metadata={"summed": bool(summed), **asking.failed},
        )

    def _answer(self, sample: Sample) -> str | None:
        return extract(sample.text, self.answer, stated=sample.finish_reason == "length", convention=self.convention)
