"""From a checked graph to a langgraph ``StateGraph``; the only file that knows langgraph.

One langgraph node a graph node, each answering with a ``Command`` that holds its outputs and where to go, and a trivial one
before every node at which branches can meet; in our own runs one step carries its branch as far as it can (``stretch.py``). The
state is plain data: ``inputs``, ``@outputs`` by node, ``@visits`` by node, ``@taken`` by edge, and ``@active``, the steps of
the present superstep.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.graph.context import RunContext
from agentkit.graph.kinds import Walk, Workshop
from agentkit.graph.stretch import Stretches
from agentkit.graph.walk import JOIN, Move, Position, Walker
from agentkit.types import JSON

if TYPE_CHECKING:
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Command

    PlainGraph = StateGraph[Any, Any, Any, Any]

Step = Callable[[str, Position, RunContext], Awaitable[Move]]
"""Takes the step of a name at a position."""

OUTPUTS, VISITS, TAKEN, ACTIVE = "@outputs", "@visits", "@taken", "@active"


@dataclass(frozen=True)
class Engine:
    """A compiled graph."""

    graph: CompiledStateGraph[Any, Any, Any, Any]
    steps: int

    async def run(self, inputs: Mapping[str, JSON], context: RunContext) -> None:
        """Walk the graph to its end; what nodes put out is in ``context``. Raises what a node raises."""
        config: Any = {"recursion_limit": self.steps}
        state = {"inputs": dict(inputs)}
        async for _ in self.graph.astream(state, config, context=context, stream_mode=[]):
            pass


def compile_graph(walker: Walker, fallback: Callable[[], RunContext]) -> Engine:
    """The graph, ready to run."""
    return Engine(
        _state_graph(walker, Stretches(walker), fallback).compile(name=walker.spec.name), walker.topology.steps
    )


def inner_walk(shop: Workshop) -> Walk:
    """Makes the graph of ``shop`` run inside a node of another; it keeps no checkpoints of its own."""
    walker = Walker(shop.spec, shop)
    graph = _state_graph(walker, Stretches(walker), _no_context).compile(name=shop.spec.name, checkpointer=False)
    return Engine(graph, walker.topology.steps).run


def _no_context() -> RunContext:
    raise AssertionError("a graph inside a node is always given its context")


def state_graph(walker: Walker, fallback: Callable[[], RunContext]) -> PlainGraph:
    """The graph as a plain ``StateGraph``, a step a node; ``fallback`` makes the context for whoever runs it without one."""
    return _state_graph(walker, walker, fallback)


def _state_graph(walker: Walker, steps: Walker | Stretches, fallback: Callable[[], RunContext]) -> PlainGraph:
    from langgraph.graph import START, StateGraph

    graph: Any = StateGraph(_state(), context_schema=RunContext)
    topology = walker.topology
    for name in topology.nodes:
        graph.add_node(name, _step(steps.visit, name, fallback), destinations=_destinations(walker, name))
    for name in sorted(topology.joins):
        graph.add_node(f"{name}{JOIN}", _step(steps.wait, name, fallback), destinations=(name, f"{name}{JOIN}"))
    for name in topology.starts:
        graph.add_edge(START, name)
    return graph  # type: ignore[no-any-return]


def _state() -> Any:
    from typing import Annotated, TypedDict

    from langgraph.channels import Topic

    record: Any = TypedDict  # its keys begin with @, so that no node can have the name of one
    return record(
        "State",
        {
            "inputs": dict,
            OUTPUTS: Annotated[dict, _merged],
            VISITS: Annotated[dict, _merged],
            TAKEN: Annotated[dict, _merged],
            ACTIVE: Annotated[list, Topic(str)],
        },
    )


def _merged(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, Any]:
    return {**before, **after}


def _destinations(walker: Walker, name: str) -> tuple[str, ...]:
    """Where a node can go, for whoever draws the langgraph graph."""
    targets = dict.fromkeys(edge.target for _, edge in walker.topology.outgoing[name])
    joins = [f"{target}{JOIN}" for target in targets if target in walker.topology.joins]
    return (*targets, *joins)


def _step(step: Step, name: str, fallback: Callable[[], RunContext]) -> Callable[..., Awaitable[Command[Any]]]:
    from langgraph.runtime import Runtime

    async def run(state: dict[str, Any], runtime: Any) -> Command[Any]:
        context = runtime.context or fallback()
        move = await step(name, _position(state), context)
        if runtime.context is None:  # no run of ours around it, which could keep the question and go on later
            context.proceed()
        return _command(move)

    run.__annotations__["runtime"] = Runtime[RunContext]  # read by langgraph, which must stay out of our imports
    return run


def _position(state: Mapping[str, Any]) -> Position:
    return Position(
        inputs=state["inputs"],
        outputs=state.get(OUTPUTS) or {},
        visits=state.get(VISITS) or {},
        taken={int(index): count for index, count in (state.get(TAKEN) or {}).items()},
        active=state.get(ACTIVE) or (),
    )


def _command(move: Move) -> Command[Any]:
    from langgraph.types import Command

    update: dict[str, Any] = {}
    for key, change in ((OUTPUTS, move.outputs), (VISITS, move.visits)):
        if change:
            update[key] = dict(change)
    if move.taken:
        update[TAKEN] = {str(index): count for index, count in move.taken.items()}  # JSON knows text keys only
    if move.next:
        update[ACTIVE] = list(move.next)
    return Command(update=update, goto=list(move.next))
