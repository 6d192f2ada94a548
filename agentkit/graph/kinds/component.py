"""Nodes that use a registered component: find it, check its options, make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentkit.errors import AgentkitError, ConfigError, InputError, UnknownComponentError, did_you_mean
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.graph.spec import NodeSpec
from agentkit.options import Fault, build, check, fields
from agentkit.paths import resolve_ref
from agentkit.protocols import Bounded, SampleStream
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Capabilities, GenerateRequest

Make = Callable[[NodeContext], Any]
"""Gives the component for one visit of its node."""


def find(registry: Registry, kind: str, name: str) -> tuple[Any, list[Fault]]:
    """The factory of a component, or why there is none."""
    try:
        return registry.get(kind, name).factory, []
    except UnknownComponentError as error:
        return None, [(("use",), str(error))]
    except (AgentkitError, ImportError, AttributeError) as error:
        return None, [(("use",), f"{kind} {name!r} cannot be loaded: {error}")]


def options_of(node: NodeSpec, factory: Any, own: tuple[str, ...]) -> dict[str, JSON]:
    """The options that are the component's; those named ``own`` are the kind's, unless the component has them itself."""
    known = fields(factory)
    return {name: value for name, value in node.options.items() if name not in own or name in known}


def check_options(node: NodeSpec, factory: Any, site: Site, *, own: tuple[str, ...] = ()) -> list[Fault]:
    """What is wrong with the options of a component, the names of models included."""
    options = options_of(node, factory, own)
    faults = check(factory, options, path=("with",))
    faults += [(("with", *path), message) for path, message in check_paths(factory, options, site.folder)]
    for name, one in fields(factory).items():
        if one.model and isinstance(options.get(name), str):
            faults += check_model(options[name], site, ("with", name))
    return faults


def check_model(name: JSON, site: Site, path: tuple[str | int, ...]) -> list[Fault]:
    """Whether ``name`` is one of the graph's models."""
    if name in site.spec.models:
        return []
    hint = did_you_mean(str(name), site.spec.models)
    return [(path, f"no model is named {name!r}{hint} (known: {', '.join(site.spec.models) or 'none'})")]


def with_paths(factory: Any, options: Mapping[str, JSON], folder: Path) -> dict[str, JSON]:
    """The options with every path made absolute; raises ``InputError`` for one that is not inside ``folder``."""
    found = dict(options)
    for name, one in fields(factory).items():
        if one.path and isinstance(options.get(name), str):
            found[name] = str(resolve_ref(folder, options[name]))
    return found


def check_paths(factory: Any, options: Mapping[str, JSON], folder: Path) -> list[Fault]:
    """Options that are paths and lead out of the graph's folder."""
    faults: list[Fault] = []
    for name, value in options.items():
        try:
            with_paths(factory, {name: value}, folder)
        except InputError as error:
            faults.append(((name,), str(error)))
    return faults


def maker(node: NodeSpec, kind: str, shop: Workshop, *, own: tuple[str, ...] = ()) -> Make:
    """Makes the component: once if it uses no models, else for every visit, with models bound to that place."""
    component = shop.registry.get(kind, node.component or node.use)
    options = with_paths(component.factory, options_of(node, component.factory, own), shop.folder)
    names = {
        name: str(options[name]) for name, one in fields(component.factory).items() if one.model and options.get(name)
    }

    def make(models: Mapping[str, Any]) -> Any:
        return build(component, options, provided=shop.provided, models=models)

    if not names:
        made = make({})
        return lambda context: made
    return lambda context: make({model: context.model(model) for model in names.values()})


@dataclass(frozen=True, slots=True)
class Named:
    """Stands for the graph's model of that name while a component is asked what it will do."""

    name: str
    capabilities: Capabilities = field(default_factory=Capabilities)

    def generate(self, request: GenerateRequest) -> SampleStream:
        """Nothing is asked before the run."""
        raise ConfigError("a component must not use its model while it is asked for its bounds")


def bounds_of(
    node: NodeSpec, kind: str, shop: Workshop, *, own: tuple[str, ...] = (), model: str | None = None
) -> tuple[Bounds, ...] | None:
    """The bounds that a component declares, with the names of its models; ``model`` is the one it is given, if any.

    None where it uses models and does not say; without models there is nothing to say.
    """
    component = shop.registry.get(kind, node.component or node.use)
    known = fields(component.factory)
    options = with_paths(component.factory, options_of(node, component.factory, own), shop.folder)
    models = {
        str(options[name]): Named(str(options[name])) for name, one in known.items() if one.model and options.get(name)
    }
    if model is None and not models:
        return ()
    made = build(component, options, provided=shop.provided, models=models)
    if not isinstance(made, Bounded):
        return None
    return tuple(replace(one, model=one.model.name if one.model else model) for one in made.bounds())


def only_model(site: Site | Workshop, option: JSON) -> str | None:
    """The model an option names, or the only one there is."""
    if option is not None:
        return str(option)
    return next(iter(site.spec.models)) if len(site.spec.models) == 1 else None


def check_only_model(node: NodeSpec, site: Site) -> list[Fault]:
    """Whether the node's ``model`` option is a model of the graph, or can be left out because there is just one."""
    option = node.options.get("model")
    if option is not None:
        return check_model(option, site, ("with", "model"))
    if len(site.spec.models) == 1:
        return []
    known = (
        f"say which with 'model': {', '.join(site.spec.models)}" if site.spec.models else "the graph has no 'models'"
    )
    return [(("with",), f"no model is chosen; {known}")]
