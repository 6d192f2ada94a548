"""From LaTeX to plain text, as far as answers need it: boxes, fractions, text, roots, spaces and signs."""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mbox|operatorname)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}")
_SHORT_ROOT = re.compile(r"\\sqrt\s*(\w)")
_POWER = re.compile(r"\^\s*\{([^{}]*)\}")
_DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degree|°(?![CF])")
_SPACES = re.compile(r"\\[!,;: ]|~|\\quad|\\qquad|\\left|\\right|\\displaystyle|\\[bB]igg?[lr]?")
_WORDS = {
    r"\cdot": "*",
    r"\times": "*",
    r"\div": "/",
    r"\pi": "pi",
    r"\infty": "infinity",
    r"\cup": "U",
    r"\leq": "<=",
    r"\geq": ">=",
    r"\le": "<=",
    r"\ge": ">=",
    r"\neq": "!=",
    r"\pm": "+-",
    r"\{": "{",
    r"\}": "}",
    r"\%": "%",
    r"\$": "$",
}
_WORD = re.compile("|".join(re.escape(word) + ("(?![a-zA-Z])" if word[-1].isalpha() else "") for word in _WORDS))
_LONGEST = 2000
_LAST_BOXES = 3
_DELIMITERS = ((r"\(", r"\)"), (r"\[", r"\]"), ("$$", "$$"), ("$", "$"))


def boxed(text: str) -> str | None:
    r"""What the last ``\boxed{...}`` of ``text`` holds, or None; braces inside are matched."""
    for found in list(_BOX.finditer(text))[: -_LAST_BOXES - 1 : -1]:
        end = _closing(text, found.end())
        if end is not None:
            return text[found.end() : end].strip()
    return None


def is_latex(text: str) -> bool:
    """Whether ``text`` is written in LaTeX: a command, or dollars around the whole."""
    return bool(re.search(r"\\[a-zA-Z(\[{%$]|[\^_]\{", text)) or bool(re.fullmatch(r"\s*\$[^$]+\$\s*", text))


def plain(text: str) -> str:
    r"""``text`` without its LaTeX: ``$\dfrac{3}{4}$`` is ``3/4``, ``\text{5 km}`` is ``5 km``; other text is unchanged."""
    if len(text) > _LONGEST or not is_latex(text):
        return text
    text = _SPACES.sub(" ", _undelimited(text.strip()))
    text = _DEGREES.sub(" degrees", text)
    text = _unnested(text)
    text = _WORD.sub(lambda found: _WORDS[found[0]], text)
    return re.sub(r"\s+", " ", re.sub(r"\\(?=[a-zA-Z])", "", text)).strip()


def _undelimited(text: str) -> str:
    for start, end in _DELIMITERS:
        if text.startswith(start) and text.endswith(end) and len(text) > len(start) + len(end):
            return text[len(start) : -len(end)].strip()
    return text


def _unnested(text: str) -> str:
    """Commands with braced arguments, from the innermost outwards; each round removes one level."""
    for _ in range(20):
        before = text
        text = _WRAPPED.sub(r" \1 ", text)
        text = _FRACTION.sub(lambda found: f" {_atom(found[1])}/{_atom(found[2])}", text)
        text = _ROOT.sub(lambda found: f"sqrt({found[1].strip()})", text)
        text = _POWER.sub(lambda found: f"^{_atom(found[1])}", text)
        if text == before:
            break
    text = _SHORT_FRACTION.sub(r" \1/\2", text)
    return _SHORT_ROOT.sub(r"sqrt(\1)", text)


def _atom(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"-?[\w.]+", text) else f"({text})"


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for place in range(start, min(len(text), start + _LONGEST)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None
