"""LangChain messages (as dictionaries, as constructors, as ``{type, data}``) and the event logs of LangGraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from agentkit.traces.formats.chat import turns_of
from agentkit.traces.turns import Draft, Turn, TurnResult, call_of, listed, mapping, string, text_of, tools_of

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "function"}
_ROLES |= {"HumanMessage": "user", "AIMessage": "assistant", "SystemMessage": "system", "ToolMessage": "tool"}
_ROLES |= {f"{name}Chunk": role for name, role in tuple(_ROLES.items()) if name.endswith("Message")}
_DEPTH = 8


def knows(data: Any) -> bool:
    """Whether ``data`` holds LangChain messages, or events of a LangGraph."""
    return bool(_messages(data)) or bool(_events(data)) or bool(_updates(data))


def drafts(data: Any) -> list[Draft]:
    """The one talk in ``data``; events without messages give the calls of tools that they tell of."""
    row = mapping(data)
    messages = _messages(data) or _unique(_updates(data)) or _of_events(_events(data))
    turns = turns_of([_plain(one) for one in messages]) if messages else tuple(_tool_turns(_events(data)))
    values = mapping(row.get("values")) or row
    return [
        Draft(
            turns=turns,
            source="langgraph" if not _messages(data) else "langchain",
            task=string(values.get("task")),
            tools=tools_of(row.get("tools")),
            id=string(row.get("id") or row.get("thread_id")),
        )
    ]


def _is_message(one: Any) -> bool:
    data = mapping(one)
    if data.get("type") == "constructor":
        return bool(listed(data.get("id"))) and string(listed(data["id"])[-1]) in _ROLES
    return "role" not in data and string(data.get("type")) in _ROLES and ("content" in data or "data" in data)


def _messages(data: Any) -> Sequence[Any]:
    row = mapping(data)
    values = mapping(row.get("values")) or mapping(row.get("output")) or row
    found = listed(data if isinstance(data, list) else values.get("messages"))
    return found if found and all(map(_is_message, found)) else ()


def _plain(one: Any) -> dict[str, Any]:
    """A LangChain message as a chat message."""
    data = mapping(one)
    kind = string(listed(data.get("id"))[-1]) if data.get("type") == "constructor" else string(data.get("type"))
    inner = mapping(data.get("kwargs")) or mapping(data.get("data")) or data
    more = mapping(inner.get("additional_kwargs"))
    calls = [*listed(inner.get("tool_calls")), *listed(inner.get("invalid_tool_calls"))]
    found = {
        "role": _ROLES.get(kind, kind),
        "content": inner.get("content"),
        "name": inner.get("name"),
        "tool_calls": calls or listed(more.get("tool_calls")),
        "tool_call_id": inner.get("tool_call_id"),
        "reasoning_content": more.get("reasoning_content"),
    }
    if calls:  # the content of some providers repeats the calls as blocks
        found["content"] = text_of(inner.get("content"))
    elif more.get("function_call"):
        found["function_call"] = more["function_call"]
    return {**found, **({"status": inner["status"]} if "status" in inner else {})}


def _events(data: Any) -> Sequence[Mapping[str, Any]]:
    """The events of ``astream_events``: ``{event: on_tool_start, name, run_id, data}``."""
    rows = data if isinstance(data, list) else mapping(data).get("events")
    found = [mapping(one) for one in listed(rows)]
    return found if found and all(string(one.get("event")).startswith("on_") for one in found) else ()


def _updates(data: Any) -> list[Any]:
    """The messages in a stream of updates or values: ``{node: {messages: [...]}}`` a line, or a debug event's payload."""
    rows = data if isinstance(data, list) else [data]
    if _separate(rows):
        return []
    found: list[Any] = []
    for row in map(_state, rows):
        if not isinstance(row, Mapping):
            return []
        found += _inside(row, 0)
    return found


def _state(row: Any) -> Any:
    """The state of a row; a stream of several modes has ``(mode, state)``."""
    return row[1] if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) else row


def _separate(rows: Sequence[Any]) -> bool:
    """Whether rows are talks of their own, not states of one talk, each of which begins with the one before."""
    talks = [listed(mapping(row).get("messages")) for row in rows]
    return all(talks) and any(list(after[: len(before)]) != list(before) for before, after in pairwise(talks))


def _inside(value: Any, depth: int) -> Iterator[Any]:
    if depth > _DEPTH:
        return
    for name, item in mapping(value).items():
        if name == "messages" and listed(item) and all(map(_is_message, listed(item))):
            yield from listed(item)
        else:
            yield from _inside(item, depth + 1)


def _unique(messages: Sequence[Any]) -> list[Any]:
    """Each message once: a stream of values repeats all that were there before."""
    found: dict[str, Any] = {}
    for one in messages:
        plain = _plain(one)
        name = string(mapping(mapping(one).get("kwargs") or mapping(one).get("data") or one).get("id"))
        found.setdefault(name or repr(plain), one)
    return list(found.values())


def _of_events(events: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The messages that went into the models and came out of them and of the tools."""
    found: list[Any] = []
    for one in events:
        data = mapping(one.get("data"))
        kind = string(one.get("event"))
        if kind == "on_chat_model_start":
            rows = listed(mapping(data.get("input")).get("messages"))
            found += rows[0] if rows and isinstance(rows[0], list) else rows
        elif kind in ("on_chat_model_end", "on_tool_end"):
            found.append(data.get("output"))
    return _unique([one for one in found if _is_message(one)])


def _tool_turns(events: Sequence[Mapping[str, Any]]) -> Iterator[Turn]:
    for number, one in enumerate(events):
        data, kind, run = mapping(one.get("data")), string(one.get("event")), string(one.get("run_id"))
        if kind == "on_tool_start":
            call = call_of(one.get("name"), data.get("input"), run)
            yield Turn(agent="assistant", calls=(call,), origin=number)
        elif kind in ("on_tool_end", "on_tool_error"):
            failed = True if kind == "on_tool_error" else None
            back = data.get("error") if failed else data.get("output")
            result = TurnResult(data=back, id=run, name=string(one.get("name")), failed=failed)
            yield Turn(agent="tool", results=(result,), origin=number)
