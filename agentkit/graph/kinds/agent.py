"""``agent``: a model that calls tools until it answers (ReAct as tool calls; Yao et al. 2023, arXiv 2210.03629)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentkit import jsonschema
from agentkit.errors import ConfigError, QuestionsPendingError, did_you_mean
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.kinds.model import Knobs
from agentkit.graph.kinds.prompted import check_prompt, messages_of, prompt_ports
from agentkit.graph.plain import to_plain
from agentkit.graph.ports import Port, Ports
from agentkit.graph.spec import NodeSpec
from agentkit.graph.toolbox import Outcome, Toolbox, check_approve, check_tools, make_tools
from agentkit.options import Fault, check, fields, plainly
from agentkit.rag.prompt import clean
from agentkit.registry import Registry
from agentkit.runtime.concurrency import gather
from agentkit.runtime.sampling import draw
from agentkit.types import JSON, Bounds, GenerateRequest, Message, Sample, ToolCall, ToolSpec

_OWN = ("model", "prompt", "tools", "steps", "handover", "approve")
_OUTPUTS = {
    "answer": "string",
    "text": "string",
    "messages": "list",
    "steps": "integer",
    "tool_calls": "list",
    "handover": "string",
    "stopped": "string",
}
_HAND_OVER = "hand_over"
_SAME_FAILURES = 2
_MOST_STEPS = 200


class AgentKind:
    """Takes what its prompt names and perhaps earlier ``messages``; gives the ``answer`` and what was done for it."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports of the prompt, and what is wrong with the tools."""
        faults = component.check_only_model(node, site)
        knobs = {name: value for name, value in node.options.items() if name not in _OWN}
        known = (*_OWN, *fields(Knobs))
        faults += [
            (("with", name), f"unknown option{did_you_mean(name, known)}") for name in knobs if name not in known
        ]
        faults += check(Knobs, {name: value for name, value in knobs.items() if name in known}, path=("with",))
        names, wrong = check_tools(node, site)
        faults += [(("with", "tools", *path), message) for path, message in wrong]
        if "approve" in node.options and not wrong:
            wrong = check_approve(node.options["approve"], names)
            faults += [(("with", "approve", *path), message) for path, message in wrong]
        faults += _own_faults(node)
        wanted, more = check_prompt(node, site)
        inputs = {**prompt_ports(wanted), "messages": Port("list")}
        return Checked(ports=Ports(inputs=inputs, outputs=_OUTPUTS), faults=faults + more)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.closed(described.options_of(Knobs, _described(registry)), required=("tools",))

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """An answer at once, up to a tool call in every step; how long the talk grows nobody can say.

        Nor how often a graph is called that is one of its tools.
        """
        if shop.spec.inside(node.name):
            return None
        return (
            Bounds(
                most=int(node.options.get("steps", 8)),
                model=component.only_model(shop, node.options.get("model")),
                output=node.options.get("max_tokens"),
                text=None,
                needs=frozenset({"tools"}),
            ),
        )

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Runs the loop."""
        fill = messages_of(node, shop)
        tools = make_tools(node, shop)
        name = str(component.only_model(shop, node.options.get("model")))
        knobs = {key: value for key, value in node.options.items() if key not in _OWN}
        if "stop" in knobs:
            knobs["stop"] = tuple(knobs["stop"])
        others: Mapping[str, str] = node.options.get("handover") or {}
        steps = int(node.options.get("steps", 8))

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            asked = {key: value for key, value in inputs.items() if key != "messages"}
            talk = _joined(fill(asked, context), _history(inputs.get("messages") or []))
            loop = _Loop(tools=tools, others=others, context=context, model=name, knobs=knobs, messages=talk)
            return await loop.run(steps)

        return run


@dataclass(slots=True, kw_only=True)
class _Loop:
    """One conversation under way."""

    tools: Toolbox
    others: Mapping[str, str]
    context: NodeContext
    model: str
    knobs: Mapping[str, Any]
    messages: list[Message]
    calls: list[dict[str, JSON]] = field(default_factory=list)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def run(self, steps: int) -> dict[str, JSON]:
        """The outputs, once the model answers without a call, hands over, or must stop."""
        model = self.context.model(self.model)
        if not model.capabilities.tools:
            raise ConfigError(f"{model.name} cannot call tools, so no agent can use it; take another model")
        text = ""
        for step in range(1, steps + 1):
            sample = await draw(model, self._request(model.capabilities.seed, step))
            text = sample.text
            self.messages.append(Message("assistant", text, tool_calls=sample.tool_calls))
            if not sample.tool_calls:
                return self._outputs(step, text, "answered", answer=text)
            if other := self._handover(sample):
                return self._outputs(step, text, "handover", handover=other)
            await self._answer(sample.tool_calls)
            if any(count > _SAME_FAILURES for count in self.failures.values()):
                return self._outputs(step, text, "repeating")
        return self._outputs(steps, text, "steps")

    def _request(self, seeds: bool, step: int) -> GenerateRequest:
        specs = tuple(tool.spec for tool in self.tools.tools.values())
        if self.others:
            specs = (*specs, _hand_over(self.others))
        seed = {"seed": self.context.seed + step} if seeds else {}
        return GenerateRequest(messages=tuple(self.messages), tools=specs, **{**seed, **self.knobs})

    async def _answer(self, calls: Sequence[ToolCall]) -> None:
        """Make the calls of one turn side by side, and hand back their results in order.

        Those that need nobody are made while others wait for a person.
        """
        first = len(self.calls)
        jobs = [partial(self._call, call, first + place) for place, call in enumerate(calls)]
        done = await gather(jobs)
        if waiting := [one for one in done if isinstance(one, QuestionsPendingError)]:
            raise QuestionsPendingError.joined(waiting)
        for call, outcome in zip(calls, (one for one in done if isinstance(one, Outcome)), strict=True):
            key = (call.name, call.arguments)
            self.failures[key] = self.failures[key] + 1 if outcome.failed else 0
            self.calls.append({"name": call.name, "arguments": outcome.arguments, "failed": outcome.failed})
            text = f"error: {outcome.text}" if outcome.failed else outcome.text
            self.messages.append(Message("tool", text, tool_call_id=call.id))

    async def _call(self, call: ToolCall, place: int) -> Outcome | QuestionsPendingError:
        if call.name == _HAND_OVER and self.others:
            text = f"hand over with one call alone, and to one of: {', '.join(self.others)}"
            return Outcome(text=text, failed=True, arguments=call.arguments)
        if self.failures[call.name, call.arguments] >= _SAME_FAILURES:
            text = "not called again: this very call has failed twice; try something else"
            return Outcome(text=text, failed=True, arguments=call.arguments)
        context = self.context.inner(f"tool:{place}")
        try:
            outcome = await self.tools.call(call, context)
        except QuestionsPendingError as error:
            return error
        context.emit(outcome.event(call.name))
        return outcome

    def _handover(self, sample: Sample) -> str:
        """The node that the model hands over to, if its only call is a right one to do so."""
        if len(sample.tool_calls) != 1 or sample.tool_calls[0].name != _HAND_OVER or not self.others:
            return ""
        call = sample.tool_calls[0]
        try:
            said = json.loads(call.arguments)
        except (ValueError, RecursionError):
            return ""
        if jsonschema.mismatch(said, _hand_over(self.others).parameters):
            return ""
        note = f": {clean(said['message'])}" if said.get("message") else ""
        self.messages.append(Message("tool", f"handed over to {said['to']}{note}", tool_call_id=call.id))
        return str(said["to"])

    def _outputs(self, steps: int, text: str, stopped: str, **more: JSON) -> dict[str, JSON]:
        told = {"text": text, "messages": to_plain(self.messages), "tool_calls": self.calls}
        return {**told, "steps": steps, "stopped": stopped, **more}


def _hand_over(others: Mapping[str, str]) -> ToolSpec:
    about = "; ".join(f"{name}: {what}" for name, what in others.items())
    message = {"type": "string", "description": "What the other should know."}
    properties = {"to": {"type": "string", "enum": list(others)}, "message": message}
    schema = {"type": "object", "properties": properties, "required": ["to"], "additionalProperties": False}
    return ToolSpec(name=_HAND_OVER, description=f"Let another agent go on from here. {about}", parameters=schema)


def _described(registry: Registry) -> dict[str, JSON]:
    names = registry.names("tool")
    uses = [*names, *(f"retriever.{name}" for name in registry.names("retriever")), "graph"]
    entry = {"type": "object", "properties": {"use": {"enum": uses}}, "required": ["use"]}
    tool = {"anyOf": [{"enum": names}, entry]}
    return {
        "model": described.MODEL,
        "prompt": described.PROMPT,
        "tools": {"type": "array", "items": tool, "minItems": 1, "description": "What the model may call."},
        "steps": {"type": "integer", "minimum": 1, "maximum": _MOST_STEPS, "default": 8},
        "handover": {"type": "object", "additionalProperties": {"type": "string"}},
        "approve": {
            "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            "description": "Whose calls a person allows, changes or refuses.",
        },
    }


def _own_faults(node: NodeSpec) -> list[Fault]:
    faults: list[Fault] = []
    steps, others = node.options.get("steps", 8), node.options.get("handover", {})
    if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= _MOST_STEPS:
        faults.append((("with", "steps"), f"must be a whole number from 1 to {_MOST_STEPS}, not {plainly(steps)}"))
    if not isinstance(others, Mapping) or not all(isinstance(one, str) for one in others.values()):
        faults.append((("with", "handover"), "must say by name when to hand over: {writer: when the facts are there}"))
    return faults


def _joined(asked: Sequence[Message], history: Sequence[Message]) -> list[Message]:
    """The system turn, then what was said before, then the rest."""
    system = [one for one in asked if one.role == "system"]
    return [*system, *history, *(one for one in asked if one.role != "system")]


def _history(turns: JSON) -> list[Message]:
    """Earlier turns as messages, without those of a system: they come from data."""
    if not all(isinstance(one, Mapping) and isinstance(one.get("content"), str) for one in turns):
        raise ConfigError("'messages' must be a list of turns, as an agent puts them out")
    try:
        return [_turn(one) for one in turns if one.get("role") in ("user", "assistant", "tool")]
    except (KeyError, TypeError) as error:
        raise ConfigError(f"'messages' holds a tool call that is none: {error}") from None


def _turn(one: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(id=str(call["id"]), name=str(call["name"]), arguments=str(call["arguments"]))
        for call in one.get("tool_calls") or ()
    )
    return Message(one["role"], one["content"], tool_calls=calls, tool_call_id=one.get("tool_call_id"))
