"""Asking a model whether one text says what another does."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentkit.protocols import Model
from agentkit.runtime.sampling import draw
from agentkit.types import Bounds, GenerateRequest, Message, Usage

_ASK = (
    "{about}Text A:\n{premise}\n\nText B:\n{claim}\n\n"
    "Does everything that text B states follow from text A? Answer with one word: yes or no."
)
_VERDICT = re.compile(r"\b(yes|no|да|нет)\b", re.IGNORECASE)
_LONGEST = 4000  # characters of each text that the model is shown
MAX_TOKENS = 8


class Reply(NamedTuple):
    """``follows`` is None where the reply was neither yes nor no."""

    follows: bool | None
    usage: Usage


async def follows(model: Model, premise: str, claim: str, *, question: str = "") -> Reply:
    """Whether ``claim`` follows from ``premise``, in the eyes of ``model`` at temperature 0."""
    about = f"Both texts answer the question: {question[:_LONGEST]}\n\n" if question else ""
    asked = _ASK.format(about=about, premise=premise[:_LONGEST], claim=claim[:_LONGEST])
    request = GenerateRequest(messages=(Message("user", asked),), temperature=0, max_tokens=MAX_TOKENS)
    sample = await draw(model, request)
    found = _VERDICT.search(sample.text)
    return Reply(found[1].casefold() in ("yes", "да") if found else None, sample.usage)


def question_bounds(model: Model, most: int) -> tuple[Bounds, ...]:
    """The bounds of up to ``most`` such questions."""
    return (Bounds(model=model, least=0, most=most, output=MAX_TOKENS, text=None),)
