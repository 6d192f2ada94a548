"""The contract of an evaluator: a number in [0, 1] or a reason why not, findings that point at real text, no crash."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from agentkit.protocols import Evaluator
from agentkit.testing.conformance.checks import demand, run_checks
from agentkit.types import Document, Finding, Record, Score, Usage

MEGABYTE = "The kernel reads the table. " * 37_500
AWKWARD_OUTPUTS = (
    "",
    " \n\t ",
    None,
    7,
    {"answer": [1, 2]},
    "\x00\x07\x1b[31m\u202e",
    "\ud800",
    "a" * 100_000,
    "Ядро читает таблицу. 👩‍🚀",
    MEGABYTE,
)
"""Outputs that must be scored or refused with a reason."""

_RECORD = Record(
    id="1",
    input="What does the kernel read?",
    output="The kernel reads the table.",
    target="the table",
    documents=(Document(text="At boot the kernel reads the table.", id="d1"), Document(text="", id="d2")),
)


async def check_evaluator(
    make_evaluator: Callable[[], Evaluator], *, record: Record = _RECORD, seconds: float = 60.0
) -> None:
    """Check an evaluator on ``record`` and on awkward variants of it; raises ``AssertionError`` with what it does wrong."""

    async def scores_a_record(evaluator: Evaluator) -> None:
        score = await evaluator.evaluate(record)
        _proper(score, record)
        demand(score.evaluator, "the score does not say which evaluator gave it")

    async def bears_awkward_records(evaluator: Evaluator) -> None:
        for output in AWKWARD_OUTPUTS:
            odd = replace(record, output=output)
            _proper(await evaluator.evaluate(odd), odd)

    async def bears_missing_parts(evaluator: Evaluator) -> None:
        for bare in (
            Record(),
            replace(record, documents=()),
            replace(record, target=None),
            replace(record, input=None),
        ):
            _proper(await evaluator.evaluate(bare), bare)

    async def repeats_itself(evaluator: Evaluator) -> None:
        first, second = await evaluator.evaluate(record), await evaluator.evaluate(record)
        demand(_timeless(first) == _timeless(second), f"two evaluations of one record differ: {first} and {second}")

    checks = (scores_a_record, bears_awkward_records, bears_missing_parts, repeats_itself)
    await run_checks(make_evaluator, checks, seconds=seconds)


def _timeless(score: Score) -> Score:
    return replace(score, seconds=0.0, usage=Usage())


def _proper(score: Score, record: Record) -> None:
    demand(isinstance(score, Score), f"evaluate must return a Score, not {score!r}")
    value = score.value
    if value is None:
        demand(score.status != "scored", "a score without a value must not call itself scored")
        demand(score.reason, "a record that was not scored must say why")
    else:
        demand(math.isfinite(value) and 0 <= value <= 1, f"a score must lie in [0, 1], not {value}")
        demand(score.status == "scored", f"a score with a value must be scored, not {score.status!r}")
    for finding in score.findings:
        _points_at_text(finding, record)


def _points_at_text(finding: Finding, record: Record) -> None:
    demand(finding.code and finding.message, f"a finding needs a code and a message: {finding}")
    demand(0 <= finding.confidence <= 1, f"the confidence of a finding must lie in [0, 1]: {finding}")
    if isinstance(record.output, str):
        _span(finding.start, finding.end, finding.text, record.output, "output")
    if (evidence := finding.evidence) is not None:
        demand(evidence.document < len(record.documents), f"evidence from a document that is not there: {evidence}")
        _span(evidence.start, evidence.end, evidence.text, record.documents[evidence.document].text, "document")


def _span(start: int | None, end: int | None, text: str, whole: str, what: str) -> None:
    if start is None or end is None:
        return
    demand(
        0 <= start <= end <= len(whole), f"a span [{start}, {end}) lies outside the {what} of {len(whole)} characters"
    )
    demand(not text or whole[start:end] == text, f"a span says {text!r} where the {what} says {whole[start:end]!r}")
