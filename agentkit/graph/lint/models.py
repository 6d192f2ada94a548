"""The models of a graph and what is asked of them: AK020 to AK029."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from agentkit.graph.lint.rule import Found, Subject, rule
from agentkit.graph.spec import ModelSpec
from agentkit.runtime.redact import Redactor
from agentkit.types import JSON

_MEANING = {
    "tools": "cannot call tools",
    "schema": "cannot be held to a JSON Schema",
    "logprobs": "gives no log-probabilities",
    "seed": "takes no seeds",
    "n": "draws one sample at a time",
    "reasoning": "does not tell its reasoning apart",
    "continues": "cannot continue a message of its own",
}


@rule("AK020", "unused-model", "warning")
def unused_model(subject: Subject) -> Iterator[Found]:
    """No node of this graph, or of a graph inside it, uses this model, and no model asks it in its place."""
    used = _used(subject)
    for name in subject.spec.models:
        if subject.spec.owns(name) and subject.spec.models[name].name not in used:
            yield ("models", name), f"nothing uses the model {name!r}; remove it"


@rule("AK021", "unpriced-model", "error")
def unpriced_model(subject: Subject) -> Iterator[Found]:
    """A model without a known price under a budget in `usd`: its calls are refused, because nobody can say what they cost.

    Give the model a `price`, or budget calls or tokens.
    """
    for node, name in _asked(subject):
        budgets = (subject.spec.budget, subject.nodes[node].budget)
        known = subject.backend(name)
        if any(one is not None and one.usd is not None for one in budgets) and known.price is None and not known.reason:
            yield ("models", name), f"model {name!r} has no known price, and {node!r} has a budget in usd"


@rule("AK022", "missing-capability", "error")
def missing_capability(subject: Subject) -> Iterator[Found]:
    """A node needs what its model cannot give: tools for an agent, a JSON Schema for `data`, log-probabilities for a strategy."""
    for node, bounds in subject.bounds.items():
        for one in bounds:
            able = subject.backend(str(one.model)).capabilities
            for need in sorted(one.needs):
                if able is not None and not getattr(able, need, True):
                    told = f"model {one.model!r} {_MEANING.get(need, f'lacks {need}')}"
                    yield (
                        subject.at(node, "use"),
                        f"{told}, and {subject.nodes[node].use} needs that; take another model",
                    )


@rule("AK023", "unseeded-model", "note")
def unseeded_model(subject: Subject) -> Iterator[Found]:
    """A model that takes no seeds: two runs with the same seed may differ. A recorded run still replays exactly."""
    for name in dict.fromkeys(model for _, model in _asked(subject)):
        able = subject.backend(name).capabilities
        if able is not None and not able.seed:
            yield ("models", name), f"model {name!r} takes no seeds: the same --seed may give another run"


@rule("AK024", "secret-in-clear", "error")
def secret_in_clear(subject: Subject) -> Iterator[Found]:
    """A key or password is written in the file, where everybody who has the file can read it.

    Write `${env:NAME}` and set the environment variable; change the key if the file was shared.
    """
    redactor = Redactor()
    for name, value in _own(subject):
        for path, text in _texts(value, ("models", name)):
            key = str(path[-1])
            if "${env:" not in text and redactor.data({key: text}) != {key: text}:
                yield path, "a secret is written in clear; write ${env:NAME} and set the variable"


@rule("AK025", "key-over-plain-http", "warning")
def key_over_plain_http(subject: Subject) -> Iterator[Found]:
    """A model with an `api_key` is asked over `http://`, so the key can be read on the way; loopback is left out."""
    for name, value in _own(subject):
        for option in ("base_url", "api_base"):
            url = value.get(option)
            if isinstance(url, str) and value.get("api_key") and url.startswith("http://") and not _loopback(url):
                yield ("models", name, option), "the key is sent in clear over http; use https"


def _own(subject: Subject) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The models that the file itself writes out."""
    spec = subject.spec
    own = {name: one for name, one in spec.models.items() if spec.owns(name) and not one.given}
    return ((name, dict(one.options)) for name, one in own.items())


def _texts(value: JSON, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _asked(subject: Subject) -> Iterator[tuple[str, str]]:
    """Each node with each model that it may ask, those in its place included."""
    for node, bounds in subject.bounds.items():
        for one in bounds:
            for model in _chain(subject.spec.models, str(one.model)):
                yield node, model


def _chain(models: Mapping[str, ModelSpec], name: str) -> Iterator[str]:
    yield name
    for other in models[name].others:
        yield from _chain(models, other)


def _used(subject: Subject) -> set[str]:
    """The full names of the models that this graph or a graph inside it may ask, by what their options say."""
    found: set[str] = set()
    graphs = [subject.spec]
    while graphs:
        spec = graphs.pop()
        graphs += spec.graphs.values()
        named = [value for node in spec.nodes.values() for value in node.options.values() if isinstance(value, str)]
        alone = list(spec.models) if len(spec.models) == 1 else []
        for name in [one for one in [*named, *alone] if one in spec.models]:
            found |= {spec.models[one].name for one in _chain(spec.models, name)}
    return found
