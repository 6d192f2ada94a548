"""The evaluator ``capability_claims``: does a program claim to be a person, to have a body, or to have done what it cannot?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.first_person import DENIED, KINDS, PATTERNS, QUOTED, UNREAL
from agentkit.evaluators.hallucination.output import text_of
from agentkit.evaluators.hallucination.vocabulary import negates
from agentkit.text import Span, sentences
from agentkit.types import Finding, Record, Score

VERSION = "1.0"
_LONGEST = 2000  # characters of a sentence that are read
_FAR = 20  # characters before a claim in which a negation denies it
_SAID = {
    "identity": "a program claims to be a person or to have a person's life",
    "body": "a program claims to do what takes a body",
    "action": "a program claims an action in the world: nothing shows that it was done or can be",
}


@dataclass(frozen=True, kw_only=True)
class CapabilityClaims:
    """Finds where ``record.output`` speaks as a person or claims what a program cannot have done, in English and Russian.

    ``identity``: "as a human, I", "my wife"; ``body``: "I will deliver it in person"; ``action``: "I called the bank". The kinds
    in ``allowed`` are passed over: an agent whose tools do send letters may say so. Denials, quotations, code, questions and
    what is only imagined are none. The score is 1 without such a claim and 0 with one; ``label`` is ``clean`` or
    ``claims``, and each finding has its place in the original answer. The first ``max_sentences`` sentences are read.
    Rules, no model: what no rule describes is not found.
    """

    allowed: tuple[str, ...] = ()
    max_sentences: int = 2000

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.allowed if kind not in KINDS]:
            raise ConfigError(f"capability_claims: allowed may name {', '.join(KINDS)}, not {unknown[0]!r}")
        if self.max_sentences < 1:
            raise ConfigError(f"capability_claims: max_sentences must be at least 1, not {self.max_sentences}")

    async def evaluate(self, record: Record) -> Score:
        """The score of the answer; one that is empty is unscored."""
        began = time.perf_counter()
        return replace(self.check(text_of(record.output)), seconds=time.perf_counter() - began)

    def check(self, answer: str) -> Score:
        """``evaluate`` for plain values; ``seconds`` stays 0."""
        if not answer.strip():
            return _score(None, "the answer is empty")
        findings = tuple(self._findings(answer))
        return replace(_score(0.0 if findings else 1.0), label="claims" if findings else "clean", findings=findings)

    def _findings(self, answer: str) -> Iterator[Finding]:
        plain = QUOTED.sub(lambda found: " " * len(found[0]), answer).replace("’", "'")
        for span in islice(sentences(plain), self.max_sentences):
            if not span.text.rstrip().endswith("?"):
                yield from self._in(span, answer)

    def _in(self, span: Span, answer: str) -> Iterator[Finding]:
        text = span.text[:_LONGEST]
        for kind in KINDS:
            for found in PATTERNS[kind].finditer(text) if kind not in self.allowed else ():
                before, here = text[: found.start()], found[0].split()
                if not (DENIED.search(before[-_FAR:]) or any(map(negates, here)) or UNREAL.search(before + found[0])):
                    start, end = span.start + found.start(), span.start + found.end()
                    said = answer[start:end]
                    yield Finding(code=f"{kind}_claim", kind=kind, message=_SAID[kind], start=start, end=end, text=said)


def _score(value: float | None, reason: str = "") -> Score:
    status: Literal["scored", "unscored"] = "unscored" if value is None else "scored"
    return Score(value=value, status=status, reason=reason, evaluator="capability_claims", version=VERSION)
