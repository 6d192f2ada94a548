"""Values at the borders of a graph and of its nodes: inputs checked, references followed, outputs collected."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.errors import ConfigError, InputError, did_you_mean
from agentkit.graph.plain import documents, to_plain
from agentkit.graph.ports import fits, type_of_value
from agentkit.graph.spec import INPUTS, Binding, Constant, GraphSpec
from agentkit.options import plainly
from agentkit.types import JSON

Values = Mapping[str, Mapping[str, JSON]]
"""What references see: outputs by node and port, the graph's inputs under their own name."""


def resolve(binding: Binding, values: Values) -> JSON:
    """The first value of a binding that is present, or None."""
    for one in binding:
        value = one.value if isinstance(one, Constant) else values.get(one.node, {}).get(one.port)
        if value is not None:
            return value
    return None


def graph_outputs(spec: GraphSpec, inputs: Mapping[str, JSON], outputs: Values) -> dict[str, JSON]:
    """The outputs of the graph as far as they exist; None for the others."""
    values = {INPUTS: inputs, **outputs}
    return {name: resolve(binding, values) for name, binding in spec.outputs.items()}


def read_inputs(spec: GraphSpec, inputs: Mapping[str, object]) -> dict[str, JSON]:
    """The inputs as plain data, defaults filled in; raises ``InputError`` for one that is missing, unknown or wrong."""
    declared = spec.inputs
    for name in inputs:
        if name not in declared:
            known = ", ".join(f"{one.name} ({one.type})" for one in declared.values()) or "none"
            raise InputError(f"{spec.name} has no input {name!r}{did_you_mean(name, declared)} (it takes {known})")
    values: dict[str, JSON] = {}
    for name, one in declared.items():
        if inputs.get(name) is None and one.required:
            raise InputError(f"input {name!r} of {spec.name} is missing: it must be {one.type}")
        values[name] = one.default if inputs.get(name) is None else _value(name, one.type, inputs[name])
    return values


def _value(name: str, wanted: str, given: object) -> JSON:
    try:
        value = to_plain(given)
        if wanted == "documents" and isinstance(value, list):
            return to_plain(documents(value))
    except ConfigError as error:
        raise InputError(f"input {name!r}: {error}") from None
    if not fits(type_of_value(value), wanted):
        raise InputError(f"input {name!r} must be {wanted}, not {plainly(value)}")
    return value
