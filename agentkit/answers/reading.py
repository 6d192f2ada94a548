"""What an answer says once its wording is set aside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from agentkit.answers import arithmetic, choices, dates, latex, numbers, plain, quantities
from agentkit.answers.numbers import Convention
from agentkit.errors import ConfigError, did_you_mean

Kind = Literal["auto", "number", "quantity", "date", "choice", "set", "math", "yes_no", "text"]
"""What sort of answer a question has; ``auto`` tells by the look of it."""

_PERCENT = re.compile(r"(?:%|percents?|per cent|процент\w*)\.?", re.IGNORECASE)
_CURRENCY = re.compile(
    r"(?:us\s)?(?:dollars?|usd|euros?|eur|€|£|₽|\$|rub|rubles?|roubles?|руб(?:л\w+)?|доллар\w*|евро|gbp)\.?",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?!(?:and|or|to|of|than|out|plus|minus|times|from|и|или|до|из|от)\b)[^\W\d_]{3,}(?: [^\W\d_]{3,})?"
)
_AND = re.compile(r"\s*(?:,\s*|\s)(?:and|и|&)\s+")
_LABEL = re.compile(r"^(?:answer|ответ)\s*:\s*(?=\S)", re.IGNORECASE)
_ANY_LABEL = re.compile(r"^(?:answer|ответ|a)\s*:\s*(?=\S)", re.IGNORECASE)
_ROUNDS = 8
_LONGEST_ANSWER = 1000
_SOUGHT = ("number", "date", "choice", "yes_no")
_LONGEST = 400
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's canonical ``key``; a number also has its ``number`` as written and its unit (``mark``, ``""``: none)."""

    key: str
    number: Fraction | None = None
    mark: str = ""


def read(answer: str, kind: Kind = "auto", *, convention: Convention = "us") -> Reading:
    """The reading of ``answer`` as ``kind``; one that does not look like its kind reads as plain text.

    What is no number is read again until nothing changes, so that a key reads as itself.
    """
    checked(kind)
    for _ in range(_ROUNDS):
        reading = _once(answer, kind, convention)
        if reading.key == answer or reading.number is not None:
            return reading
        answer = reading.key
    return Reading(answer)


def _once(answer: str, kind: Kind, convention: Convention) -> Reading:
    if len(answer) > _LONGEST_ANSWER:
        if kind not in _SOUGHT:
            return Reading(plain.key(answer))
        answer = answer[-_LONGEST_ANSWER:]
    readers = _READERS["math" if kind == "auto" and latex.is_latex(answer) else kind]
    text = _clean(answer, kind)
    for reader in readers:
        reading = reader(text, convention)
        if reading is not None:
            return reading
    return Reading(plain.key(text))


def understood(answer: str, *, convention: Convention = "us") -> bool:
    """Whether the whole of ``answer`` is a number, date, letter, set or yes or no, not just words."""
    if len(answer) > _LONGEST_ANSWER:
        return False
    text = _clean(answer, "auto")
    return any(reader(text, convention) for reader in _AUTO)


def checked(kind: str) -> Kind:
    """``kind`` itself; raises ``ConfigError`` with the nearest name when there is no such kind."""
    known = get_args(Kind)
    if kind not in known:
        raise ConfigError(f"no kind of answer is named {kind!r}{did_you_mean(kind, known)} (known: {', '.join(known)})")
    return kind  # type: ignore[return-value]


def _clean(answer: str, kind: Kind) -> str:
    box = latex.boxed(answer)
    text = plain.tidy(latex.plain(answer if box is None else box))
    label = _LABEL if kind == "choice" else _ANY_LABEL
    return unicodedata.normalize("NFC", label.sub("", text))


def _number(text: str, convention: Convention) -> Reading | None:
    """Any number in the text, the whole of it first; units, currency and percent are dropped."""
    found = numbers.amount(text, convention=convention)
    if found is None:
        last = numbers.last(text)
        found = numbers.amount(text[slice(*last)], convention=convention) if last else None
    return Reading(numbers.spell(found.value), found.value) if found else None


