"""Who holds what after each swap: the swaps must be the question's, in its order, and the stated holdings the replayed ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.exchange import Exchange, exchange_of, pairs_in, telling, words

FAMILY = "swaps"
_CLAUSE = re.compile(r"(?<=[.;!?\n])\s*")
_ANSWER = re.compile(r"\b(?:answer|option|choice|ответ)\b|\([A-Z]\)\s*\.?\s*$", re.I)
_LETTER = re.compile(r"\(([A-Z])\)|\b(?:answer|option|choice)\b[^.\n]{0,20}?\b([A-Z])\b\s*\.?\s*$", re.I)
_INITIAL = re.compile(
    r"(?<![\w(])([B-ZА-ЯЁ]|(?<=and )A|(?<=AND )A|(?<=& )A|A(?!\s+(?!(?:and|has|have|had|holds?|gets?|got|is|now|with|swaps|"
    r"trades|switches|exchanges|keeps|gives|takes|to|ends?)\b)[a-z])|[a-zа-яё](?=\s*[:=→]))(?![\w)'’])"
)  # the article is none
_FORMER = frozenset(("was", "previously", "formerly", "instead"))  # before a thing that is held no more
_BRACKETED = re.compile(r"\(([A-Z])\)")
_ENDING = re.compile(r"\b(?:at the end|in the end|finally|final|ends? (?:up|with)|therefore|конце|итог\w*)\b", re.I)
_BEGINNING = re.compile(r"\b(?:start|begin|beginning|initial\w*|originally|at first|to begin|сначала|начал\w*)\b", re.I)
_RESTATED = re.compile(r"\b(?:so far|currently|recall|remember|before (?:this|the|that)|previously)\b", re.I)


@dataclass(slots=True)
class _Table:
    """The puzzle, how its people and things are recognised, and where the replay stands."""

    puzzle: Exchange
    aliases: Mapping[str, str]
    notes: Notes
    holds: dict[str, str] = field(default_factory=dict)
    done: int = 0
    begun: bool = False
    listed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a step says: pairs that swap, who holds what, and the answer it gives."""

    pairs: tuple[frozenset[str], ...]
    holdings: tuple[tuple[str, str], ...]
    answer: str | None


def check(chain: Chain) -> Reading | None:
    """Replays the swaps of the question beside the chain."""
    puzzle = exchange_of(chain.question)
    if puzzle is None:
        return None
    table = _Table(puzzle, _aliases(puzzle.people), Notes(FAMILY), dict(puzzle.start))
    for place, step in enumerate(chain.plain):
        said = _said(step, table)
        if said.pairs or said.holdings or said.answer:
            table.notes.checked.add(place)
            _check_step(place, step, said, table)
    if not table.notes.checked:
        return table.notes.reading("no step says who holds what")
    return table.notes.reading()


def _aliases(people: Sequence[str]) -> dict[str, str]:
    """Names, and the initials that stand for one person only."""
    initials = [name[0] for name in people]
    short = {name[0]: name for name in people if initials.count(name[0]) == 1}
    return {**short, **{name: name for name in people}}


def _check_step(place: int, step: str, said: _Said, table: _Table) -> None:
    total = len(table.puzzle.swaps)
    for pair in said.pairs:
        _swap(place, pair, table)
    if not said.pairs and said.holdings and _moves_on(step, said, table):
        _apply(table.puzzle.swaps[table.done], table)
    if said.holdings:
        table.begun = True
        _compare(place, said.holdings, table)
        _check_complete(place, said, table)
    if said.answer:
        if table.done < total:
            table.notes.flaw(
                place,
                "procedure_violated",
                f"step {place} answers after {table.done} of the {total} swaps",
                f"apply the swap of {_pair(table.puzzle.swaps[table.done])} first",
            )
        _answer(place, said.answer, table)


def _moves_on(step: str, said: _Said, table: _Table) -> bool:
    """Whether holdings without a named swap stand after the next swap rather than where the replay is."""
    if table.done >= len(table.puzzle.swaps) or _RESTATED.search(step):
        return False
    if table.done == 0 and not table.begun:
        after = dict(table.holds)
        _exchange(after, table.puzzle.swaps[0])
        as_start = all(table.holds[who] == what for who, what in said.holdings)
        as_next = all(after[who] == what for who, what in said.holdings)
        return as_next and not as_start and not _BEGINNING.search(step)
    alone = len(said.holdings) == 1 or bool(said.answer)
    return not (_ENDING.search(step) and alone and len(said.holdings) == 1)


