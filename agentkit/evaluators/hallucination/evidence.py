"""The sentences of the source that speak of a claim, and how each word of the claim fares there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentkit.evaluators.hallucination.claims import Claim
from agentkit.evaluators.hallucination.quantities import Quantity, quantities
from agentkit.evaluators.hallucination.source import Source
from agentkit.text import Word, rarity

_ALIKE_CREDIT = 0.7  # a word of the same family counts this much
_NEARBY = 3  # each costs some milliseconds, and a fourth changed little


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One content word of a claim: its weight, and how well it is found (0 to 1) anywhere and in the evidence window."""

    word: Word
    weight: float
    anywhere: float
    nearby: float
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The window: indices of source sentences, best first, and the match of every content word of the claim.

    ``nearby`` are up to three sentences, those of the window first, for who compares meanings rather than words.
    """

    window: tuple[int, ...]
    nearby: tuple[int, ...]
    matches: tuple[Match, ...]
    quantities: tuple[Quantity, ...]


def find_evidence(claim: Claim, source: Source, *, limit: int = 3) -> Evidence:
    """The ``limit`` sentences of ``source`` that together cover most of ``claim``, chosen greedily."""
    numbers = quantities(claim.words)
    sought = [(word, weight(word), _stems(word, claim, numbers, source)) for word in claim.content]
    wide = _window([(weight, stems) for _, weight, stems in sought], source, max(limit, _NEARBY))
    window = wide[:limit]
    inside = set(window)
    matches = tuple(
        Match(
            word=word,
            weight=weight,
            anywhere=max((credit for _, credit in stems), default=0.0),
            nearby=max((credit for one, credit in stems if inside.intersection(source.holders[one])), default=0.0),
            stems=tuple(one for one, _ in stems),
        )
        for word, weight, stems in sought
    )
    others = [one for one in range(min(len(source.sentences), _NEARBY)) if one not in wide]
    nearby = (*wide, *others)[:_NEARBY]
    return Evidence(window=window, nearby=nearby, matches=matches, quantities=tuple(numbers))


def weight(word: Word) -> float:
    """How much a word tells, 0 to 1.2: the rarer the more; a number 1, a name a fifth more than the word it looks like."""
    if word.kind != "word":
        return 1.0 if word.kind == "number" else 0.0
    return rarity(word.text) * (1.2 if word.text[0].isupper() else 1.0)


def _stems(word: Word, claim: Claim, numbers: Sequence[Quantity], source: Source) -> list[tuple[str, float]]:
    """The stems of the source that ``word`` may be, each with its credit."""
    found = [(word.stem, 1.0)] if word.stem in source.postings else []
    for number in numbers:
        if claim.words[number.first] <= word <= claim.words[number.last]:
            found += [(source.tokens[one.first].stem, 1.0) for one in source.values.get(number.value, ())]
    if word.kind == "number":
        return found or source.scattered(word.text)
    if found:
        return found
    parts = [part for part in word.stem.split("-") if part]
    if len(parts) > 1 and all(part in source.postings for part in parts):
        return [(parts[0], 1.0)]
    return [(other, _ALIKE_CREDIT) for other in source.alike(word.stem)]


def _window(sought: Sequence[tuple[float, list[tuple[str, float]]]], source: Source, limit: int) -> tuple[int, ...]:
    gains: list[dict[int, float]] = []
    for weight, stems in sought:
        gain: dict[int, float] = {}
        for one, credit in stems:
            for sentence in source.holders[one]:
                gain[sentence] = max(gain.get(sentence, 0.0), (weight or 0.05) * credit)
        gains.append(gain)
    chosen: list[int] = []
    covered = [0.0] * len(gains)
    while len(chosen) < limit:
        totals: dict[int, float] = {}
        for gain, have in zip(gains, covered, strict=True):
            for sentence, value in gain.items():
                if value > have:
                    totals[sentence] = totals.get(sentence, 0.0) + value - have
        if not totals:
            break
        best = max(totals, key=lambda sentence: (totals[sentence], -sentence))
        chosen.append(best)
        covered = [max(have, gain.get(best, 0.0)) for gain, have in zip(gains, covered, strict=True)]
    return tuple(chosen)
