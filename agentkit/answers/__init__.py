"""Answers: find them in a completion, and tell when two of them say the same."""

from agentkit.answers.equivalence import agree, canonical, classes, equivalent, partition
from agentkit.answers.extraction import extract
from agentkit.answers.numbers import Convention
from agentkit.answers.reading import Kind, Reading, read

__all__ = [
    "Convention",
    "Kind",
    "Reading",
    "agree",
    "canonical",
    "classes",
    "equivalent",
    "extract",
    "partition",
    "read",
]
