"""Between our values and the OpenAI chat format: pure functions for every client that speaks it.

The functions that read raise what ``UNREADABLE`` lists for a payload of another shape; the clients turn that into one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentkit.answers import separate
from agentkit.types import (
    FinishReason,
    GenerateRequest,
    Message,
    Sample,
    TokenLogprob,
    ToolCall,
    ToolSpec,
    Usage,
)

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading a payload of the wrong shape raises."""

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "abort": "cancelled",
    "cancelled": "cancelled",
}


def to_request(
    request: GenerateRequest, *, model: str, stream: bool, extra_body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The body of ``POST /v1/chat/completions`` for one sample; ``extra_body`` has the last word.

    ``request.n`` is left out: every sample is a call of its own, so that each can be cancelled alone.
    """
    wanted = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "stop": list(request.stop) or None,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "response_format": request.schema and _schema(request.schema),
        "reasoning_effort": request.effort,
        "logprobs": None if request.logprobs is None else True,
        "top_logprobs": request.logprobs or None,
        "stream_options": {"include_usage": True} if stream else None,
    }
    body = {"model": model, "messages": [_message(message) for message in request.messages], "stream": stream}
    return {**body, **{key: value for key, value in wanted.items() if value is not None}, **(extra_body or {})}


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said |= {"content": message.content or None, "tool_calls": [_tool_call(call) for call in message.tool_calls]}
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def _tool_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema), "strict": True}}


def to_samples(payload: Mapping[str, Any], *, model: str, opened: bool = False) -> list[Sample]:
    """The samples of an answer that was not streamed; what the call cost is on the first.

    ``opened``: the chat template has opened a thought.
    """
    samples = [_sample(choice, payload.get("model") or model, opened) for choice in payload["choices"]]
    usage = to_usage(payload.get("usage"))
    return [replace(sample, usage=usage if place == 0 else Usage()) for place, sample in enumerate(samples)]


def _sample(choice: Mapping[str, Any], model: str, opened: bool) -> Sample:
    message = choice["message"]
    said = separate(text_of(message.get("content")), opened=opened)
    return Sample(
        text=said.text,
        reasoning=thought(reasoning_of(message), said.reasoning),
        tool_calls=tuple(
            ToolCall(id=call.get("id") or "", name=call["function"]["name"], arguments=call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        ),
        logprobs=to_logprobs(choice.get("logprobs")),
        finish_reason=to_finish(choice.get("finish_reason")),
        index=choice.get("index") or 0,
        model=model,
    )


def to_usage(usage: Mapping[str, Any] | None) -> Usage:
    """What one call cost by the server's own count; nothing but the call itself where it sent none."""
    said = usage or {}
    return Usage(
        calls=1,
        input_tokens=said.get("prompt_tokens") or 0,
        output_tokens=said.get("completion_tokens") or 0,
        cached_tokens=(said.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        reasoning_tokens=(said.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
    )


def to_logprobs(logprobs: Mapping[str, Any] | None) -> tuple[TokenLogprob, ...] | None:
    """The log-probabilities of a choice or a chunk, None where there are none."""
    content = (logprobs or {}).get("content")
    if content is None:
        return None
    return tuple(
        TokenLogprob(
            token=token["token"],
            logprob=float(token["logprob"]),
            top=tuple((other["token"], float(other["logprob"])) for other in token.get("top_logprobs") or ()),
        )
        for token in content
    )


def to_finish(reason: str | None) -> FinishReason:
    """Our word for the server's; what we do not know is an ordinary ``stop``."""
    return _FINISH.get(reason or "", "stop")


def text_of(content: Any) -> str:
    """The text of a ``content``, which some servers send as a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    if content is not None and not isinstance(content, str):
        raise TypeError("content is neither text nor parts")
    return content or ""


def thought(beside: str, within: str) -> str:
    """The reasoning that a server sent beside the text, and what the text itself held between tags."""
    return f"{beside}\n{within}" if beside and within else beside or within


def reasoning_of(message: Mapping[str, Any]) -> str:
    """The thought beside the text: ``reasoning_content``, or ``reasoning`` as newer servers call it."""
    return text_of(message.get("reasoning_content") or message.get("reasoning"))
