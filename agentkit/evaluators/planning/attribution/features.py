"""What is suspicious about each step of a log, as numbers in [0, 1]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from re import Pattern

from agentkit.evaluators.planning.attribution import signs
from agentkit.evaluators.planning.attribution.log import Log, Turn

Features = Mapping[str, float]

_FRESH = 10  # new values in one step that count as many
_SHORT = 8  # words below which a step says nothing
_FOREIGN = (
    0.6  # share of a task description's words that the question does not have, from which it is about something else
)
_EARLY = 400  # characters of a step in which it says that something failed
_FAR = 60  # steps after which a later one is no less likely than an earlier one


def measure(log: Log) -> list[Features]:
    """The features of every turn of ``log``, by name; a feature that is 0 is left out."""
    facts = Facts(log)
    return [{name: v for name, of in _FEATURES.items() if (v := float(of(turn, facts)))} for turn in log.turns]


@dataclass(frozen=True)
class Facts:
    """What has to be known of the whole log to judge one of its turns."""

    log: Log

    @cached_property
    def fresh(self) -> Sequence[frozenset[str]]:
        """For every turn the numbers and names that nobody said before it."""
        known = set(self.log.asked.values)
        found = []
        for turn in self.log.turns:
            found.append(turn.values - known)
            known |= turn.values
        return found

    @cached_property
    def born(self) -> Sequence[float]:
        """The share of the final answer's values that each turn brought in; what its code put out counts for its author."""
        turns = self.log.turns
        given = turns[0].values if turns[0].part == "task" else frozenset()
        wanted = self.final.values - self.log.asked.values - given
        shares = [len(new & wanted) / len(wanted) if wanted else 0.0 for new in self.fresh]
        for turn in turns:
            if turn.answer is not None:
                shares[turn.index] += shares[turn.answer]
                shares[turn.answer] = 0.0
        return shares

    @cached_property
    def final(self) -> Turn:
        """The last turn that says something."""
        return next((turn for turn in reversed(self.log.acting) if len(turn.words) > 3), self.log.turns[-1])

    @cached_property
    def finished(self) -> bool:
        """Whether the log ends with an answer, or with a word of whoever asked; one that was cut off does not."""
        return self.log.turns[-1].part == "task" or any(turn.says(signs.CONCLUDES) for turn in self.log.turns[-2:])

    @cached_property
    def drift(self) -> float:
        """The share of topics in the task that was handed out which the question does not have; 0 without such a section."""
        found = signs.SECTION.search(self.log.turns[0].text)
        handed = Turn(index=0, agent="", text=found[found.lastindex or 0], part="task") if found else None
        if handed is None or not handed.topics or not self.log.asked.topics:
            return 0.0
        return 1 - len(handed.topics & self.log.asked.topics) / len(handed.topics)

    @cached_property
    def led(self) -> bool:
        """Whether somebody hands out the work turn by turn."""
        return sum(self.leads(turn) for turn in self.log.turns) > 2

    def leads(self, turn: Turn) -> bool:
        """Whether the turn is one of whoever hands out the work."""
        return turn.part == "action" and turn.agent in self.leaders

    @cached_property
    def leaders(self) -> frozenset[str]:
        """The agents who lead: by their name, or because they keep a ledger."""
        kept = Counter(turn.agent for turn in self.log.turns if turn.says(signs.LEDGER))
        named = {turn.agent for turn in self.log.turns if signs.LEADS.search(turn.agent)}
        return frozenset(named | {agent for agent, count in kept.items() if agent and count > 1})

    @cached_property
    def stalls(self) -> frozenset[int]:
        """Turns after which whoever leads says that there is no progress."""
        acting = self.log.acting
        return frozenset(
            before.index
            for place, before in enumerate(acting[:-1])
            if not self.leads(before)
            for after in acting[place + 1 : place + 2]
            if self.leads(after) and after.says(signs.STALLED)
        )

    def astray(self, turn: Turn) -> float:
        """The share of the question's topics of which a turn says nothing."""
        asked = self.log.asked.topics
        return 1 - len(turn.topics & asked) / len(asked) if asked else 0.0

    def first(self, test: Callable[[Turn], object]) -> int:
        """Where something happens first after the opening; -1: nowhere."""
        return next((turn.index for turn in self.log.acting if turn.index and test(turn)), -1)

    @cached_property
    def first_failure(self) -> int:
        """The first turn whose code failed or put out nothing."""
        return self.first(failing)

    @cached_property
    def first_conclusion(self) -> int:
        """The first turn that draws a conclusion."""
        return self.first(lambda turn: turn.says(signs.CONCLUDES))

    @cached_property
    def first_invention(self) -> int:
        """The first turn that uses made-up data."""
        return self.first(lambda turn: turn.says(signs.INVENTS))

    @cached_property
    def last(self) -> int:
        """The last turn of anybody who acts."""
        return self.log.acting[-1].index if self.log.acting else -1


