"""The tags of reasoning models: ``<think>...</think>`` before the answer, ``<answer>...</answer>`` around it.

They count where such models write them: at the beginning of a completion, one block after another. Further on they are
text like any other, so that a model may write about them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Channel = Literal["reasoning", "text"]
Piece = tuple[Channel, str]

_NAMES = ("think", "thinking", "thought", "reasoning")
_OPENS = tuple(f"<{name}>" for name in _NAMES)
_CLOSES = tuple(f"</{name}>" for name in _NAMES)
_THINK = re.compile(rf"<(/?)(?:{'|'.join(_NAMES)})>", re.IGNORECASE)
_CLOSE = re.compile(rf"</(?:{'|'.join(_NAMES)})>", re.IGNORECASE)
_ANSWER_OPEN, _ANSWER_CLOSE = re.compile("<answer>", re.IGNORECASE), re.compile("</answer>", re.IGNORECASE)
_STRICT = re.compile(r"\s*<think>(.+?)</think>\s*<answer>(.+?)</answer>\s*\Z", re.DOTALL)
_FORMAT = ("<think>", "</think>", "<answer>", "</answer>")
_TORN = re.compile(r"</?[a-z]{0,9}\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Separated:
    """The two parts of a completion."""

    reasoning: str
    text: str


def separate(completion: str) -> Separated:
    """The reasoning and the text of a whole completion, without their tags; one without tags is all text, untouched.

    Blocks may be nested, and one that was never closed (the model ran out of tokens) is reasoning to its end. Where a
    chat template has opened the thought, so that only its closing tag is here, all before the tag is reasoning. With an
    ``<answer>`` block the text is what is in it, and what follows it goes to the reasoning.
    """
    opened = _block_ahead(completion.lstrip())
    if opened is None:
        tag = _THINK.search(completion)
        return _closed_at(completion, tag) if tag and tag[1] else Separated("", completion)
    closes = list(_CLOSE.finditer(completion))
    if opened == "reasoning" and closes and _depth(completion) > 0:  # a thought may mention its own tag
        return _closed_at(completion, closes[-1])
    return _joined(Separator(), completion)


def _closed_at(completion: str, tag: re.Match[str]) -> Separated:
    """The parts of a completion whose thought ends at ``tag``, wherever it began."""
    before = _THINK.sub("", completion[: tag.start()]).strip()
    after = _joined(Separator(_after_block=True), completion[tag.end() :])
    return Separated(f"{before}\n{after.reasoning}".strip(), after.text)


def format_score(completion: str) -> float:
    """How well a completion keeps to ``<think>...</think><answer>...</answer>``, from 0 to 1; a reward to train with.

    1 for exactly that and nothing around it; else a fifth for each of the four tags that stands there exactly once (after
    DeepSeek-R1's format reward, 2025, arXiv 2501.12948, made gradual so that a policy can climb it).
    """
    once = sum(completion.count(tag) == 1 for tag in _FORMAT)
    kept = _STRICT.match(completion)
    if once == len(_FORMAT) and kept and kept[1].strip() and kept[2].strip():
        return 1.0
    return once / (len(_FORMAT) + 1)


@dataclass
class Separator:
    """``separate`` for a completion that arrives in pieces.

    ``feed`` gives what a piece adds to either part, ``end`` what was held back because it might have become a tag. For a
    completion whose tags are in order the parts add up to those of ``separate``, but for white space at their ends.
    """

    _after_block: bool = False
    _mode: Literal["ahead", "thought", "answer", "after", "plain"] = "ahead"
    _depth: int = 0
    _held: str = field(default="", repr=False)

    def feed(self, piece: str) -> list[Piece]:
        """The pieces of reasoning and text that are certain now."""
        if self._mode == "plain" and not self._held:
            return [("text", piece)] if piece else []
        self._held += piece
        return _merged(self._steps())

    def end(self) -> list[Piece]:
        """What was still held back; a tag cut off in the middle is left out where a block was open."""
        rest, self._held = self._held, ""
        if self._mode in ("thought", "answer"):
            rest = _TORN.sub("", rest)
        elif self._mode == "ahead" and self._after_block:
            rest = rest.lstrip()
        channel: Channel = "reasoning" if self._mode in ("thought", "after") else "text"
        return [(channel, rest)] if rest else []

    def _steps(self) -> Iterator[Piece]:
        while True:
            mode, length = self._mode, len(self._held)
            yield from {
                "ahead": self._ahead,
                "thought": self._thought,
                "answer": self._answer,
                "after": self._rest,
                "plain": self._rest,
            }[mode]()
            if (mode, length) == (self._mode, len(self._held)) or not self._held:
                return

    def _ahead(self) -> Iterator[Piece]:
        """Before any text: a block begins here, or none does any more."""
        ahead = self._held.lstrip()
        block = _block_ahead(ahead)
        if block is not None:
            self._mode, self._depth = ("thought" if block == "reasoning" else "answer"), 1
            self._held = ahead[ahead.index(">") + 1 :]
        elif ahead and not any(tag.startswith(ahead.lower()) for tag in (*_OPENS, "<answer>")):
            self._mode = "plain"
            self._held = ahead if self._after_block else self._held
        yield from ()

    def _thought(self) -> Iterator[Piece]:
        tag = _THINK.search(self._held)
        if tag is None:
            yield "reasoning", self._certain((*_OPENS, *_CLOSES))
            return
        yield "reasoning", self._held[: tag.start()]
        self._held = self._held[tag.end() :]
        self._depth += -1 if tag[1] else 1
        if self._depth == 0:
            self._mode, self._after_block = "ahead", True

    def _answer(self) -> Iterator[Piece]:
        tag = _ANSWER_CLOSE.search(self._held)
        if tag is None:
            yield "text", self._certain(("</answer>",))
            return
        yield "text", self._held[: tag.start()]
        self._held, self._mode = self._held[tag.end() :], "after"

    def _rest(self) -> Iterator[Piece]:
        rest, self._held = self._held, ""
        yield ("reasoning" if self._mode == "after" else "text"), rest

    def _certain(self, tags: tuple[str, ...]) -> str:
        """What is held but for an end that may be the beginning of one of ``tags``."""
        start = self._held.rfind("<")
        if start < 0 or not any(tag.startswith(self._held[start:].lower()) for tag in tags):
            start = len(self._held)
        certain, self._held = self._held[:start], self._held[start:]
        return certain


def _block_ahead(text: str) -> Channel | None:
    """What the block is that ``text`` begins with."""
    tag = _THINK.match(text)
    if tag is not None and not tag[1]:
        return "reasoning"
    return "text" if _ANSWER_OPEN.match(text) else None


def _depth(completion: str) -> int:
    """How many thoughts are open at the end of the first block."""
    depth = 0
    for tag in _THINK.finditer(completion):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return 0
    return depth


def _joined(separator: Separator, completion: str) -> Separated:
    pieces = [*separator.feed(completion), *separator.end()]
    reasoning, text = ("".join(piece for channel, piece in pieces if channel == one) for one in ("reasoning", "text"))
    return Separated(reasoning.strip(), text.strip())


def _merged(pieces: Iterator[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for channel, piece in pieces:
        if piece and merged and merged[-1][0] == channel:
            merged[-1] = (channel, merged[-1][1] + piece)
        elif piece:
            merged.append((channel, piece))
    return merged
