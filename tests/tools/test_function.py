"""A Python function as a tool: the schema is in its annotations, and nothing reaches it that does not fit them."""

from __future__ import annotations

import threading
from typing import Any, Literal

import pytest

from agentkit import jsonschema
from agentkit.errors import ConfigError, ToolError
from agentkit.tools.function import Function


def place(name: str, kind: Literal["city", "river"] = "city", tags: tuple[str, ...] = ()) -> dict[str, Any]:
    """Find a place.

    More is told here.
    """
    return {"name": name, "kind": kind, "tags": tags, "thread": threading.current_thread() is threading.main_thread()}


def test_the_annotations_are_the_schema_and_the_docstring_is_what_the_model_is_told() -> None:
    spec = Function(place).spec
    assert (spec.name, spec.description.partition("\n")[0]) == ("place", "Find a place.")
    assert spec.parameters["required"] == ["name"]
    assert spec.parameters["properties"]["kind"] == {"enum": ["city", "river"], "type": "string"}
    assert jsonschema.mismatch({"name": "x", "kind": "lake"}, spec.parameters)
    assert not jsonschema.mismatch({"name": "x", "tags": ["a"]}, spec.parameters)


async def test_one_that_is_not_async_runs_in_a_thread_with_values_of_its_annotations() -> None:
    found = await Function(place).call({"name": "Ob", "kind": "river", "tags": ["long"]})
    assert found == {"name": "Ob", "kind": "river", "tags": ("long",), "thread": False}


@pytest.mark.parametrize(
    ("arguments", "sentence"), [({"name": 1}, "must be text, not 1"), ({"nam": "x"}, "nam")], ids=["type", "name"]
)
async def test_arguments_that_do_not_fit_are_an_error_that_the_model_can_mend(arguments: Any, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        await Function(place).call(arguments)


def test_a_parameter_without_an_annotation_is_refused() -> None:
    def bare(x):  # type: ignore[no-untyped-def]
        return x

    with pytest.raises(ConfigError, match="bare: the parameter 'x' needs a name of its own and an annotation"):
        Function(bare)
