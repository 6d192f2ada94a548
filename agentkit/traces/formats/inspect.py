"""Logs of Inspect evaluations in their JSON form: a talk a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit.traces.formats.chat import turns_of
from agentkit.traces.turns import Draft, Turn, listed, mapping, string, text_of, tools_of

_RIGHT = ("C", "c", "correct", True, 1)
_WRONG = ("I", "i", "N", "incorrect", False, 0)


def knows(data: Any) -> bool:
    """Whether ``data`` is a log with samples, or one sample of it."""
    log = mapping(data)
    return ("samples" in log and "eval" in log and bool(listed(log["samples"]))) or _is_sample(log)


def drafts(data: Any) -> list[Draft]:
    """A draft a sample."""
    log = mapping(data)
    if _is_sample(log):
        return [_draft(log, {})]
    return [_draft(mapping(one), mapping(log.get("eval"))) for one in listed(log.get("samples"))]


def _is_sample(log: Mapping[str, Any]) -> bool:
    return "epoch" in log and "messages" in log and ("scores" in log or "output" in log)


def _draft(sample: Mapping[str, Any], spec: Mapping[str, Any]) -> Draft:
    messages = [_message(mapping(one)) for one in listed(sample.get("messages"))]
    asked = sample.get("input")
    task = (
        asked if isinstance(asked, str) else next((text_of(mapping(one).get("content")) for one in listed(asked)), "")
    )
    return Draft(
        turns=(*turns_of(messages), *_error(sample)),
        source="inspect",
        task=task,
        tools=_tools(sample),
        outcome=_outcome(mapping(sample.get("scores"))),
        id=string(sample.get("uuid")) or f"{string(sample.get('id'))}/{string(sample.get('epoch'))}",
        metadata={"task": string(spec.get("task")), "model": string(spec.get("model"))},
    )


def _message(one: Mapping[str, Any]) -> dict[str, Any]:
    """The tool of a result stands under ``function``, its failure under ``error``."""
    named = {"name": one.get("function")} if one.get("role") == "tool" else {}
    error = mapping(one.get("error"))
    content = one.get("content") or string(error.get("message"))
    return {**one, **named, "content": content}


def _error(sample: Mapping[str, Any]) -> list[Turn]:
    message = string(mapping(sample.get("error")).get("message"))
    return [Turn(agent="system", text=message, kind="error")] if message else []


def _tools(sample: Mapping[str, Any]) -> tuple[Any, ...]:
    models = (mapping(one) for one in listed(sample.get("events")))
    return next((tools_of(one.get("tools")) for one in models if one.get("event") == "model" and one.get("tools")), ())


def _outcome(scores: Mapping[str, Any]) -> bool | None:
    """Right when every score that is plainly right or wrong is right."""
    values = [mapping(one).get("value") for one in scores.values()]
    plain = [
        value in _RIGHT for value in values if isinstance(value, str | int | float) and value in (*_RIGHT, *_WRONG)
    ]
    return all(plain) if plain else None
