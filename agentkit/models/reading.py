"""Reading one streamed completion, chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentkit.answers import Separator, separate
from agentkit.models.wire import reasoning_of, text_of, thought, to_finish, to_logprobs, to_usage
from agentkit.types import Delta, Sample, TokenLogprob, ToolCall


@dataclass
class _Call:
    """A tool call of which pieces have arrived."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Reading:
    """What a stream of one choice has said so far.

    ``ended`` once the stream said that it is over, ``complete`` once a whole completion has arrived, and ``error`` what the
    server reported in the middle of it. ``opened``: the chat template has opened a thought. Without ``deltas`` only the whole
    is wanted, and pieces are not told.
    """

    opened: bool = False
    deltas: bool = True
    ended: bool = False
    error: Any = None
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _logprobs: list[TokenLogprob] | None = None
    _calls: list[_Call] = field(default_factory=list)
    _finish: str | None = None
    _usage: Mapping[str, Any] | None = None
    _model: str = ""
    _separator: Separator = field(init=False)

    def __post_init__(self) -> None:
        self._separator = Separator(opened=self.opened)

    @property
    def complete(self) -> bool:
        """Whether the completion is whole: the server gave a reason to stop, or said something and ended the stream."""
        said = any(self._text) or any(self._reasoning) or bool(self._calls)
        return self._finish is not None or (self.ended and said)

    def take_event(self, data: str) -> Delta | None:
        """Add the data of one event; raises what ``wire.UNREADABLE`` lists for nonsense."""
        if data.strip() == "[DONE]":
            self.ended = True
            return None
        chunk = json.loads(data)
        self.error = chunk.get("error")
        return None if self.error is not None else self.take(chunk)

    def take(self, chunk: Mapping[str, Any]) -> Delta | None:
        """Add a chunk; the text, reasoning or log-probabilities it brought, if any. Usage is kept, not added up."""
        self._usage = chunk.get("usage") or self._usage
        self._model = chunk.get("model") or self._model
        choices = chunk.get("choices") or ()
        return self._choice(choices[0]) if choices else None

    def _choice(self, choice: Mapping[str, Any]) -> Delta | None:
        said = choice.get("delta") or {}
        text, reasoning, logprobs = (
            text_of(said.get("content")),
            reasoning_of(said),
            to_logprobs(choice.get("logprobs")),
        )
        self._text.append(text)
        self._reasoning.append(reasoning)
        if logprobs is not None:
            self._logprobs = self._logprobs or []
            self._logprobs += logprobs
        for piece in said.get("tool_calls") or ():
            self._tool_call(piece)
        if reason := choice.get("finish_reason"):
            self._finish = reason
        return self._delta(text, reasoning, logprobs or ()) if self.deltas else None

    def _delta(self, text: str, reasoning: str, logprobs: tuple[TokenLogprob, ...]) -> Delta | None:
        """What is new, a thought between tags told apart from the text."""
        pieces = self._separator.feed(text)
        if self._finish is not None:
            pieces += self._separator.end()
        reasoning += "".join(piece for channel, piece in pieces if channel == "reasoning")
        text = "".join(piece for channel, piece in pieces if channel == "text")
        return Delta(text=text, reasoning=reasoning, logprobs=logprobs) if text or reasoning or logprobs else None

    def _tool_call(self, piece: Mapping[str, Any]) -> None:
        """Add a piece to the call it names by its place; a server that gives no place begins a new call with an id."""
        place = piece.get("index")
        if place is None:
            place = len(self._calls) if piece.get("id") else len(self._calls) - 1
        if place == len(self._calls):
            self._calls.append(_Call())
        call, function = self._calls[place], piece.get("function") or {}
        call.id = piece.get("id") or call.id
        call.name = function.get("name") or call.name
        call.arguments += function.get("arguments") or ""

    def sample(self, *, model: str) -> Sample:
        """The whole completion."""
        said = separate("".join(self._text), opened=self.opened)
        return Sample(
            text=said.text,
            reasoning=thought("".join(self._reasoning), said.reasoning),
            tool_calls=tuple(ToolCall(id=call.id, name=call.name, arguments=call.arguments) for call in self._calls),
            logprobs=None if self._logprobs is None else tuple(self._logprobs),
            usage=to_usage(self._usage),
            finish_reason=to_finish(self._finish),
            model=self._model or model,
        )
