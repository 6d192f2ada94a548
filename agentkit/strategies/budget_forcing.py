"""Budget forcing: a thought made as long as it should be (s1, Muennighoff et al. 2025, arXiv 2501.19393)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agentkit.answers import Convention, Kind, extract
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies.drawing import seeded, several, spent
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Sample, Solution


@dataclass(frozen=True, kw_only=True)
class BudgetForcing:
    """Lets the model think for at least ``least`` and at most ``most`` tokens, then asks for the answer.

    A thought that ends too early is continued with ``wait``, at most ``extensions`` times, which makes the model look again; one
    that takes too long is closed, and ``conclude`` begins the answer. Needs a model that continues a message of its own
    (``capabilities.continues``): vLLM, llama.cpp, torch. ``opening`` and ``closing`` are the model's own tags. The answer may
    take ``max_tokens`` tokens.

    ``samples`` of the solution are the pieces of thought in order, then the answer.
    """

    least: int = 0
    most: int = 2048
    extensions: int = 6
    wait: str = "\nWait"
    opening: str = "<think>\n"
    closing: str = "\n</think>\n\n"
    conclude: str = "Final Answer:"
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.6
    max_tokens: int | None = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most or self.most < 1:
            raise ConfigError(f"0 <= least <= most must hold, and most be above 0: not {self.least} and {self.most}")
        if self.extensions < 0:
            raise ConfigError(f"extensions must be at least 0, not {self.extensions}")
        if not self.closing.strip():
            raise ConfigError("closing must be the tag with which the model ends its thought")

    def bounds(self) -> tuple[Bounds, ...]:
        """The thought with its extensions, and the answer; every call holds the thought so far."""
        longest = None if self.max_tokens is None else max(self.most, self.max_tokens)
        ours = (self.opening, self.closing, self.conclude, *[self.wait] * self.extensions)
        return (
            Bounds(
                least=2,
                most=self.extensions + 2,
                output=longest,
                text=sum(text_tokens(one) for one in ours),
                answers=self.extensions + 1,
                needs=frozenset({"continues"}),
            ),
        )

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer after the thought; ``stopped`` is ``rule`` for a thought that ended by itself, ``full`` for one that was
        closed, ``budget`` when the budget left no room for more, in which case the answer is what the thought states.

        Raises ``ConfigError`` for a model that cannot continue its own message, and what the model raises at first.
        """
        if not model.capabilities.continues:
            raise ConfigError(f"{model.name} cannot continue a message of its own, which budget forcing needs")
        thought = _Thought(self, Problem.of(problem).messages, model)
        stopped = await thought.think()
        final = None if stopped == "budget" else await thought.conclude(closed=stopped == "full")
        said = final.text if final else thought.text
        return Solution(
            answer=extract(said, self.answer, stated=final is None, convention=self.convention),
            samples=tuple(thought.drawn),
            stopped=stopped if final else "budget",
            usage=spent(thought.drawn),
        )


@dataclass
class _Thought:
    """The thought so far."""

    options: BudgetForcing
    messages: tuple[Message, ...]
    model: Model
    text: str = ""
    drawn: list[Sample] = field(default_factory=list)

    async def think(self) -> str:
        """Think until the thought ends late enough (``rule``), is too long (``full``) or cannot be paid (``budget``)."""
        options, extended = self.options, 0
        while (left := options.most - self._tokens()) > 0:
            piece = await self._continue(options.opening + self.text, left, stop=(options.closing.strip(),))
            if piece is None:
                return "budget"
            self.text += piece.reasoning + piece.text
            if piece.finish_reason == "length":
                return "full"
            if self._tokens() >= options.least or extended == options.extensions:
                return "rule"
            self.text, extended = self.text.rstrip() + options.wait, extended + 1
        return "full"

    async def conclude(self, *, closed: bool) -> Sample | None:
        """The answer; a thought that was closed by force is told to come to it."""
        options = self.options
        begun = options.opening + self.text.rstrip() + options.closing + (options.conclude if closed else "")
        return await self._continue(begun, options.max_tokens)

    def _tokens(self) -> int:
        return sum(sample.usage.output_tokens for sample in self.drawn)

    async def _continue(self, begun: str, most: int | None, stop: tuple[str, ...] = ()) -> Sample | None:
        """What the model adds to ``begun``; None when the budget is spent. Raises what the model raises."""
        request = GenerateRequest(
            messages=(*self.messages, Message("assistant", begun)),
            temperature=self.options.temperature,
            max_tokens=most,
            stop=stop,
            seed=seeded(self.model, self.options.seed, len(self.drawn)),
        )
        drawn = await several(self.model, [request])
        if not drawn.arrived:
            if drawn.exhausted and self.drawn:
                return None
            raise drawn.errors[0]
        [sample] = drawn.arrived
        self.drawn.append(replace(sample, index=len(self.drawn)))
        return sample
