"""The part of JSON Schema that tools and structured outputs use: does a value fit, and if not, what is wrong where."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from agentkit.errors import ConfigError
from agentkit.options import Fault, plainly
from agentkit.types import JSON

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_DEPTH = 32


def check_schema(schema: Mapping[str, JSON]) -> None:
    """Raises ``ConfigError`` for a schema whose ``type`` or ``properties`` cannot be meant."""
    for kind in _types(schema):
        if kind not in _KINDS:
            raise ConfigError(f"there is no type {kind!r} in JSON Schema (known: {', '.join(_KINDS)})")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping) or not all(isinstance(one, Mapping | bool) for one in properties.values()):
        raise ConfigError("'properties' of a JSON Schema must map names to schemas")
    for name, inner in properties.items():
        try:
            check_schema(inner if isinstance(inner, Mapping) else {})
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None


def read_schema(option: JSON, read: Callable[[str], str]) -> tuple[Mapping[str, JSON] | None, list[Fault]]:
    """The schema written out, or in ``{file: schemas/x.json}``; or what is wrong with it."""
    try:
        if isinstance(option, Mapping) and set(option) == {"file"}:
            option = json.loads(read(option["file"]))
        if not isinstance(option, Mapping):
            return None, [((), "must be a JSON Schema (a mapping), or {file: schemas/name.json}")]
        check_schema(option)
    except (ConfigError, ValueError, RecursionError) as error:
        return None, [((), str(error))]
    return option, []


def mismatch(value: JSON, schema: Mapping[str, JSON]) -> str:
    """The first thing wrong, as ``path: what``, or the empty string when the value fits.

    Knows type, enum, const, properties, required, additionalProperties, items, bounds, lengths, anyOf, oneOf,
    allOf and local ``$ref``; other keywords, patterns among them, are left to the backend.
    """
    return next(_faults(value, schema, schema, "", 0), "")


def _types(schema: Mapping[str, JSON]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _faults(value: JSON, schema: JSON, root: Mapping[str, JSON], path: str, depth: int) -> Iterator[str]:
    if schema is False or depth > _DEPTH:
        yield _at(path, "nothing may stand here")
        return
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield from _faults(value, _resolve(schema["$ref"], root), root, path, depth + 1)
    yield from _of_kind(value, schema, path)
    yield from _of_bounds(value, schema, path)
    yield from _of_choices(value, schema, root, path, depth)
    if isinstance(value, Mapping):
        yield from _of_object(value, schema, root, path, depth)
    elif isinstance(value, list | tuple) and "items" in schema:
        for index, item in enumerate(value):
            yield from _faults(item, schema["items"], root, f"{path}[{index}]", depth + 1)


def _of_kind(value: JSON, schema: Mapping[str, JSON], path: str) -> Iterator[str]:
    kinds = _types(schema)
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield _at(path, f"must be {' or '.join(kinds)}, not {plainly(value)}")
    if "enum" in schema and value not in schema["enum"]:
        yield _at(path, f"must be one of {', '.join(map(str, schema['enum']))}, not {plainly(value)}")
    if "const" in schema and value != schema["const"]:
        yield _at(path, f"must be {schema['const']!r}, not {plainly(value)}")


def _of_bounds(value: JSON, schema: Mapping[str, JSON], path: str) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield _at(path, f"must be at least {schema['minimum']}, not {value}")
        if value > schema.get("maximum", value):
            yield _at(path, f"must be at most {schema['maximum']}, not {value}")
    unit, low, high = (
        ("items", "minItems", "maxItems") if isinstance(value, list) else ("characters", "minLength", "maxLength")
    )
    if isinstance(value, list | str):
        if len(value) < schema.get(low, 0):
            yield _at(path, f"must have at least {schema[low]} {unit}")
        if len(value) > schema.get(high, len(value)):
            yield _at(path, f"must have at most {schema[high]} {unit}")


def _of_choices(
    value: JSON, schema: Mapping[str, JSON], root: Mapping[str, JSON], path: str, depth: int
) -> Iterator[str]:
    for one in schema.get("allOf", ()):
        yield from _faults(value, one, root, path, depth + 1)
    for word in ("anyOf", "oneOf"):
        choices: Sequence[JSON] = schema.get(word, ())
        fitting = [one for one in choices if not any(_faults(value, one, root, path, depth + 1))]
        if choices and (not fitting or (word == "oneOf" and len(fitting) > 1)):
            yield _at(path, f"fits {'none' if not fitting else 'more than one'} of its {word} choices")


def _of_object(
    value: Mapping[str, JSON], schema: Mapping[str, JSON], root: Mapping[str, JSON], path: str, depth: int
) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _at(path, f"{name!r} is missing")
    for name, item in value.items():
        where = f"{path}.{name}" if path else str(name)
        if name in properties:
            yield from _faults(item, properties[name], root, where, depth + 1)
        elif schema.get("additionalProperties") is False:
            yield _at(path, f"{name!r} is not a property (known: {', '.join(properties) or 'none'})")
        else:
            yield from _faults(item, schema.get("additionalProperties", True), root, where, depth + 1)


def _resolve(ref: JSON, root: Mapping[str, JSON]) -> JSON:
    here: JSON = root
    for part in str(ref).removeprefix("#").strip("/").split("/"):
        here = here.get(part, {}) if isinstance(here, Mapping) and part else here
    return here


def _is(value: JSON, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS.get(kind, ()))  # nothing is of a type that there is not


def _at(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message
