"""What a request asks for against what a model can honour, before a token is spent."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.errors import RequestRefusedError
from agentkit.protocols import Model
from agentkit.types import GenerateRequest

_CANNOT = {
    "logprobs": "give log-probabilities",
    "tools": "call tools",
    "schema": "keep to a schema",
    "reasoning": "be told how long to think",
}


def check_able(model: Model, request: GenerateRequest) -> None:
    """Raises ``RequestRefusedError`` that names everything which ``request`` asks of ``model`` in vain.

    A seed is no such thing: where it has no effect, the samples are as good without it.
    """
    if not (asked := list(_asked(request))):
        return
    able = model.capabilities
    if lacking := [_CANNOT[name] for name in asked if not getattr(able, name)]:
        raise RequestRefusedError(
            f"{model.name} cannot {', nor '.join(lacking)}: take another model for this step, or do not ask for it"
        )


def _asked(request: GenerateRequest) -> Iterator[str]:
    """The capabilities that ``request`` needs."""
    if request.logprobs is not None:
        yield "logprobs"
    if request.tools:
        yield "tools"
    if request.schema is not None:
        yield "schema"
    if request.effort is not None or request.max_reasoning_tokens is not None:
        yield "reasoning"
