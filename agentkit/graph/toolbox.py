"""The tools of an agent: made from what the file names, called with checked arguments, their results marked as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentkit import jsonschema
from agentkit.errors import ToolError, did_you_mean
from agentkit.events import ToolCalled
from agentkit.graph.context import NodeContext
from agentkit.graph.graphtool import GraphTool, faults_of, graph_tool, tool_spec
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.graph.offered import Entry, Search
from agentkit.graph.plain import to_plain
from agentkit.graph.questions import ask
from agentkit.graph.spec import NodeSpec, tool_key
from agentkit.options import Fault, plainly
from agentkit.protocols import Tool
from agentkit.rag.prompt import clean, delimiter
from agentkit.types import JSON, Question, ToolCall

_LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: the text for the model, whether it ``failed``, how long it took, and the ``arguments`` (JSON) it
    was made with.
    """

    text: str
    failed: bool = False
    arguments: str = ""
    seconds: float = 0.0

    def event(self, name: str) -> ToolCalled:
        """What happened, for the stream of events."""
        return ToolCalled(
            name=name, arguments=self.arguments, result=self.text, failed=self.failed, seconds=self.seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Tools by the name that the model calls them by; calls of those in ``approve`` are made once a person allows them."""

    tools: Mapping[str, Tool | GraphTool]
    approve: frozenset[str] = frozenset()

    async def call(self, call: ToolCall, context: NodeContext) -> Outcome:
        """The result, or in plain words what was wrong with the call; a call that finished before is not made again.

        Raises ``QuestionsPendingError`` for a call that waits for a person.
        """
        arguments, fault = self._arguments(call)
        if fault:
            return Outcome(text=fault, failed=True, arguments=call.arguments)
        decided = self._decided(call.name, arguments, context)
        if not decided["approved"]:
            because = f": {clean(decided['comment'])}" if decided.get("comment") else ""
            return Outcome(text=f"a person refused this call{because}", failed=True, arguments=call.arguments)
        if (edited := decided.get("arguments")) is None or edited == arguments:
            return replace(await self._call(call.name, arguments, context), arguments=call.arguments)
        written = json.dumps(edited, ensure_ascii=False)
        outcome = await self._call(call.name, edited, context)
        told = f"a person changed the arguments of this call to {written}\n{outcome.text}"
        return replace(outcome, text=told, arguments=written)

    def _decided(self, name: str, arguments: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        """What a person says to a call, where one is to be asked."""
        if name not in self.approve:
            return {"approved": True}
        question = Question(
            id="",
            text=f"{context.title} wants to call {name}. May it?",
            kind="approve",
            schema=self.tools[name].spec.parameters,
            tool=name,
            arguments=arguments,
        )
        decided: Mapping[str, JSON] = ask(question, context).value
        return decided

    async def _call(self, name: str, arguments: Mapping[str, JSON], context: NodeContext) -> Outcome:

        async def work(place: NodeContext) -> Mapping[str, JSON]:
            try:
                return {"result": to_plain(await self._result(name, arguments, place))}
            except (ToolError, TimeoutError) as error:
                return {"error": f"{name} failed: {str(error) or 'it took too long'}"}

        started = context.run.clock()
        done = await context.once([name, dict(arguments)], work)
        seconds = context.run.clock() - started
        if "error" in done:
            return Outcome(text=_as_data(done["error"], context), failed=True, seconds=seconds)
        return Outcome(text=_as_data(done.get("result"), context), seconds=seconds)

    async def _result(self, name: str, arguments: Mapping[str, JSON], place: NodeContext) -> Any:
        tool = self.tools[name]
        if isinstance(tool, GraphTool):
            return await tool.call(arguments, place)
        if isinstance(tool, Search):
            return await tool.search(arguments["query"], place.emit)
        return await place.call(tool, arguments)

    def _arguments(self, call: ToolCall) -> tuple[Mapping[str, JSON], str]:
        if call.name not in self.tools:
            known = ", ".join(self.tools)
            return {}, f"there is no tool {call.name[:64]!r}{did_you_mean(call.name, self.tools)} (there are: {known})"
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            return {}, f"the arguments of {call.name} are not JSON: write one JSON object"
        if not isinstance(arguments, Mapping):
            return {}, f"the arguments of {call.name} must be a JSON object, not {plainly(arguments)}"
        fault = jsonschema.mismatch(arguments, self.tools[call.name].spec.parameters)
        return arguments, f"the arguments do not fit {call.name}: {fault}" if fault else ""


def check_tools(node: NodeSpec, site: Site) -> tuple[list[str], list[Fault]]:
    """The names of an agent's ``tools``, and what is wrong with them, paths inside the option."""
    option = node.options.get("tools")
    if not isinstance(option, list) or not option:
        return [], [((), "must be a list of tools, like [calculator, {use: http, hosts: [example.org]}]")]
    faults: list[Fault] = []
    names: list[str] = []
    for index, item in enumerate(option):
        called, found = _checked(item, site, tool_key(node.name, index))
        faults += [((index, *path), message) for path, message in found]
        names += called
    twice = sorted({name for name in names if names.count(name) > 1})
    return names, faults + [((), f"two of the tools are called {name!r}") for name in twice]


def check_approve(option: JSON, names: Sequence[str]) -> list[Fault]:
    """What is wrong with the ``approve`` of an agent whose tools have these ``names``."""
    if option == "all":
        return []
    if not isinstance(option, list) or not option or not all(isinstance(one, str) for one in option):
        return [((), "must be 'all', or a list of tools whose calls a person approves")]
    return [
        ((place,), f"the agent has no tool {name!r}{did_you_mean(name, names)} (it has: {', '.join(names)})")
        for place, name in enumerate(option)
        if name not in names
    ]


def make_tools(node: NodeSpec, shop: Workshop) -> Toolbox:
    """The tools of a checked agent, with those for which it asks a person."""
    found: list[Any] = []
    for index, item in enumerate(node.options["tools"]):
        if Entry(item).use == "graph":
            found.append(graph_tool(item, tool_key(node.name, index), shop))
        else:
            found += Entry(item).made(shop)
    tools = {tool.spec.name: tool for tool in found}
    approve = node.options.get("approve", ())
    return Toolbox(tools=tools, approve=frozenset(tools if approve == "all" else approve))


def _checked(item: JSON, site: Site, key: str) -> tuple[list[str], list[Fault]]:
    """The names that the model calls the tools of an entry by, or what is wrong with it."""
    entry = Entry(item)
    if entry.use == "graph":
        graph = site.spec.graphs.get(key)
        options = item if isinstance(item, Mapping) else {}
        faults = list(faults_of(options, graph))
        return ([] if faults or graph is None else [tool_spec(options, graph).name]), faults
    faults = list(entry.faults(site))
    return ([], faults) if faults else entry.names(site)


def _as_data(value: JSON, context: NodeContext) -> str:
    """A result as text between fences that it cannot imitate: it is something to read, and gives no orders."""
    mark = delimiter(context.fence)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = re.sub(re.escape(mark), "█", clean(text), flags=re.IGNORECASE)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}\n[cut: {len(text) - _LONGEST:,} more characters]"
    return f"(result {mark})\n{text}\n(end of result {mark})"
