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


def separate(completion: str, *, opened: bool = False) -> Separated:
    """The reasoning and the text of a whole completion, without their tags; one without tags is all text, untouched.

    Blocks may be nested, and one that was never closed (the model ran out of tokens) is reasoning to its end. Where a
    chat template has opened the thought, so that only its closing tag is here, all before the tag is reasoning. With an
    ``<answer>`` block the text is what is in it, and what follows it goes to the reasoning. ``opened`` says that the
    template has opened the thought, so that one without a closing tag is a thought, too.
    """
    block = "reasoning" if opened else _block_ahead(completion.lstrip())
    if block is None:
        tag = _THINK.search(completion)
        return _closed_at(completion, tag) if tag and tag[1] else Separated("", completion)
    closes = list(_CLOSE.finditer(completion))
    if block == "reasoning" and closes and _depth(completion, opened) > 0:  # a thought may mention its own tag
        return _closed_at(completion, closes[-1])
    return _joined(Separator(opened=opened), completion)


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
    completion whose tags are in order the parts add up to those of ``separate``. With ``opened`` the completion begins
    inside a thought, which a chat template has opened.
    """

    opened: bool = False
    _after_block: bool = False
    _mode: Literal["ahead", "thought", "answer", "after", "plain"] = "ahead"
    _depth: int = 0
    _held: str = field(default="", repr=False)
    _space: dict[Channel, str | None] = field(default_factory=lambda: {"reasoning": None, "text": None}, repr=False)

    def __post_init__(self) -> None:
        if self.opened:
            self._mode, self._depth = "thought", 1

    def feed(self, piece: str) -> list[Piece]:
        """The pieces of reasoning and text that are certain now."""
        if self._mode == "plain" and not self._held and self._untagged:
            return [("text", piece)] if piece else []
        self._held += piece
        return self._trimmed(_merged(self._steps()))

    def end(self) -> list[Piece]:
        """What was still held back; a tag cut off in the middle is left out where a block was open."""
        rest, self._held = self._held, ""
        if self._mode in ("thought", "answer"):
            rest = _TORN.sub("", rest)
        channel: Channel = "reasoning" if self._mode in ("thought", "after") else "text"
        return self._trimmed([(channel, rest)] if rest else [])

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

    def _trimmed(self, pieces: list[Piece]) -> list[Piece]:
        """Where there are tags, the parts begin and end with no white space: what may be their end waits for more."""
        if self._untagged:
            return pieces
        found: list[Piece] = []
        for channel, piece in pieces:
            before = self._space[channel]
            whole = piece.lstrip() if before is None else before + piece
            kept = whole.rstrip()
            if before is not None or kept:
                self._space[channel] = whole[len(kept) :]
            if kept:
                found.append((channel, kept))
        return found

    @property
    def _untagged(self) -> bool:
        return not self._after_block and self._mode in ("ahead", "plain")

    def _ahead(self) -> Iterator[Piece]:
        """Before any text: a block begins here, or none does any more."""
        ahead = self._held.lstrip()
        block = _block_ahead(ahead)
        if block is not None:
            self._mode, self._depth = ("thought" if block == "reasoning" else "answer"), 1
            self._held = ahead[ahead.index(">") + 1 :]
        elif ahead and not any(tag.startswith(ahead.lower()) for tag in (*_OPENS, "<answer>")):
            self._mode = "plain"
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


def _depth(completion: str, opened: bool) -> int:
    """How many thoughts are open at the end of the first block."""
    depth = int(opened)
    for tag in _THINK.finditer(completion):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return 0
    return depth


def _joined(separator: Separator, completion: str) -> Separated:
    pieces = [*separator.feed(completion), *separator.end()]
    reasoning, text = ("".join(piece for channel, piece in pieces if channel == one) for one in ("reasoning", "text"))
    return Separated(reasoning, text)


def _merged(pieces: Iterator[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for channel, piece in pieces:
        if piece and merged and merged[-1][0] == channel:
            merged[-1] = (channel, merged[-1][1] + piece)
        elif piece:
            merged.append((channel, piece))
    return merged
