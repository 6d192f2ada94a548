"""A component's options are its fields: check a mapping against them, build the component, write their JSON Schema.

Three kinds of fields: plain values; fields annotated ``Model`` (or ``Model | None``, or ``tuple[Model, ...]``), which a graph
file fills with the name of one of its ``models:`` (or several); and fields made with ``registry.provided(...)``, which are not
options at all.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

from agentkit.errors import ConfigError, did_you_mean
from agentkit.protocols import Model, SampleStream
from agentkit.types import JSON, Capabilities, GenerateRequest, Path

Fault = tuple[Path, str]
"""A place and the sentence that says what is wrong there."""

Factory = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One option: ``model`` fields take the name of a model, ``models`` fields a list of names, ``provided`` ones are filled by
    the Kit under that name.
    """

    name: str
    annotation: Any
    required: bool
    default: Any = None
    description: str = ""
    model: bool = False
    models: bool = False
    provided: str | None = None

    @property
    def path(self) -> bool:
        """Whether it takes the path of a file or folder."""
        return any(isinstance(one, type) and issubclass(one, PurePath) for one in _alternatives(self.annotation))


def fields(factory: Factory) -> dict[str, Field]:
    """The fields of ``factory`` by name, those the Kit provides included. Raises ``ConfigError`` for an unknown annotation."""
    try:
        hints = get_type_hints(factory if inspect.isfunction(factory) else _constructor(factory), include_extras=True)
    except NameError as error:
        raise ConfigError(f"{_label(factory)}: an annotation cannot be resolved: {error}") from None
    if dataclasses.is_dataclass(factory):
        found = [_of_field(one, hints) for one in dataclasses.fields(factory) if one.init]
    else:
        found = [_of_parameter(one, hints) for one in _parameters(factory) if one.kind is not one.VAR_KEYWORD]
    return {one.name: one for one in found}


def takes_any(factory: Factory) -> bool:
    """True for a factory with ``**options``: it names its options itself, so nothing can be said about unknown ones."""
    return not dataclasses.is_dataclass(factory) and any(one.kind is one.VAR_KEYWORD for one in _parameters(factory))


def check(factory: Factory, options: Mapping[str, JSON], *, path: Path = ()) -> list[Fault]:
    """Everything wrong with ``options`` for ``factory``, each with its place below ``path``; empty when it can be built."""
    known = {name: one for name, one in fields(factory).items() if one.provided is None}
    faults = [] if takes_any(factory) else _unknown(known, options, path)
    faults += [
        (path, f"option {name!r} is missing") for name, one in known.items() if one.required and name not in options
    ]
    for name, one in known.items():
        if name in options:
            faults += [((*path, name, *where), message) for where, message in _mismatch(one, options[name])]
    return faults or _refused(factory, options, known, path)


class Registered(Protocol):
    """A component as the registry knows it."""

    @property
    def kind(self) -> str:
        """``strategy``, ``retriever``, ..."""
        ...

    @property
    def name(self) -> str:
        """The name it is registered under."""
        ...

    @property
    def factory(self) -> Factory:
        """What makes it."""
        ...


def build(
    component: Registered,
    options: Mapping[str, Any],
    *,
    provided: Mapping[str, Any],
    models: Mapping[str, Model],
) -> Any:
    """The component, its model names turned into ``models``; raises ``ConfigError`` with every fault."""
    factory = component.factory
    if faults := check(factory, options):
        raise ConfigError("; ".join(f"{component.kind} {component.name!r}: {sentence(one)}" for one in faults))
    known = fields(factory)
    values = {name: _value(known.get(name), value, models) for name, value in options.items()}
    values |= {name: provided[one.provided] for name, one in known.items() if one.provided and one.provided in provided}
    return factory(**values)


def json_schema(factory: Factory) -> dict[str, JSON]:
    """The JSON Schema of the options object."""
    known = {name: one for name, one in fields(factory).items() if one.provided is None}
    prose = inspect.getdoc(factory) or ""
    properties = {
        name: _property(one, about=one.description or _sentence_on(name, prose)) for name, one in known.items()
    }
    schema: dict[str, JSON] = {"type": "object", "properties": properties}
    if required := [name for name, one in known.items() if one.required]:
        schema["required"] = required
    schema["additionalProperties"] = takes_any(factory)
    if summary := prose.partition("\n")[0]:
        schema["description"] = summary
    return schema


def sentence(fault: Fault) -> str:
    """A fault on one line: ``samples: must be a whole number, not the text 'many'``."""
    path, message = fault
    return f"{'.'.join(str(part) for part in path)}: {message}" if path else message


