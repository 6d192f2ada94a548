"""Deeds that an agent claims and never did: ``I have cancelled your order`` with a tool to cancel, and no call of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentkit.evaluators.planning.trajectory.claims import OUTSIDE, lines
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.text import stem
from agentkit.traces import Trace, calls
from agentkit.traces.provenance import parts
from agentkit.traces.values import leaves, tokens

_DEED = re.compile(
    r"\b(?:I(?: have|'ve|’ve)|we(?: have|'ve|’ve)|(?:has|have) been)\s+(?:now\s+|just\s+|already\s+|also\s+|successfully\s+)*"
    r"(?P<verb>[a-z]{3,}(?:ed|en|t)|paid|made|set|put)\b",
    re.IGNORECASE,
)
_IRREGULAR = {"sent": "send", "paid": "pay", "bought": "buy", "made": "make", "written": "write", "given": "give"}
_NOT_YET = re.compile(
    r"\?|\b(?:once|after|when|if|until|before|unless|not|n't|never|cannot|would|will)\b", re.IGNORECASE
)


def claimed(trace: Trace) -> Iterator[Flaw]:
    """Every claim of a deed for which there is a tool, made before any call of such a tool went well.

    What a result speaks of may be told without doing it. Without the tools there are, nothing is known to be missing.
    """
    able = {_verb(tool.name): tool.name for tool in reversed(trace.tools)}
    done = {call.answer_place: _verb(call.step.name) for call in calls(trace) if not call.failed}
    spoken: set[str] = set()
    for place, step in enumerate(trace.steps):
        if step.kind == "message" and step.agent not in OUTSIDE:
            for line in lines(step.text):
                verb = _deed(line)
                if verb and verb in able and verb not in spoken:
                    spoken.add(verb)
                    yield _flaw(place, line, able[verb])
        elif step.kind in ("result", "error"):
            spoken |= {
                stem(word, "en") for part in parts(step) for _, leaf in leaves(part) for word in tokens(str(leaf))
            }
        spoken.add(done.get(place, ""))


def _verb(name: str) -> str:
    """The stem of the word that a tool's name begins with: ``cancelOrder`` and ``cancel_order`` cancel."""
    words = tokens(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("_", " "))
    return stem(words[0], "en") if words else ""


def _deed(line: str) -> str:
    found = _DEED.search(line)
    if found is None or _NOT_YET.search(line):
        return ""
    verb = found["verb"].casefold()
    return stem(_IRREGULAR.get(verb, verb), "en")


def _flaw(place: int, line: str, tool: str) -> Flaw:
    return Flaw(
        code="result_contradicted",
        kind="claimed_act",
        step=place,
        message=f"the agent says that it is done, but no call of {tool} or its like went well before",
        evidence=line,
        confidence=0.7,
        repair=f"call {tool}, or say that it has not been done",
        values=(tool,),
        more={"tool": tool},
    )
