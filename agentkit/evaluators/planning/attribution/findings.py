"""Clues as findings: which is the first, which follow from which, and what to say of a step without any clue."""

from __future__ import annotations

from collections.abc import Sequence

from agentkit.evaluators.planning.attribution.clues import Clue, find, quote
from agentkit.evaluators.planning.attribution.features import Facts, failing
from agentkit.evaluators.planning.attribution.kinds import KINDS, TAXONOMY
from agentkit.evaluators.planning.attribution.ranking import Suspect
from agentkit.types import Finding

_LOOK_AGAIN = "read this step beside those before it: the order of the log speaks against it, and no check covers it"


def findings(facts: Facts, chosen: Suspect, *, judged: str = "") -> tuple[Finding, ...]:
    """The clues of a log as findings in the order of its steps, with a ``decisive_error`` for the step that was chosen.

    ``judged`` is what a judge said of the chosen step. ``metadata`` has ``taxonomy``, ``repair``, ``mast`` (see ``Kind``),
    ``first`` (the first finding of the log), ``decisive`` (it is about the chosen step) and ``consequence_of`` (the step it
    follows from, or None).
    """
    found = find(facts)
    kinds = [_of_clue(one, facts, chosen, found) for one in found]
    return (_decisive(facts, chosen, found, judged), *kinds)


def _decisive(facts: Facts, chosen: Suspect, found: Sequence[Clue], judged: str) -> Finding:
    turn = facts.log.turns[chosen.step]
    here = [one for one in found if one.step == chosen.step]
    why = (
        judged
        or "; ".join(one.why for one in here)
        or "no check speaks against it, but it stands where such errors stand"
    )
    return Finding(
        code="decisive_error",
        kind="judged" if judged else "likeliest",
        message=f"step {chosen.step} ({turn.agent or 'unnamed'}) is the likeliest decisive error: {why}",
        step=chosen.step,
        agent=turn.agent,
        text=here[0].quote if here else quote(turn.text),
        confidence=min(1.0, chosen.chance),
        metadata={
            "taxonomy": TAXONOMY["decisive_error"],
            "detector": "judge" if judged else "symbolic",
            "repair": KINDS[here[0].name].repair if here else _LOOK_AGAIN,
            "mast": KINDS[here[0].name].mast if here else "",
            "first": not any(one.step < chosen.step for one in found),
            "decisive": True,
            "consequence_of": None,
        },
    )


def _of_clue(clue: Clue, facts: Facts, chosen: Suspect, found: Sequence[Clue]) -> Finding:
    kind = KINDS[clue.name]
    return Finding(
        code=kind.code,
        kind=clue.name,
        message=f"step {clue.step}: {clue.why}",
        step=clue.step,
        agent=facts.log.turns[clue.step].agent,
        text=clue.quote,
        confidence=kind.confidence,
        metadata={
            "taxonomy": TAXONOMY[kind.code],
            "detector": "symbolic",
            "repair": kind.repair,
            "mast": kind.mast,
            "first": clue.step == found[0].step,
            "decisive": clue.step == chosen.step,
            "consequence_of": _cause(clue, facts, found),
        },
    )


def _cause(clue: Clue, facts: Facts, found: Sequence[Clue]) -> int | None:
    """The earliest step with a clue whose new values this step uses again, or whose failure it tries to repair."""
    turn = facts.log.turns[clue.step]
    for earlier in dict.fromkeys(one.step for one in found if one.step < clue.step):
        before = facts.log.turns[earlier]
        if failing(before) and failing(turn) and _unbroken(facts, earlier, clue.step):
            return earlier
        if facts.fresh[earlier] & turn.values and not failing(before):
            return earlier
    return None


def _unbroken(facts: Facts, start: int, end: int) -> bool:
    """Whether nothing that was run between the two steps worked."""
    return not any(turn.outcome == "worked" for turn in facts.log.turns[start + 1 : end])