def plainly(value: Any) -> str:
    """A value as a person would name it: ``the text 'many'``, ``a list``, ``true``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value if len(value) <= 40 else value[:37] + '...'!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else f"{value!r}"[:60]


def _constructor(factory: Factory) -> Any:
    if dataclasses.is_dataclass(factory):
        return factory
    return getattr(factory, "__init__" if isinstance(factory, type) else "__call__")


def _parameters(factory: Factory) -> list[inspect.Parameter]:
    return list(inspect.signature(factory).parameters.values())


def _label(factory: Factory) -> str:
    return getattr(factory, "__qualname__", repr(factory))


def _of_field(one: dataclasses.Field[Any], hints: Mapping[str, Any]) -> Field:
    annotation = hints.get(one.name, Any)
    default = one.default if one.default is not MISSING else None
    if one.default_factory is not MISSING:
        default = one.default_factory()
    return Field(
        name=one.name,
        annotation=annotation,
        required=one.default is MISSING and one.default_factory is MISSING,
        default=default,
        description=str(one.metadata.get("description", "")),
        model=_is_model(annotation),
        models=annotation == tuple[Model, ...],
        provided=one.metadata.get("provided"),
    )


def _of_parameter(one: inspect.Parameter, hints: Mapping[str, Any]) -> Field:
    annotation = hints.get(one.name, Any)
    required = one.default is one.empty
    default = None if required else one.default
    return Field(name=one.name, annotation=annotation, required=required, default=default, model=_is_model(annotation))


def _is_model(annotation: Any) -> bool:
    return [one for one in _alternatives(annotation) if one is not NoneType] == [Model]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _unknown(known: Mapping[str, Field], options: Mapping[str, JSON], path: Path) -> list[Fault]:
    return [((*path, name), f"unknown option{did_you_mean(name, known)}") for name in options if name not in known]


class Converter:
    """Turns plain data into values of an annotation: lists made tuples, mappings made dataclasses, nothing guessed."""

    def __init__(self, annotation: Any) -> None:
        from pydantic import PydanticSchemaGenerationError, TypeAdapter

        self.annotation = annotation
        try:
            self._adapter: Any = TypeAdapter(annotation)
        except PydanticSchemaGenerationError:  # only Python objects can satisfy it, and those are taken as they are
            self._adapter = None

    def convert(self, value: Any) -> Any:
        """The value as the annotation wants it; raises ``ConfigError`` that says in plain words what it must be."""
        converted, faults = self.attempt(value)
        if faults:
            raise ConfigError("; ".join(sentence(fault) for fault in faults))
        return converted

    def attempt(self, value: Any) -> tuple[Any, list[Fault]]:
        """The converted value, or everything wrong with it."""
        if self._adapter is None or type(value) is self.annotation:
            return value, []
        from pydantic import ValidationError

        try:
            return self._parse(value), _stray(self.annotation, value)
        except ValidationError as error:
            return value, _in_plain_words(error.errors(include_url=False), value)

    def schema(self) -> dict[str, JSON]:
        """The JSON Schema of the values."""
        return dict(self._adapter.json_schema()) if self._adapter else {}

    def _parse(self, value: Any) -> Any:
        # JSON mode is what strictness should mean for a file: "16" is no number and 1 is not true, yet a list makes a tuple.
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            return self._adapter.validate_python(value)
        return self._adapter.validate_json(text, strict=True)


def _mismatch(one: Field, value: Any) -> list[Fault]:
    if one.models:
        fits = isinstance(value, list | tuple) and all(isinstance(item, str | Model) for item in value)
        return [] if fits else [((), f"must be a list of names of models, not {plainly(value)}")]
    if one.model:
        fits = isinstance(value, str | Model) or (value is None and not one.required)
        return [] if fits else [((), f"must be the name of one of the models, not {plainly(value)}")]
    return Converter(one.annotation).attempt(value)[1]


_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "none_required": "empty",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "dataclass_type": "a mapping",
    "dataclass_exact_type": "a mapping",
    "path_type": "a path",
}


def _in_plain_words(errors: Sequence[Mapping[str, Any]], value: Any) -> list[Fault]:
    """The deepest faults, one a place: members of a union, which all fail at the value itself, are joined by 'or'."""
    wanted = [_WANTED.get(one["type"]) for one in errors]
    if len(errors) > 1 and all(wanted) and all(one["input"] == value for one in errors):
        return [((), f"must be {' or '.join(dict.fromkeys(filter(None, wanted)))}, not {plainly(value)}")]
    faults = [_placed(_place(one["loc"], value), _words(one), _mapping(one["input"])) for one in errors]
    union = len({path for path, _ in faults}) > 1 and any(not path for path, _ in faults)
    return [(path, message) for path, message in faults if path or not union]


def _place(location: Sequence[str | int], value: Any) -> Path:
    """The part of pydantic's location that exists in the value; it also names union members, which do not."""
    path: list[str | int] = []
    for part in location:
        if (isinstance(value, Mapping) and part in value) or (isinstance(value, list) and isinstance(part, int)):
            path.append(part)
            value = value[part]  # type: ignore[index]
    return tuple(path)


