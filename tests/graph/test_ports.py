"""Ports from annotations, and what fits into what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from agentkit.graph.ports import Port, fits, of_function, type_of, type_of_value
from agentkit.types import Document, Vote


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (str, "string"),
        (str | None, "string"),
        (Path, "string"),
        (int, "integer"),
        (float, "number"),
        (bool, "boolean"),
        (dict[str, int], "object"),
        (Mapping[str, Any], "object"),
        (Vote, "object"),
        (list[str], "list"),
        (Sequence[int], "list"),
        (tuple[Document, ...], "documents"),
        (Sequence[Document], "documents"),
        (Literal["a", "b"], "string"),
        (Literal["a", 1], "any"),
        (str | int, "any"),
        (Any, "any"),
        (object, "any"),
    ],
)
def test_the_type_of_an_annotation(annotation: Any, name: str) -> None:
    assert type_of(annotation) == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a", "string"),
        (1, "integer"),
        (1.5, "number"),
        (True, "boolean"),
        ({"a": 1}, "object"),
        ([1], "list"),
        (["a"], "documents"),
        ([{"text": "a"}], "documents"),
        ([], "documents"),
        (None, "any"),
    ],
)
def test_the_type_of_a_value(value: Any, name: str) -> None:
    assert type_of_value(value) == name


def test_what_fits() -> None:
    assert fits("integer", "number")
    assert fits("documents", "list")
    assert fits("any", "string")
    assert fits("string", "any")
    assert not fits("number", "integer")
    assert not fits("list", "documents")
    assert not fits("string", "documents")


class Out(TypedDict):
    text: str
    many: list[int]


@dataclass(frozen=True)
class Made:
    number: int
    documents: tuple[Document, ...] = ()


def test_ports_of_a_function() -> None:
    async def run(self: Any, *, answer: str, documents: tuple[Document, ...] = (), emit: Any = None) -> Out: ...

    ports = of_function(run)
    assert ports.inputs == {"answer": Port("string", True), "documents": Port("documents", False)}
    assert ports.outputs == {"text": "string", "many": "list"}


def test_outputs_of_a_dataclass_of_a_plain_value_and_of_nothing_known() -> None:
    async def made(self: Any) -> Made: ...
    async def plain(self: Any) -> str: ...
    async def free(self: Any) -> dict[str, Any]: ...
    async def none(self: Any) -> None: ...

    assert of_function(made).outputs == {"number": "integer", "documents": "documents"}
    assert of_function(plain).outputs == {"result": "string"}
    assert of_function(free).open
    assert of_function(none).outputs == {}
