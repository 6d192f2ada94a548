"""What has been said so far, and who said a value first: the memory against which a value is known or made up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from agentkit.answers import dates
from agentkit.traces.values import leaves, number_key, tokens, values
from agentkit.types import JSON

_MONTHS = {number: {name for name, one in dates.MONTHS.items() if one == number} for number in range(1, 13)}
_ORDINAL = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")
_NUMBERS = re.compile(r"(?<![\w.])[-−]?[$€£]?\d[\d,]*(?:\.\d+)?")
_JOINED = 4
_LONGEST = 200_000
_MOST_NUMBERS = 400
_NEAR = 3  # days: flexible travel and delivery dates are asked for a few days around the one that was named


class Seen:
    """Grows place by place; ``first`` tells the earliest place that said a value in any of its spellings."""

    def __init__(self) -> None:
        self._words: dict[str, list[int]] = {}
        self._texts: dict[int, str] = {}
        self._dates: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def add(self, place: int, data: JSON) -> None:
        """Remember all that ``data`` (a text, or plain data with its keys) says, at ``place``; places only grow."""
        text = data if isinstance(data, str) else _spoken(data)
        text = text[:_LONGEST]
        words = [_plain(word) for word in tokens(text)]
        self._texts[place] = f"{self._texts.get(place, '')} {' '.join(words)} "
        for word in {*words, *_joined(words)}:
            places = self._words.setdefault(word, [])
            if not places or places[-1] != place:
                places.append(place)
        for found in dates.find(text):
            self._dates.setdefault(found.iso, place)
        for number in _NUMBERS.findall(text):
            if key := number_key(number):
                self._numbers.setdefault(key, place)

    def first(self, value: JSON) -> int | None:
        """The earliest place where ``value`` was said; None when it never was."""
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return self.number(str(value))
        found = [
            one for one in (self._phrase(tokens(value)), self._date(value), self._numeric(value)) if one is not None
        ]
        return min(found, default=None)

    def number(self, text: str) -> int | None:
        """The earliest place that said this number."""
        key = number_key(text)
        if key is None:
            return None
        places = self._words.get(key.lstrip("-"), [])
        return min([*places[:1], *([self._numbers[key]] if key in self._numbers else [])], default=None)

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether the folded words of any place match."""
        return any(pattern.search(text) for text in self._texts.values())

    def within(self, word: str) -> bool:
        """Whether a longer word that was said holds this one, as an address holds the name of its owner."""
        return len(word) > 3 and any(word in other for other in self._words)

    def derivable(self, number: float) -> bool:
        """Whether it follows from two numbers that were said: sum, difference, product, quotient, a percentage of or off one."""
        known = [float(one) for one in list(self._numbers)[-_MOST_NUMBERS:]]
        near = {round(one, 2) for one in known}
        if any(round(number - one, 2) in near or round(number + one, 2) in near for one in known):
            return True
        positive = [one for one in known if one > 0]
        shares = (100 * number / one for one in positive)
        if any(round(one, 2) in near or round(abs(one - 100), 2) in near for one in shares):
            return True
        few = [one for one in positive if one <= _MOST_NUMBERS]
        return any(round(number / one, 2) in near or round(number * one, 2) in near for one in few)

    def near(self, iso: str) -> bool:
        """Whether a date within a few days of this one was said."""
        try:
            day = date.fromisoformat(iso)
        except ValueError:
            return False
        around = (day + timedelta(days=step) for step in range(-_NEAR, _NEAR + 1) if step)
        return any(self._date(one.isoformat()) is not None for one in around)

    def _numeric(self, value: str) -> int | None:
        return self.number(value) if number_key(value) else None

    def _date(self, value: str) -> int | None:
        """A complete date, or its month by name and its day anywhere in one place: ``between May 20th and 23rd``."""
        iso = dates.key(value)
        if iso is None:
            return None
        month, day = int(iso[5:7]), str(int(iso[8:10]))
        whole = [self._dates[one] for one in (iso, f"--{iso[5:]}") if one in self._dates]
        named = {place for name in _MONTHS[month] for place in self._words.get(name, ())}
        return min([*whole, *named.intersection(self._words.get(day, ()))], default=None)

    def _phrase(self, words: Sequence[str]) -> int | None:
        words = [_plain(word) for word in words]
        if not words:
            return None
        found = self._words.get("".join(words), [])[:1]
        common = set.intersection(*(set(self._words.get(word, ())) for word in words))
        phrase = f" {' '.join(words)} "
        found += [place for place in sorted(common) if phrase in self._texts[place]][:1]
        return min(found, default=None)


def said(data: JSON) -> Iterator[str]:
    """The values that ``data`` says and that tell an origin, as texts; long texts give the values in them."""
    for _, leaf in leaves(data):
        text = "" if leaf is None or isinstance(leaf, bool) else str(leaf)
        inside = [one.text for one in values(text)]
        yield from inside
        if text and text not in inside and 1 < len(text) <= 80 and _telling(text):
            yield text


def _telling(text: str) -> bool:
    words = tokens(text)
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 3 and not words[0].isdecimal())


def _spoken(data: JSON) -> str:
    """Plain data as text, keys included; what JSON cannot hold is written as Python shows it."""
    return json.dumps(data, ensure_ascii=False, default=str)


def _plain(word: str) -> str:
    found = _ORDINAL.match(word)
    return (
        found[1].lstrip("0") if found else (word.lstrip("0") or word if word.isdecimal() and len(word) <= 2 else word)
    )


def _joined(words: Sequence[str]) -> Iterable[str]:
    """Neighbours written together, where digits are among them: ``HAT 028``, ``(555) 123-4567``."""
    for start, word in enumerate(words):
        if len(word) > 12:
            continue
        for count in range(2, _JOINED + 1):
            run = words[start : start + count]
            if len(run) < count or not all(one.isalnum() and len(one) <= 12 for one in run):
                break
            if run[-1][0].isdecimal() and (count == 2 or all(one.isdecimal() for one in run)):
                yield "".join(run)
