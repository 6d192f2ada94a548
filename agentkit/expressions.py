"""Conditions and small computations in CEL: parsed and checked at load, evaluated without side effects, always ending.

The language is Google's Common Expression Language through a compiled library; never Python's ``eval``. Its package imports a
command line of its own (0.3 s), so the compiled module inside it is loaded directly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from agentkit.errors import ConfigError, did_you_mean
from agentkit.options import plainly
from agentkit.types import JSON

MAX_SOURCE = 2_000
_MAX_LOOPS = 2

_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      |(?P<remark>//[^\n]*)|(?P<space>\s+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[uU]?|0x[0-9a-fA-F]+[uU]?)
      |(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_LOOPS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string"} | _LOOPS
)
_WORDS = frozenset({"true", "false", "null", "in"})
RESERVED = _WORDS | frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "namespace"}
    | {"package", "return", "var", "void", "while", "has"}
)
"""Words that cannot be names in an expression."""


@dataclass(frozen=True, slots=True)
class Use:
    """A name in an expression, with the member asked of it: ``check.score``. ``column`` counts from 1."""

    root: str
    member: str | None
    column: int

    def __str__(self) -> str:
        return f"{self.root}.{self.member}" if self.member else self.root


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression and the names it uses."""

    source: str
    uses: tuple[Use, ...]
    _program: Any = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, JSON]) -> JSON:
        """The value, as plain data, for the values of its names.

        Null where an operand is null or absent and the operation cannot take null; ``ConfigError`` where it cannot be
        computed for another reason.
        """
        given = {use.root: values.get(use.root) for use in self.uses}
        present = {root: _with_members(root, value, self.uses) for root, value in given.items()}
        try:
            return _plain_result(self._program.execute(present))
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - the library raises many kinds, its panics included
            if any(_lookup(present, use) is None for use in self.uses):
                return None
            raise ConfigError(f"{_short(self.source)!r} cannot be computed: {_reason(error)}") from None

    def holds(self, values: Mapping[str, JSON]) -> bool:
        """Whether the condition is true; null is not. ``ConfigError`` when it is neither true, false nor null."""
        value = self.evaluate(values)
        if value is None or isinstance(value, bool):
            return value is True
        raise ConfigError(f"{_short(self.source)!r} must be true or false, not {plainly(value)}")


def parse(source: str) -> Expression:
    """The expression; raises ``ConfigError`` with a sentence that says what is wrong and where."""
    if len(source) > MAX_SOURCE:
        raise ConfigError(f"an expression may have at most {MAX_SOURCE:,} characters")
    tokens = list(_tokens(source))
    _check_words(tokens)
    program = _compile(source)
    loops = _loop_variables(tokens)
    uses = tuple(use for use in _uses(tokens) if use.root not in loops)
    return Expression(source, uses, program)


@cache
def _library() -> Any:
    package = find_spec("cel")
    if package is None or not package.submodule_search_locations:
        raise ConfigError("expressions need the package 'common-expression-language': pip install agentkit again")
    finder = FileFinder(package.submodule_search_locations[0], (ExtensionFileLoader, EXTENSION_SUFFIXES))
    spec = finder.find_spec("cel")
    if spec is None or spec.loader is None:
        raise ConfigError("the package 'common-expression-language' has no module for this machine")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compile(source: str) -> Any:
    try:
        program = _library().compile(source)
    except ValueError as error:
        found = re.search(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)", str(error))
        reason = f"{_plainly(found[3])} (column {found[2]})" if found else "it is nested too deep"
        raise ConfigError(f"{_short(source)!r} is not an expression: {reason}") from None
    _check_functions(source, program.functions())
    return program


def _check_functions(source: str, functions: list[str]) -> None:
    for name in functions:
        if name.isidentifier() and name not in _FUNCTIONS:  # operators have names too, like _+_
            raise ConfigError(f"{_short(source)!r}: there is no function {name!r}{did_you_mean(name, _FUNCTIONS)}")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


