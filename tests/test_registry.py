"""Names and what they make."""

import pytest

from agentkit.errors import ConfigError, DuplicateComponentError, UnknownComponentError
from agentkit.registry import Registry, lazy


def test_an_unknown_name_suggests_the_nearest() -> None:
    registry = Registry()
    registry.add("strategy", "self_consistency", dict, plugin="mine")
    with pytest.raises(UnknownComponentError, match="did you mean 'self_consistency'"):
        registry.get("strategy", "self_consistancy")


def test_two_registrations_of_one_name_name_both_culprits() -> None:
    registry = Registry()
    registry.add("tool", "search", dict, plugin="one")
    with pytest.raises(DuplicateComponentError, match=r"one \(builtins:dict\) and two \(builtins:list\)"):
        registry.add("tool", "search", list, plugin="two")


@pytest.mark.parametrize("name", ["Upper", "with-dash", "os.system", "a:b", "", "1st"])
def test_a_name_is_lower_snake_case(name: str) -> None:
    with pytest.raises(ConfigError, match="lower_snake_case"):
        Registry().add("tool", name, dict, plugin="mine")


def test_a_lazy_factory_is_imported_when_it_is_used() -> None:
    registry = Registry()
    registry.add("tool", "broken", lazy("no.such.module:Thing"), plugin="mine")
    assert registry.get("tool", "broken").address == "no.such.module:Thing"
    with pytest.raises(ModuleNotFoundError):
        _ = registry.get("tool", "broken").factory


def test_dropping_a_plugin_forgets_what_it_registered() -> None:
    registry = Registry()
    registry.add("tool", "kept", dict, plugin="one")
    registry.add("tool", "gone", dict, plugin="two")
    registry.drop("two")
    assert registry.names("tool") == ["kept"]
