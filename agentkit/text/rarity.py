"""How rare a word is in its language, from lists of frequent words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_CYRILLIC = re.compile(r"[\u0400-\u04ff]")


def rarity(word: str) -> float:
    """0 for the most frequent word of its language, 1 for one among the thousands not listed; logarithmic in between.

    Cyrillic words are looked up in a Russian list, all others in an English one (``agentkit/text/data``).
    """
    low = word.casefold().replace("ё", "е")
    ranks = _ranks("ru" if _CYRILLIC.search(low) else "en")
    rank = ranks.get(low, len(ranks))
    return math.log1p(rank) / math.log1p(len(ranks))


@cache
def _ranks(name: str) -> Mapping[str, int]:
    text = files("agentkit.text").joinpath(f"data/frequent_{name}.txt").read_text(encoding="utf-8")
    listed = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    return MappingProxyType({word: rank for rank, word in enumerate(listed)})
