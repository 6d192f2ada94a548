"""What an evaluation found, as a value, as text, as Markdown and as JSON: every figure with its count and interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agentkit.evaluation.metrics import ACCURACY, Cost, Metric, cost, metrics
from agentkit.evaluation.plain import plain
from agentkit.evaluation.row import Header, Row

COLUMNS = ("metric", "value", "95 % interval", "scored", "unscored", "errors")
_SHOWN_ERRORS = 5


@dataclass(frozen=True, kw_only=True)
class Report:
    """The rows of an evaluation and what they add up to.

    ``metrics`` holds ``accuracy`` (by the first evaluator), the mean score of each evaluator by its name and, with
    repeats, ``pass@k`` and ``pass^k``. ``wanted`` is the number of rows a complete run has; ``path`` is where they are kept.
    """

    header: Header
    rows: tuple[Row, ...]
    wanted: int
    path: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    cost: Cost

    @classmethod
    def of(cls, header: Header, rows: Iterable[Row], *, wanted: int | None = None, path: str = "") -> Report:
        """The report of these rows; the header's seed drives the bootstrap, so equal rows give an equal report."""
        ordered = tuple(sorted(rows, key=lambda row: row.key))
        evaluators = list(header.evaluators)
        return cls(
            header=header,
            rows=ordered,
            wanted=len(ordered) if wanted is None else wanted,
            path=path,
            metrics=metrics(ordered, evaluators, seed=header.seed),
            cost=cost(ordered, evaluators),
        )

    @property
    def failed(self) -> tuple[Row, ...]:
        """Rows whose task or evaluator raised."""
        return tuple(row for row in self.rows if row.failed)

    def too_many_errors(self, limit: float | bool) -> bool:
        """Whether more rows failed than ``limit`` allows: a share below 1, a count from 1 up; True: none, False: any."""
        if isinstance(limit, bool):
            return limit and bool(self.failed)
        allowed = limit * len(self.rows) if limit < 1 else limit
        return len(self.failed) > allowed

    def __str__(self) -> str:
        return as_text(self)


def as_text(report: Report) -> str:
    """The table and the costs for a terminal, without colours."""
    rows = [COLUMNS, *table(report)]
    return "\n".join([headline(report), "", *aligned(rows), "", *cost_lines(report), *error_lines(report)])


def as_markdown(report: Report) -> str:
    """The same for a page."""
    body = [f"| {' | '.join(row)} |" for row in (COLUMNS, ("---", *["---:"] * 5), *table(report))]
    notes = [f"* {line}" for line in (*cost_lines(report), *error_lines(report))]
    return "\n".join([f"# {report.header.name}", "", headline(report), "", *body, "", *notes, ""])


def as_json(report: Report) -> dict[str, Any]:
    """The same as data, without the rows: those are in the result file."""
    return {
        **plain(report.header),
        "schema": "agentkit-report/v1",
        "records": len({row.id for row in report.rows}),
        "rows": len(report.rows),
        "wanted": report.wanted,
        "metrics": {name: _metric_data(metric) for name, metric in report.metrics.items()},
        "errors": dict(errors(report)),
        "cost": plain(report.cost),
        "results": report.path,
    }


def headline(report: Report) -> str:
    """What was evaluated, in a line."""
    records = len({row.id for row in report.rows})
    repeats = max((row.repeat for row in report.rows), default=0) + 1
    missing = f", {report.wanted - len(report.rows)} still to do" if report.wanted > len(report.rows) else ""
    times = f" x {repeats} repeats" if repeats > 1 else ""
    failed = f", {len(report.failed)} with errors" if report.failed else ""
    again = sum(row.attempt > 1 for row in report.rows)
    retried = f", {again} run again after an error" if again else ""
    return f"{report.header.name}: {records} records{times}{failed}{retried}{missing}"


def table(report: Report) -> list[tuple[str, ...]]:
    """A row a metric, as text, for ``COLUMNS``; the first evaluator's mean is left out where it is the accuracy itself."""
    found = dict(report.metrics)
    first = next(iter(report.header.evaluators), "")
    if first in found and found[first].interval == found[ACCURACY].interval:
        found[ACCURACY] = replace(found.pop(first), name=f"{ACCURACY} ({first})")
    return [_cells(metric) for metric in found.values()]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines of even columns: the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def cost_lines(report: Report) -> list[str]:
    """What it cost, in words; money is shown where calls had a price."""
    spent, judging = report.cost.task, report.cost.judging
    lines = [
        f"calls {spent.calls:,}, tokens {spent.tokens:,} ({spent.input_tokens:,} in, {spent.output_tokens:,} out), "
        f"task time {report.cost.seconds:,.1f} s{_money(spent.usd, spent.unpriced_calls)}"
    ]
    if report.cost.tokens_per_right is not None:
        usd = f", {report.cost.usd_per_right:.4g} USD" if spent.usd else ""
        lines.append(
            f"a right answer: {report.cost.calls_per_right:,.1f} calls, {report.cost.tokens_per_right:,.0f} tokens{usd}"
        )
    if judging.calls:
        lines.append(
            f"judging: calls {judging.calls:,}, tokens {judging.tokens:,}{_money(judging.usd, judging.unpriced_calls)}"
        )
    return lines


def errors(report: Report) -> list[tuple[str, int]]:
    """What went wrong, in words, and in how many rows; the most frequent first."""
    reasons: Counter[str] = Counter()
    for row in report.failed:
        of_evaluators = [f"{name}: {one.reason}" for name, one in row.scores.items() if one.status == "error"]
        reasons.update([f"{row.error_type}: {row.error}"] if row.error_type else of_evaluators)
    return reasons.most_common()


def error_lines(report: Report) -> list[str]:
    """The most frequent errors, a line each."""
    found = errors(report)
    lines = [f"{count:,} x {reason}" for reason, count in found[:_SHOWN_ERRORS]]
    hidden = len(found) - len(lines)
    return [*lines, f"... and {hidden:,} other errors: see the rows"] if hidden else lines


def _money(usd: float, unpriced: int) -> str:
    priced = f", {usd:.4g} USD" if usd else ""
    return f"{priced}, {unpriced:,} calls without a known price" if unpriced else priced


def _cells(metric: Metric) -> tuple[str, ...]:
    found = metric.interval
    figures = (f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}") if found else ("-", "-")
    return (metric.name, *figures, f"{metric.scored:,}", f"{metric.unscored:,}", f"{metric.errors:,}")


def _metric_data(metric: Metric) -> dict[str, Any]:
    data: dict[str, Any] = plain(metric)
    return {**data, "unscored_rate": metric.unscored_rate}
