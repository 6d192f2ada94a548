"""Our own runs, as ``agentkit runs export`` writes them: what the agents said and called, and what the other nodes put out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from agentkit.traces.formats.chat import is_message, turns_of
from agentkit.traces.turns import Draft, Turn, TurnResult, call_of, listed, mapping, string, tools_of

_QUIET = ("set", "template")


def knows(data: Any) -> bool:
    """Whether ``data`` is the export of a run."""
    row = mapping(data)
    return "id" in mapping(row.get("run")) and isinstance(row.get("events"), list)


def drafts(data: Any) -> list[Draft]:
    """The one run in ``data``."""
    row = mapping(data)
    run = mapping(row["run"])
    events = [mapping(one) for one in listed(row.get("events"))]
    inputs = mapping(run.get("inputs"))
    texts = [value for value in inputs.values() if isinstance(value, str)]
    task = texts[0] if len(inputs) == 1 and texts else json.dumps(inputs, ensure_ascii=False, default=str)
    turns = tuple(replace(turn, origin=number) for number, turn in enumerate(_turns(events)))
    return [
        Draft(
            turns=turns,
            source="agentkit",
            task=task,
            policy="\n\n".join(turn.text for turn in turns if turn.agent == "system"),
            tools=_tools(events),
            id=string(run.get("id")),
            metadata={"graph": string(run.get("graph")), "status": string(run.get("status"))},
        )
    ]


def _turns(events: list[Mapping[str, Any]]) -> Iterator[Turn]:
    talking = {_visit(one) for one in events if _talk(one)}
    for number, event in enumerate(events):
        kind, visit = string(event.get("event")), _visit(event)
        if kind == "NodeFinished":
            yield from _finished(event)
        elif visit in talking:
            continue
        elif kind == "SampleDrawn" and event.get("text"):
            yield Turn(agent=visit[0], text=string(event.get("text")))
        elif kind == "ToolCalled":
            yield from _called(event, visit[0], f"{visit[0]}:{number}")
        elif kind == "DocumentsRetrieved":
            yield Turn(agent=visit[0], calls=(call_of("retrieve", {"query": event.get("query")}),))


def _finished(event: Mapping[str, Any]) -> Iterator[Turn]:
    node, outputs = _visit(event)[0], mapping(event.get("outputs"))
    if event.get("skipped"):
        return
    if talk := _talk(event):
        for turn in turns_of(talk):
            yield replace(turn, agent=node) if turn.agent == "assistant" else turn
    elif outputs and not string(event.get("use")).startswith(_QUIET):
        result = TurnResult(data={name: value for name, value in outputs.items() if name != "samples"})
        yield Turn(agent=node, results=(replace(result, name=string(event.get("use"))),))
    if event.get("error"):
        yield Turn(agent=node, text=string(event["error"]), kind="error")


def _called(event: Mapping[str, Any], node: str, call: str) -> Iterator[Turn]:
    name = string(event.get("name"))
    yield Turn(agent=node, calls=(call_of(name, event.get("arguments"), call),))
    back = TurnResult(data=event.get("result"), id=call, name=name, failed=bool(event.get("failed", False)))
    yield Turn(agent="tool", results=(back,))


def _talk(event: Mapping[str, Any]) -> list[Any]:
    """The messages that an agent put out."""
    found = mapping(event.get("outputs")).get("messages") if event.get("event") == "NodeFinished" else None
    return list(listed(found)) if listed(found) and all(map(is_message, listed(found))) else []


def _tools(events: list[Mapping[str, Any]]) -> tuple[Any, ...]:
    told = (mapping(one.get("outputs")).get("tools") for one in events)
    return tuple({tool.name: tool for one in told for tool in tools_of(one)}.values())


def _visit(event: Mapping[str, Any]) -> tuple[str, int]:
    scope = mapping(event.get("scope"))
    visit = scope.get("visit", 0)
    return string(scope.get("node")) or "run", visit if isinstance(visit, int) else 0
