"""What a plan may call the objects of a problem beside their names: ``package_0`` for ``p0``, ``the red block`` for ``a``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from agentkit.pddl.syntax import Kinds

COLOURS = {
    "red": "a",
    "blue": "b",
    "orange": "c",
    "yellow": "d",
    "white": "e",
    "magenta": "f",
    "black": "g",
    "cyan": "h",
    "green": "i",
    "violet": "j",
    "silver": "k",
    "gold": "l",
}
"""The names that the prompts of PlanBench (Valmeekam et al. 2023, arXiv 2206.10498) give to blocks a to l."""
NOUNS = frozenset(("object", "objects", "block", "blocks", "item", "box", "блок", "блока", "объект", "кубик"))
_NUMBERED = re.compile(r"([a-z]+)[\s_-]?(\d+(?:[\s_-]\d+)*)")
_BETWEEN = re.compile(r"[\s_-]+")


class Names:
    """Looks objects up by name, case and separators aside."""

    def __init__(self, objects: Mapping[str, Kinds], ancestors: Mapping[str, frozenset[str]]) -> None:
        self.objects = objects
        self.nouns = NOUNS | ancestors.keys()
        self._plain = {_BETWEEN.sub("", name): name for name in objects}
        self._colours = COLOURS if all(len(name) == 1 for name in objects) else {}

    def resolved(self, text: str) -> str | None:
        """The object that ``text`` (in lower case, perhaps several words) names, or None."""
        if text in self.objects:
            return text
        return next((one for form in self._forms(text) if (one := self._found(form)) is not None), None)

    def is_colour(self, word: str) -> bool:
        """Whether the word is a colour in a task whose objects go by colours."""
        return word in self._colours

    def _forms(self, text: str) -> Iterator[str]:
        """The text, and the text without a noun such as ``block`` before or after it."""
        yield text
        words = _BETWEEN.split(text.strip("_- "))
        if len(words) > 1:
            if words[-1] in self.nouns:
                yield " ".join(words[:-1])
            if words[0] in self.nouns:
                yield " ".join(words[1:])

    def _found(self, text: str) -> str | None:
        if (plain := self._plain.get(_BETWEEN.sub("", text))) is not None:
            return plain
        if (letter := self._colours.get(text)) in self.objects:
            return letter
        if numbered := _NUMBERED.fullmatch(text):
            short = numbered[1][0] + "-".join(_BETWEEN.split(numbered[2]))
            return short if short in self.objects else None
        return None
