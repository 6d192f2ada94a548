"""What is read, and what nobody reads: AK010 to AK019."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.graph.lint.rule import Found, Subject, rule
from agentkit.graph.prompt import read_prompt, read_text
from agentkit.graph.spec import INPUTS, Reference

_DO_NOTHING_ELSE = ("model", "agent", "strategy", "retriever", "rag", "evaluator", "template", "set", "switch")


@rule("AK010", "unused-input", "warning")
def unused_input(subject: Subject) -> Iterator[Found]:
    """An input of the graph that nothing reads: whoever gives it waits for an effect in vain."""
    whole = (INPUTS, None) in subject.read
    for name in subject.spec.inputs:
        if not whole and (INPUTS, name) not in subject.read:
            yield ("inputs", name), f"nothing reads the input {name!r}; remove it, or bind it under 'in'"


@rule("AK011", "unread-node", "warning")
def unread_node(subject: Subject) -> Iterator[Found]:
    """Nothing reads what this node gives: no node, no condition and no output. It is run, and paid for, for nothing.

    Tools, subgraphs and nodes of plugins are left out: they may be there for what they do.
    """
    read = {node for node, _ in subject.read}
    for name, node in subject.nodes.items():
        if name not in read and node.kind in _DO_NOTHING_ELSE:
            yield ("nodes", name), f"nothing reads what {name!r} gives; use it, or remove the node"


@rule("AK012", "mixed-types", "warning")
def mixed_types(subject: Subject) -> Iterator[Found]:
    """The places that a value may come from have different types, so what takes it gets now one and now the other.

    A type that cannot be taken at all is refused when the file is loaded.
    """
    for place, binding in subject.bindings.items():
        known = [one for one in binding if isinstance(one, Reference)]
        types = {subject.ports[one.node].outputs.get(one.port, "any") for one in known}
        if len(types - {"any"}) > 1 and types != {"integer", "number"}:
            told = ", ".join(f"{one} is {subject.ports[one.node].outputs.get(one.port, 'any')}" for one in known)
            yield place, f"its values have different types: {told}"


@rule("AK013", "question-not-asked", "warning")
def question_not_asked(subject: Subject) -> Iterator[Found]:
    """The prompt of a strategy does not hold the question that the node takes, so the model never sees it."""
    for name, node in subject.nodes.items():
        if node.kind != "strategy" or "prompt" not in node.options or "question" not in node.inputs:
            continue
        prompt, _ = read_prompt(node.options["prompt"], subject.shop.read)
        if prompt is not None and "question" not in prompt.wants():
            yield subject.at(name, "with", "prompt"), "the prompt does not hold {{question}}, which the node takes"


@rule("AK014", "unfenced-documents", "warning")
def unfenced_documents(subject: Subject) -> Iterator[Found]:
    """A `template` node puts documents into a text. In a prompt they then stand without the fences that mark them as data.

    Bind the documents to the node with the prompt, and write `{{documents}}` there.
    """
    for name, node in subject.nodes.items():
        if node.use != "template":
            continue
        template, _ = read_text(node.options["template"], subject.shop.read)
        used = {one.path[0] for one in template.names if one.path} if template else set()
        for port, binding in node.inputs.items():
            references = [one for one in binding if isinstance(one, Reference)]
            types = {subject.ports[one.node].outputs.get(one.port) for one in references}
            if port in used and "documents" in types:
                yield (
                    subject.at(name, "in", port),
                    "documents in a template lose their fences; put them into the prompt",
                )
