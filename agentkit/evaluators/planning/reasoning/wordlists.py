"""Lists of known words in prose: which letter a word is said to have, and in which order or group words stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SENTENCE = re.compile(
    r"(?<=[.;!])\s+|\n+|(?<=[\]\"'”])\s*,?\s+(?=(?:hence|so|thus|therefore|overall|altogether|"
    r"this makes|that makes|which makes|and so|meaning)\b)",
    re.I,
)
_TIE = re.compile(
    r"[?/|~≟=]|\b(?:or|versus|vs|tied?|ties with|undecided|unsorted|still open|not yet (?:sorted|ordered))\b", re.I
)
_TIED = re.compile(
    r"[\"'”’]?\s*,?\s*\(?(?:(?:are|is|both|remain|still)\s+)*(?:tied|a tie)\b", re.I
)  # behind the second of two
_LISTING = re.compile(r"\s*(?:,|and|,\s*and|&)\s*")
_NUMBER = re.compile(
    r"(?:[(\[#]|\b(?:number|no\.?|position)\s*)(\d{1,2})[)\]]?|(?<!letter )(?<!step )(?<![\w.])(\d{1,2})\s*[:=]", re.I
)
_NUMBER_WIDTH = 8
_PARTING = re.compile(r"<|→|->|=>|>|,|;|\b(?:then|before|and|followed by|precedes?)\b", re.I)
_LETTER = re.compile(r"[\"'“‘]([^\W\d_])[\"'”’]|(?<![\w'’])([^\W\d_])(?![\w'’])")
_QUOTES = "\"'“”‘’`"
_ORDINALS = {
    word: place
    for place, words in enumerate(
        ("first 1st initial leading opening starting", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th",
         "seventh 7th", "eighth 8th", "ninth 9th", "tenth 10th", "eleventh 11th", "twelfth 12th")
    )
    for word in words.split()
}  # fmt: skip
_CARDINALS = {
    word: place
    for place, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}
_PROSE_WORDS = (
    "a all also am an and answer are as at be been before below begin both but by can compare each final "
    "first following for from full further group has have hence here i in is it its last left let letter like list "
    "look looking my next no not now of on one only or order other our out overall part position result right "
    "second see so sort start step still than that the their them then there these they third this those thus tie "
    "to two under up us use we well what when which while whole will with word words yes yet you your"
)
_PROSE = frozenset(
    _PROSE_WORDS.split()
)  # words of a list that prose uses too: they count where a list goes on behind them
_LISTED = re.compile(r"\s*(?:[,;:<)\]}→>≺/?|.=(–-]|$|(?:before|comes before|precedes|then|has|is|vs|versus)\b)")
_BEHIND = re.compile(r"\s*(\w+|[^\w\s])")
_OPENS = re.compile(r"[:\[({]\s*$")
_LOOSE = frozenset(("", "and", "or", "then", "the", "to", "of", "in"))
_SPELLS = re.compile(r"[\s\"':=→>/–-]*(?:(?:has|is|gives|yields|(?:starts|begins) with)\s+)?[\"']?", re.I)
_WHICH = re.compile(
    rf"\b({'|'.join(_ORDINALS)})(?:[ -](?:letters?|characters?|chars?|positions?)|\b)|\b(?:letter|"
    rf"character|position)s? (?:number |no\.? |#)?(\d{{1,2}}|{'|'.join(_CARDINALS)})\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A word, the letter it is said to have, and the number of that letter in the alphabet, where one is given."""

    word: str
    letter: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """Groups of words in an order, words of a group being tied; ``numbers`` stand before groups; ``text`` is the sentence."""

    groups: tuple[tuple[str, ...], ...]
    numbers: tuple[int | None, ...]
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """All words, in order."""
        return tuple(word for group in self.groups for word in group)


@dataclass(frozen=True, slots=True)
class _Mention:
    word: str
    start: int
    end: int


