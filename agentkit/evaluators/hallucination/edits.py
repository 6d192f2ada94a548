"""Where a claim that copies its evidence departs from it: negation, number, name, opposite, splice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from agentkit.evaluators.hallucination.alignment import Alignment, Pair
from agentkit.evaluators.hallucination.claims import Claim
from agentkit.evaluators.hallucination.quantities import quantities
from agentkit.evaluators.hallucination.source import Source
from agentkit.evaluators.hallucination.vocabulary import BOUNDARY, function_word, negates, opposites
from agentkit.text import Word

EditKind = Literal["negation", "number", "name", "opposite", "splice"]

_GAP = 8  # source words between two matches that still count as what the claim replaced
_FRAME = 2  # words copied in a row that make a frame
_SLACK = 2  # words by which what was put in may differ in length from what it replaced
_NEAR = 3  # source words within which a negation belongs to the match


class Edit(NamedTuple):
    """Claim words ``[first, last]`` (of the alignment) say something else than source tokens ``[start, end)``.

    ``exact``: the words on both sides are copied in a row, and little but the edit differs between.
    """

    kind: EditKind
    first: int
    last: int
    start: int
    end: int
    exact: bool


class _Gap(NamedTuple):
    """What lies between two consecutive matches: claim words ``[first, last)``, source tokens ``[start, end)``.

    ``framed``: at least two copied words in a row (or the end of the claim) on either side. ``inner``: both matches are in one
    sentence and in order.
    """

    first: int
    last: int
    start: int
    end: int
    framed: bool
    inner: bool


def find_edits(claim: Claim, alignment: Alignment, source: Source) -> list[Edit]:
    """The departures of an aligned claim from its evidence, in the order of the claim; none without a match."""
    found: list[Edit] = []
    pairs = _without_excursions(alignment, source)
    for gap in _gaps(pairs, alignment, source):
        found += _edits(gap, alignment.words, source.tokens)
    found += _units(claim, pairs, alignment, source)
    found += _splices(claim, alignment, pairs, source)
    return sorted(found, key=lambda edit: edit.first)


def _without_excursions(alignment: Alignment, source: Source) -> list[Pair]:
    """The chain without numbers and names that were fetched from elsewhere while the words around them stay in place."""
    pairs = list(alignment.pairs)
    kept = pairs[:1]
    for before, here, after in zip(pairs, pairs[1:], pairs[2:], strict=False):
        apart = not 0 < here.token - before.token <= _GAP or not 0 < after.token - here.token <= _GAP
        straight = 0 < after.token - before.token <= _GAP
        if not (apart and straight and _is_anchor(alignment.words[here.word])):
            kept.append(here)
    return kept + pairs[1:][-1:]


def _is_anchor(word: Word) -> bool:
    return word.kind == "number" or word.text[0].isupper()


def _gaps(pairs: Sequence[Pair], alignment: Alignment, source: Source) -> Iterator[_Gap]:
    if not pairs:
        return
    first, last = pairs[0], pairs[-1]
    head = max(source.sentences[source.sentence_of[first.token]].first, first.token - _NEAR)
    over = min(_NEAR, len(alignment.words) - last.word)
    tail = min(source.sentences[source.sentence_of[last.token]].last, last.token + 1 + over)
    runs = _runs(pairs)
    yield _Gap(0, first.word, head, first.token, runs[0][1] >= _FRAME and first.word > 0, False)
    for place, (before, here) in enumerate(pairwise(pairs)):
        framed = runs[place][0] >= _FRAME and runs[place + 1][1] >= _FRAME
        onward = before.token < here.token and source.sentence_of[before.token] == source.sentence_of[here.token]
        start = before.token + 1 if onward else here.token
        yield _Gap(before.word + 1, here.word, start, here.token, framed and onward, onward)
    yield _Gap(last.word + 1, len(alignment.words), last.token + 1, tail, runs[-1][0] >= _FRAME, False)


def _runs(pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """For every match, how many matches in a row end with it and begin with it (ends of the chain count as frames)."""
    joined = [one.word + 1 == two.word and one.token + 1 == two.token for one, two in pairwise(pairs)]
    left = [_FRAME]
    for one in joined:
        left.append(left[-1] + 1 if one else 1)
    right = [_FRAME]
    for one in reversed(joined):
        right.append(right[-1] + 1 if one else 1)
    return list(zip(left, reversed(right), strict=True))


def _edits(gap: _Gap, words: Sequence[Word], tokens: Sequence[Word]) -> list[Edit]:
    said, there = words[gap.first : gap.last], tokens[gap.start : gap.end]
    found = []
    if _negation_changed(gap, said, there):
        exact = gap.framed and all(negates(word.text) or function_word(word.text) for word in (*said, *there))
        last = min(gap.last, len(words) - 1)
        found.append(Edit("negation", max(0, gap.first - 1), last, gap.start, gap.end, exact))
    if len(there) <= _GAP:
        exact = gap.framed and abs(len(said) - len(there)) <= _SLACK
        for place, word in enumerate(said, gap.first):
            if kind := _replaced(word, there):
                found.append(Edit(kind, place, place, gap.start, gap.end, exact))
    # "not allowed" for "forbidden" changes both and nothing.
    return [] if {"negation", "opposite"} <= {edit.kind for edit in found} else found


def _negation_changed(gap: _Gap, said: Sequence[Word], there: Sequence[Word]) -> bool:
    now, then = (any(negates(word.text) for word in side) for side in (said, there))
    if then and not now:
        return gap.inner and len(there) <= _NEAR
    return now and not then


def _replaced(word: Word, there: Sequence[Word]) -> EditKind | None:
    if word.kind == "number":
        return (
            "number" if any(other.kind == "number" and _is_year(other) == _is_year(word) for other in there) else None
        )
    if any(other.stem in opposites().get(word.stem, ()) for other in there):
        return "opposite"
    if word.text[0].isupper() and not function_word(word.text):
        return "name" if any(other.text[0].isupper() and not function_word(other.text) for other in there) else None
    return None


def _is_year(word: Word) -> bool:
    return len(word.stem) == 4 and word.stem.isdigit() and "1000" <= word.stem <= "2100"


def _units(claim: Claim, pairs: Sequence[Pair], alignment: Alignment, source: Source) -> Iterator[Edit]:
    """Numbers that are the same but count something else: 5 km, 5 miles."""
    said = {claim.words[one.first].start: one for one in quantities(claim.words) if one.unit}
    for pair in pairs:
        one = said.get(alignment.words[pair.word].start)
        for other in source.values.get(one.value, ()) if one else ():
            if one and other.first <= pair.token <= other.last and other.unit not in ("", one.unit):
                yield Edit("number", pair.word, pair.word, other.first, other.last + 1, True)


def _splices(claim: Claim, alignment: Alignment, pairs: Sequence[Pair], source: Source) -> Iterator[Edit]:
    """Where the copy goes on in another sentence with nothing between to mark a new clause."""
    marks = {word.start for word in claim.words if word.kind == "punctuation" or word.text.casefold() in BOUNDARY}
    for before, here in pairwise(pairs):
        if source.sentence_of[before.token] == source.sentence_of[here.token] or here.word - before.word > 2:
            continue
        left, right = alignment.words[before.word], alignment.words[here.word]
        if not any(left.start <= mark <= right.start for mark in marks):
            yield Edit("splice", before.word, here.word, here.token, here.token + 1, True)
