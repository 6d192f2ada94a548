"""Several samples for one question, read from a row or a record: the samples, their likelihoods, and the answer judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agentkit.errors import InputError
from agentkit.evaluators.hallucination.output import text_of
from agentkit.types import JSON, Record

_ANSWERS = ("answer", "claim", "output", "response")
_QUESTIONS = ("question", "input", "query")
LONGEST = 20_000
"""Characters of a sample that are read."""


class Drawn(NamedTuple):
    """A sample: its text, empty for one that could not be parsed, and its mean log-probability a token where known."""

    text: str
    logprob: float | None = None


class Pool(NamedTuple):
    """The samples of a question and the answer that is judged by them; ``answer`` is None where only samples were given."""

    samples: tuple[Drawn, ...]
    answer: str | None


def parse(row: Any) -> Record:
    """The record of a row ``{samples: [...], answer?, question?}``; raises ``InputError`` when there are no samples."""
    if not isinstance(row, dict):
        raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
    if not isinstance(row.get("samples"), list):
        raise InputError('the row has no "samples": give a list of texts')
    return Record(
        id=str(row.get("id", "")),
        input=_first(row, _QUESTIONS),
        output=_first(row, _ANSWERS),
        target=row.get("target"),
        metadata={"samples": row["samples"]},
    )


def pool(record: Record, limit: int) -> Pool | str:
    """At most ``limit`` samples of ``record.metadata["samples"]`` and the answer; a sentence where there are none to compare.

    A sample is a text, a number, None (it could not be parsed), or an object with ``text`` and perhaps ``logprob`` (mean
    natural-log probability a token) or ``logprobs`` (one a token, as numbers or objects with ``logprob``).
    """
    given = record.metadata.get("samples")
    if not isinstance(given, list | tuple) or not given:
        return 'there are no samples to compare: give a list of texts as "samples"'
    samples = tuple(_sample(one) for one in given[:limit])
    if len(samples) + (record.output is not None) < 2:
        return "one sample says nothing about agreement: draw at least two, or give the answer beside it"
    if not any(one.text.strip() for one in samples):
        return "no sample holds a text"
    return Pool(samples, None if record.output is None else _text(record.output))


def said(samples: Sequence[Drawn]) -> list[str | None]:
    """The texts; None for one that says nothing."""
    return [one.text if one.text.strip() else None for one in samples]


def _sample(value: JSON) -> Drawn:
    if not isinstance(value, Mapping):
        return Drawn(_text(value))
    tokens = value.get("logprobs")
    listed = [_number(one) for one in tokens] if isinstance(tokens, list | tuple) else []
    known = [one for one in listed if one is not None]
    mean = math.fsum(known) / len(known) if known and len(known) == len(listed) else _number(value.get("logprob"))
    return Drawn(_text(value.get("text", value.get("answer"))), mean)


def _number(value: JSON) -> float | None:
    """A log-probability: finite, and 0 at most."""
    found = value.get("logprob") if isinstance(value, Mapping) else value
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if -1e6 < found <= 0 else None


def _text(value: JSON) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return text_of(value)[:LONGEST] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)
