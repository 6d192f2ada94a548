"""What is measured of a claim against its evidence: a dozen numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from agentkit.evaluators.hallucination.alignment import Alignment
from agentkit.evaluators.hallucination.claims import Claim
from agentkit.evaluators.hallucination.edits import Edit
from agentkit.evaluators.hallucination.evidence import Evidence, Match, weight
from agentkit.evaluators.hallucination.source import Source, triples
from agentkit.evaluators.hallucination.vocabulary import EXCLUSIVE, FIRST_PERSON
from agentkit.text import Word, rarity

_REACH = 6  # tokens within which two words of the source are neighbours


class Features(NamedTuple):
    """Shares are between 0 and 1; counts are damped as log(1 + n)."""

    cover: float
    window: float
    best: float
    back: float
    chained: float
    copied: float
    anchored: float
    missing: float
    worst: float
    numbers: float
    names: float
    exclusive: float
    first_person: float
    negation: float
    number_edit: float
    name_edit: float
    opposite: float
    splice: float
    crossings: float
    exact_negation: float
    exact_number: float
    exact_name: float
    exact_opposite: float


def measure(claim: Claim, source: Source, evidence: Evidence, alignment: Alignment, edits: Sequence[Edit]) -> Features:
    """The features of one claim."""
    matches = evidence.matches
    lost = [match.weight * (1 - match.nearby) for match in matches]
    kinds = Counter(edit.kind for edit in edits)
    exact = Counter(edit.kind for edit in edits if edit.exact)
    shown = {source.tokens[token].text.casefold() for token in _tokens(source, evidence.window)}
    said = [word.text.casefold() for word in alignment.words]
    return Features(
        cover=_cover(alignment.words, source, matches),
        window=_share(matches, [match.nearby for match in matches]),
        best=_best(evidence, source),
        back=_back(alignment.words, source, evidence),
        chained=_chained(alignment),
        copied=_copied(claim, source),
        anchored=_anchored(matches, source),
        missing=math.log1p(sum(lost)),
        worst=max(lost, default=0.0),
        numbers=math.log1p(sum(match.word.kind == "number" and not match.nearby for match in matches)),
        names=math.log1p(sum(_is_name(match, claim) and not match.nearby for match in matches)),
        exclusive=float(any(word in EXCLUSIVE and word not in shown for word in said)),
        first_person=float(any(word in FIRST_PERSON and word not in shown for word in said)),
        negation=float(kinds["negation"] > 0),
        number_edit=float(kinds["number"] > 0),
        name_edit=float(kinds["name"] > 0),
        opposite=float(kinds["opposite"] > 0),
        splice=math.log1p(kinds["splice"]),
        exact_negation=float(exact["negation"] > 0),
        exact_number=float(exact["number"] > 0),
        exact_name=float(exact["name"] > 0),
        exact_opposite=float(exact["opposite"] > 0),
        crossings=math.log1p(_crossings(alignment, source)),
    )


def _tokens(source: Source, window: Sequence[int]) -> list[int]:
    return [token for one in window for token in range(source.sentences[one].first, source.sentences[one].last)]


def _share(matches: Sequence[Match], credits: Sequence[float]) -> float:
    total = sum(match.weight for match in matches)
    return sum(match.weight * credit for match, credit in zip(matches, credits, strict=True)) / total if total else 0.0


def _cover(words: Sequence[Word], source: Source, matches: Sequence[Match]) -> float:
    """Rarity-weighted share of all words, function words too, found anywhere in the source."""
    credit = {match.word.start: match.anywhere for match in matches}
    weights = [_rarity(word) for word in words]
    found = [credit.get(word.start, float(word.stem in source.postings)) for word in words]
    total = sum(weights)
    return sum(one * two for one, two in zip(weights, found, strict=True)) / total if total else 0.0


def _rarity(word: Word) -> float:
    return 1.0 if word.kind == "number" else rarity(word.text)


def _best(evidence: Evidence, source: Source) -> float:
    if not evidence.window:
        return 0.0
    first = evidence.window[0]
    matches = evidence.matches
    return _share(
        matches, [match.anywhere * any(first in source.holders[stem] for stem in match.stems) for match in matches]
    )


def _back(words: Sequence[Word], source: Source, evidence: Evidence) -> float:
    """The share of the best evidence sentence that the claim covers."""
    said = {word.stem for word in words}
    there = [source.tokens[token] for token in _tokens(source, evidence.window[:1])]
    total = sum(map(_rarity, there))
    return sum(_rarity(word) for word in there if word.stem in said) / total if total else 0.0


def _chained(alignment: Alignment) -> float:
    total = sum(map(weight, alignment.words))
    return sum(weight(alignment.words[pair.word]) for pair in alignment.pairs) / total if total else 0.0


def _copied(claim: Claim, source: Source) -> float:
    runs = triples(claim.text)
    return sum(run in source.triples for run in runs) / len(runs) if runs else 0.0


def _is_name(match: Match, claim: Claim) -> bool:
    word = match.word
    return word.kind == "word" and word.text[0].isupper() and word.start > claim.start


def _anchored(matches: Sequence[Match], source: Source) -> float:
    """How many neighbours of each number and name stand near it in the source too; -0.5 for one that is not there at all."""
    shares = []
    for place, match in enumerate(matches):
        if not (match.word.kind == "number" or match.word.text[0].isupper()) or place == 0:
            continue
        around = [*matches[max(0, place - 2) : place], *matches[place + 1 : place + 3]]
        shares.append(sum(_near(match, other, source) for other in around) / len(around) if match.anywhere else -0.5)
    return min(shares, default=1.0)


def _near(one: Match, other: Match, source: Source) -> bool:
    return any(
        source.between(right, token - _REACH, token + _REACH + 1)
        for left in one.stems
        for token in source.postings[left][:64]
        for right in other.stems
    )


def _crossings(alignment: Alignment, source: Source) -> int:
    places = [source.sentence_of[pair.token] for pair in alignment.pairs]
    return sum(one != other for one, other in pairwise(places))
