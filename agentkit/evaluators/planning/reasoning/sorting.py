"""Sorting words letter by letter: letters, orders, and the method, which works off the first tied group, a letter at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.wordlists import Listed, Spelled, answer_of, read, which_letter

FAMILY = "sorting"
_WORD = re.compile(r"[^\W\d_][^\s,;\"“”()\[\]{}/?<>=|]*")
_LISTED = re.compile(r"(?<=[,<(\[{/?|→:\"'“])\s*([^\W\d_](?:[\w'’-]*\w)?)(?=['’]?\s*[,<)\]}/?|→:;.\"'”])")
_ASKS = re.compile(r"\b(?:sort(?:ed|ing|s)?|order(?:ed|ing)?|alphabet\w*|dictionary order|lexicograph\w*)\b", re.I)
_ANSWERS = re.compile(r"(?<![\"'“])\banswer\b(?![\"'”])", re.I)
_AIMS = re.compile(
    r"\b(?:sort|order|arrange|compar\w+|look\w*|break|resolve|examin\w+|consider|turn|focus\w*|tackl\w+|handl\w+|next up|"
    r"subpart|group|"
    r"inspect|check|settle|work on|move on|deal)\b",
    re.I,
)

_ORDERED = re.compile(r"<|→|\b(?:before|precedes?|then|followed by)\b", re.I)
_ALIKE = 0.75
_SHORTEST = 4

Groups = list[tuple[str, ...]]


@dataclass(slots=True)
class _Desk:
    """The words, the order by now as groups of tied words, and the group being worked on with the letter looked at."""

    words: Sequence[str]
    notes: Notes
    order: Groups
    target: tuple[str, ...] = ()
    letter: int = 0
    listed: bool = False
    compared: dict[tuple[str, ...], int] = field(default_factory=dict)
    slips: dict[str, str | None] = field(default_factory=dict)


def check(chain: Chain) -> Reading | None:
    """Follows the method beside the chain: letters of all words, their order, then each tied group in turn."""
    given = words_of(chain)
    if given is None:
        return None
    respelled = _respelled(given, chain.plain)
    words = tuple(respelled.get(word, word) for word in given)
    desk = _Desk(words, Notes(FAMILY), [tuple(sorted(words))])
    for word, spelling in respelled.items():
        place = next(place for place, step in enumerate(chain.plain) if spelling in step.casefold())
        desk.notes.remark(place, "misquoted", f"step {place} spells {word} as {spelling}")
    desk.target = desk.order[0]
    for place, written in enumerate(chain.plain):
        step = _corrected(place, written, desk)
        spelled, listed = read(step, words)
        ends = place == len(chain.steps) - 1 or ("answer" not in words and _ANSWERS.search(step))
        answer = answer_of(step, words) if ends else None
        if answer and len(answer) * 2 > len(words):
            _check_answer(place, answer, desk)
        elif spelled or listed:
            desk.notes.checked.add(place)
            _check_step(place, step, spelled, listed, desk)
    return desk.notes.reading("" if desk.notes.checked else "no step names the words to sort")


def words_of(chain: Chain) -> tuple[str, ...] | None:
    """The words to sort: the list that the question ends with; None when it is no such question."""
    text = re.split(r"\b(?:list|words|following)\s*:", chain.question, flags=re.I)[-1].strip()
    if text == chain.question.strip() and _ASKS.search(text) and ":" in text:
        text = text.rsplit(":", 1)[1]
    found = tuple(word.casefold().strip(".'’") for word in _WORD.findall(text))
    if len(found) < 2 or re.search(r"[\d?!()=]|\.\s", text):
        return None
    said = " ".join(chain.steps).casefold()
    asked = bool(_ASKS.search(chain.question) or "sort" in chain.task or _ASKS.search(said))
    share = sum(word in said for word in found) / len(found)
    return found if share == 1 or (asked and share > 0.5) else None


def _respelled(words: Sequence[str], steps: Sequence[str]) -> dict[str, str]:
    """Words that the chain spells otherwise from its first mention on, and how."""
    said = {word.casefold().strip(".'’:") for step in steps[:3] for word in _WORD.findall(step)}
    unknown = sorted(said - set(words))
    found: dict[str, str] = {}
    for word in words:
        if word not in said:
            near = get_close_matches(word, [one for one in unknown if one[0] == word[0]], n=1, cutoff=_ALIKE)
            found |= {word: near[0]} if near and near[0] not in found.values() else {}
    return found


def _corrected(place: int, step: str, desk: _Desk) -> str:
    """The step with slips of the pen in single words undone: ``shaggy`` for ``shag``, told as a remark."""
    said = {word.casefold().strip(".'’:") for word in _WORD.findall(step)}
    missing = set(desk.words) - said
    for slip in dict.fromkeys(found[1].casefold() for found in _LISTED.finditer(step)):
        if slip in said and (meant := _meant(slip, desk)) in missing:
            desk.notes.remark(place, "misquoted", f"step {place} spells {meant} as {slip}")
            step = re.sub(rf"(?<!\w){re.escape(slip)}(?!\w)", str(meant), step, flags=re.I)
            missing.discard(meant)
    return step


def _meant(slip: str, desk: _Desk) -> str | None:
    """The word of the list that an unknown word comes near to; looked up once a chain."""
    if slip not in desk.slips:
        alike = (
            [word for word in desk.words if word[0] == slip[0]]
            if slip not in desk.words and len(slip) >= _SHORTEST
            else []
        )
        desk.slips[slip] = next(iter(get_close_matches(slip, alike, n=1, cutoff=_ALIKE)), None)
    return desk.slips[slip]


def _check_step(place: int, step: str, spelled: Sequence[Spelled], listed: Sequence[Listed], desk: _Desk) -> None:
    aimed = [one for one in listed if len(one.words) > 1 and _is_aim(one, spelled, desk)]
    ordered = [one for one in listed if one not in aimed]
    letter = which_letter(step, desk.words)
    if aimed and (spelled or not ordered):
        _aim(place, aimed[0].words, letter, desk)
    elif spelled and letter is not None and desk.listed:
        _aim(place, tuple(dict.fromkeys(one.word for one in spelled)), letter, desk)
    _check_letters(place, spelled, desk.letter if desk.listed or letter is None else letter, desk)
    results = ordered if spelled or aimed else [*listed]
    if results and not (spelled and aimed):
        _check_orders(place, results, desk)


def _is_aim(one: Listed, spelled: Sequence[Spelled], desk: _Desk) -> bool:
    """Whether a list names the words to look at rather than their order."""
    looked_at = {spelling.word for spelling in spelled}
    if len(one.groups) == 1:
        return bool(_AIMS.search(one.text)) or set(one.words) <= looked_at
    return desk.listed and set(one.words) <= looked_at and not _ORDERED.search(one.text)


def _aim(place: int, group: Sequence[str], letter: int | None, desk: _Desk) -> None:
    """The group to sort must be the first tied one, as it stands, by the first letter not yet looked at."""
    first = next((tied for tied in desk.order if len(tied) > 1), None)
    chosen = tuple(sorted(group))
    if first is None:
        desk.notes.flaw(
            place,
            "procedure_violated",
            f"step {place} sorts {_tied(chosen)}, but nothing is tied any more",
            "give the answer",
        )
    elif set(chosen) != set(first):
        code = "procedure_violated"
        desk.notes.flaw(
            place,
            code,
            f"step {place} sorts {_tied(chosen)}; the first group still tied is {_tied(first)}",
            f"sort {_tied(first)}",
        )
    due = desk.compared.get(tuple(sorted(first or chosen)), _shared(first or chosen) if first is None else 0)
    if letter is not None and letter != due and not desk.notes.flaws.get(place):
        desk.notes.flaw(
            place, "procedure_violated",
            f"step {place} looks at letter {letter + 1} of {_tied(chosen)}; the letter to look at is {due + 1}",
            f"look at letter {due + 1}",
        )  # fmt: skip
    desk.target, desk.letter = chosen, due if letter is None else letter


def _shared(group: Sequence[str]) -> int:
    count = 0
    while all(len(word) > count for word in group) and len({word[: count + 1] for word in group}) == 1:
        count += 1
    return count


def _check_letters(place: int, spelled: Sequence[Spelled], letter: int, desk: _Desk) -> None:
    for one in spelled:
        actual = one.word[letter : letter + 1]
        number = _number(actual)
        if one.letter != actual or (one.number is not None and number is not None and one.number != number):
            said = one.letter + (f" ({one.number})" if one.number is not None else "")
            desk.notes.flaw(
                place, "misquoted",
                f"step {place} says letter {letter + 1} of {one.word} is {said}; it is {actual or 'none'} ({number or 0})",
                f"{one.word}: {actual}",
            )  # fmt: skip
    wanted = desk.words if not desk.listed else desk.target
    missing = sorted(set(wanted) - {one.word for one in spelled})
    if spelled and missing:
        desk.notes.flaw(
            place, "procedure_violated", f"step {place} leaves out {missing[0]}", f"look at {missing[0]} too"
        )


def _number(letter: str) -> int | None:
    return ord(letter) - ord("a") + 1 if "a" <= letter <= "z" else None


def _check_orders(place: int, results: Sequence[Listed], desk: _Desk) -> None:
    """The order of the group that was worked on, then the order of all words with it put in its place."""
    split = _split(desk.target, desk.letter)
    due = _replaced(desk.order, desk.target, split)
    for one in results:
        whole = len(set(one.words)) * 2 > len(set(desk.words)) and not set(one.words) <= set(desk.target)
        whole = whole or not desk.listed
        expected = due if whole else split
        if not _same(one.groups, expected):
            desk.notes.flaw(
                place, "declared_state_wrong", _difference(place, one, expected), f"write {_shown(expected)}"
            )
        elif not whole or not desk.listed:
            _check_numbers(place, one, desk.letter, desk)
        if not whole and sorted(one.words) == sorted(desk.target):
            due = _replaced(desk.order, desk.target, one.groups)
        elif whole and sorted(one.words) == sorted(desk.words):
            due = [tuple(group) for group in one.groups]
    desk.listed = True
    for group in due:
        if len(group) > 1:
            key = tuple(sorted(group))
            inside = set(group) <= set(desk.target)
            desk.compared[key] = desk.letter + 1 if inside else desk.compared.get(key, 1)
    desk.order = due


def _split(group: Sequence[str], letter: int) -> Groups:
    keys = sorted({word[letter : letter + 1] for word in group})
    return [tuple(word for word in group if word[letter : letter + 1] == key) for key in keys]


def _replaced(order: Groups, target: tuple[str, ...], parts: Sequence[Sequence[str]]) -> Groups:
    found: Groups = []
    for group in order:
        found += [tuple(part) for part in parts] if set(group) == set(target) else [group]
    return found


def _same(said: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]) -> bool:
    return [sorted(group) for group in said] == [sorted(group) for group in expected]


def _check_numbers(place: int, one: Listed, letter: int, desk: _Desk) -> None:
    for group, number in zip(one.groups, one.numbers, strict=True):
        actual = _number(group[0][letter : letter + 1])
        if number is not None and actual is not None and number != actual:
            desk.notes.flaw(
                place, "misquoted",
                f"step {place} gives {group[0]} the number {number}; its letter {letter + 1} has the number {actual}",
                f"({actual}) {group[0]}",
            )  # fmt: skip


def _difference(place: int, one: Listed, expected: Groups) -> str:
    missing = sorted({word for group in expected for word in group} - set(one.words))
    if missing:
        return f"step {place} leaves out {missing[0]}"
    pairs = zip(one.groups, [*expected, *[()] * len(one.groups)], strict=False)
    said, due = next(((said, due) for said, due in pairs if sorted(said) != sorted(due)), (one.groups[-1], ()))
    return f"step {place} has {_tied(said)} where {_tied(due) or 'nothing'} is due"


def _check_answer(place: int, answer: Sequence[str], desk: _Desk) -> None:
    expected = sorted(desk.words)
    tied = next((group for group in desk.order if len(group) > 1), None)
    desk.notes.checked.add(place)
    if list(answer) != expected:
        missing = sorted(set(expected) - set(answer))
        wrong = (
            missing[0]
            if missing
            else next((got for got, due in zip(answer, expected, strict=False) if got != due), answer[-1])
        )
        what = f"leaves out {wrong}" if missing else f"has {wrong} in the wrong place"
        desk.notes.flaw(place, "unsupported_conclusion", f"step {place} {what}", f"answer {' '.join(expected)}")
    elif tied and desk.listed:
        desk.notes.flaw(
            place,
            "procedure_violated",
            f"step {place} answers while {_tied(tied)} is still tied",
            f"sort {_tied(tied)} first",
        )


def _tied(group: Sequence[str]) -> str:
    return " ? ".join(group) if len(group) != 1 else group[0]


def _shown(groups: Groups) -> str:
    return " < ".join(f"[{_tied(group)}]" if len(group) > 1 else group[0] for group in groups)
