"""Text from outside, made safe to stand in a prompt: cleaned, numbered, fenced, and cut to a budget.

Nothing here decides what a model will believe. It keeps the structure of the prompt ours: a document cannot close its
fence, open a turn of its own, or carry characters that a reader would not see.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from agentkit.types import Document

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_ANGLE_TOKEN = re.compile(
    r"<(?:[|｜][^<>\n]{1,80}[|｜]|<?/?SYS>?|/?(?:s|bos|eos|unk|pad|mask|think|tool_call|tool_response|tools|image)"
    r"|(?:start|end)_of_(?:turn|image)|extra_id_\d+|endoftext)>",
    re.IGNORECASE,
)
_SQUARE_TOKEN = re.compile(
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|THINK|IMG|PREFIX|SUFFIX|MIDDLE)\]",
    re.IGNORECASE,
)
_ANGLES = str.maketrans("<>", "‹›")
_SQUARES = str.maketrans("[]", "()")
_BYTES_A_TOKEN = 3.0
_TITLE_LENGTH = 120


def clean(text: str) -> str:
    """The text as a person sees it: no control, invisible or direction-changing characters, no chat-template tokens.

    Line ends become ``\\n``. ``<|im_start|>`` and its like become ``‹|im_start|›`` and ``[INST]`` becomes ``(INST)``,
    which a person reads the same and a tokenizer does not. Cleaning twice changes nothing.
    """
    text = _FILLERS.sub("", _BREAKS.sub("\n", text))
    if not text.isascii() or not text.isprintable():
        text = "".join(
            char for char in text if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE_CATEGORIES
        )
    text = _ANGLE_TOKEN.sub(lambda match: match[0].translate(_ANGLES), text)
    return _SQUARE_TOKEN.sub(lambda match: match[0].translate(_SQUARES), text)


def _visible(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in _INVISIBLE_CATEGORIES


def delimiter(seed: str) -> str:
    """Twelve hexadecimal digits drawn from ``seed``: the same request gets the same fence."""
    return hashlib.sha256(f"fence:{seed}".encode("utf-8", "replace")).hexdigest()[:12]


def fence(documents: Sequence[Document], delimiter: str, *, budget: int | None = None) -> str:
    """The documents as numbered sources, each between two lines that carry ``delimiter``.

    ::

        [1] Write-Ahead Logging (source 3f2a9c)
        the text
        (end of source 3f2a9c)

    ``budget`` is the number of tokens that the texts may take (see ``fit``). Where a text or title holds the delimiter,
    ``█`` stands in its place.
    """
    chosen = documents if budget is None else fit(documents, budget)
    return "\n\n".join(_source(number, document, delimiter) for number, document in enumerate(chosen, 1))


def fit(documents: Sequence[Document], budget: int) -> tuple[Document, ...]:
    """The leading documents whose texts take at most ``budget`` tokens; the one that crosses is cut at a word."""
    chosen: list[Document] = []
    left = budget
    for document in documents:
        cost = tokens(document.text)
        if cost > left:
            text = _cut(document.text, left)
            return (*chosen, replace(document, text=text)) if text else tuple(chosen)
        chosen.append(document)
        left -= cost
    return tuple(chosen)


def tokens(text: str) -> int:
    """An estimate, on the high side, of the tokens in ``text`` for any tokenizer: a third of its UTF-8 bytes."""
    return -int(-len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN)


def _source(number: int, document: Document, delimiter: str) -> str:
    title = _neutral(" ".join(document.title.split()), delimiter)[:_TITLE_LENGTH]
    text = _neutral(document.text, delimiter).strip()
    return f"[{number}] {title} (source {delimiter})\n{text}\n(end of source {delimiter})"


def _neutral(text: str, delimiter: str) -> str:
    return re.sub(re.escape(delimiter), "█", clean(text), flags=re.IGNORECASE)


def _cut(text: str, budget: int) -> str:
    start = text.encode("utf-8", "replace")[: int(budget * _BYTES_A_TOKEN)].decode("utf-8", "ignore")
    return start[: start.rfind(" ")] if " " in start else ""