def _swap(place: int, pair: frozenset[str], table: _Table) -> None:
    swaps = table.puzzle.swaps
    if table.done >= len(swaps):
        table.notes.flaw(
            place, "procedure_violated", f"step {place} swaps {_pair(pair)}, but all {len(swaps)} swaps are done",
            "stop after the last swap",
        )  # fmt: skip
    elif pair != swaps[table.done]:
        table.notes.flaw(
            place,
            "procedure_violated",
            f"step {place} swaps {_pair(pair)}; swap {table.done + 1} of the question is between {_pair(swaps[table.done])}",
            f"swap {_pair(swaps[table.done])}",
        )
    _apply(pair, table)


def _apply(pair: frozenset[str], table: _Table) -> None:
    _exchange(table.holds, pair)
    table.done = min(table.done + 1, len(table.puzzle.swaps))
    table.begun = True


def _exchange(holds: dict[str, str], pair: frozenset[str]) -> None:
    one, other = sorted(pair)
    holds[one], holds[other] = holds[other], holds[one]


def _compare(place: int, holdings: Sequence[tuple[str, str]], table: _Table) -> None:
    wrong = [(who, what) for who, what in holdings if table.holds[who] != what]
    if wrong:
        who, what = wrong[0]
        table.notes.flaw(
            place,
            "declared_state_wrong" if table.done else "misquoted",
            f"step {place} says {who} has {what}; after {table.done} swaps {who} has {table.holds[who]}",
            f"{who}: {table.holds[who]}",
        )
    table.holds.update(holdings)


def _check_complete(place: int, said: _Said, table: _Table) -> None:
    """A list of everyone's things, not only of the two who swapped, may not lose anyone whom the list before it had."""
    named = {who for who, _ in said.holdings}
    moved = set(table.puzzle.swaps[table.done - 1]) if table.done else set()
    lost = sorted((table.listed | moved) - named)
    if lost and len(named) > 2 and named - moved:
        table.notes.flaw(
            place,
            "declared_state_wrong",
            f"step {place} leaves out {lost[0]}, who has {table.holds[lost[0]]}",
            f"{lost[0]}: {table.holds[lost[0]]}",
        )
    if len(named) > 2:
        table.listed = named


def _answer(place: int, answer: str, table: _Table) -> None:
    who = table.puzzle.asked
    if who is not None and table.holds[who] != answer:
        table.notes.flaw(
            place,
            "unsupported_conclusion",
            f"step {place} answers {answer}; by the steps before it {who} has {table.holds[who]}",
            f"answer {table.holds[who]}",
        )


def _pair(pair: frozenset[str]) -> str:
    return " and ".join(sorted(pair))


def _said(step: str, table: _Table) -> _Said:
    pairs: list[frozenset[str]] = []
    holdings: list[tuple[str, str]] = []
    answer = None
    if len(_BRACKETED.findall(step)) > 1 and not re.search(r"\b(?:answer|option|choice)\b", step, re.I):
        step = _BRACKETED.sub(r"\1", step)  # "pink (A), white (B)": initials, not options
    for clause in _CLAUSE.split(step):
        if _ANSWER.search(clause):
            answer = _answered(clause, table) or answer
            clause = re.split(r"\b(?:so|thus|hence|therefore|making|which|and)?,?\s*(?:the|our|my)?\s*(?:final |"
                r"correct )?(?:answer|option|choice)\b|\([A-Z]\)\s*\.?\s*$", clause, maxsplit=1, flags=re.I)[0]  # fmt: skip
        clause = _spelled(clause, table.aliases)
        found, rest = pairs_in(clause, table.puzzle.people)
        unsaid, told = _holdings(rest, table)
        pairs += found or unsaid
        holdings += told
    return _Said(tuple(pairs), tuple(holdings), answer)


def _answered(clause: str, table: _Table) -> str | None:
    if (found := list(_LETTER.finditer(clause))) and table.puzzle.options:
        letter = found[-1][1] or found[-1][2]
        return table.puzzle.options.get(letter.upper())
    mentions = [thing for kind, thing in _mentions(_spelled(clause, table.aliases), table) if kind == "thing"]
    return mentions[-1] if mentions and table.puzzle.asked else None


