"""What a chat server may say, as values, and the bytes it says it in: pure functions, no sockets.

A reply is a text, a ``Completion`` (perhaps with a ``fault``) or a ``Refusal``. ``plan`` turns one into steps for the server:
bytes to write, ``Wait`` so many seconds, ``Hang``, ``Reset`` the connection, close its sending half (``HalfClose``) or all of it
(``Close``), or write the same without end (``Flood``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from agentkit.types import TokenLogprob, ToolCall

Fault = Literal[
    "hang_before_headers",
    "hang_mid_stream",
    "reset_before_headers",
    "reset_mid_stream",
    "half_close",
    "bad_json",
    "wrong_content_type",
    "error_in_200",
    "no_usage",
    "no_done",
    "empty_choices",
    "comments",
    "split_utf8",
    "duplicate_chunk",
    "drip",
    "huge",
    "closes",
]
"""How a reply goes wrong or is merely odd.

Odd are ``no_usage``, ``no_done``, ``comments``, ``split_utf8``, ``duplicate_chunk``, and ``closes``: the connection is closed
after the reply, unannounced. A ``huge`` answer never stops growing.
"""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A completion: one ``text`` for every choice, or a tuple with one for each.

    With ``logprobs`` their tokens are the text. ``usage`` is (prompt, completion) tokens, counted in words when None.
    ``delay`` seconds pass before the headers, ``pause`` seconds between chunks (with the fault ``drip``: between bytes).
    """

    text: str | tuple[str, ...] = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    usage: tuple[int, int] | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    finish_reason: str = ""
    delay: float = 0.0
    pause: float = 0.0
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An HTTP error. ``retry_after`` is seconds or an HTTP date, None for no such header."""

    status: int
    message: str = "refused by the script"
    code: str | None = None
    retry_after: float | str | None = None
    delay: float = 0.0


Reply = str | Completion | Refusal


@dataclass(frozen=True)
class Wait:
    """Do nothing for this long."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Say nothing more, but keep the connection."""


@dataclass(frozen=True)
class Reset:
    """Break the connection with a TCP reset."""


@dataclass(frozen=True)
class HalfClose:
    """Stop sending in the middle, still listening."""


@dataclass(frozen=True)
class Close:
    """Close the connection after a whole reply."""


@dataclass(frozen=True)
class Flood:
    """Write this again and again."""

    data: bytes


Step = bytes | Wait | Hang | Reset | HalfClose | Close | Flood

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
"""The time by this server's clock, in every answer."""


def plan(reply: Reply, body: Mapping[str, Any], *, model: str = "fake-model") -> list[Step]:
    """The steps that answer the request ``body`` with ``reply``."""
    if isinstance(reply, Refusal):
        return [Wait(reply.delay), refusal(reply)]
    completion = Completion(text=reply) if isinstance(reply, str) else reply
    if completion.fault == "hang_before_headers":
        return [Wait(completion.delay), Hang()]
    if completion.fault == "reset_before_headers":
        return [Wait(completion.delay), Reset()]
    if completion.fault == "wrong_content_type":
        return [
            Wait(completion.delay),
            response(200, b"<html><body>Welcome!</body></html>", {"Content-Type": "text/html"}),
        ]
    if completion.fault == "huge":
        return [Wait(completion.delay), *_endless(body)]
    answer = _streamed(completion, body, model) if body.get("stream") else _whole(completion, body, model)
    return [Wait(completion.delay), *_broken(completion, answer)]


def refusal(reply: Refusal) -> bytes:
    """The HTTP response of a refusal."""
    error = {"message": reply.message, "type": "error", "param": None, "code": reply.code}
    headers = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
    return response(reply.status, json.dumps({"error": error}).encode(), headers)


