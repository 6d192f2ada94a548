"""DeepConf: votes weighted by confidence, and unsure traces given up in mid-stream (Fu et al. 2025, arXiv 2508.15260)."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from agentkit.answers import Convention, Kind, Reading, extract, read
from agentkit.errors import AgentkitError, BudgetExceededError, ConfigError
from agentkit.events import Emit, VoteCast, ignore
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.strategies import votes
from agentkit.strategies.confidence import Groups, Measure, bar, confidence, consensus
from agentkit.strategies.drawing import HOPELESS, seeded, spent
from agentkit.strategies.prompts import instructed, instruction_tokens
from agentkit.types import Bounds, Delta, GenerateRequest, Problem, Sample, Solution, TokenLogprob, Vote


@dataclass(frozen=True, kw_only=True)
class DeepConf:
    """Votes over up to ``samples`` traces, each weighing as much as its confidence, and drops those that the model is unsure of.

    The first ``warmup`` traces are drawn whole. The bar is the lowest group confidence that the surest share ``keep`` of
    them reaches; those below it do not vote. Every further trace is streamed and closed as soon as the mean confidence
    of its last ``window`` tokens is below the bar: it is paid for as far as it got, and does not vote. ``wave`` traces are
    drawn at a time, so the result does not depend on which comes first, and the vote ends when the leading answer
    has the share ``consensus`` of the weight.

    ``measure`` is what a vote weighs: ``lowest`` group, ``bottom`` tenth of the groups, ``tail``, ``mean``, or ``logprob``, the
    geometric mean of the token probabilities. ``alternatives`` are asked for with each token (hosted models give up to
    20, some 5). A trace shorter than the window is never given up. Needs a model with log-probabilities.
    """

    samples: int = 40
    warmup: int = 8
    keep: float = 0.9
    window: int = 256
    measure: Measure = "lowest"
    consensus: float = 0.95
    alternatives: int = 20
    wave: int = 4
    answer: Kind = "auto"
    convention: Convention = "us"
    instruction: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("warmup", 1), ("window", 1), ("wave", 1), ("alternatives", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("keep", "consensus"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be above 0 and at most 1, not {getattr(self, name)}")

    def bounds(self) -> tuple[Bounds, ...]:
        """The traces of the warm-up at least, all of them at most."""
        text = instruction_tokens(self.instruction)
        return (
            Bounds(
                least=min(self.warmup, self.samples),
                most=self.samples,
                output=self.max_tokens,
                text=text,
                vote=self.samples > 1,
                needs=frozenset({"logprobs"}),
            ),
        )

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer with the most weight, the earliest among equals; ``stopped`` is ``rule`` where there was consensus.

        ``metadata`` holds the ``bar``, the confidence of every trace, and which were given up after how many tokens. Raises
        ``ConfigError`` for a model without log-probabilities, and the first error where no trace arrived.
        """
        if not model.capabilities.logprobs:
            raise ConfigError(f"{model.name} gives no log-probabilities, which deepconf weighs votes by")
        request = GenerateRequest(
            messages=instructed(Problem.of(problem).messages, self.instruction),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            logprobs=self.alternatives,
            stream=True,
        )
        vote = _Vote(options=self, model=model, request=request, emit=emit)
        return vote.solution(await vote.run())


@dataclass
class _Trace:
    """One trace: ``sample`` is None for one that failed or was given up, ``tokens`` is how far that got.

    ``weight`` is what its vote weighs and ``sure`` the confidence of its least sure group.
    """

    place: int
    sample: Sample | None = None
    tokens: int = 0
    lowest: float | None = None
    error: AgentkitError | None = None
    weight: float | None = None
    sure: float | None = None
    answer: str | None = None
    reading: Reading | None = None