def _tokens(source: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(source):
        if found.lastgroup not in ("space", "remark"):
            yield _Token(str(found.lastgroup), found[0], found.start())


def _check_words(tokens: list[_Token]) -> None:
    depth = 0
    loops: list[int] = []
    for index, token in enumerate(tokens):
        if token.text == "has" and token.kind == "name" and _text(tokens, index + 1) == "(":
            raise ConfigError("'has' is not needed: what is absent is null, so compare with null (check.score != null)")
        if token.kind == "mark" and token.text in ")]}":
            depth -= 1
            loops = [one for one in loops if one <= depth]
        if token.kind == "mark" and token.text in "([{":
            depth += 1
        if token.text in _LOOPS and _text(tokens, index - 1) == "." and _text(tokens, index + 1) == "(":
            loops.append(depth + 1)
            if len(loops) > _MAX_LOOPS:
                raise ConfigError(f"loops (map, filter, exists, all) may be nested at most {_MAX_LOOPS} deep")


def _text(tokens: list[_Token], index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""


def _loop_variables(tokens: list[_Token]) -> frozenset[str]:
    """Names bound by loops: the ``x`` of ``list.map(x, ...)``."""
    return frozenset(
        tokens[index + 2].text
        for index, token in enumerate(tokens[:-3])
        if token.text in _LOOPS and _text(tokens, index - 1) == "." and _text(tokens, index + 1) == "("
        if tokens[index + 2].kind == "name" and tokens[index + 3].text == ","
    )


def _uses(tokens: list[_Token]) -> Iterator[Use]:
    """Every name that is not a member, a function or a word of the language."""
    for index, token in enumerate(tokens):
        if token.kind != "name" or token.text in _WORDS or _text(tokens, index + 1) == "(" or _is_member(tokens, index):
            continue
        member = None
        if _text(tokens, index + 1) == "." and index + 2 < len(tokens) and tokens[index + 2].kind == "name":
            member = tokens[index + 2].text if _text(tokens, index + 3) != "(" else None
        yield Use(token.text, member, token.offset + 1)


def _is_member(tokens: list[_Token], index: int) -> bool:
    """Whether a name belongs to what stands before its dot; a dot with nothing before it only says that a name is global."""
    if _text(tokens, index - 1) != "." or index < 2:
        return False
    owner = tokens[index - 2]
    return owner.text in (")", "]", "}") or (owner.kind in ("name", "text", "number") and owner.text != "in")


def _with_members(root: str, value: JSON, uses: tuple[Use, ...]) -> JSON:
    """The value with null for every member that is asked for and absent; only the members asked for, where that is known."""
    members = {use.member for use in uses if use.root == root}
    if value is None and members != {None}:
        value = {}
    if not isinstance(value, Mapping):
        return value
    asked: dict[str, JSON] = {member: value.get(member) for member in members if member}
    return {**value, **asked} if None in members else asked


def _lookup(values: Mapping[str, JSON], use: Use) -> JSON:
    value = values.get(use.root)
    return value.get(use.member) if use.member and isinstance(value, Mapping) else value


def _plain_result(value: Any) -> JSON:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain_result(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain_result(item) for key, item in value.items()}
    raise ConfigError(f"an expression gave {type(value).__name__}, which is not plain data")


def _reason(error: Exception) -> str:
    text = str(error)
    if "overload" in text:
        return "the kinds of its values do not fit the operation (a text compared with a number, for instance)"
    return _short(text) or type(error).__name__


_IN_CEL = {"=": "==", "and": "&&", "or": "||", "not": "!", "is": "==", "===": "=="}
"""What people bring from other languages, and what it is here."""


def _plainly(reason: str) -> str:
    """What the parser says against an expression, in the words of whoever wrote it."""
    if missing := re.match(r"missing '(.+?)' at", reason):
        return f"{missing[1]!r} is missing"
    if "<EOF>" in reason.partition(" expecting ")[0] or reason.startswith("Incomplete"):
        return "it ends too early"
    found = re.search(r"(?:input|error at:) '(.*?)'(?: expecting|\Z)", reason)
    if found is None:
        return _short(reason)
    if found[1][:1] in ("'", '"'):
        return "a quotation mark is opened and never closed"
    met = found[1].strip()
    return f"{met!r} cannot stand here{f'; write {_IN_CEL[met]}' if met in _IN_CEL else ''}"


def _short(text: str) -> str:
    first = text.strip().partition("\n")[0]
    first = re.sub(r",? expecting \{.*", "", first).replace("<EOF>", "the end")
    if "Recursion limit" in first:
        return "it is nested too deep"
    return first if len(first) <= 160 else first[:157] + "..."
