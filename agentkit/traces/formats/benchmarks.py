"""Recorded runs of the public sets: Who&When, tau-bench, and AgentRx, whose labels count steps from 1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agentkit.traces.formats.chat import turns_of
from agentkit.traces.trace import StepKind
from agentkit.traces.turns import Draft, Turn, listed, mapping, string, text_of, tools_of

_ASIDE = re.compile(r"(?P<agent>[^(]+?) \((?P<aside>thought|termination condition|-> ?[^)]*)\)\Z")
_OUTPUT = re.compile(r"exit ?code: ?\d", re.IGNORECASE)
_TALKS = ("messages", "traj", "trajectory", "history")
_KEPT = ("instruction", "expected_actions", "expected_outputs", "task_id", "trial", "model", "domain")


def knows(data: Any) -> bool:
    """Whether ``data`` is a row of one of these sets."""
    row = mapping(data)
    return bool(_talk(row)) and ("history" in row or _labelled(row) or _rewarded(row))


def drafts(data: Any) -> list[Draft]:
    """The one run in ``data``."""
    row = mapping(data)
    if _labelled(row):
        return [_agentrx(row)]
    return [_tau(row) if _rewarded(row) else _who_and_when(row)]


def _talk(row: Mapping[str, Any]) -> Sequence[Any]:
    found = next((listed(row[name]) for name in _TALKS if listed(row.get(name))), ())
    return found if all(isinstance(one, Mapping) for one in found) else ()


def _labelled(row: Mapping[str, Any]) -> bool:
    return isinstance(mapping(row.get("labels")).get("failures"), list)


def _rewarded(row: Mapping[str, Any]) -> bool:
    return type(row.get("reward")) in (int, float) and "history" not in row


def _tau(row: Mapping[str, Any]) -> Draft:
    reward = row.get("reward")
    return Draft(
        turns=turns_of(_talk(row)) if "history" not in row else _speeches(_talk(row), 0),
        source="tau-bench",
        tools=tools_of(row.get("tools")),
        policy=string(row.get("policy")),
        outcome=reward >= 1 - 1e-6 if isinstance(reward, int | float) else None,
        id=string(row.get("id")),
        metadata={name: row[name] for name in _KEPT if name in row},
    )


def _agentrx(row: Mapping[str, Any]) -> Draft:
    """``metadata["failures"]`` has the labelled steps from 0, ``origin`` of a step is its number in AgentRx."""
    talk, labels = _talk(row), mapping(row["labels"])
    is_chat = all("role" in one and "name" not in one for one in talk if one.get("role") != "tool")
    failures = [mapping(one) for one in listed(labels["failures"])]
    told = [{**one, "step": int(one["step_number"]) - 1} for one in failures if type(one.get("step_number")) is int]
    root = mapping(labels.get("root_cause")).get("failure_id")
    return Draft(
        turns=turns_of(talk, 1) if is_chat else _speeches(talk, 1),
        source="agentrx",
        task=string(row.get("question")),
        tools=tools_of(row.get("tools")),
        outcome=False,
        id=string(row.get("id")),
        metadata={
            **{name: row[name] for name in _KEPT if name in row},
            "failures": told,
            "root": next((one["step"] for one in told if one.get("failure_id") == root), None),
        },
    )


def _who_and_when(row: Mapping[str, Any]) -> Draft:
    correct = row.get("is_correct")
    return Draft(
        turns=_speeches(_talk(row), 0),
        source="who-and-when",
        task=string(row.get("question")) or string(row.get("task")),
        outcome=correct if isinstance(correct, bool) else None,
        id=string(row.get("id")),
        metadata={name: row[name] for name in ("mistake_agent", "mistake_step", "mistake_reason") if name in row},
    )


def _speeches(talk: Sequence[Any], first: int) -> tuple[Turn, ...]:
    return tuple(_speech(mapping(one), first + place) for place, one in enumerate(talk))


def _speech(one: Mapping[str, Any], origin: int) -> Turn:
    """``Orchestrator (thought)`` thinks; what a terminal prints is a result."""
    named = string(one.get("agent")) or string(one.get("name")) or string(one.get("role"))
    text, aside = text_of(one.get("content")), _ASIDE.match(named)
    kind: StepKind = (
        "thought" if aside and aside["aside"] == "thought" else "result" if _OUTPUT.match(text) else "message"
    )
    return Turn(agent=aside["agent"] if aside else named, text=text, kind=kind, origin=origin)
