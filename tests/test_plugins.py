"""Plugins: one door, and a broken one never stops the program."""

from types import SimpleNamespace

import pytest

from agentkit import hookimpl
from agentkit.events import Event
from agentkit.hookspecs import Register
from agentkit.plugins import Plugins


class Good:
    @hookimpl
    def register_tools(self, register: Register) -> None:
        register("good_tool", dict)


class RaisesWhileRegistering:
    @hookimpl
    def register_tools(self, register: Register) -> None:
        register("half", dict)
        raise RuntimeError("no licence")


class MisspeltHook:
    @hookimpl
    def register_toolz(self, register: Register) -> None: ...


class TakesOurName:
    @hookimpl
    def register_strategies(self, register: Register) -> None:
        register("self_consistency", dict)


def test_a_plugin_object_registers_through_the_same_door_as_ours() -> None:
    plugins = Plugins([Good()], installed=False)
    assert plugins.registry.get("tool", "good_tool").plugin == "Good"
    assert plugins.registry.get("strategy", "self_consistency").plugin == "agentkit"


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (RaisesWhileRegistering(), "no licence"),
        (MisspeltHook(), "register_toolz"),
        (TakesOurName(), "registered by both"),
    ],
)
def test_a_broken_plugin_is_reported_by_name_and_leaves_nothing_behind(plugin: object, reason: str) -> None:
    plugins = Plugins([plugin, Good()], installed=False)
    [problem] = plugins.problems
    assert problem.plugin == type(plugin).__name__
    assert reason in str(problem)
    assert "good_tool" in plugins.registry.names("tool")
    assert "half" not in plugins.registry.names("tool")


def test_a_listener_that_raises_is_reported_once_and_no_longer_told() -> None:
    heard: list[Event] = []

    class Fragile:
        @hookimpl
        def on_event(self, event: Event) -> None:
            heard.append(event)
            raise ValueError("deaf")

    plugins = Plugins([Fragile()], installed=False)
    plugins.emit(Event())
    plugins.emit(Event())
    assert len(heard) == 1
    assert "deaf" in str(plugins.problems[0])


def test_an_installed_plugin_can_be_left_out_by_name() -> None:
    assert "debate" in Plugins().names
    assert "debate" not in Plugins(without=["debate"]).names


def test_an_entry_point_that_cannot_be_imported_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> object:
        raise SystemExit(3)

    point = SimpleNamespace(name="bad", value="bad_module", load=load, dist=None)
    plugins = Plugins(installed=False)
    plugins._load(point)  # type: ignore[arg-type]
    assert str(plugins.problems[0]) == "plugin 'bad' was skipped: importing bad_module raised SystemExit: 3"
