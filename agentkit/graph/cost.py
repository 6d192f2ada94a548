"""What a part of a run costs at most, as a value that adds up, repeats and is cut by budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from agentkit.graph.amount import Amount
from agentkit.runtime.budget import Budget
from agentkit.runtime.price import Price

RESOURCES = ("calls", "tokens", "usd", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Calls, tokens (input and output), USD and seconds, and the most tokens and USD of any one call in it."""

    calls: Amount = field(default_factory=Amount)
    tokens: Amount = field(default_factory=Amount)
    usd: Amount = field(default_factory=Amount)
    seconds: Amount = field(default_factory=Amount)
    call_tokens: float = 0.0
    call_usd: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            seconds=self.seconds + other.seconds,
            call_tokens=max(self.call_tokens, other.call_tokens),
            call_usd=max(self.call_usd, other.call_usd),
        )

    def __mul__(self, times: Amount | float) -> Cost:
        return replace(
            self,
            calls=self.calls * times,
            tokens=self.tokens * times,
            usd=self.usd * times,
            seconds=self.seconds * times,
        )

    def under(self, budget: Budget | None) -> Cost:
        """The cost as far as a budget lets it: fewer calls also take fewer tokens and less money."""
        if budget is None:
            return self
        calls = self.calls.within(budget.calls)
        tokens, usd = self.tokens, self.usd
        if budget.calls is not None and calls != self.calls:
            tokens = tokens.within(budget.calls * self.call_tokens)
            usd = usd.within(budget.calls * self.call_usd)
        return replace(
            self,
            calls=calls,
            tokens=tokens.within(budget.tokens),
            usd=usd.within(budget.usd),
            seconds=self.seconds.within(budget.seconds),
        )

    def over(self, budget: Budget | None) -> tuple[str, ...]:
        """The resources that a budget cuts."""
        limits = {name: getattr(budget, name) for name in RESOURCES} if budget else {}
        return tuple(name for name, limit in limits.items() if limit is not None and getattr(self, name).exceeds(limit))


UNKNOWN = Cost(
    calls=Amount.of(None),
    tokens=Amount.of(None),
    usd=Amount.of(None),
    seconds=Amount.of(None),
    call_tokens=math.inf,
    call_usd=math.inf,
)
"""Of a component that does not say what it does."""


def cost_of(calls: float, *, prompt: float, output: float, price: Price | None, seconds: float) -> Cost:
    """``calls`` calls of at most so many tokens each, that take ``seconds`` each; infinite is without bound."""
    usd = _usd(prompt, output, price, seconds)
    return Cost(
        calls=Amount.of(calls),
        tokens=Amount.of(calls) * (prompt + output),
        usd=Amount.of(calls) * usd,
        seconds=Amount.of(calls) * seconds,
        call_tokens=prompt + output,
        call_usd=usd,
    )


def _usd(prompt: float, output: float, price: Price | None, seconds: float) -> float:
    if price is None:
        return math.inf
    parts = (
        (prompt, max(price.input, price.cached_input or 0.0)),
        (output, price.output),
        (seconds, price.per_second),
    )
    return sum(amount * rate for amount, rate in parts if rate)
