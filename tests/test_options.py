"""Options are fields: what is checked, in which words, and what is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from agentkit import options
from agentkit.errors import ConfigError
from agentkit.protocols import Embedder, Model
from agentkit.registry import Component, provided
from agentkit.testing import ScriptedModel


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A component of every kind of field.

    More about it.
    """

    samples: int = 16
    ratio: float = 0.5
    strict: bool = False
    stop: Literal["beta", "full"] | None = "beta"
    words: tuple[str, ...] = ()
    weights: Mapping[str, int] = field(default_factory=dict)
    inner: Inner | None = None
    either: str | int | tuple[str, ...] = ""
    where: Path | None = None
    verifier: Model | None = None
    embedder: Embedder | None = None
    home: Any = provided("home")

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"samples must be at least 1, not {self.samples}")


@dataclass(frozen=True, kw_only=True)
class Needy:
    model: Model
    name: str


def faults_of(given: dict[str, Any], factory: Any = Sample) -> list[str]:
    return [options.sentence(fault) for fault in options.check(factory, given)]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"smaples": 3}, "smaples: unknown option; did you mean 'samples'?"),
        ({"home": "/tmp"}, "home: unknown option"),
        ({"samples": "16"}, "samples: must be a whole number, not the text '16'"),
        ({"samples": True}, "samples: must be a whole number, not true"),
        ({"samples": 1.5}, "samples: must be a whole number, not 1.5"),
        ({"samples": None}, "samples: must be a whole number, not nothing"),
        ({"samples": 0}, "samples: must be at least 1, not 0"),
        ({"ratio": "half"}, "ratio: must be a number, not the text 'half'"),
        ({"strict": "yes"}, "strict: must be true or false, not the text 'yes'"),
        ({"strict": 1}, "strict: must be true or false, not 1"),
        ({"stop": "beto"}, "stop: must be 'beta' or 'full', not the text 'beto'; did you mean 'beta'?"),
        ({"words": "one"}, "words: must be a list, not the text 'one'"),
        ({"words": ["one", 2]}, "words.1: must be text, not 2"),
        ({"weights": [1]}, "weights: must be a mapping, not a list"),
        ({"weights": {"a": "x"}}, "weights.a: must be a whole number, not the text 'x'"),
        ({"inner": {"sise": 2}}, "inner.sise: unknown option; did you mean 'size'?"),
        ({"inner": {"size": "x"}}, "inner.size: must be a whole number, not the text 'x'"),
        ({"either": 1.5}, "either: must be text or a whole number or a list, not 1.5"),
        ({"either": ["a", 2]}, "either.1: must be text, not 2"),
        ({"verifier": 3}, "verifier: must be the name of one of the models, not 3"),
    ],
)
def test_a_wrong_option_is_told_in_plain_words(given: dict[str, Any], sentence: str) -> None:
    assert faults_of(given) == [sentence]


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of({"samples": "x", "ratio": "y", "stpo": 1})) == 3


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ratio": 1},
        {"stop": None},
        {"words": ["a", "b"]},
        {"inner": {"size": 2}},
        {"either": ["a"]},
        {"where": "x/y.md"},
        {"verifier": "small"},
        {"verifier": None},
    ],
)
def test_right_options_have_no_faults(given: dict[str, Any]) -> None:
    assert faults_of(given) == []


def test_missing_options_are_named() -> None:
    assert faults_of({}, Needy) == ["option 'model' is missing", "option 'name' is missing"]


def test_the_path_leads_to_the_fault() -> None:
    assert options.check(Sample, {"words": [1]}, path=("nodes", "a", "with")) == [
        (("nodes", "a", "with", "words", 0), "must be text, not 1")
    ]


def make(given: dict[str, Any], factory: Any = Sample, **models: Model) -> Any:
    return options.build(Component("strategy", "sample", "test", factory), given, provided={"home": "H"}, models=models)


def test_building_turns_lists_into_tuples_and_mappings_into_dataclasses() -> None:
    made = make({"words": ["a"], "inner": {"size": 3}, "where": "x"})
    assert (made.words, made.inner, made.where) == (("a",), Inner(size=3), Path("x"))


def test_building_fills_what_the_kit_provides() -> None:
    assert make({}).home == "H"


def test_building_turns_names_into_models() -> None:
    model = ScriptedModel()
    assert make({"verifier": "small"}, small=model).verifier is model
    assert make({"verifier": model}).verifier is model


def test_building_with_an_unknown_model_says_which_are_known() -> None:
    with pytest.raises(ConfigError, match="verifier: no model is named 'smal'; did you mean 'small'"):
        make({"verifier": "smal"}, small=ScriptedModel())


def test_building_with_faults_raises_one_sentence() -> None:
    with pytest.raises(ConfigError, match="strategy 'sample': samples: must be a whole number, not the text 'x'"):
        make({"samples": "x"})


def test_a_function_is_a_factory_too() -> None:
    def factory(*, size: int, label: str = "") -> Inner:
        return Inner(size=size, label=label)

    assert faults_of({"lable": "x"}, factory) == [
        "lable: unknown option; did you mean 'label'?",
        "option 'size' is missing",
    ]
    assert make({"size": 2}, factory) == Inner(size=2)


def test_a_factory_with_free_options_takes_any() -> None:
    def factory(**options: Any) -> dict[str, Any]:
        return options

    assert faults_of({"whatever": 1}, factory) == []
    assert options.json_schema(factory)["additionalProperties"] is True


def test_an_unresolvable_annotation_is_a_config_error() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Local:
        x: NotThere = None  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ConfigError, match="an annotation cannot be resolved"):
        options.fields(Local)


def test_the_schema_describes_the_options() -> None:
    schema = options.json_schema(Sample)
    assert schema["additionalProperties"] is False
    assert schema["description"] == "A component of every kind of field."
    assert schema["properties"]["samples"] == {"type": "integer", "default": 16}
    assert schema["properties"]["verifier"]["type"] == ["string", "null"]
    assert "home" not in schema["properties"]
    assert options.json_schema(Needy)["required"] == ["model", "name"]


def test_path_fields_are_known_as_such() -> None:
    assert [name for name, one in options.fields(Sample).items() if one.path] == ["where"]
