"""Answers: find them in a completion, and tell when two of them say the same."""

from agentkit.answers.equivalence import agree, canonical, classes, equivalent, partition
from agentkit.answers.extraction import extract
from agentkit.answers.numbers import Convention
from agentkit.answers.reading import Kind, Reading, read
from agentkit.answers.tags import Separated, Separator, format_score, separate

__all__ = [
    "Convention",
    "Kind",
    "Reading",
    "Separated",
    "Separator",
    "agree",
    "canonical",
    "classes",
    "equivalent",
    "extract",
    "format_score",
    "partition",
    "read",
    "separate",
]
