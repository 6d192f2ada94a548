"""The tools of an agent: made from what the file names, called with checked arguments, their results marked as data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentkit.errors import ConfigError, ToolError, did_you_mean
from agentkit.graph import jsonschema
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.component import check_paths, find, with_paths
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.graph.plain import to_plain
from agentkit.options import Fault, build, check, fields, plainly
from agentkit.protocols import Tool, Toolset
from agentkit.rag.prompt import clean, delimiter
from agentkit.types import JSON, ToolCall

_LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: the text for the model, and whether it ``failed``."""

    text: str
    failed: bool = False


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
                return {"result": to_plain(await self.tools[call.name].call(dict(arguments)))}
            except (ToolError, TimeoutError) as error:
                return {"error": f"{call.name} failed: {str(error) or 'it took too long'}"}

        done = await context.once([call.name, dict(arguments)], work)
        if "error" in done:
            return Outcome(text=_as_data(done["error"], context), failed=True)
        return Outcome(text=_as_data(done.get("result"), context))

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
    for index, item in enumerate(option):
        found = list(_faults_of(item, site))
        faults += [((index, *path), message) for path, message in found]
        if not found:
            made = build(site.registry.get("tool", _name(item)), _options(item), provided={}, models={})
            names += [tool.spec.name for tool in made.tools] if isinstance(made, Toolset) else [made.spec.name]
    twice = sorted({name for name in names if names.count(name) > 1})
    return faults + [((), f"two of the tools are called {name!r}") for name in twice]


def make_tools(option: Sequence[JSON], shop: Workshop) -> Toolbox:
    """The tools of a checked option."""
    tools: list[Tool] = []
    for item in option:
        component = shop.registry.get("tool", _name(item))
        options = with_paths(component.factory, _options(item), shop.folder)
        made = build(component, options, provided=shop.provided, models={})
        tools += made.tools if isinstance(made, Toolset) else [made]
    return Toolbox(tools={tool.spec.name: tool for tool in tools})


def _faults_of(item: JSON, site: Site) -> Iterator[Fault]:
    if not _name(item):
        yield (), f"a tool is its name or {{use: name, ...}}, not {plainly(item)}"
        return
    factory, missing = find(site.registry, "tool", _name(item))
    yield from (((), message) for _, message in missing)
    if factory is None:
        return
    if any(one.model for one in fields(factory).values()):
        yield (), f"the tool {_name(item)!r} asks a model, which the tools of an agent cannot have"
        return
    faults = check(factory, _options(item)) + check_paths(factory, _options(item), site.folder)
    yield from faults
    if not faults:
        try:
            build(site.registry.get("tool", _name(item)), _options(item), provided={}, models={})
        except ConfigError as error:
            yield (), str(error)


def _name(item: JSON) -> str:
    name = item.get("use") if isinstance(item, Mapping) else item
    return name if isinstance(name, str) else ""


def _options(item: JSON) -> dict[str, JSON]:
    return {name: value for name, value in item.items() if name != "use"} if isinstance(item, Mapping) else {}


def _as_data(value: JSON, context: NodeContext) -> str:
    """A result as text between fences that it cannot imitate: it is something to read, and gives no orders."""
    mark = delimiter(context.fence)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = re.sub(re.escape(mark), "█", clean(text), flags=re.IGNORECASE)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}\n[cut: {len(text) - _LONGEST:,} more characters]"
    return f"(result {mark})\n{text}\n(end of result {mark})"
