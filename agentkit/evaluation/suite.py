"""A suite file: what to run, over which records, judged how. Strict, and checked as a whole before a token is spent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agentkit import options
from agentkit.errors import ConfigError, GraphError, InputError, did_you_mean
from agentkit.evaluation.task import check_place
from agentkit.options import Fault
from agentkit.paths import resolve_ref
from agentkit.registry import Registry, provided
from agentkit.types import JSON
from agentkit.types import Path as Place
from agentkit.yaml_reader import Source, read

SCHEMA = "agentkit-suite/v1"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_SECRET = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_SETTINGS = ("name", "inputs", "output", "documents", "repeats", "limit", "concurrency", "timeout", "cluster", "seed")
_LEAST = {"repeats": 1, "concurrency": 1, "limit": 1, "timeout": 0.001, "fail_on_error": 0}
_USE_KEYS = {"use": str, "with": Mapping, "name": str}

Written = str | Mapping[str, JSON]
"""A component as a file names it: its name, or ``{use: name, with: {option: value}}``."""


@dataclass(frozen=True, slots=True)
class Use:
    """A component by name, with its options; ``label`` is what the results call it."""

    name: str
    options: Mapping[str, JSON]
    label: str


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The file's content. Either ``graph`` (a path beside the file) or ``strategy`` with ``model`` says what is run.

    ``models`` replaces those of the graph by name, and holds the models that evaluators ask for. ``columns`` reads data
    sets with other keys, as in ``load_dataset``; the settings are those of ``Evaluation``. More than ``fail_on_error``
    failed rows fail the command: a share below 1, a count from 1 up, ``true`` for any, ``false`` for none.
    """

    schema: Literal["agentkit-suite/v1"]
    name: str
    dataset: str
    evaluators: tuple[Written, ...]
    description: str = ""
    graph: str | None = None
    strategy: Written | None = None
    model: Written | None = None
    models: Mapping[str, Written] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    documents: str = "documents"
    repeats: int = 1
    limit: int | None = None
    concurrency: int = 8
    timeout: float | None = None
    cluster: str = ""
    seed: int = 0
    fail_on_error: bool | int | float = 0.1
    folder: Path = provided("folder")
    root: Path = provided("root")

    @property
    def settings(self) -> dict[str, Any]:
        """What ``Evaluation`` takes."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def path(self, reference: str) -> Path:
        """Where a path of the file leads: below its own folder, or with ``../`` to elsewhere below ``root``.

        Raises ``InputError`` for one that leads out of both.
        """
        if not reference.startswith("../"):
            return resolve_ref(self.folder, reference)
        path, root = Path(os.path.normpath(self.folder.resolve() / reference)), self.root.resolve()
        if not path.is_relative_to(root):
            raise InputError(f"{reference!r} leads out of {str(root)!r}; run from a folder that holds both files")
        return resolve_ref(root, path.relative_to(root).as_posix())

    @property
    def judges(self) -> tuple[Use, ...]:
        """The evaluators."""
        return tuple(_use(one) for one in self.evaluators)

    @property
    def solver(self) -> Use | None:
        """The strategy, where that is what is run."""
        return None if self.strategy is None else _use(self.strategy)


def load_suite(path: str | Path, *, registry: Registry, root: Path | None = None) -> Suite:
    """The suite in a file, or in ``suite.yaml`` of a folder; its paths stay below ``root`` (default: its own folder).

    Raises ``InputError`` listing every problem with file, line and column: unknown keys and components, wrong types,
    missing files.
    """
    file = Path(path) / "suite.yaml" if Path(path).is_dir() else Path(path)
    source = _source(file)
    data = _without_own_keys(source.data)
    faults = options.check(Suite, data)
    if not faults:
        suite = Suite(**{**data, "evaluators": tuple(data["evaluators"])}, folder=file.parent, root=root or file.parent)
        faults = list(_faults(suite, registry))
    if faults:
        problems = [source.problem(place, message, key=message.startswith("unknown")) for place, message in faults]
        raise InputError(problems=sorted(problems, key=lambda one: (one.line, one.column)))
    return suite


def with_secrets(written: JSON, environ: Mapping[str, str]) -> JSON:
    """``written`` with every ``${env:NAME}`` replaced; raises ``ConfigError`` for a variable that is not set."""
    if isinstance(written, Mapping):
        return {key: with_secrets(value, environ) for key, value in written.items()}
    if isinstance(written, list):
        return [with_secrets(value, environ) for value in written]
    return _SECRET.sub(lambda found: _secret(found[1], environ), written) if isinstance(written, str) else written


def _secret(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise ConfigError(f"the environment variable {name} is not set")
    return environ[name]


def _source(file: Path) -> Source:
    try:
        source = read(file.read_bytes(), file=str(file))
    except FileNotFoundError:
        raise InputError(f"there is no suite at {file}") from None
    except OSError as error:
        raise InputError(f"the suite {file} cannot be read: {error.strerror}") from None
    except GraphError as error:
        raise InputError(problems=error.problems) from None
    if not isinstance(source.data, dict) or source.data.get("schema") != SCHEMA:
        raise InputError(problems=[source.problem(("schema",), f"a suite says schema: {SCHEMA}")])
    return source


def _without_own_keys(data: Mapping[str, JSON]) -> dict[str, JSON]:
    """Without the ``x-`` keys, which are the user's."""
    return {key: value for key, value in data.items() if not key.startswith("x-")}