def which_letter(text: str, words: Sequence[str] = ()) -> int | None:
    """The place (0-based) of the letter that a text speaks of: ``second letters`` is 1; an ordinal among ``words`` is none."""
    named = list(_WHICH.finditer(text))
    found = [match for match in named if re.search("letter|char", match[0], re.I) or match[2]]
    found = found or [match for match in named if match[0].casefold() not in words]
    if not found:
        return None
    if found[0][1]:
        return _ORDINALS[found[0][1].casefold()]
    written = found[0][2].casefold()
    return _CARDINALS[written] if written in _CARDINALS else int(written) - 1


def read(step: str, words: Sequence[str]) -> tuple[list[Spelled], list[Listed]]:
    """The letters and the lists of a step, in order."""
    quoted = _mentions(step, words, quoted=True)
    marks = _marks(step, words)
    spelled: list[Spelled] = []
    listed: list[Listed] = []
    for sentence in _SENTENCE.split(step):
        mentions = _mentions(sentence, words, quoted=bool(quoted), marks=marks)
        if not mentions:
            continue
        start = 0
        for part in _parts(mentions):
            following = mentions[mentions.index(part[-1]) + 1 :]
            end = following[0].start if following else len(sentence)
            letters = _letters(
                sentence[start:end], [_Mention(one.word, one.start - start, one.end - start) for one in part]
            )
            spelled += letters
            listed += [] if letters else [_list(sentence, part)]
            start = part[-1].end
    return spelled, listed


def answer_of(step: str, words: Sequence[str]) -> tuple[str, ...] | None:
    """The words after ``the answer is``, as they stand, or None."""
    found = re.split(
        r"(?<![\"'“])\b(?:answer|final (?:list|order|result)|sorted (?:list|order|words)|"
        r"result)\b(?:\s+(?:is|are|reads|becomes)\b)?\s*:?",
        step,
        flags=re.I,
    )
    if len(found) < 2:
        return None
    mentions = _mentions(found[-1], words, quoted=False, prose=False)
    return tuple(mention.word for mention in mentions) or None


def _mentions(
    text: str, words: Sequence[str], *, quoted: bool, prose: bool = True, marks: frozenset[str] = frozenset()
) -> list[_Mention]:
    names = "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))
    border = (rf"[{_QUOTES}]", rf"[{_QUOTES}]") if quoted else (r"(?<![\w'’-])", r"(?![\w-]|['’]\w)")
    pattern = re.compile(f"{border[0]}({names}){border[1]}", re.I)
    found: list[_Mention] = []
    for match in pattern.finditer(text):
        one = _Mention(match[1].casefold(), match.start(), match.end())
        if found and _is_letter(text, found[-1], one):
            continue
        if (
            quoted
            or not prose
            or one.word not in _PROSE
            or _in_list(text, found[-1:], one)
            or _mark(text, one.end) in marks
        ):
            found.append(one)
    return found


def _marks(step: str, words: Sequence[str]) -> frozenset[str]:
    """What stands behind words that prose does not use: in ``kitten gives k``, ``gives`` marks a word of the list."""
    sure = [word for word in words if word not in _PROSE and len(word) > 1]
    return (
        frozenset(_mark(step, one.end) for one in _mentions(step, sure, quoted=False)) - _LOOSE if sure else frozenset()
    )


def _mark(text: str, end: int) -> str:
    found = _BEHIND.match(text, end)
    return found[1].casefold() if found else ""


def _in_list(text: str, before: Sequence[_Mention], one: _Mention) -> bool:
    """Whether a word that prose uses too stands in a list: the list goes on behind it, or comes right up to it."""
    following = _BEHIND.match(text, one.end)
    if _OPENS.search(text, 0, one.start) and following and following[1].casefold() not in _PROSE:
        return True  # "the list reads: have hugh love"
    gap = text[before[-1].end : one.start] if before else "-"
    return (
        _LISTED.match(text, one.end) is not None or re.fullmatch(r"\s*(?:[,/?|<]|and|or|(?<=\s))\s*", gap) is not None
    )


def _is_letter(text: str, before: _Mention, one: _Mention) -> bool:
    """Whether a word of one letter is the letter of the word before it: ``"j": "j" (10)``."""
    return len(one.word) == 1 and _SPELLS.fullmatch(text, before.end, one.start) is not None


