"""What a request may cost at most, before it is sent."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from dataclasses import replace

from agentkit.runtime.price import Price, priced
from agentkit.types import GenerateRequest, Usage

_WORDS = string.ascii_letters.encode() + b" " + bytes(range(128, 256))
_BYTES_A_TOKEN = 4  # of letters and spaces; every digit and mark counts as a token of its own
_BYTES_A_TOKEN_OTHER = 2  # where a text is not ASCII alone: tokenizers cut Cyrillic, CJK and emoji finer
TOKENS_A_MESSAGE = 8  # role marks and separators of the chat template


def estimate(request: GenerateRequest, price: Price | None) -> Usage:
    """The most that ``request`` should cost: prompt tokens on the high side, and ``max_tokens``, for each of its samples.

    Without ``max_tokens`` the output counts as 0 tokens, and as infinite ``usd`` where output has a price; without a
    price all calls are unpriced. Seconds are not known in advance, so a price a second is only settled.
    """
    one, n = share(request, price), request.n
    return Usage(
        calls=n,
        input_tokens=n * one.input_tokens,
        output_tokens=n * one.output_tokens,
        usd=n * one.usd,
        unpriced_calls=n * one.unpriced_calls,
    )


def share(request: GenerateRequest, price: Price | None) -> Usage:
    """The most that one sample of ``request`` should cost; see ``estimate``."""
    output = (request.max_tokens or 0) + (request.max_reasoning_tokens or 0)
    tokens = Usage(calls=1, input_tokens=prompt_tokens(request), output_tokens=output)
    if price is not None and price.output and request.max_tokens is None:
        return replace(tokens, usd=float("inf"))
    if price is not None and price.reasoning is not None and price.reasoning > price.output:
        return replace(priced(replace(tokens, reasoning_tokens=output), price), reasoning_tokens=0)
    return priced(tokens, price)


def prompt_tokens(request: GenerateRequest) -> int:
    """Tokens of the prompt, estimated high from its UTF-8 length, tools and schema included."""
    return sum(text_tokens(text) for text in _texts(request)) + TOKENS_A_MESSAGE * (len(request.messages) + 1)


def _texts(request: GenerateRequest) -> Iterator[str]:
    for message in request.messages:
        yield message.content
        for call in message.tool_calls:
            yield call.name + call.arguments
    for tool in request.tools:
        yield tool.name + tool.description + json.dumps(tool.parameters, default=dict)
    if request.schema is not None:
        yield json.dumps(request.schema, default=dict)


def text_tokens(text: str) -> int:
    """Tokens of a text, estimated high from its UTF-8 bytes."""
    data = text.encode("utf-8", "replace")
    marks = len(data.translate(None, _WORDS))
    return marks - (marks - len(data)) // (_BYTES_A_TOKEN if text.isascii() else _BYTES_A_TOKEN_OTHER)