def response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP/1.1 response with a body of known length, JSON unless ``headers`` say otherwise."""
    return (
        head(status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}) + body
    )


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """The status line and headers."""
    known = {one.value: one.phrase for one in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {known.get(status, 'Overloaded')}", f"Date: {DATE}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "\r\n"]).encode()


def frame(data: bytes) -> bytes:
    """One chunk of a body of unknown length."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(reply: Completion, body: Mapping[str, Any], model: str) -> list[Step]:
    if reply.fault == "error_in_200":
        payload: dict[str, Any] = {"error": {"message": "the engine died", "type": "server_error", "code": 500}}
    else:
        payload = payload_of(reply, body, model)
    data = json.dumps(payload, ensure_ascii=False).encode()
    if reply.fault == "bad_json":
        data = data[: len(data) // 2]
    answer = response(200, data)
    middle = len(answer) - len(data) // 2
    return [answer[:middle], answer[middle:]]


def _streamed(reply: Completion, body: Mapping[str, Any], model: str) -> list[Step]:
    events = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks_of(reply, body, model)]
    if reply.fault == "bad_json":
        events[len(events) // 2] = 'data: {"choices": [{"delta"\n\n'
    if reply.fault == "error_in_200":
        events[len(events) // 2 :] = ['data: {"error": {"message": "the engine died", "code": 500}}\n\n']
    if reply.fault == "duplicate_chunk":
        events = [*events, events[-1]]
    if reply.fault == "comments":
        events = [f": still working\n\n{event}" for event in events]
    if reply.fault != "no_done":
        events.append("data: [DONE]\n\n")
    headers = {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"}
    start: list[Step] = [head(200, headers)]
    for event in events:
        start += [Wait(reply.pause), b"".join(frame(piece) for piece in _pieces(reply, event.encode()))]
    return [*start, b"0\r\n\r\n"]


def _endless(body: Mapping[str, Any]) -> list[Step]:
    """An answer that begins well and never ends."""
    words = "word " * 4096
    streamed = bool(body.get("stream"))
    start = "" if streamed else '{"choices": [{"index": 0, "message": {"role": "assistant", "content": "'
    more = f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': words}}]})}\n\n" if streamed else words
    kind = "text/event-stream" if streamed else "application/json"
    headers = {"Content-Type": kind, "Transfer-Encoding": "chunked"}
    return [head(200, headers) + (frame(start.encode()) if start else b""), Flood(frame(more.encode()))]


def _pieces(reply: Completion, data: bytes) -> Iterator[bytes]:
    """The event in one piece, or cut so that no two bytes of one character travel together."""
    size = 1 if reply.fault == "split_utf8" else len(data)
    return (data[start : start + size] for start in range(0, len(data), size))


def _broken(reply: Completion, steps: list[Step]) -> list[Step]:
    """The steps up to the middle and the break there, or the steps byte by byte."""
    half = steps[: (len(steps) + 1) // 2]
    if reply.fault == "hang_mid_stream":
        return [*half, Hang()]
    if reply.fault == "reset_mid_stream":
        return [*half, Reset()]
    if reply.fault == "half_close":
        return [*half, HalfClose()]
    if reply.fault == "closes":
        return [*steps, Close()]
    if reply.fault == "drip":
        written = b"".join(step for step in steps if isinstance(step, bytes))
        return [step for byte in written for step in (bytes([byte]), Wait(reply.pause))]
    return steps


def payload_of(reply: Completion, body: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    choices = [
        {"index": number, "message": _message(reply, number), "logprobs": logprobs, "finish_reason": finish_of(reply)}
        for number in _numbers(reply, body)
        for logprobs in [_logprobs(reply.logprobs, body)]
    ]
    usage = {} if reply.fault == "no_usage" else {"usage": usage_of(reply, body)}
    return {**_envelope("chat.completion", body, model), "choices": choices, **usage}


def chunks_of(reply: Completion, body: Mapping[str, Any], model: str) -> list[dict[str, Any]]:
    """The events of a streamed answer: one a word (or a token, where there are logprobs), the end, the usage."""
    envelope = _envelope("chat.completion.chunk", body, model)
    choices = [choice for number in _numbers(reply, body) for choice in _stream_choices(reply, body, number)]
    chunks: list[dict[str, Any]] = [{**envelope, "choices": [choice]} for choice in choices]
    asked = (body.get("stream_options") or {}).get("include_usage")
    if asked and reply.fault != "no_usage":
        chunks.append({**envelope, "choices": [], "usage": usage_of(reply, body)})
    return chunks or [{**envelope, "choices": []}]


def _envelope(kind: str, body: Mapping[str, Any], model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": body.get("model") or model}


def _numbers(reply: Completion, body: Mapping[str, Any]) -> range:
    return range(0 if reply.fault == "empty_choices" else body.get("n") or 1)


def _stream_choices(reply: Completion, body: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    for said, tokens in _said(reply, number):
        yield {"index": number, "delta": said, "logprobs": _logprobs(tokens, body), "finish_reason": None}
    yield {"index": number, "delta": {}, "logprobs": None, "finish_reason": finish_of(reply)}


def _said(reply: Completion, number: int) -> Iterator[tuple[dict[str, Any], tuple[TokenLogprob, ...]]]:
    """The deltas of one choice, each with the log-probabilities of its tokens."""
    yield {"role": "assistant", "content": ""}, ()
    for word in _words(reply.reasoning):
        yield {"reasoning_content": word}, ()
    for token in reply.logprobs:
        yield {"content": token.token}, (token,)
    for word in () if reply.logprobs else _words(_text(reply, number)):
        yield {"content": word}, ()
    for place, call in enumerate(reply.tool_calls):
        opening = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": place, **opening}]}, ()
        for piece in _words(call.arguments):
            yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}, ()


def _logprobs(tokens: tuple[TokenLogprob, ...], body: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"content": [_logprob(token) for token in tokens]} if tokens and body.get("logprobs") else None


def _logprob(token: TokenLogprob) -> dict[str, Any]:
    top = [{"token": text, "logprob": value, "bytes": None} for text, value in token.top]
    return {"token": token.token, "logprob": token.logprob, "bytes": None, "top_logprobs": top}


def _message(reply: Completion, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _text(reply, number) or None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in reply.tool_calls]
    return message


def _tool_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _text(reply: Completion, number: int) -> str:
    if reply.logprobs:
        return "".join(token.token for token in reply.logprobs)
    return reply.text if isinstance(reply.text, str) else reply.text[number]


def _words(text: str) -> list[str]:
    """Pieces that join to ``text``: words with the space after them."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def finish_of(reply: Completion) -> str:
    """The finish reason: the scripted one, else what the reply is."""
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def usage_of(reply: Completion, body: Mapping[str, Any]) -> dict[str, Any]:
    """The usage block: scripted numbers, or words of the messages and pieces of the texts."""
    said = [_text(reply, number) for number in range(body.get("n") or 1)]
    asked = sum(len(str(message.get("content") or "").split()) for message in body.get("messages") or ())
    prompt, completion = reply.usage or (asked, sum(len(_words(text)) for text in said) + len(_words(reply.reasoning)))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
    }
