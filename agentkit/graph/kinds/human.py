"""``human``: ask a person, and go on with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentkit import jsonschema
from agentkit.errors import InputError, did_you_mean
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.ports import Port, Ports, type_of_schema
from agentkit.graph.prompt import Prompt, Read, Turn, faults_of_names, read_text
from agentkit.graph.questions import ask, read_answer
from agentkit.graph.spec import NodeSpec
from agentkit.options import Fault, plainly
from agentkit.rag.prompt import clean
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Question

_OPTIONS = ("ask", "choices", "approve", "schema", "default", "wait")
_SHAPES = ("choices", "approve", "schema")
_DESCRIBED: dict[str, JSON] = {
    "ask": {**described.TEXT, "description": "What the person is asked, with {{places}} for the node's inputs."},
    "choices": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 2,
        "description": "What the answer is one of.",
    },
    "approve": {"const": True, "description": "The answer is yes or no, with a comment."},
    "schema": {"type": "object", "description": "The answer is data that fits this JSON Schema."},
    "default": {"description": "The answer where nobody gives one."},
    "wait": {"type": "number", "minimum": 0, "description": "Seconds until the default stands in."},
}


class HumanKind:
    """Takes what its ``ask`` names; gives ``answer``, or ``approved`` and ``comment``, or ``data``, and ``by``: whose it is."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports that the text names, and those of the answer."""
        faults: list[Fault] = [
            (("with", name), f"unknown option{did_you_mean(name, _OPTIONS)}")
            for name in node.options
            if name not in _OPTIONS
        ]
        inputs, more = _inputs(node, site)
        faults += more
        if node.timeout is not None:
            faults.append((("timeout",), "a person is waited for between runs; say with 'wait' and 'default' how long"))
        if node.sample is not None:
            faults.append((("sample",), "a person is asked once; only what others draw can be sampled"))
        question, wrong = _question(node, site.read)
        faults += wrong
        if question is None:
            return Checked(ports=Ports(inputs=inputs, open=True), faults=faults)
        faults += _check_default(node, question)
        return Checked(ports=Ports(inputs=inputs, outputs=_outputs(question)), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.closed(_DESCRIBED, required=("ask",))

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """No model is asked."""
        return ()

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Asks, unless the answer is there."""
        template, _ = read_text(node.options["ask"], shop.read)
        shape, _ = _question(node, shop.read)
        assert template is not None
        assert shape is not None
        wait = node.options.get("wait")

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            text = clean(template.render({**dict.fromkeys(node.inputs), **inputs}))
            answer = ask(replace(shape, text=text), context, wait=wait)
            if shape.kind == "approve":
                return {"comment": "", **answer.value, "by": answer.by}
            return {"data" if shape.kind == "form" else "answer": answer.value, "by": answer.by}

        return run


def _inputs(node: NodeSpec, site: Site) -> tuple[dict[str, Port], list[Fault]]:
    anything = {name: Port() for name in node.inputs}
    if "ask" not in node.options:
        return anything, [(("with",), "option 'ask' is missing: what the person is asked")]
    template, faults = read_text(node.options["ask"], site.read)
    faults = [(("with", "ask", *path), message) for path, message in faults]
    if template is None:
        return anything, faults
    prompt = Prompt((Turn("user", template),))
    named = faults_of_names(prompt, dict.fromkeys(node.inputs, True))
    faults += [(("with", "ask", *path), message) for path, message in named]
    return {name: Port("any", needed and name in node.inputs) for name, needed in prompt.wants().items()}, faults


def _question(node: NodeSpec, read: Read) -> tuple[Question | None, list[Fault]]:
    """The question without its text, or what is wrong with its shape."""
    shapes = [name for name in _SHAPES if name in node.options]
    if len(shapes) > 1:
        return None, [(("with", shapes[1]), f"a question has one form of answer, and {shapes[0]!r} is given")]
    options, default = node.options, node.options.get("default")
    if "choices" in options:
        choices = options["choices"]
        if (
            not isinstance(choices, list)
            or len(choices) < 2
            or not all(isinstance(one, str) and one for one in choices)
        ):
            return None, [(("with", "choices"), "must be a list of two texts or more")]
        return Question(id="", text="", kind="choice", choices=tuple(choices), default=default), []
    if "approve" in options:
        if options["approve"] is not True:
            return None, [(("with", "approve"), f"must be true or left out, not {plainly(options['approve'])}")]
        return Question(id="", text="", kind="approve", default=default), []
    if "schema" in options:
        schema, faults = jsonschema.read_schema(options["schema"], read)
        form = None if schema is None else Question(id="", text="", kind="form", schema=schema, default=default)
        return form, [(("with", "schema", *path), message) for path, message in faults]
    return Question(id="", text="", default=default), []


def _check_default(node: NodeSpec, question: Question) -> list[Fault]:
    faults: list[Fault] = []
    wait: Any = node.options.get("wait")
    if wait is not None and (not isinstance(wait, int | float) or isinstance(wait, bool) or wait < 0):
        faults.append((("with", "wait"), f"must be a number of seconds from 0, not {plainly(wait)}"))
    if wait is not None and "default" not in node.options:
        faults.append((("with", "wait"), "needs a 'default': what stands in where nobody answers in that time"))
    if "default" in node.options:
        try:
            read_answer(question, question.default)
        except InputError as error:
            faults.append((("with", "default"), str(error).removeprefix("the answer to '' ")))
    return faults


def _outputs(question: Question) -> dict[str, str]:
    if question.kind == "approve":
        return {"approved": "boolean", "comment": "string", "by": "string"}
    if question.kind == "form":
        return {"data": type_of_schema(question.schema or {}), "by": "string"}
    return {"answer": "string", "by": "string"}