def _use(written: Written) -> Use:
    if isinstance(written, str):
        return Use(written, {}, written)
    name = written.get("use", "")
    return Use(name, written.get("with", {}), written.get("name", name))


def _faults(suite: Suite, registry: Registry) -> Iterator[Fault]:
    """What is wrong with a suite whose fields have the right types."""
    if not _NAME.match(suite.name):
        yield ("name",), "must be made of a-z, 0-9, - and _: it names the folder of the results"
    if (suite.graph is None) == (suite.strategy is None):
        yield (), "say what to run: either 'graph', or 'strategy' with 'model'"
    elif (suite.strategy is None) != (suite.model is None):
        yield ("strategy",) if suite.strategy else ("model",), "'strategy' and 'model' go together"
    yield from _path_faults(suite)
    yield from _value_faults(suite)
    if suite.strategy is not None:
        yield from _use_faults(suite.strategy, "strategy", ("strategy",), registry)
    for place, judge in enumerate(suite.evaluators):
        yield from _use_faults(judge, "evaluator", ("evaluators", place), registry)


def _path_faults(suite: Suite) -> Iterator[Fault]:
    for key, reference in (("graph", suite.graph), ("dataset", suite.dataset)):
        if reference is None:
            continue
        try:
            path = suite.path(reference)
        except InputError as error:
            yield (key,), str(error)
        else:
            if not path.is_file():
                yield (key,), f"there is no file {path}"


def _value_faults(suite: Suite) -> Iterator[Fault]:
    for name, place in suite.inputs.items():
        if problem := check_place(place):
            yield ("inputs", name), problem
    for key, least in _LEAST.items():
        value = getattr(suite, key)
        if value is not None and value < least:
            yield (key,), f"must be at least {least}, not {value}"
    labels = [judge.label for judge in suite.judges]
    if not labels:
        yield ("evaluators",), "name at least one evaluator"
    for label in {label for label in labels if labels.count(label) > 1}:
        yield ("evaluators",), f"two evaluators are called {label!r}; give one of them a 'name' of its own"


def _use_faults(written: Written, kind: str, place: Place, registry: Registry) -> Iterator[Fault]:
    if isinstance(written, Mapping) and (wrong := list(_shape_faults(written, place))):
        yield from wrong
        return
    use = _use(written)
    try:
        factory = registry.get(kind, use.name).factory
    except ConfigError as error:
        yield place, str(error)
        return
    yield from options.check(factory, use.options, path=(*place, "with"))


def _shape_faults(written: Mapping[str, JSON], place: Place) -> Iterator[Fault]:
    if "use" not in written:
        yield place, "'use' is missing: it names the component"
    for key, value in written.items():
        if key not in _USE_KEYS:
            yield (*place, key), f"unknown key{did_you_mean(key, _USE_KEYS)}"
        elif not isinstance(value, _USE_KEYS[key]):
            yield (*place, key), f"must be {'a mapping' if key == 'with' else 'text'}, not {options.plainly(value)}"
