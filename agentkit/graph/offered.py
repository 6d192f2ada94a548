"""What an agent can be given: a tool, all tools of a server, or a retriever that the model asks by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentkit.errors import AgentkitError
from agentkit.events import DocumentsRetrieved, Emit
from agentkit.graph.kinds.component import check_paths, find, with_paths
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.options import Fault, build, check, fields, plainly
from agentkit.protocols import Retriever, Tool, Toolset
from agentkit.types import JSON, ToolSpec

_KINDS = ("tool", "retriever")
_SHOWN = ("title", "source", "text")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ABOUT = "Find passages about a query, best first."


@dataclass(frozen=True, kw_only=True)
class Search:
    """A retriever as a tool: it takes a ``query`` and gives passages with their title and source."""

    retriever: Retriever
    name: str = "search"
    description: str = _ABOUT

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"a tool's name has letters, digits, - and _ only, not {self.name[:64]!r}")

    @property
    def spec(self) -> ToolSpec:
        """One argument, the query."""
        query = {"type": "string", "minLength": 1, "description": "what to look for, in a few words or a question"}
        schema = {
            "type": "object",
            "properties": {"query": query},
            "required": ["query"],
            "additionalProperties": False,
        }
        return ToolSpec(name=self.name, description=self.description, parameters=schema)

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """The passages, best first."""
        return await self.search(arguments["query"])

    async def search(self, query: str, emit: Emit | None = None) -> list[JSON]:
        """``call`` that also tells what was found."""
        found = tuple(await self.retriever.retrieve(query))
        if emit is not None:
            emit(DocumentsRetrieved(query=query, documents=found))
        return [{name: value for name in _SHOWN if (value := getattr(one, name))} for one in found]


@dataclass(frozen=True, kw_only=True)
class _Shown:
    name: str = "search"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ``tools``: a name, or ``{use: name, ...}`` with options."""

    item: JSON

    @property
    def use(self) -> str:
        """The name as it is written; empty where there is none."""
        name = self.item.get("use") if isinstance(self.item, Mapping) else self.item
        return name if isinstance(name, str) else ""

    @property
    def kind(self) -> str:
        """``tool`` or ``retriever``."""
        kind, dot, _ = self.use.partition(".")
        return kind if dot and kind in _KINDS else "tool"

    @property
    def name(self) -> str:
        """The name of the component."""
        return self.use.removeprefix(f"{self.kind}.")

    @property
    def shown(self) -> dict[str, JSON]:
        """What the model is told of a retriever, where the file says it."""
        mine = self._given if self.kind == "retriever" else {}
        return {key: mine[key] for key in ("name", "description") if key in mine}

    @property
    def options(self) -> dict[str, JSON]:
        """The component's own options."""
        return {key: value for key, value in self._given.items() if key not in self.shown}

    @property
    def _given(self) -> dict[str, JSON]:
        return (
            {key: value for key, value in self.item.items() if key != "use"} if isinstance(self.item, Mapping) else {}
        )

    def faults(self, site: Site) -> Iterator[Fault]:
        """What is wrong with it, paths inside the entry."""
        if not self.use:
            yield (), f"a tool is its name or {{use: name, ...}}, not {plainly(self.item)}"
            return
        factory, missing = find(site.registry, self.kind, self.name)
        yield from (((), message) for _, message in missing)
        if factory is None:
            return
        if any(one.model for one in fields(factory).values()):
            yield (), f"the {self.kind} {self.name!r} asks a model, which the tools of an agent cannot have"
            return
        yield from check(factory, self.options) + check_paths(factory, self.options, site.folder)
        yield from check(_Shown, self.shown)

    def made(self, site: Site | Workshop) -> tuple[Tool, ...]:
        """The tools that it stands for; raises ``ConfigError`` for a component that cannot be made."""
        component: Any = site.registry.get(self.kind, self.name)
        options = with_paths(component.factory, self.options, site.folder)
        made = build(component, options, provided=site.provided, models={})
        if self.kind == "retriever":
            return (Search(retriever=made, **self.shown),)
        return tuple(made.tools) if isinstance(made, Toolset) else (made,)

    def names(self, site: Site) -> tuple[list[str], list[Fault]]:
        """The names that the model would call its tools by, or why they cannot be made."""
        try:
            return [tool.spec.name for tool in self.made(site)], []
        except (AgentkitError, ValueError) as error:
            return [], [((), str(error))]
