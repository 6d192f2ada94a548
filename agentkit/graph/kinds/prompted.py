"""What nodes with a prompt share: its check against the node's inputs, and its filling."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.kind import Site, Workshop
from agentkit.graph.ports import Port
from agentkit.graph.prompt import Prompt, default_prompt, faults_of_names, read_prompt
from agentkit.graph.spec import Constant, NodeSpec
from agentkit.options import Fault
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.types import JSON, Message

Fill = Callable[[Mapping[str, JSON], NodeContext], tuple[Message, ...]]


def check_prompt(node: NodeSpec, site: Site) -> tuple[dict[str, bool], list[Fault]]:
    """The values the prompt takes (True: cannot do without), and what is wrong with it."""
    if "prompt" not in node.options:
        return {"question": True, "documents": False}, []
    prompt, faults = read_prompt(node.options["prompt"], site.read)
    faults = [(("with", "prompt", *path), message) for path, message in faults]
    if prompt is None:
        return dict.fromkeys(node.inputs, False), faults
    given = {name: not all(isinstance(one, Constant) for one in binding) for name, binding in node.inputs.items()}
    faults += [(("with", "prompt", *path), message) for path, message in faults_of_names(prompt, given)]
    return {name: wanted and name in given for name, wanted in prompt.wants().items()}, faults


def prompt_ports(wanted: Mapping[str, bool]) -> dict[str, Port]:
    """Ports for the values that a prompt takes."""
    return {name: Port("documents" if name == "documents" else "any", needed) for name, needed in wanted.items()}


def prompt_size(node: NodeSpec, read: Callable[[str], str]) -> tuple[int, int]:
    """The tokens of the node's prompt without its values, estimated high, and how many values stand in it.

    A section counts as one value, whatever it makes of each item.
    """
    prompt = default_prompt(documents="documents" in node.inputs)
    if "prompt" in node.options:
        prompt = read_prompt(node.options["prompt"], read)[0] or prompt
    text = sum(text_tokens(turn.template.literal) for turn in prompt.turns)
    values = sum(1 for turn in prompt.turns for name in turn.template.names if not name.within)
    return text + TOKENS_A_MESSAGE * (len(prompt.turns) + 1), values


def messages_of(node: NodeSpec, shop: Workshop) -> Fill:
    """Fills the node's prompt, or the default one, with its inputs; the fences of a visit depend on run seed and place."""
    prompt: Prompt | None = None
    if "prompt" in node.options:
        prompt, _ = read_prompt(node.options["prompt"], shop.read)

    def fill(inputs: Mapping[str, JSON], context: NodeContext) -> tuple[Message, ...]:
        chosen = prompt or default_prompt(documents=bool(inputs.get("documents")))
        values = {**dict.fromkeys(node.inputs), **inputs}
        return chosen.fill(values, seed=context.fence)

    return fill