def failing(turn: Turn) -> bool:
    """Whether what the turn ran failed or put out nothing."""
    return turn.runs and turn.outcome in ("failed", "empty")


def _acts(turn: Turn) -> bool:
    return turn.index > 0 and turn.part == "action"


def _said(turn: Turn, pattern: Pattern[str]) -> bool:
    return _acts(turn) and turn.says(pattern)


def _works(turn: Turn, facts: Facts) -> bool:
    return facts.led and _acts(turn) and not facts.leads(turn)


def _errs(turn: Turn) -> bool:
    return signs.FAILED.search(turn.text[:_EARLY]) is not None or signs.NOTHING.search(turn.text[:_EARLY]) is not None


def _late(turn: Turn, facts: Facts) -> float:
    """Errors come at some rate a step and the earliest decides: what counts is the number of steps before, not the share."""
    return min(1.0, turn.index / _FAR) if facts.led else 0.0


_FEATURES: Mapping[str, Callable[[Turn, Facts], float]] = {
    "reply": lambda turn, facts: turn.part == "reply",
    "asker": lambda turn, facts: turn.part == "task" and (turn.index > 0 or not turn.says(signs.BRIEF)),
    "opening_runs": lambda turn, facts: turn.index == 0 and turn.runs,
    "opening_drifts": lambda turn, facts: facts.drift if turn.index == 0 else 0.0,
    "opening_foreign": lambda turn, facts: turn.index == 0 and facts.drift > _FOREIGN,
    "opener": lambda turn, facts: _acts(turn) and turn.agent == facts.log.turns[0].agent,
    "first_failure": lambda turn, facts: turn.index == facts.first_failure,
    "invents_first": lambda turn, facts: turn.index == facts.first_invention,
    "assumes": lambda turn, facts: _said(turn, signs.ASSUMES),
    "by_hand": lambda turn, facts: _said(turn, signs.BY_HAND),
    "plans": lambda turn, facts: _said(turn, signs.PLANS) and not turn.runs,
    "fresh": lambda turn, facts: min(1.0, len(facts.fresh[turn.index]) / _FRESH) if _acts(turn) else 0.0,
    "born": lambda turn, facts: facts.born[turn.index] if _acts(turn) else 0.0,
    "concludes_first": lambda turn, facts: turn.index == facts.first_conclusion,
    "concludes": lambda turn, facts: _said(turn, signs.CONCLUDES),
    "unfinished": lambda turn, facts: turn.index == facts.last and not facts.finished,
    "last": lambda turn, facts: turn.index == facts.last,
    "short": lambda turn, facts: _acts(turn) and len(turn.words) < _SHORT,
    "leads": lambda turn, facts: facts.led and facts.leads(turn),
    "works": lambda turn, facts: _works(turn, facts),
    "notes": lambda turn, facts: facts.led and turn.says(signs.LEDGER),
    "astray": lambda turn, facts: facts.astray(turn) if _works(turn, facts) else 0.0,
    "errs": lambda turn, facts: _works(turn, facts) and _errs(turn),
    "stalls": lambda turn, facts: turn.index in facts.stalls,
    "late": lambda turn, facts: _late(turn, facts) if _acts(turn) else 0.0,
}

NAMES = tuple(_FEATURES)
"""The features, in the order of the table."""
