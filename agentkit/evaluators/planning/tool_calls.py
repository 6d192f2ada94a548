"""Whether the calls of an agent can be right: their shape, where their values come from, repeats, contradictions, rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.trajectory.contradictions import contradicted
from agentkit.evaluators.planning.trajectory.counts import miscounted
from agentkit.evaluators.planning.trajectory.deeds import claimed
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.evaluators.planning.trajectory.grounding import ungrounded
from agentkit.evaluators.planning.trajectory.repeats import repeated
from agentkit.evaluators.planning.trajectory.rows import judged, line_of, record_of, score_of, unscored
from agentkit.evaluators.planning.trajectory.rules import Rule, rules, violations
from agentkit.evaluators.planning.trajectory.shapes import misshapen, refused
from agentkit.traces import Trace
from agentkit.types import JSON, Record, Score


@dataclass(frozen=True, kw_only=True)
class ToolCalls:
    """Finds the calls of an agent that cannot be right, without a model; ``score`` is 1 when it finds none.

    Codes are ``unknown_action``, ``bad_arguments`` (broken JSON, missing, extra and wrong ones, calls that a tool refused),
    ``ungrounded_argument`` (a value that nobody gave before), ``repeated_call`` (same tool, arguments and result, so
    nothing new), ``result_contradicted`` (an attribute, a count or a part other than a result says, or a deed that was
    claimed and not done), and ``constraint_violation`` of the ``rules``: never, always, before, after, at_most,
    requires_confirmation.

    A row is ``{messages, tools?, policy?, rules?}``; ``policy`` may be plain text, in which values are then known, or
    rules. ``certain`` leaves out findings of a lower confidence, ``free_text`` names arguments that an agent may word
    itself, ``ignore`` leaves out codes.
    """

    rules: Sequence[Mapping[str, JSON]] = ()
    free_text: Sequence[str] = ()
    ignore: Sequence[str] = ()
    certain: float = 0.5

    def __post_init__(self) -> None:
        rules(list(self.rules))
        if not 0 <= self.certain <= 1:
            raise ConfigError(f"'certain' must be between 0 and 1, not {self.certain}")

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace, or messages; unscored where there is none.

        ``metadata`` of the record may hold ``tools``, ``policy`` and ``rules`` beside those of the options.
        """
        try:
            more = _rules_in(record.metadata)
            return judged(record, "tool_calls", lambda trace: self.judge(trace, more))
        except InputError as error:
            return unscored("tool_calls", str(error))

    def judge(self, trace: Trace, more: Sequence[Rule] = ()) -> Score:
        """``evaluate`` for a trace."""
        flaws = [one for one in self.flaws(trace, more) if one.code not in self.ignore]
        return score_of(trace, flaws, evaluator="tool_calls", certain=self.certain, metadata={})

    def flaws(self, trace: Trace, more: Sequence[Rule] = ()) -> list[Flaw]:
        """All that the checks find, whatever its confidence."""
        return [
            *misshapen(trace),
            *refused(trace),
            *ungrounded(trace, free=self.free_text),
            *repeated(trace),
            *contradicted(trace),
            *miscounted(trace),
            *claimed(trace),
            *violations(trace, [*self._rules, *more]),
        ]

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds no messages."""
        record = record_of(row)
        _rules_in(record.metadata)
        return record

    def render(self, score: Score) -> dict[str, Any]:
        """A line of output."""
        return line_of(score)

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return rules(list(self.rules))


def _rules_in(metadata: Mapping[str, JSON]) -> tuple[Rule, ...]:
    """The rules beside a trace: under ``rules``, or as a ``policy`` that is data."""
    found = [metadata[name] for name in ("rules", "policy") if not isinstance(metadata.get(name, ""), str)]
    try:
        return tuple(rule for one in found if one is not None for rule in rules(one))
    except ConfigError as error:
        raise InputError(str(error)) from None
