"""A claim laid over its evidence, word by word: what was copied, what was changed, and where the copy jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from agentkit.evaluators.hallucination.claims import Claim, is_content
from agentkit.evaluators.hallucination.evidence import Evidence, weight
from agentkit.evaluators.hallucination.source import Source
from agentkit.text import Word

_LOOK_BACK = 6  # claim words that may stand unmatched between two matched ones
_PLACES = 8  # places of one word that are tried
_OTHER_SENTENCE = 0.9  # two such jumps (there and back) cost more than one lost number
_BACKWARD = 0.35
_FORWARD = 0.08
_LOST_FUNCTION_WORD = 0.12
_LOST_WORD = 0.3  # at least


class Pair(NamedTuple):
    """Word ``word`` of the alignment's words stands at source token ``token``."""

    word: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """``words`` are the claim's without punctuation; ``pairs`` the cheapest chain of matches, in the order of the claim."""

    words: tuple[Word, ...]
    pairs: tuple[Pair, ...]


class _Step(NamedTuple):
    cost: float
    before: Pair | None


def align(claim: Claim, source: Source, evidence: Evidence) -> Alignment:
    """The cheapest chain of matches of ``claim`` inside the evidence window.

    A word left out costs its weight, a jump costs by its length and direction, another sentence costs most. Dynamic
    programming over at most eight places a word: linear in the claim.
    """
    words = tuple(word for word in claim.words if word.kind != "punctuation")
    losses = [max(_LOST_WORD, weight(word)) if is_content(word) else _LOST_FUNCTION_WORD for word in words]
    return Alignment(words=words, pairs=_chain(_places(words, source, evidence), losses, source))


def _places(words: Sequence[Word], source: Source, evidence: Evidence) -> list[list[int]]:
    """For every word, the tokens of the window it may stand for."""
    bounds = [(source.sentences[one].first, source.sentences[one].last) for one in evidence.window]
    stems = {match.word.start: match.stems for match in evidence.matches}
    return [
        [
            token
            for first, last in bounds
            for stem in stems.get(word.start, (word.stem,))
            for token in source.between(stem, first, last)
        ][:_PLACES]
        for word in words
    ]


def _chain(places: Sequence[Sequence[int]], losses: Sequence[float], source: Source) -> tuple[Pair, ...]:
    lost = [0.0, *accumulate(losses)]
    steps: list[dict[int, _Step]] = []
    for word, tokens in enumerate(places):
        steps.append({token: _cheapest(Pair(word, token), steps, lost, source) for token in tokens})
    ends = [
        (step.cost + lost[-1] - lost[word + 1], Pair(word, token))
        for word, tried in enumerate(steps)
        for token, step in tried.items()
    ]
    last = min(ends)[1] if ends else None
    found: list[Pair] = []
    while last is not None:
        found.append(last)
        last = steps[last.word][last.token].before
    return tuple(reversed(found))


def _cheapest(here: Pair, steps: Sequence[dict[int, _Step]], lost: Sequence[float], source: Source) -> _Step:
    best = _Step(lost[here.word], None)
    for word in range(max(0, here.word - _LOOK_BACK), here.word):
        skipped = lost[here.word] - lost[word + 1]
        for token, step in steps[word].items():
            cost = step.cost + skipped + _jump(Pair(word, token), here, source)
            if cost < best.cost:
                best = _Step(cost, Pair(word, token))
    return best


def _jump(before: Pair, here: Pair, source: Source) -> float:
    if source.sentence_of[before.token] != source.sentence_of[here.token]:
        return _OTHER_SENTENCE
    if here.token <= before.token:
        return _BACKWARD
    skipped = abs((here.token - before.token) - (here.word - before.word))
    return min(_BACKWARD, _FORWARD + 0.01 * skipped) if skipped else 0.0