def _quantity(text: str, convention: Convention) -> Reading | None:
    """A number that is the whole text, with its unit if it has one."""
    found = numbers.amount(text, convention=convention)
    if found is None:
        return None
    if not found.tail or _CURRENCY.fullmatch(found.tail):
        return Reading(numbers.spell(found.value), found.value)
    if _PERCENT.fullmatch(found.tail):
        return Reading(numbers.spell(found.value) + "%", found.value, "%")
    unit = quantities.unit(found.tail)
    if unit:
        return Reading(f"{numbers.spell(found.value * unit[1])} {unit[0]}", found.value, found.tail.casefold())
    if _COUNTED.fullmatch(found.tail):
        return Reading(numbers.spell(found.value), found.value)
    return None


def _date(text: str, convention: Convention) -> Reading | None:
    whole = dates.key(text, convention=convention)
    return Reading(whole) if whole else None


def _any_date(text: str, convention: Convention) -> Reading | None:
    whole = dates.key(text, convention=convention, partial=True)
    if whole:
        return Reading(whole)
    found = dates.find(text, convention=convention)
    full = [one for one in found if one.complete] or found
    return Reading(full[-1].iso) if full else None


def _letter(text: str, convention: Convention) -> Reading | None:
    letter = choices.key(text)
    return Reading(letter) if letter else None


def _any_letter(text: str, convention: Convention) -> Reading | None:
    letter = choices.find(text)
    return Reading(letter) if letter else None


def _yes_no(text: str, convention: Convention) -> Reading | None:
    word = plain.yes_no(text)
    return Reading(word) if word else None


def _any_yes_no(text: str, convention: Convention) -> Reading | None:
    word = plain.find_yes_no(text)
    return _yes_no(word, convention) if word else None


def _bracketed(text: str, convention: Convention) -> Reading | None:
    """``{1, 2}`` without order and repetition; ``(1, 2)`` and ``[1, 2)`` with both."""
    if not (3 <= len(text) <= _LONGEST and text[0] in "{([" and text[-1] in "})]"):
        return None
    items = _items(text[1:-1])
    if text[0] == "{":
        return _as_set(items, convention) if items and text[-1] == "}" else None
    if len(items) < 2 or text[-1] == "}":
        return None
    return Reading(f"{text[0]}{', '.join(read(item, convention=convention).key for item in items)}{text[-1]}")


def _number_list(text: str, convention: Convention) -> Reading | None:
    """``1, 2 and 3``: several numbers and nothing else, in any order."""
    items = _items(_AND.sub(", ", text))
    if len(items) < 2 or any(_quantity(item, convention) is None for item in items):
        return None
    return _as_set(items, convention)


def _any_list(text: str, convention: Convention) -> Reading | None:
    items = _items(_AND.sub(", ", text))
    return _as_set(items, convention) if items else None


def _as_set(items: list[str], convention: Convention) -> Reading:
    return Reading("{" + ", ".join(sorted({read(item, convention=convention).key for item in items})) + "}")


def _items(text: str) -> list[str]:
    """The parts of ``text`` between commas that stand in no bracket; none when brackets do not match or nest too deep."""
    parts, depth = [""], 0
    for one in text[:_LONGEST]:
        depth += (one in "{([") - (one in "})]")
        if not 0 <= depth <= _DEEPEST:
            return []
        if one in ",;" and depth == 0:
            parts.append("")
        else:
            parts[-1] += one
    return [part.strip() for part in parts if part.strip()] if depth == 0 else []


def _expression(text: str, convention: Convention) -> Reading | None:
    """Arithmetic is worked out; other formulas meet when they differ in spaces and multiplication signs alone."""
    try:
        value = arithmetic.evaluate(text)
    except ValueError:
        compact = plain.key(re.sub(r"[\s*]+", "", text))
        return Reading(compact) if re.search(r"[=^_+\\]|sqrt|pi\b", compact) else None
    return Reading(numbers.spell(value), value)


_AUTO = (_yes_no, _date, _quantity, _letter, _bracketed, _number_list)
_READERS: dict[Kind, tuple[Callable[[str, Convention], Reading | None], ...]] = {
    "auto": _AUTO,
    "number": (_number,),
    "quantity": (_quantity,),
    "date": (_any_date,),
    "choice": (_any_letter,),
    "set": (_bracketed, _any_list),
    "math": (*_AUTO, _expression),
    "yes_no": (_any_yes_no,),
    "text": (),
}
