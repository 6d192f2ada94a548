"""Chat messages as OpenAI, Anthropic and those who imitate them write them, mixed as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentkit.traces.turns import (
    Draft,
    Turn,
    TurnCall,
    TurnResult,
    call_of,
    listed,
    mapping,
    string,
    text_of,
    tools_of,
)

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function", "model"})
_ITEMS = frozenset({"function_call", "function_call_output", "reasoning", "message"})
_KEYS = ("messages", "trajectory", "traj", "conversation", "input")
_TASKS = ("task", "question", "instruction")


def knows(data: Any) -> bool:
    """Whether ``data`` is a list of messages, or a mapping that holds one under a usual name."""
    return bool(_messages(data))


def drafts(data: Any) -> list[Draft]:
    """The one talk in ``data``."""
    row = mapping(data)
    answer = mapping(listed(row.get("choices"))[0] if listed(row.get("choices")) else None).get("message")
    messages = [*_messages(data), *([answer] if isinstance(answer, Mapping) else [])]
    turns = turns_of(messages)
    system = text_of(row.get("system"))
    return [
        Draft(
            turns=turns,
            source="anthropic" if _anthropic(messages) else "openai",
            task=next((row[key] for key in _TASKS if isinstance(row.get(key), str)), ""),
            policy="\n\n".join(part for part in (text_of(row.get("policy")), system) if part),
            tools=tools_of(row.get("tools") or row.get("functions")),
            id=string(row.get("id")),
        )
    ]


def turns_of(messages: Sequence[Any], origin: int = 0) -> tuple[Turn, ...]:
    """A turn a message; ``origin`` is the number of the first."""
    return tuple(_turn(mapping(one), origin + place) for place, one in enumerate(messages))


def is_message(one: Any) -> bool:
    """Whether it has a role, or is an item of the Responses API."""
    data = mapping(one)
    return string(data.get("role")) in _ROLES or (string(data.get("type")) in _ITEMS and "role" not in data)


def _messages(data: Any) -> Sequence[Any]:
    row = mapping(data)
    found = data if isinstance(data, list) else next((row[key] for key in _KEYS if isinstance(row.get(key), list)), [])
    return found if found and all(isinstance(one, Mapping) for one in found) and any(map(is_message, found)) else ()


def _anthropic(messages: Sequence[Any]) -> bool:
    kinds = {string(mapping(block).get("type")) for one in messages for block in listed(mapping(one).get("content"))}
    return bool(kinds & {"tool_use", "tool_result", "thinking"})


def _turn(one: Mapping[str, Any], origin: int) -> Turn:
    if string(one.get("type")) in _ITEMS - {"message"} and "role" not in one:
        return _item(one, origin)
    role = string(one.get("role"))
    agent = {"developer": "system", "model": "assistant"}.get(role, role)
    named = string(one.get("name"))
    if role in ("tool", "function"):
        result = TurnResult(
            data=_content(one.get("content")), id=string(one.get("tool_call_id")), name=named, failed=_failed(one)
        )
        return Turn(agent="tool", results=(result,), origin=origin)
    return Turn(
        agent=named or agent,
        text=text_of(one.get("content")),
        calls=tuple(_calls(one)),
        results=tuple(_results(one.get("content"))),
        thought=string(one.get("reasoning_content")) or _thought(one.get("content")),
        origin=origin,
    )


def _item(one: Mapping[str, Any], origin: int) -> Turn:
    """An item of the Responses API: a call, its output, or a summary of reasoning."""
    if one["type"] == "function_call":
        call = call_of(one.get("name"), one.get("arguments"), one.get("call_id"))
        return Turn(agent="assistant", calls=(call,), origin=origin)
    if one["type"] == "function_call_output":
        result = TurnResult(data=_content(one.get("output")), id=string(one.get("call_id")))
        return Turn(agent="tool", results=(result,), origin=origin)
    return Turn(agent="assistant", text=text_of(one.get("summary")), kind="thought", origin=origin)


def _calls(one: Mapping[str, Any]) -> list[TurnCall]:
    found = [_call(mapping(call)) for call in listed(one.get("tool_calls"))]
    if legacy := mapping(one.get("function_call")):
        found.append(call_of(legacy.get("name"), legacy.get("arguments")))
    for block in map(mapping, listed(one.get("content"))):
        if string(block.get("type")) in ("tool_use", "server_tool_use"):
            found.append(call_of(block.get("name"), block.get("input"), block.get("id")))
    return found


def _call(call: Mapping[str, Any]) -> TurnCall:
    """OpenAI nests the function; ours and LangChain's are flat."""
    inner = mapping(call.get("function"))
    if inner:
        return call_of(inner.get("name"), inner.get("arguments"), call.get("id"))
    name = call.get("name") or call.get("function")
    arguments = next((call[key] for key in ("arguments", "args", "input", "kwargs") if key in call), None)
    return call_of(name, arguments, call.get("id"))


def _results(content: Any) -> list[TurnResult]:
    blocks = [mapping(block) for block in listed(content)]
    return [
        TurnResult(
            data=_content(block.get("content")),
            id=string(block.get("tool_use_id")),
            failed=bool(block["is_error"]) if "is_error" in block else None,
        )
        for block in blocks
        if string(block.get("type")).endswith("tool_result")
    ]


def _thought(content: Any) -> str:
    blocks = [mapping(block) for block in listed(content)]
    thoughts = [string(one.get("thinking") or one.get("reasoning")) for one in blocks]
    return "\n".join(thought for thought in thoughts if thought)


def _content(content: Any) -> Any:
    return text_of(content) if listed(content) and text_of(content) else content


def _failed(one: Mapping[str, Any]) -> bool | None:
    if isinstance(one.get("status"), str):
        return bool(one["status"] == "error")
    return True if one.get("is_error") is True or one.get("error") else None
