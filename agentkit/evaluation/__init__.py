"""Data sets, suites and reports: run a task over records, judge what comes out, and say how sure the figures are."""

from agentkit.evaluation.dataset import Dataset, load_dataset
from agentkit.evaluation.report import Report
from agentkit.evaluation.results import Results, read_results
from agentkit.evaluation.run import Evaluation, evaluate
from agentkit.evaluation.suite import Suite, load_suite
from agentkit.evaluation.task import Outcome, StrategyTask, Task

__all__ = [
    "Dataset",
    "Evaluation",
    "Outcome",
    "Report",
    "Results",
    "StrategyTask",
    "Suite",
    "Task",
    "evaluate",
    "load_dataset",
    "load_suite",
    "read_results",
]
