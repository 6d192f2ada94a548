"""``template``, ``set`` and ``switch``: nodes that compute from their inputs alone, with no component behind them."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.errors import ConfigError, did_you_mean
from agentkit.expressions import Expression, parse
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.ports import Port, Ports, type_of_value
from agentkit.graph.prompt import Prompt, Turn, faults_of_names, read_text
from agentkit.graph.spec import NodeSpec
from agentkit.options import Fault, plainly
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Path


class TemplateKind:
    """Takes what its ``template`` names; gives the filled ``text``."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports that the template names."""
        outputs = {"text": "string"}
        faults = _unknown(node, ("template",))
        if "template" not in node.options:
            return Checked(ports=Ports(outputs=outputs), faults=[*faults, (("with",), "option 'template' is missing")])
        template, more = read_text(node.options["template"], site.read)
        faults += [(("with", "template", *path), message) for path, message in more]
        if template is None:
            return Checked(ports=Ports(inputs=_any(node), outputs=outputs), faults=faults)
        prompt = Prompt((Turn("user", template),))
        named = faults_of_names(prompt, dict.fromkeys(node.inputs, True))
        faults += [(("with", "template", *path), message) for path, message in named]
        inputs = {name: Port("any", needed and name in node.inputs) for name, needed in prompt.wants().items()}
        return Checked(ports=Ports(inputs=inputs, outputs=outputs), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.closed({"template": described.TEXT}, required=("template",))

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """No model is asked."""
        return ()

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Fills the template."""
        template, _ = read_text(node.options["template"], shop.read)
        assert template is not None

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            return {"text": template.render({**dict.fromkeys(node.inputs), **inputs})}

        return run


class SetKind:
    """Gives one output for every option: an expression over its inputs, or a constant."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """One output a key; inputs are what the expressions use."""
        faults: list[Fault] = []
        if not node.options:
            faults.append((("with",), "'set' needs at least one output under 'with'"))
        for name, value in node.options.items():
            faults += _check_expression(node, ("with", name), value)
        outputs = {
            name: "any" if isinstance(value, str) else type_of_value(value) for name, value in node.options.items()
        }
        return Checked(ports=Ports(inputs=_any(node), outputs=outputs), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return {
            "type": "object",
            "minProperties": 1,
            "description": "An output a key: an expression in quotes, or a constant.",
        }

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """No model is asked."""
        return ()

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Evaluates the expressions."""
        computed = {name: _expression(value) for name, value in node.options.items()}

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            return {
                name: one.evaluate(inputs) if isinstance(one, Expression) else one for name, one in computed.items()
            }

        return run


class SwitchKind:
    """Gives as ``case`` the name of the first of its ``cases`` whose condition holds, else its ``default``."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """Inputs are what the conditions use."""
        faults = _unknown(node, ("cases", "default"))
        cases = node.options.get("cases")
        if not isinstance(cases, Mapping) or not cases:
            faults.append((("with",), "'cases' must be a mapping of names to conditions"))
            cases = {}
        for name, value in cases.items():
            if isinstance(value, str):
                faults += _check_expression(node, ("with", "cases", name), value)
            else:
                faults.append((("with", "cases", name), f"must be a condition in quotes, not {plainly(value)}"))
        default = node.options.get("default", "default")
        if not isinstance(default, str):
            faults.append((("with", "default"), f"must be the name of a case, not {plainly(default)}"))
        return Checked(ports=Ports(inputs=_any(node), outputs={"case": "string"}), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.closed(
            {
                "cases": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
                "default": {"type": "string", "default": "default"},
            },
            required=("cases",),
        )

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """No model is asked."""
        return ()

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Tries the conditions in order."""
        cases = {name: parse(value) for name, value in node.options["cases"].items()}
        default = node.options.get("default", "default")

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            return {"case": next((name for name, one in cases.items() if one.holds(inputs)), default)}

        return run


def _any(node: NodeSpec) -> dict[str, Port]:
    return {name: Port() for name in node.inputs}


def _unknown(node: NodeSpec, known: tuple[str, ...]) -> list[Fault]:
    return [
        (("with", name), f"unknown option{did_you_mean(name, known)}") for name in node.options if name not in known
    ]


def _expression(value: JSON) -> Expression | JSON:
    return parse(value) if isinstance(value, str) else value


def _check_expression(node: NodeSpec, path: Path, value: JSON) -> list[Fault]:
    if not isinstance(value, str):
        return []
    try:
        expression = parse(value)
    except ConfigError as error:
        return [(path, str(error))]
    return [
        (path, f"{value!r}: {use.root!r} is not among the node's inputs{did_you_mean(use.root, node.inputs)}")
        for use in expression.uses
        if use.root not in node.inputs
    ]
