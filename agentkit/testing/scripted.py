"""A model that says what its script says, and fails when it is asked for more or for less."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType

from agentkit.protocols import SampleStream
from agentkit.types import Capabilities, Delta, GenerateRequest, Sample, Usage

Reply = str | Sample | Exception
Script = Iterable[Reply] | Callable[[GenerateRequest], Reply]


@dataclass(kw_only=True)
class ScriptedModel:
    """Replies in order from ``script``, one a sample, or by a function of the request.

    A reply is a text, a whole ``Sample``, or an exception to raise. ``requests`` keeps what was asked and ``cancelled``
    counts streams closed before their last sample. Used as a context manager it raises ``AssertionError`` at the end
    when replies are left over; being over-asked raises at once. ``delay`` seconds pass before each sample.
    """

    script: Script = ()
    name: str = "scripted"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            n=True, logprobs=True, tools=True, schema=True, seed=True, reasoning=True, stream=True
        )
    )
    delay: float = 0.0
    requests: list[GenerateRequest] = field(default_factory=list)
    cancelled: int = 0

    def __post_init__(self) -> None:
        self._answer = self.script if callable(self.script) else None
        self._replies = [] if callable(self.script) else list(self.script)
        self._asked = 0

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` replies, one after another."""
        self.requests.append(request)
        done = 0
        try:
            for index in range(request.n):
                reply = self._next(request)
                await asyncio.sleep(self.delay)
                if isinstance(reply, Exception):
                    done = request.n
                    raise reply
                sample = self._sample(reply, request, index)
                if request.stream:
                    for piece in re.findall(r"\s*\S+\s*|\s+", sample.text):
                        yield Delta(text=piece, index=index)
                done += 1
                yield sample
        finally:
            self.cancelled += done < request.n

    def _next(self, request: GenerateRequest) -> Reply:
        if self._answer is not None:
            return self._answer(request)
        if self._asked >= len(self._replies):
            last = request.messages[-1].content
            raise AssertionError(
                f"the script of {len(self._replies)} replies is used up; asked again with: {last[:200]!r}"
            )
        self._asked += 1
        return self._replies[self._asked - 1]

    def _sample(self, reply: str | Sample, request: GenerateRequest, index: int) -> Sample:
        if isinstance(reply, Sample):
            return replace(reply, index=index)
        asked = sum(len(message.content.split()) for message in request.messages)
        usage = Usage(calls=1, input_tokens=asked, output_tokens=len(reply.split()))
        return Sample(text=reply, usage=usage, index=index, model=self.name)

    @property
    def left(self) -> int:
        """Replies not yet asked for."""
        return len(self._replies) - self._asked

    def __enter__(self) -> ScriptedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.left:
            raise AssertionError(f"{self.left} of {len(self._replies)} scripted replies were never asked for")
