"""Find the final answer in a completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from agentkit.answers import choices, dates, latex, numbers, plain, quantities
from agentkit.answers.numbers import Convention
from agentkit.answers.reading import Kind, checked, understood

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TAGGED = re.compile(r"<(answer|final_answer|ответ)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_STATED = re.compile(
    r"(?:\b(?:final\s+|correct\s+|right\s+)?(?:answer|option|choice)\s*(?:(?:is|are|would be|must be)\b\s*:?|[:=])"
    r"|\b(?:итоговый\s+|правильный\s+|верный\s+)?(?:ответ|вариант)\s*(?:[:=]|[-–—]\s|это\b|равен\b|будет\b)"
    r"|^\s*####|^\s*A:)\s*",
    re.IGNORECASE | re.MULTILINE,
)
_REFUSAL = re.compile(
    r"i['’]?m sorry|sorry,|i apologi[sz]e|i can(?:not|['’]t)|as an ai|n/?a\b|unable to|"
    r"извините|к сожалению|я не могу|не могу",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[\w\d)\]%°}»\"'][.!?])\s+(?=[A-ZА-ЯЁ(])")
_ABBREVIATED = re.compile(r"\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|St|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|г)\.$")
_REASON = re.compile(
    r"\s*(?:,?\s\b(?:because|since|as|so|which|потому|так как)\b|\s[–—]\s).*", re.DOTALL | re.IGNORECASE
)
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|equals?|be|это|равн[аоы]?|равен|составляет|будет)\b|[=:≈])\s*", re.IGNORECASE
)
_ASIDE = re.compile(r"\s*\([^()]*\)\s*[.!]?\s*$")
_FEW_WORDS = 4
_WINDOW = 8000
_LINE = 1000
_LAST = 5


def extract(text: str, kind: Kind = "auto", *, stated: bool = False, convention: Convention = "us") -> str | None:
    r"""The final answer that ``text`` comes to, as written there; None is an abstention, never an answer.

    Looked for in this order, the last of each first: ``\boxed{...}``, ``<answer>...</answer>``, "the answer is ..." or
    "Ответ: ...", and then, unless only a ``stated`` answer counts (as for a completion that was cut off), the last thing of
    its ``kind``: number, date, letter, or for ``auto`` what the last line says. For ``text`` the whole text is the answer.
    """
    checked(kind)
    text = _THINKING.sub("", text).strip()
    text = text if kind == "text" else text[-_WINDOW:]
    find = _FINDERS[kind]
    for passage, exact in _stated(text[-_WINDOW:]):
        found = find(passage, convention, True) or (passage.strip() if exact else None)
        if found and (exact or kind != "text"):
            return found
    if stated and kind != "text":
        return None
    return find(text, convention, False) or None


def _stated(text: str) -> Iterator[tuple[str, bool]]:
    """Passages that claim to be the answer, the most explicit first; ``True`` where nothing else can be in them."""
    box = latex.boxed(text)
    if box:
        yield box, True
    for found in list(_TAGGED.finditer(text))[: -_LAST - 1 : -1]:
        yield found[2].strip(), True
    for found in list(_STATED.finditer(text))[: -_LAST - 1 : -1]:
        passage = text[found.end() : found.end() + _LINE].strip().split("\n", 1)[0]
        if passage.strip(" *_`"):
            yield passage, False


def _text(text: str, convention: Convention, stated: bool) -> str | None:
    return text.strip() or None


def _number(text: str, convention: Convention, stated: bool) -> str | None:
    text = latex.plain(text) if latex.is_latex(text) else text
    if not stated:
        return _cut(text, numbers.last(text))
    head = _REASON.sub("", _sentences(text)[0]) or text
    result = head.rpartition("=")[2]
    return _cut(result, numbers.first(result)) or _cut(head, numbers.last(head)) or _cut(text, numbers.first(text))


def _cut(text: str, span: tuple[int, int] | None) -> str | None:
    return text[span[0] : span[1]] if span else None


def _date(text: str, convention: Convention, stated: bool) -> str | None:
    text = _ASIDE.sub("", text) or text
    found = dates.find(text, convention=convention)
    full = [one for one in found if one.complete] or found
    if not full:
        return None
    chosen = full[0] if stated else full[-1]
    return text[chosen.start : chosen.end]


def _choice(text: str, convention: Convention, stated: bool) -> str | None:
    if stated:
        return choices.find(_sentences(text)[0])
    last = _last_line(text)
    return choices.key(text) or (choices.find(last) if last else None) or choices.find(text)


def _yes_no(text: str, convention: Convention, stated: bool) -> str | None:
    first = plain.find_yes_no(_sentences(text)[0])
    return first or plain.find_yes_no(text)


def _set(text: str, convention: Convention, stated: bool) -> str | None:
    return _phrase(text if stated else _last_line(text) or "", convention)


def _auto(text: str, convention: Convention, stated: bool) -> str | None:
    if stated:
        return _phrase(text, convention)
    line = _last_line(text)
    if line is None or (_REFUSAL.match(line) and not understood(line, convention=convention)):
        return None
    sentence = _sentences(_ASIDE.sub("", line) or line)[-1]
    if len(sentence.split()) < _FEW_WORDS or understood(sentence, convention=convention):
        return plain.tidy(sentence)
    found = dates.find(sentence, convention=convention)
    if any(one.complete for one in found):
        return _date(sentence, convention, False)
    _, *said = _COPULA.split(sentence)
    if said and 0 < len(said[-1].split()) <= _FEW_WORDS:
        return plain.tidy(said[-1])
    return _measured(sentence) or plain.tidy(sentence)


def _measured(sentence: str) -> str | None:
    """The last number of a sentence, with the unit that ends the sentence, if one does."""
    span = numbers.last(sentence)
    if span is None:
        return None
    tail = plain.tidy(sentence[span[1] :])
    return plain.tidy(sentence[span[0] :]) if tail and quantities.unit(tail) else _cut(sentence, span)


def _phrase(text: str, convention: Convention) -> str | None:
    """The answer in a passage that states it: its first sentence without the reason given for it."""
    head = _sentences(text.strip())[0].strip()
    if not head or _REFUSAL.match(head):
        return None
    if understood(head, convention=convention):
        return plain.tidy(head)
    result = head.rpartition("=")[2]
    if result != head and understood(result, convention=convention):
        return plain.tidy(result)
    short = _ASIDE.sub("", _REASON.sub("", head)).strip() or head
    found = [one for one in dates.find(short, convention=convention) if one.complete]
    return short[found[0].start : found[0].end] if found else plain.tidy(short)


def _sentences(text: str) -> list[str]:
    parts: list[str] = []
    for piece in _SENTENCE_END.split(text.strip()):
        if parts and _ABBREVIATED.search(parts[-1][-8:]):
            parts[-1] += " " + piece
        else:
            parts.append(piece)
    return parts


def _last_line(text: str) -> str | None:
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
    return lines[-1][-_LINE:] if lines else None


_FINDERS: dict[Kind, Callable[[str, Convention, bool], str | None]] = {
    "auto": _auto,
    "number": _number,
    "quantity": _auto,
    "date": _date,
    "choice": _choice,
    "set": _set,
    "math": _set,
    "yes_no": _yes_no,
    "text": _text,
}
