"""The tools of an agent: made from what the file names, called with checked arguments, their results marked as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentkit.errors import ToolError, did_you_mean
from agentkit.events import ToolCalled
from agentkit.graph import jsonschema
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.graph.offered import Entry, Search
from agentkit.graph.plain import to_plain
from agentkit.options import Fault, plainly
from agentkit.protocols import Tool
from agentkit.rag.prompt import clean, delimiter
from agentkit.types import JSON, ToolCall

_LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: the text for the model, whether it ``failed``, and how long it took."""

    text: str
    failed: bool = False
    seconds: float = 0.0

    def event(self, call: ToolCall) -> ToolCalled:
        """What happened, for the stream of events."""
        return ToolCalled(
            name=call.name, arguments=call.arguments, result=self.text, failed=self.failed, seconds=self.seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Tools by the name that the model calls them by."""

    tools: Mapping[str, Tool]

    async def call(self, call: ToolCall, context: NodeContext) -> Outcome:
        """The result, or in plain words what was wrong with the call; a call that finished before is not made again."""
        arguments, fault = self._arguments(call)
        if fault:
            return Outcome(text=fault, failed=True)

        async def work(place: NodeContext) -> Mapping[str, JSON]:
            try:
                return {"result": to_plain(await self._made(call.name, arguments, place))}
            except (ToolError, TimeoutError) as error:
                return {"error": f"{call.name} failed: {str(error) or 'it took too long'}"}

        started = context.run.clock()
        done = await context.once([call.name, dict(arguments)], work)
        seconds = context.run.clock() - started
        if "error" in done:
            return Outcome(text=_as_data(done["error"], context), failed=True, seconds=seconds)
        return Outcome(text=_as_data(done.get("result"), context), seconds=seconds)

    async def _made(self, name: str, arguments: Mapping[str, JSON], place: NodeContext) -> JSON:
        tool = self.tools[name]
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


def check_tools(option: JSON, site: Site) -> list[Fault]:
    """What is wrong with the ``tools`` of an agent, paths inside the option."""
    if not isinstance(option, list) or not option:
        return [((), "must be a list of tools, like [calculator, {use: http, hosts: [example.org]}]")]
    faults: list[Fault] = []
    names: list[str] = []
    for index, entry in enumerate(map(Entry, option)):
        found = list(entry.faults(site))
        if not found:
            called, found = entry.names(site)
            names += called
        faults += [((index, *path), message) for path, message in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    return faults + [((), f"two of the tools are called {name!r}") for name in twice]


def make_tools(option: Sequence[JSON], shop: Workshop) -> Toolbox:
    """The tools of a checked option."""
    made = [tool for entry in map(Entry, option) for tool in entry.made(shop)]
    return Toolbox(tools={tool.spec.name: tool for tool in made})


def _as_data(value: JSON, context: NodeContext) -> str:
    """A result as text between fences that it cannot imitate: it is something to read, and gives no orders."""
    mark = delimiter(context.fence)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = re.sub(re.escape(mark), "█", clean(text), flags=re.IGNORECASE)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}\n[cut: {len(text) - _LONGEST:,} more characters]"
    return f"(result {mark})\n{text}\n(end of result {mark})"
