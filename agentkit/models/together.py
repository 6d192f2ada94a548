"""What several models can promise as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from agentkit.protocols import Model
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities


def common(models: Sequence[Model]) -> Capabilities:
    """What every one of ``models`` can honour."""
    able = [model.capabilities for model in models]
    return Capabilities(**{one.name: all(getattr(each, one.name) for each in able) for one in fields(Capabilities)})


def highest(models: Sequence[Model]) -> Price | None:
    """A price that none of theirs exceeds, so that an estimate holds whoever answers; None when one is not known."""
    known = [price for model in models if (price := price_of(model)) is not None]
    return dearest(known) if len(known) == len(models) else None


def dearest(prices: Sequence[Price]) -> Price:
    """A price that none of ``prices`` exceeds for any work: of prices that rise with the prompt, the risen ones."""
    inputs = [max(price.input, price.long_input or 0.0) for price in prices]
    outputs = [max(price.output, price.long_output or 0.0, price.reasoning or 0.0) for price in prices]
    cached = [
        max(dear if price.cached_input is None else price.cached_input, price.long_cached_input or 0.0)
        for price, dear in zip(prices, inputs, strict=True)
    ]
    return Price(
        input=max(inputs),
        output=max(outputs),
        cached_input=max(cached),
        per_second=max(price.per_second for price in prices),
    )