def _spelled(clause: str, aliases: Mapping[str, str]) -> str:
    """The clause with initials (``A``, not ``(A)`` and not the article) written as names."""
    return _INITIAL.sub(lambda found: aliases.get(found[1].upper(), found[1]), clause)


def _mentions(text: str, table: _Table) -> list[tuple[str, str]]:
    """People and things in the order of the text; words of a thing that stand together are one mention."""
    things = {item: telling(item) for item in set(table.holds.values()) | set(table.puzzle.start.values())}
    known = frozenset().union(*things.values())
    people = {name.casefold(): name for name in table.puzzle.people}
    found: list[tuple[str, str]] = []
    run: list[str] = []
    former = ""
    for word in [*words(text), ""]:
        stem = re.sub(r"['’]s$", "", word)
        if word in known:
            run += [] if former in _FORMER and not run else [word]
            continue
        former = former if word in ("the", "a", "an", "of") else word
        if run and word not in ("of", "the", "in"):
            found += [("thing", item) for item in _things(run, things)]
            run = []
        if stem in people:
            found.append(("who", people[stem]))
    return found


def _things(run: Sequence[str], things: Mapping[str, frozenset[str]]) -> list[str]:
    """The things that a run of words names, each by as many of its words as there are."""
    named: list[str] = []
    rest = list(run)
    while rest:
        scores = {item: _leading(rest, telling_words) for item, telling_words in things.items()}
        best = max(scores.values())
        winners = [item for item, score in scores.items() if score == best]
        whole = [item for item in winners if len(things[item]) == best]
        if best == 0 or (len(winners) > 1 and len(whole) != 1):
            return named
        named.append(whole[0] if len(whole) == 1 else winners[0])
        rest = rest[best:]
    return named


def _leading(run: Sequence[str], telling_words: frozenset[str]) -> int:
    count = 0
    seen: set[str] = set()
    for word in run:
        if word not in telling_words or word in seen:
            break
        seen.add(word)
        count += 1
    return count


def _holdings(clause: str, table: _Table) -> tuple[list[frozenset[str]], list[tuple[str, str]]]:
    """Runs of people and runs of things as long, matched in order; ``from X to Y`` gives to Y.

    Two people named beside them, in whatever words, are a pair that swaps: ``Ann and Bob change over: Ann has red``.
    """
    clause = re.sub(r"\bfrom\s+[\w'’]+\s+to\b", "to", clause, flags=re.I)
    runs = [
        (kind, [name for _, name in group]) for kind, group in groupby(_mentions(clause, table), key=lambda one: one[0])
    ]
    pairs = [pair for pair in (_named_beside(runs), _named_behind(runs)) if pair]
    found, place = [], 0
    while place + 1 < len(runs):
        (kind, left), (_, right) = runs[place], runs[place + 1]
        if len(left) == len(right):
            found += list(zip(left, right, strict=True)) if kind == "who" else list(zip(right, left, strict=True))
            place += 2
        else:
            place += 1
    return pairs, found


def _named_beside(runs: list[tuple[str, list[str]]]) -> frozenset[str]:
    """The two people named before the first holding, cut off from ``runs``; empty when there are no such two."""
    if len(runs) < 2 or runs[0][0] != "who" or len(runs[0][1]) <= len(runs[1][1]):
        return frozenset()
    names = runs[0][1]
    lead = names if runs[-1][0] == "who" else names[: -len(runs[1][1])]
    if len(set(lead)) != 2:
        return frozenset()
    runs[0] = ("who", names[len(lead) :])
    if not runs[0][1]:
        del runs[0]
    return frozenset(lead)


def _named_behind(runs: list[tuple[str, list[str]]]) -> frozenset[str]:
    """The two people named after the last holding, cut off from ``runs``; empty when there are no such two."""
    if len(runs) < 2 or runs[-1][0] != "who" or len(runs[-1][1]) <= len(runs[-2][1]):
        return frozenset()
    names = runs[-1][1]
    tail = names if runs[0][0] == "who" else names[len(runs[-2][1]) :]
    if len(set(tail)) != 2:
        return frozenset()
    runs[-1] = ("who", names[: len(names) - len(tail)])
    if not runs[-1][1]:
        del runs[-1]
    return frozenset(tail)
