"""Samples, usages and requests as JSON and back: pure functions, lossless, data only.

Fields at their defaults are left out, so files stay small and a field added later changes neither old rows nor old keys.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_args

from agentkit.types import (
    JSON,
    FinishReason,
    GenerateRequest,
    Message,
    Sample,
    TokenLogprob,
    ToolCall,
    ToolSpec,
    Usage,
)

_READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_COUNTS = ("calls", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "unpriced_calls")
_AMOUNTS = ("seconds", "usd")
_FINISH_REASONS = frozenset(get_args(FinishReason))
_KNOBS = tuple(
    (field.name, field.default)
    for field in fields(GenerateRequest)
    if field.default is not MISSING and field.name not in ("n", "stream", "stop", "tools", "schema")
)


def dumps(value: JSON) -> str:
    """Compact JSON; characters stay themselves, except where a lone surrogate would make the text unwritable.

    Raises ``ValueError`` or ``TypeError`` for what is not plain data (NaN and infinities included).
    """
    text = _READABLE.encode(value)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _ASCII.encode(value)
    return text


def fingerprint(value: JSON) -> str:
    """The sha256, in hexadecimal, of plain data; equal for equal data whatever the order of its keys."""
    return hashlib.sha256(_SORTED.encode(value).encode()).hexdigest()


def request_key(model: str, request: GenerateRequest) -> str:
    """What a sample of ``request`` from ``model`` is recorded under: the same for any ``n``, streamed or not."""
    return fingerprint([model, request_data(request)])


def request_data(request: GenerateRequest) -> dict[str, JSON]:
    """The request as plain data, without ``n`` and ``stream``."""
    data: dict[str, JSON] = {"messages": [_message_data(message) for message in request.messages]}
    for name, default in _KNOBS:
        if (value := getattr(request, name)) != default:
            data[name] = float(value) if name in ("temperature", "top_p") else value
    if request.stop:
        data["stop"] = list(request.stop)
    if request.tools:
        data["tools"] = [_tool_data(tool) for tool in request.tools]
    if request.schema is not None:
        data["schema"] = dict(request.schema)
    return data


def encode(sample: Sample) -> dict[str, JSON]:
    """The sample as plain data; ``decode`` gives an equal one back."""
    data: dict[str, JSON] = {"text": sample.text}
    if sample.reasoning:
        data["reasoning"] = sample.reasoning
    if sample.tool_calls:
        data["tool_calls"] = [_call_data(call) for call in sample.tool_calls]
    if sample.logprobs is not None:
        data["logprobs"] = [_logprob_data(one) for one in sample.logprobs]
    if usage := encode_usage(sample.usage):
        data["usage"] = usage
    if sample.finish_reason != "stop":
        data["finish_reason"] = sample.finish_reason
    if sample.index:
        data["index"] = sample.index
    if sample.model:
        data["model"] = sample.model
    return data


def decode(data: JSON) -> Sample:
    """The sample that ``encode`` wrote; raises ``ValueError`` saying what is wrong with anything else."""
    data = _expect(data, dict, "a sample")
    reason = _text(data, "finish_reason", "stop")
    if reason not in _FINISH_REASONS:
        raise ValueError(f"finish_reason {reason[:40]!r} is not one of {', '.join(sorted(_FINISH_REASONS))}")
    if "text" not in data:
        raise ValueError("a sample without text")
    return Sample(
        text=_text(data, "text"),
        reasoning=_text(data, "reasoning"),
        tool_calls=tuple(_call(one) for one in _items(data, "tool_calls")),
        logprobs=tuple(_logprob(one) for one in _items(data, "logprobs")) if "logprobs" in data else None,
        usage=decode_usage(data.get("usage", {})),
        finish_reason=reason,  # type: ignore[arg-type]
        index=_count(data, "index"),
        model=_text(data, "model"),
    )


def encode_usage(usage: Usage) -> dict[str, JSON]:
    """The numbers that are not 0."""
    data: dict[str, JSON] = {name: value for name in _COUNTS if (value := getattr(usage, name))}
    return data | {name: _plain_number(value) for name in _AMOUNTS if (value := getattr(usage, name))}


def decode_usage(data: JSON) -> Usage:
    """The usage that ``encode_usage`` wrote; raises ``ValueError`` for anything else."""
    data = _expect(data, dict, "usage")
    counts = {name: _count(data, name) for name in _COUNTS if name in data}
    amounts = {name: _number(data[name]) for name in _AMOUNTS if name in data}
    if not all(value >= 0 for value in (*counts.values(), *amounts.values())):
        raise ValueError("usage below 0")
    return Usage(**counts, **amounts)  # type: ignore[arg-type]


def _message_data(message: Message) -> dict[str, JSON]:
    data: dict[str, JSON] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        data["tool_calls"] = [_call_data(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        data["tool_call_id"] = message.tool_call_id
    return data


def _tool_data(tool: ToolSpec) -> dict[str, JSON]:
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}


def _call_data(call: ToolCall) -> dict[str, JSON]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def _call(data: JSON) -> ToolCall:
    data = _expect(data, dict, "a tool call")
    return ToolCall(id=_text(data, "id"), name=_text(data, "name"), arguments=_text(data, "arguments"))


def _logprob_data(one: TokenLogprob) -> list[JSON]:
    data: list[JSON] = [one.token, _plain_number(one.logprob)]
    if one.top:
        data.append([[token, _plain_number(logprob)] for token, logprob in one.top])
    return data


def _logprob(data: JSON) -> TokenLogprob:
    token, logprob, *rest = _expect(data, list, "a token's logprob")
    top = _expect(rest[0], list, "the alternatives of a token") if rest else []
    return TokenLogprob(
        token=_expect(token, str, "a token"), logprob=_number(logprob), top=tuple(map(_alternative, top))
    )


def _alternative(data: JSON) -> tuple[str, float]:
    token, logprob = _expect(data, list, "an alternative of a token")
    return _expect(token, str, "a token"), _number(logprob)


def _plain_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _number(value: JSON) -> float:
    if value in ("inf", "-inf", "nan") or (isinstance(value, int | float) and not isinstance(value, bool)):
        return float(value)
    raise ValueError(f"{value!r} is not a number")


def _count(data: Mapping[str, JSON], name: str) -> int:
    return int(_expect(data.get(name, 0), int, name))


def _text(data: Mapping[str, JSON], name: str, default: str = "") -> str:
    return str(_expect(data.get(name, default), str, name))


def _items(data: Mapping[str, JSON], name: str) -> list[JSON]:
    return list(_expect(data.get(name, []), list, name))


def _expect(value: JSON, kind: type, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{what} must be {kind.__name__}, not {type(value).__name__}")
    return value


def _plain(value: object) -> JSON:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not plain data")


_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
