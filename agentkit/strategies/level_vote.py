"""Votes over the thoughts of a level: the model sees them all and names the best (Yao et al. 2023, arXiv 2305.10601)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_LABELLED = re.compile(r"\bchoice(?: is)?(?: choice)?\W{0,12}(\d+)", re.IGNORECASE)
_BARE = re.compile(r"\W*(\d+)\W*")


def shown(states: Sequence[str]) -> str:
    """The states as numbered choices, the first being 1."""
    return "\n\n".join(f"Choice {number}:\n{state}" for number, state in enumerate(states, 1))


def chosen(reply: str, count: int) -> int | None:
    """The place (0 is the first) of the choice that a reply ends in; None when it names none of the ``count``."""
    named = _LABELLED.findall(reply)
    lines = reply.strip().splitlines()
    alone = _BARE.fullmatch(lines[-1]) if lines else None
    number = int(alone[1]) if alone else int(named[-1]) if named else 0
    return number - 1 if 1 <= number <= count else None


def counted(replies: Sequence[str], count: int) -> list[int]:
    """How many replies chose each of ``count`` places; a reply that cannot be read abstains."""
    votes = Counter(chosen(reply, count) for reply in replies)
    return [votes[place] for place in range(count)]
