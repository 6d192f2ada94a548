"""Write plain data as YAML that ``yaml_reader`` reads back as the very same data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from agentkit.errors import ConfigError
from agentkit.types import JSON, Path
from agentkit.yaml_reader import resolved

_WIDTH = 110
_LONGEST_FLOW = 90
_DIGITS = 18  # a longer number is read as text


def write(data: JSON) -> str:
    """``data`` as YAML: short mappings and lists on one line, texts of several lines as blocks.

    Raises ``ConfigError``, with the place, for what such a file cannot hold.
    """
    import yaml

    check_plain(data)
    text: str = yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None
    )
    return text


def check_plain(value: Any, path: Path = ()) -> None:
    """Raises ``ConfigError`` for a value that is no text, number, boolean, null, list or mapping with keys of text."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _error(path, f"a key must be text, not {key!r:.60}")
            check_plain(key, path)
            check_plain(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_plain(item, (*path, index))
    elif fault := _fault(value):
        raise _error(path, fault)


def _fault(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return "half a surrogate pair is not a character" if any("\ud800" <= char <= "\udfff" for char in value) else ""
    if isinstance(value, int):
        return f"a whole number may have {_DIGITS} digits" if len(str(abs(value))) > _DIGITS else ""
    if isinstance(value, float):
        return "" if value - value == 0 else f"{value} is not a number that a file may hold"
    return f"a {type(value).__name__} cannot be written in a file"


def _error(path: Path, message: str) -> ConfigError:
    return ConfigError(f"{'.'.join(map(str, path))}: {message}" if path else message)


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))

    def mapping(dumper: Any, value: Mapping[str, JSON]) -> Any:
        return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=_short(value))

    def sequence(dumper: Any, value: list[JSON]) -> Any:
        return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=_short(value))

    Dumper.add_representer(str, text)
    Dumper.add_representer(dict, mapping)
    Dumper.add_representer(list, sequence)
    return Dumper


def _style(text: str) -> str | None:
    """A block for lines, escapes for what is not seen, quotes for what YAML 1.2 reads as something else; None: the plainest."""
    if not all(char.isprintable() for char in text if char not in "\n\t"):
        return '"'
    if "\n" in text.strip("\n") and "\t" not in text:
        return "|"
    return None if isinstance(resolved(text), str) else "'"


def _short(value: JSON) -> bool:
    """Whether a mapping or list fits on a line of its own: no text of several lines, and no list of mappings."""
    text = repr(value)
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return False
    return len(text) <= _LONGEST_FLOW and "\\n" not in text
