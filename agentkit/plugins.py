"""Find, isolate, check and collect plugins. A broken plugin is reported by name and skipped; it never stops the program."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import pluggy

from agentkit import builtin, hookspecs
from agentkit.errors import AgentkitError, PluginError
from agentkit.events import Event
from agentkit.registry import KINDS, Registry

GROUP = "agentkit"

_HOOK_OF_KIND = {
    "model": "register_models",
    "strategy": "register_strategies",
    "retriever": "register_retrievers",
    "evaluator": "register_evaluators",
    "tool": "register_tools",
    "rag": "register_rag",
    "node": "register_nodes",
    "environment": "register_environments",
}


class Plugins:
    """The plugins of one Kit and the components they registered.

    ``extra`` are modules or objects with hook implementations, registered after the built-in ones. With ``installed``,
    distributions with an entry point in the group ``agentkit`` are loaded too, except those named in ``without``.
    """

    def __init__(self, extra: Iterable[object] = (), *, installed: bool = True, without: Iterable[str] = ()) -> None:
        self.registry = Registry()
        self.problems: list[PluginError] = []
        self.distributions: dict[str, str] = {}
        self._manager = pluggy.PluginManager("agentkit")
        self._manager.add_hookspecs(hookspecs)
        self._adopt("agentkit", builtin)
        for plugin in extra:
            self._adopt(_name_of(plugin), plugin)
        if installed:
            self._load_installed(frozenset(without))

    @property
    def names(self) -> list[str]:
        """The plugins in force, sorted."""
        return sorted(name for name, plugin in self._manager.list_name_plugin() if plugin is not None)

    def add_commands(self, cli: object) -> None:
        """Let every plugin add its commands; one that fails is reported and skipped."""
        self._each("register_commands", cli=cli)

    def emit(self, event: Event) -> None:
        """Show an event to every plugin that listens; one that raises is reported once and no longer told."""
        for implementation in list(self._manager.hook.on_event.get_hookimpls()):
            try:
                implementation.function(event)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises must not end a run
                self._drop(implementation.plugin_name, f"on_event raised {type(error).__name__}: {error}")

    def _load_installed(self, without: frozenset[str]) -> None:
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            if point.name not in without:
                self._load(point)

    def _load(self, point: EntryPoint) -> None:
        try:
            plugin = point.load()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.problems.append(
                PluginError(point.name, f"importing {point.value} raised {type(error).__name__}: {error}")
            )
            return
        if point.dist is not None:
            self.distributions[point.name] = f"{point.dist.name} {point.dist.version}"
        self._adopt(point.name, plugin)

    def _adopt(self, name: str, plugin: object) -> None:
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
            for kind in KINDS:
                self._collect(kind, name, plugin)
        except Exception as error:
            if isinstance(error, AgentkitError) and plugin is builtin:
                raise
            self._drop(name, str(error))

    def _collect(self, kind: str, name: str, plugin: object) -> None:
        def register(component: str, factory: object) -> None:
            self.registry.add(kind, component, factory, plugin=name)  # type: ignore[arg-type]

        hook = getattr(plugin, _HOOK_OF_KIND[kind], None)
        if hook is not None:
            hook(register)

    def _each(self, hook: str, **arguments: object) -> None:
        for implementation in list(getattr(self._manager.hook, hook).get_hookimpls()):
            try:
                implementation.function(**arguments)
            except Exception as error:  # noqa: BLE001 - see emit
                self._drop(implementation.plugin_name, f"{hook} raised {type(error).__name__}: {error}")

    def _drop(self, name: str, reason: str) -> None:
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        self.registry.drop(name)
        self.problems.append(PluginError(name, reason))


def _name_of(plugin: object) -> str:
    return plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__