def _letters(text: str, mentions: Sequence[_Mention]) -> list[Spelled]:
    """What each word is said to have: the letter behind it, or, if letters come first, the one before it."""
    bounds = [0, *(mention.end for mention in mentions)]
    starts = [*(mention.start for mention in mentions), len(text)]
    gaps = [text[end:start] for end, start in zip(bounds, starts, strict=True)]
    behind = [_letter(gap) for gap in gaps[1:]]
    if sum(one is not None for one in behind) * 2 > len(mentions) or (len(mentions) == 1 and behind[0]):
        pairs = zip(mentions, behind, gaps[1:], strict=True)
        return [Spelled(mention.word, letter, _number(gap)) for mention, letter, gap in pairs if letter]
    if _letter(gaps[0]) and not behind[-1]:
        return _letters_before(mentions, gaps)
    return []


def _letters_before(mentions: Sequence[_Mention], gaps: Sequence[str]) -> list[Spelled]:
    found, letter, number = [], None, None
    for mention, gap in zip(mentions, gaps[:-1], strict=True):
        if new := _letter(gap):
            letter, number = new, _number(gap)
        if letter:
            found.append(Spelled(mention.word, letter, number))
    return found


def _letter(gap: str) -> str | None:
    """The letter in a gap: a quoted one, else the last one that is no word, else ``a``, or ``I`` beside a number."""
    found = _LETTER.findall(gap)
    quoted = [one for one, _ in found if one]
    plain = [other for _, other in found if other and other not in ("a", "I")]
    unsure = [other for _, other in found if other == "a" or (other and re.search(r"\d", gap))]
    letter = quoted[0] if quoted else next(reversed(plain or unsure), None)
    return letter.casefold() if letter else None


def _number(gap: str) -> int | None:
    found = re.findall(r"(?<![\w.])(\d{1,2})(?!\w)", gap)
    return int(found[0]) if found else None


def _parts(mentions: Sequence[_Mention]) -> list[list[_Mention]]:
    """The lists of a sentence: a word that comes again begins another one."""
    parts: list[list[_Mention]] = [[]]
    seen: set[str] = set()
    for mention in mentions:
        if mention.word in seen:
            parts.append([])
            seen = set()
        seen.add(mention.word)
        parts[-1].append(mention)
    return parts


def _list(text: str, mentions: Sequence[_Mention]) -> Listed:
    groups: list[list[str]] = []
    numbers: list[int | None] = []
    depths = _depths(text)
    end = max(0, mentions[0].start - _NUMBER_WIDTH)
    for mention in mentions:
        gap = text[end : mention.start]
        tied = _LISTING.fullmatch(gap) is not None and _TIED.match(text, mention.end) is not None
        if groups and (tied or _together(gap, depths[end])):
            groups[-1].append(mention.word)
        else:
            before, number = _numbers(gap)
            if groups and before is not None and numbers[-1] is None:
                numbers[-1] = before
            groups.append([mention.word])
            numbers.append(number)
        end = mention.end
    return Listed(tuple(tuple(group) for group in groups), tuple(numbers), text)


def _numbers(gap: str) -> tuple[int | None, int | None]:
    """The numbers of the group before and behind the sign that parts them: ``(3) < (5)``."""
    parts = _PARTING.split(gap)
    found = [_NUMBER.findall(part) for part in (parts[0] if len(parts) > 1 else "", parts[-1])]
    before, behind = (int("".join(numbers[-1])) if numbers else None for numbers in found)
    return before, behind


def _together(gap: str, depth: int) -> bool:
    """Whether two neighbours are tied: a sign of a tie between them, or both inside one pair of brackets."""
    if "<" in gap or re.search(r"[\])}]", gap):
        return False
    return bool(_TIE.search(gap)) or depth > 0


def _depths(text: str) -> list[int]:
    """How many brackets are open before each character; those around a number do not count."""
    changes = dict.fromkeys((found.start() for found in re.finditer(r"[\[{]|\((?!\d)", text)), 1)
    changes |= dict.fromkeys((found.start() for found in re.finditer(r"[\]}]|(?<!\d)\)", text)), -1)
    depths, depth = [], 0
    for place in range(len(text) + 1):
        depths.append(depth)
        depth += changes.get(place, 0)
    return depths
