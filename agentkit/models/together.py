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
    """A price that none of ``prices`` exceeds for any work."""
    cached = [price.input if price.cached_input is None else price.cached_input for price in prices]
    return Price(
        input=max(price.input for price in prices),
        output=max(price.output for price in prices),
        cached_input=max(cached),
        per_second=max(price.per_second for price in prices),
    )
