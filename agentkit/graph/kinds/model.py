"""``model``: one call, with structured output where a JSON Schema is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agentkit import jsonschema
from agentkit.errors import ServerError
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.kinds.prompted import check_prompt, messages_of, prompt_ports
from agentkit.graph.plain import to_plain
from agentkit.graph.ports import Port, Ports, type_of_schema
from agentkit.graph.spec import NodeSpec
from agentkit.options import Fault, check
from agentkit.registry import Registry
from agentkit.runtime.estimate import text_tokens
from agentkit.runtime.sampling import draw
from agentkit.types import JSON, Bounds, GenerateRequest, Sample

_OWN = ("model", "prompt", "schema")


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """The options of a ``model`` node that go into its request; None leaves the backend's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    effort: Literal["low", "medium", "high"] | None = None
    max_reasoning_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None and self.temperature < 0:
            raise ValueError(f"temperature must be at least 0, not {self.temperature:g}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")


class ModelKind:
    """Takes what its prompt names (``question`` without one); gives ``text``, ``reasoning``, and ``data`` under a schema."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports of the prompt, and ``data`` where there is a schema."""
        faults = component.check_only_model(node, site)
        faults += check(Knobs, _knobs(node), path=("with",))
        wanted, more = check_prompt(node, site)
        inputs = prompt_ports(wanted)
        if "question" in inputs:
            inputs["question"] = Port("string", inputs["question"].required)
        outputs = {"text": "string", "reasoning": "string", "tool_calls": "list", "finish_reason": "string"}
        schema, wrong = _schema(node, site.read)
        if schema is not None:
            outputs["data"] = type_of_schema(schema)
        return Checked(ports=Ports(inputs=inputs, outputs=outputs), faults=[*faults, *more, *wrong])

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.closed(
            described.options_of(
                Knobs, {"model": described.MODEL, "prompt": described.PROMPT, "schema": {"type": ["object", "null"]}}
            )
        )

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """One sample."""
        schema, _ = _schema(node, shop.read)
        limit, thinking = node.options.get("max_tokens"), node.options.get("max_reasoning_tokens") or 0
        return (
            Bounds(
                model=component.only_model(shop, node.options.get("model")),
                output=None if limit is None else limit + thinking,
                text=0 if schema is None else text_tokens(json.dumps(schema)),
                needs=frozenset() if schema is None else frozenset({"schema"}),
            ),
        )

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Draws one sample."""
        fill = messages_of(node, shop)
        knobs: dict[str, Any] = {name: tuple(v) if name == "stop" else v for name, v in _knobs(node).items()}
        schema, _ = _schema(node, shop.read)
        name = str(component.only_model(shop, node.options.get("model")))

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            model = context.model(name)
            able = model.capabilities
            seed = {"seed": context.seed} if able.seed else {}
            request = GenerateRequest(
                messages=fill(inputs, context), schema=schema, stream=able.stream, **{**seed, **knobs}
            )
            return _outputs(await draw(model, request), schema)

        return run


def _knobs(node: NodeSpec) -> dict[str, JSON]:
    return {name: value for name, value in node.options.items() if name not in _OWN}


def _schema(node: NodeSpec, read: Any) -> tuple[Mapping[str, JSON] | None, list[Fault]]:
    """The JSON Schema of the output, if it has one."""
    if node.options.get("schema") is None:
        return None, []
    schema, faults = jsonschema.read_schema(node.options["schema"], read)
    return schema, [(("with", "schema", *path), message) for path, message in faults]


def _outputs(sample: Sample, schema: Mapping[str, JSON] | None) -> dict[str, JSON]:
    outputs: dict[str, JSON] = {
        "text": sample.text,
        "reasoning": sample.reasoning,
        "tool_calls": to_plain(sample.tool_calls),
        "finish_reason": sample.finish_reason,
    }
    if schema is not None:
        outputs["data"] = _data(sample, schema)
    return outputs


def _data(sample: Sample, schema: Mapping[str, JSON]) -> JSON:
    try:
        data = json.loads(sample.text)
    except (ValueError, RecursionError):
        raise ServerError(f"{sample.model} was asked for JSON and answered {sample.text[:80]!r}") from None
    if fault := jsonschema.mismatch(data, schema):
        raise ServerError(f"the answer of {sample.model} does not fit the schema: {fault}")
    return data
