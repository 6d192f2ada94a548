"""The kinds of errors that a log shows: where each stands in the taxonomy, how far to believe it, how to repair it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error: its code, how much it is to be believed, how to repair it, and the failure mode of MAST nearest to it.

    MAST is the taxonomy of Cemri et al. (2025, arXiv 2503.13657); empty where none of its 14 modes is the same thing.
    """

    code: str
    confidence: float
    repair: str
    mast: str = ""


TAXONOMY: Mapping[str, str] = MappingProxyType(
    {
        "unknown_action": "P1",
        "bad_arguments": "P2",
        "ungrounded_argument": "P3",
        "premature_stop": "P6",
        "repeated_call": "P8",
        "repeated_state": "P8",
        "result_contradicted": "P9",
        "arithmetic_wrong": "P11",
        "goal_drift": "J1",
        "verification_missing": "J5",
        "decisive_error": "J6",
        "role_disobeyed": "J7",
    }
)
"""The place of every code in the taxonomy of planning errors."""

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "unknown_action": Kind(
            "unknown_action", 0.9, "import or define what the code calls, or name a tool that exists"
        ),
        "invalid_invocation": Kind(
            "bad_arguments", 0.8, "read the error, correct the call, and run it again before going on"
        ),
        "invented_value": Kind(
            "ungrounded_argument",
            0.7,
            "replace the made-up data by data from a source, or say that there is none",
            "3.2 no or incomplete verification",
        ),
        "assumed_value": Kind(
            "ungrounded_argument",
            0.5,
            "look the assumed fact up before anything is built on it",
            "2.2 fail to ask for clarification",
        ),
        "unsupported_answer": Kind(
            "ungrounded_argument",
            0.5,
            "run a search or a computation that yields the value, and cite it",
            "3.2 no or incomplete verification",
        ),
        "premature_stop": Kind(
            "premature_stop",
            0.6,
            "go on until the question has an answer, or say what is missing",
            "3.1 premature termination",
        ),
        "repeated_call": Kind(
            "repeated_call", 0.8, "try something else: the same call gave nothing new", "1.3 step repetition"
        ),
        "empty_result": Kind(
            "result_contradicted", 0.6, "treat an empty result as a failure: print what was received and look at it"
        ),
        "result_ignored": Kind(
            "result_contradicted",
            0.6,
            "answer the failure that came back instead of going past it",
            "2.5 ignored other agent's input",
        ),
        "answer_differs": Kind(
            "result_contradicted", 0.6, "give the value that was computed, or say how the other one follows"
        ),
        "arithmetic_wrong": Kind("arithmetic_wrong", 0.95, "compute it again with the calculator or with code"),
        "goal_drift": Kind(
            "goal_drift",
            0.6,
            "put the question itself to the agents, with every condition of it",
            "2.3 task derailment",
        ),
        "work_handed_back": Kind(
            "role_disobeyed",
            0.5,
            "have an agent do it with a tool: nobody else is there to do it by hand",
            "1.2 disobey role specification",
        ),
        "unverified": Kind(
            "verification_missing",
            0.4,
            "check the claim against a source or by another way before agreeing",
            "3.2 no or incomplete verification",
        ),
        "no_progress": Kind(
            "repeated_state",
            0.5,
            "change the plan at the step after which nothing new was found",
            "1.5 unaware of termination conditions",
        ),
    }
)