def _stray(annotation: Any, value: Any, path: Path = ()) -> list[Fault]:
    """Unknown keys of nested dataclasses, which pydantic lets pass."""
    found: list[Fault] = []
    for one in _alternatives(annotation):
        if isinstance(one, type) and dataclasses.is_dataclass(one) and isinstance(value, Mapping):
            inner = fields(one)
            found += _unknown(inner, value, path)
            found += [
                f for name in value if name in inner for f in _stray(inner[name].annotation, value[name], (*path, name))
            ]
        elif isinstance(value, list) and (items := get_args(one)):
            found += [fault for index, item in enumerate(value) for fault in _stray(items[0], item, (*path, index))]
    return found


def _words(error: Mapping[str, Any]) -> str:
    kind, given = error["type"], error["input"]
    if wanted := _WANTED.get(kind):
        return f"must be {wanted}, not {plainly(given)}"
    if kind == "literal_error":
        expected = str(error["ctx"]["expected"])
        return f"must be {expected}, not {plainly(given)}{did_you_mean(str(given), expected.split(chr(39))[1::2])}"
    if kind == "missing":
        return f"{error['loc'][-1]!r} is missing"
    if kind == "unexpected_keyword_argument":
        return f"unknown key {error['loc'][-1]!r}"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return f"must be {message}" if "should be" in error["msg"] else message


class _Unbound:
    """Stands for a model while a component is only being checked."""

    name = "unbound"
    capabilities = Capabilities()

    def generate(self, request: GenerateRequest) -> SampleStream:
        raise ConfigError("a component must not use its model while it is being made")


def _refused(factory: Factory, options: Mapping[str, Any], known: Mapping[str, Field], path: Path) -> list[Fault]:
    """What the component itself says against the values (``__post_init__``): making a dataclass costs nothing else."""
    if not dataclasses.is_dataclass(factory):
        return []
    models: Mapping[str, Model] = defaultdict(_Unbound)
    values = {name: _value(known.get(name), value, models) for name, value in options.items()}
    try:
        factory(**values)
    except (ConfigError, ValueError, TypeError) as error:
        return [_placed(path, str(error), options)]
    return []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _placed(path: Path, message: str, options: Mapping[str, Any]) -> Fault:
    """A fault at the option that its sentence begins with; what then only repeats the place is left out."""
    found = re.match(r"(?:\w+\.)?(\w+) (must .+)?", message, re.DOTALL)
    if found is None or found[1] not in options:
        return path, message
    return (*path, found[1]), found[2] or message


def _value(one: Field | None, value: Any, models: Mapping[str, Model]) -> Any:
    if one is None:
        return value
    if one.models:
        return tuple(_named(one, item, models) for item in value)
    return _named(one, value, models) if one.model else Converter(one.annotation).attempt(value)[0]


def _named(one: Field, value: Any, models: Mapping[str, Model]) -> Any:
    """The model of a name; what is a model already, or none, is taken as it is."""
    if not isinstance(value, str):
        return value
    try:
        return models[value]
    except KeyError:
        raise ConfigError(f"{one.name}: no model is named {value!r}{did_you_mean(value, models)}") from None


def _property(one: Field, *, about: str) -> dict[str, JSON]:
    if one.models:
        described = about or "Names of the graph's models."
        return {"type": "array", "items": {"type": "string"}, "description": described}
    if one.model:
        kinds = {"type": "string"} if one.required else {"type": ["string", "null"]}
        return {**kinds, "description": about or "The name of one of the graph's models."}
    schema = Converter(one.annotation).schema()
    if not one.required and isinstance(one.default, str | int | float | bool):
        schema["default"] = one.default
    elif not one.required and isinstance(one.default, tuple | list):
        schema["default"] = [item for item in one.default if isinstance(item, str | int | float | bool)]
    if about:
        schema["description"] = about
    return schema


def _sentence_on(name: str, prose: str) -> str:
    """The first sentence of a docstring that names the option, which is how ours tell of their options."""
    sentences = re.split(r"(?<=[.:])\s+(?=[A-Z`])", " ".join(prose.split()))
    found = next((one for one in sentences if re.search(rf"``{re.escape(name)}\b", one)), "")
    return found.replace("``", "`")