@dataclass
class _Vote:
    """The vote so far; ``bar`` is None while it warms up."""

    options: DeepConf
    model: Model
    request: GenerateRequest
    emit: Emit
    traces: list[_Trace] = field(default_factory=list)
    bar: float | None = None

    async def run(self) -> str:
        """Draw in waves until there is consensus (``rule``), enough (``full``) or no more money (``budget``)."""
        options = self.options
        while len(self.traces) < options.samples:
            warm = len(self.traces) >= options.warmup
            size = options.wave if warm else options.warmup - len(self.traces)
            places = range(len(self.traces), min(len(self.traces) + size, options.samples))
            self.traces += await gather([partial(self._draw, place) for place in places], limit=options.wave)
            self._settle()
            if any(isinstance(trace.error, BudgetExceededError) for trace in self.traces):
                return "budget"
            if not any(trace.sample for trace in self.traces):
                break
            if consensus([one.weight for one in self.tally()]) >= options.consensus and not self._undecided():
                return "rule"
        return "full"

    def _undecided(self) -> bool:
        """Whether fewer traces voted than the warm-up was to bring."""
        return len(self._voting()) < min(self.options.warmup, self.options.samples) // 2 + 1

    async def _draw(self, place: int) -> _Trace:
        trace = _Trace(place=place)
        groups = Groups(self.options.window)
        request = replace(self.request, seed=seeded(self.model, self.options.seed, place))
        try:
            async with aclosing(self.model.generate(request)) as stream:
                async for item in stream:
                    if isinstance(item, Delta):
                        groups.add(item.logprobs)
                        trace.tokens += len(item.logprobs)
                        if self._unsure(groups):
                            break
                    else:
                        trace.sample = replace(item, index=place)
        except HOPELESS:
            raise
        except AgentkitError as error:
            trace.error = error
        return self._judged(trace, groups)

    def _unsure(self, groups: Groups) -> bool:
        return self.bar is not None and groups.lowest is not None and groups.lowest < self.bar

    def _judged(self, trace: _Trace, groups: Groups) -> _Trace:
        """What a trace says and weighs. One that comes whole, as from a journal, is judged as if it had been streamed."""
        trace.lowest = groups.lowest
        if trace.sample is None:
            return trace
        tokens: tuple[TokenLogprob, ...] = trace.sample.logprobs or ()
        if not groups.means:
            groups.add(tokens)
            trace.lowest = groups.lowest
        trace.tokens = len(tokens) or trace.tokens
        if self._unsure(groups):
            trace.sample = None
            return trace
        trace.weight = confidence(tokens, self.options.measure, window=self.options.window)
        trace.sure = confidence(tokens, "lowest", window=self.options.window)
        stated = trace.sample.finish_reason == "length"
        options = self.options
        trace.answer = extract(trace.sample.text, options.answer, stated=stated, convention=options.convention)
        if trace.answer is not None:
            trace.reading = read(trace.answer, options.answer, convention=options.convention)
        return trace

    def _settle(self) -> None:
        """Set the bar once the warm-up is over, and tell of the votes."""
        if self.bar is None and len(self.traces) >= self.options.warmup:
            known = [one.sure for one in self.traces if one.sure is not None]
            self.bar = bar(known, self.options.keep) if known else None
        counts = votes.counts(self.tally())
        self.emit(VoteCast(answer=next(iter(counts), None), counts=counts, wanted=self.options.samples))

    def _voting(self) -> list[_Trace]:
        """The traces that count: those that arrived, but for those of the warm-up that fell below the bar."""
        found = []
        for trace in self.traces:
            if trace.sample is None or trace.reading is None:
                continue
            below = self.bar is not None and trace.sure is not None and trace.sure < self.bar
            if not (below and trace.place < self.options.warmup):
                found.append(trace)
        return found

    def tally(self) -> tuple[Vote, ...]:
        """The votes, most weight first; ``Vote.samples`` are places among the samples that arrived.

        Where a model gives no log-probabilities after all, every trace weighs the same.
        """
        arrived = [trace for trace in self.traces if trace.sample is not None]
        voting = {trace.place for trace in self._voting()}
        readings = [trace.reading if trace.place in voting else None for trace in arrived]
        weights = [trace.weight for trace in arrived]
        if all(weight is None for weight in weights):
            return votes.tally(readings)
        return votes.tally(readings, [weight or 0.0 for weight in weights])

    def solution(self, stopped: str) -> Solution:
        """The outcome. Raises the first error where nothing arrived."""
        arrived = [trace for trace in self.traces if trace.sample is not None]
        errors = [trace.error for trace in self.traces if trace.error is not None]
        if not arrived and errors:
            raise errors[0]
        tally = self.tally()
        samples = tuple(trace.sample for trace in arrived if trace.sample is not None)
        given_up = [trace for trace in self.traces if trace.sample is None and trace.error is None]
        return Solution(
            answer=arrived[tally[0].samples[0]].answer if tally else None,
            votes=tally,
            samples=samples,
            confidence=consensus([one.weight for one in tally]) if tally else None,
            stopped=stopped,
            usage=spent(samples),
            metadata={
                "bar": self.bar,
                "confidences": [trace.weight for trace in self.traces],
                "given_up": [{"sample": one.place, "tokens": one.tokens, "lowest": one.lowest} for one in given_up],
            },
        )
