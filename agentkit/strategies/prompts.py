"""Put a question to a model: templates over plain values, and instructions added to a conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agentkit.errors import ConfigError, did_you_mean
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.types import Message, Problem

STEP_BY_STEP = "Think step by step. Then write the final answer on a line of its own, after 'Answer:'."
"""Zero-shot chain of thought (Kojima et al. 2022, arXiv 2205.11916), with a place where the answer can be found."""

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def fill(template: str, **values: object) -> str:
    """``template`` with each ``{{name}}`` replaced by its value, in one pass: what was inserted is never read again."""
    return _PLACE.sub(lambda found: str(values[found[1]]), template)


def check(template: str, option: str, known: Sequence[str]) -> None:
    """Raise ``ConfigError`` when ``template`` names a place other than ``known``."""
    for name in _PLACE.findall(template):
        if name not in known:
            places = ", ".join(f"{{{{{one}}}}}" for one in known)
            raise ConfigError(f"{option}: nothing fills {{{{{name}}}}}{did_you_mean(name, known)} (known: {places})")


def asked(problem: Problem) -> str:
    """The question with the documents and examples it carries: the user's last turn, where the conversation ends with one."""
    last = problem.messages[-1] if problem.messages else None
    return last.content if last and last.role == "user" else problem.question


def instruction_tokens(instruction: str) -> int:
    """How many tokens ``instructed`` adds to a conversation at most."""
    return text_tokens(f"\n\n{instruction}") + TOKENS_A_MESSAGE if instruction else 0


def instructed(messages: Sequence[Message], instruction: str) -> tuple[Message, ...]:
    """The conversation with ``instruction`` at the end of the user's last turn, or as a turn of its own after another's."""
    if not instruction:
        return tuple(messages)
    if not messages or messages[-1].role != "user":
        return (*messages, Message("user", instruction))
    last = messages[-1]
    return (*messages[:-1], replace(last, content=f"{last.content}\n\n{instruction}"))
