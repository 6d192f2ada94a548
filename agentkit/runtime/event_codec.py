"""Events as JSON and back: lossless, data only, fields at their defaults left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from agentkit import events
from agentkit.events import Event, Scope
from agentkit.types import JSON

KINDS: Mapping[str, type[Event]] = {
    name: one for name, one in vars(events).items() if isinstance(one, type) and issubclass(one, Event)
}
"""Every type of event, by its name."""

_SCALARS: Mapping[Any, type] = {str: str, int: int, bool: bool, NoneType: NoneType}
_NUMBERS = ("inf", "-inf", "nan")


def encode_event(event: Event) -> dict[str, JSON]:
    """The event as plain data, without its type and scope; ``decode_event`` gives an equal one back."""
    data: dict[str, JSON] = _plain(event)
    return data


def decode_event(kind: str, data: JSON, scope: Scope) -> Event:
    """The event that ``encode_event`` wrote; raises ``ValueError`` saying what is wrong with anything else."""
    if kind not in KINDS:
        raise ValueError(f"there is no event {kind[:40]!r}")
    found: Event = _made(KINDS[kind], data, scope=scope)
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return {
        name: _plain(item) for name, default in _slots(value.__class__) if (item := getattr(value, name)) != default
    }


@cache
def _slots(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields that are written, with their defaults."""
    return tuple((one.name, _default(one)) for one in fields(kind) if one.name != "scope")


def _default(one: Any) -> Any:
    if one.default is not MISSING:
        return one.default
    return MISSING if one.default_factory is MISSING else one.default_factory()


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _made(kind: type, data: JSON, **known: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{kind.__name__} must be an object, not {type(data).__name__}")
    hints = _hints(kind)
    if unknown := data.keys() - hints.keys():
        raise ValueError(f"{kind.__name__} has no {sorted(unknown)[0][:40]!r}")
    return kind(**{name: _value(hints[name], value) for name, value in data.items()}, **known)


def _value(hint: Any, value: JSON) -> Any:
    if hint is Any:
        return value
    origin, members = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if value is None else _value(next(one for one in members if one is not NoneType), value)
    if origin is Literal:
        return _expect(value, value in members, hint)
    if is_dataclass(hint):
        return _made(hint, value)  # type: ignore[arg-type]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _expect(value, isinstance(value, dict), hint)
        return {name: _value(members[1], item) for name, item in value.items()}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        _expect(value, isinstance(value, list), hint)
        return tuple(_value(members[0], item) for item in value)
    return _scalar(hint, value)


def _scalar(hint: Any, value: JSON) -> Any:
    if hint is float:
        is_number = value in _NUMBERS or (isinstance(value, int | float) and not isinstance(value, bool))
        return float(_expect(value, is_number, hint))
    return _expect(value, type(value) is _SCALARS[hint], hint)


def _expect(value: JSON, fits: bool, hint: Any) -> Any:
    if not fits:
        raise ValueError(f"{str(value)[:40]!r} is not {getattr(hint, '__name__', hint)}")
    return value
