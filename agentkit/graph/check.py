"""What the names in a graph refer to: components, ports, models and nodes; every mistake is told with its place."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.errors import AgentkitError, ConfigError, did_you_mean
from agentkit.expressions import Use, parse
from agentkit.graph.degrade import faults_of_cheaper, faults_of_degrading
from agentkit.graph.kinds import Checked, Site, kind_of
from agentkit.graph.kinds.component import check_paths
from agentkit.graph.ports import Port, Ports, fits, type_of_value
from agentkit.graph.repeat import faults_around, ports_around
from agentkit.graph.report import Report
from agentkit.graph.spec import (
    INPUTS,
    Binding,
    Constant,
    EdgeSpec,
    GraphSpec,
    ModelSpec,
    NodeSpec,
    Reference,
    StackOptions,
)
from agentkit.graph.topology import Topology, endless_loops
from agentkit.options import check, fields
from agentkit.types import Path

MAX_NODES = 500
MAX_EDGES = 2_000
_STACK_OPTIONS = tuple(fields(StackOptions))


def check_spec(spec: GraphSpec, report: Report, *, places: tuple[Path, ...], site: Site) -> dict[str, str]:
    """Report everything wrong with ``spec``, seen from ``site``; ``places`` says where its edges stand.

    Returns the port types of its outputs, as far as they are known.
    """
    checker = _Checker(spec, report, places, site)
    checker.models()
    checker.nodes()
    checker.edges()
    checker.data_flow()
    return {name: checker.type_of(binding) for name, binding in spec.outputs.items()}


class _Checker:
    def __init__(self, spec: GraphSpec, report: Report, places: tuple[Path, ...], site: Site) -> None:
        self.spec, self.say, self.report = spec, report.say, report
        self.places, self.site = places, site
        self.topology: Topology | None = None
        self.ports: dict[str, Ports] = {INPUTS: Ports(outputs={name: one.type for name, one in spec.inputs.items()})}

    def models(self) -> None:
        names = self.site.registry.names("model")
        for name, model in self.spec.models.items():
            path: Path = ("models", name)
            if not model.use or not self.spec.owns(name):
                continue
            if model.use not in names:
                hint = did_you_mean(model.use, names)
                self.say(path, f"no model backend is named {model.use!r}{hint} (known: {', '.join(names) or 'none'})")
            else:
                self._model_options(path, model)
            for key, others in (("fallback", model.fallback), ("models", model.models)):
                for other in others:
                    if other not in self.spec.models:
                        self.say((*path, key), f"no model is named {other!r}{did_you_mean(other, self.spec.models)}")
        if loop := _loop(self.spec):
            key, what = (
                ("fallback", "a fallback") if self.spec.models[loop[0]].fallback else ("models", "a choice of models")
            )
            self.say(("models", loop[0], key), f"{what} must come to an end; these go round: {', '.join(loop)}")

    def _model_options(self, path: Path, model: ModelSpec) -> None:
        options = {**model.options, **({"models": list(model.models)} if model.models else {})}
        try:
            factory = self.site.registry.get("model", model.use).factory
        except (AgentkitError, ImportError, AttributeError) as error:
            self.say(path, f"model backend {model.use!r} cannot be loaded: {error}")
            return
        given = {name: value for name, value in options.items() if name not in _STACK_OPTIONS}
        secret = {name for name, value in given.items() if isinstance(value, str) and "${env:" in value}
        faults = check(factory, {name: "secret" if name in secret else value for name, value in given.items()})
        self.report.faults(path, [fault for fault in faults if fault[0][:1] not in {(name,) for name in secret}])
        self.report.faults(path, [] if model.given else check_paths(factory, given, self.site.folder))
        around = {name: value for name, value in options.items() if name in _STACK_OPTIONS}
        self.report.faults(path, check(StackOptions, around))

    def nodes(self) -> None:
        if len(self.spec.nodes) > MAX_NODES:
            self.say(("nodes",), f"a graph may have at most {MAX_NODES} nodes; put parts into graphs of their own")
            return
        self.report.faults((), faults_of_degrading(self.spec))
        for name, node in self.spec.nodes.items():
            checked = self._node(node)
            self.report.faults(("nodes", name), checked.faults)
            self.report.faults(("nodes", name), faults_around(node, checked.ports))
            self.report.faults(("nodes", name), faults_of_cheaper(node, checked, self._node))
            self.ports[name] = self._with_error(node, ports_around(node, checked.ports))
            self._inputs(node, checked)

    def _node(self, node: NodeSpec) -> Checked:
        try:
            return kind_of(node, self.site.registry).check(node, self.site)
        except ConfigError as error:
            return Checked(ports=Ports(open=True), faults=[(("use",), str(error))])

    def _with_error(self, node: NodeSpec, ports: Ports) -> Ports:
        if not any(edge.error and edge.source == node.name for edge in self.spec.edges):
            return ports
        return Ports(inputs=ports.inputs, outputs={**ports.outputs, "error": "string"}, open=ports.open)

    def _inputs(self, node: NodeSpec, checked: Checked) -> None:
        known = checked.ports.inputs
        if not known and checked.faults:
            return
        path: Path = ("nodes", node.name)
        for name, port in known.items():
            if port.required and name not in node.inputs:
                self.say((*path, "in"), f"input {name!r} is missing; {node.use} takes {_listed(known)}", key=True)
        for name in node.inputs:
            if name not in known:
                hint = did_you_mean(name, known)
                self.say(
                    (*path, "in", name), f"{node.use} has no input {name!r}{hint} (it takes {_listed(known)})", key=True
                )

    def edges(self) -> None:
        if len(self.spec.edges) > MAX_EDGES:
            self.say(("edges",), f"a graph may have at most {MAX_EDGES} edges")
            return
        known = [self._ends(edge, place) for edge, place in zip(self.spec.edges, self.places, strict=True)]
        if not all(known) or not self.spec.nodes:
            return
        loops = endless_loops(self.spec.nodes, self.spec.edges)
        self.topology = None if loops else Topology(tuple(self.spec.nodes), self.spec.edges)
        for loop in loops:
            nodes = [self.spec.edges[index].source for index in loop]
            implied = self.spec.implied and not any(self.spec.edges[index].error for index in loop)
            message = f"the loop {' -> '.join([*nodes, nodes[0]])} has no bound; give one of its edges a 'max'"
            self.say(self.places[loop[-1]], self._implied(nodes) if implied else message)

    def _implied(self, nodes: list[str]) -> str:
        return f"these nodes take values from one another: {' -> '.join([*nodes, nodes[0]])}; say with 'edges' which runs first"

    def _ends(self, edge: EdgeSpec, place: Path) -> bool:
        known = True
        for word, end in (("from", edge.source), ("to", edge.target)):
            if end not in self.spec.nodes:
                self.say((*place, word), f"no node is named {end!r}{did_you_mean(end, self.spec.nodes)}")
                known = False
        self._condition(edge.when, (*place, "when"))
        return known

    def data_flow(self) -> None:
        for name, node in self.spec.nodes.items():
            path: Path = ("nodes", name)
            self._condition(node.when, (*path, "when"))
            known = self.ports[name].inputs if name in self.ports else {}
            for port, binding in node.inputs.items():
                self._binding((*path, "in", port), binding, self._wanted(node, binding, known.get(port, Port()).type))
                self._comes_before(node, port, binding)
        for name, binding in self.spec.outputs.items():
            if any(isinstance(one, Reference) for one in binding):
                self._binding(("outputs", name), binding, "any")
            else:
                self.say(("outputs", name), "an output is the port of a node, written node.port")

    def _wanted(self, node: NodeSpec, binding: Binding, declared: str) -> str:
        """The type that an input takes; nothing is said where it depends on a ``map`` that is wrong itself."""
        if any(one.path.startswith(f"{self._title(node)}.map") for one in self.report.problems):
            return "any"
        return "list" if node.map is not None and binding == (node.map.reference,) else declared

    def _title(self, node: NodeSpec) -> str:
        return ".".join(str(part) for part in (*self.report.within, "nodes", node.name))

    def type_of(self, binding: Binding) -> str:
        """The type that all places of a binding have in common."""
        known = [one for one in binding if isinstance(one, Reference)]
        types = {self.ports[one.node].outputs.get(one.port, "any") for one in known if one.node in self.ports}
        return types.pop() if len(types) == 1 and len(known) == len(binding) else "any"

    def _condition(self, source: str | None, path: Path) -> None:
        if source is None:
            return
        try:
            uses = parse(source).uses
        except ConfigError as error:
            self.say(path, str(error))
            return
        for use in uses:
            if message := self._wrong_use(use):
                self.say(path, f"{source!r}: {message}")

    def _wrong_use(self, use: Use) -> str:
        if use.root not in self.ports:
            return f"no node is named {use.root!r}{did_you_mean(use.root, self.ports)}"
        return self._wrong_port(Reference(use.root, use.member)) if use.member else ""

    def _binding(self, path: Path, binding: Binding, wanted: str) -> None:
        for index, one in enumerate(binding):
            where = (*path, index) if len(binding) > 1 else path
            if isinstance(one, Constant):
                given = type_of_value(one.value)
                if not fits(given, wanted):
                    self.say(where, f"must be {wanted}, not {given}")
            elif one.node not in self.ports:
                self.say(where, f"no node is named {one.node!r}{did_you_mean(one.node, self.ports)}")
            elif message := self._wrong_port(one):
                self.say(where, message)
            elif not fits(given := self.ports[one.node].outputs.get(one.port, "any"), wanted):
                self.say(where, f"{one} is {given}, and this input takes {wanted}")

    def _wrong_port(self, reference: Reference) -> str:
        ports = self.ports[reference.node]
        if ports.open or reference.port in ports.outputs:
            return ""
        hint = did_you_mean(reference.port, ports.outputs)
        known = ", ".join(ports.outputs) or "none"
        if reference.node == INPUTS:
            return f"the graph has no input {reference.port!r}{hint} (declared: {known})"
        return f"{reference.node!r} has no output {reference.port!r}{hint} (it gives {known})"

    def _comes_before(self, node: NodeSpec, port: str, binding: Binding) -> None:
        """One of the places a value comes from must be able to have run before."""
        sources = [one for one in binding if isinstance(one, Reference)]
        known = all(one.node in self.spec.nodes for one in sources)
        if self.topology is None or len(sources) < len(binding) or not known:
            return
        if not any(node.name in self.topology.reach[one.node] for one in sources):
            names = " or ".join(repr(one.node) for one in sources)
            self.say(
                ("nodes", node.name, "in", port), f"{names} can never run before {node.name!r}; an edge is missing"
            )


def _listed(ports: Mapping[str, Port]) -> str:
    return ", ".join(name if port.required else f"{name} (optional)" for name, port in ports.items()) or "no inputs"


def _loop(spec: GraphSpec) -> list[str]:
    """Models that ask one another without an end, or an empty list."""
    left = {name: [one for one in model.others if one in spec.models] for name, model in spec.models.items()}
    while ends := [name for name, others in left.items() if not any(one in left for one in others)]:
        left = {name: others for name, others in left.items() if name not in ends}
    return list(left)
