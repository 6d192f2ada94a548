"""Keys never reach a file: one redactor over everything that is written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from agentkit.types import JSON

MASK = "[redacted]"

_NAMES = re.compile(
    r"(?:^|_)(?:(?:API|ACCESS|SECRET|PRIVATE)?_?KEYS?|TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE|CREDENTIALS?|AUTH)(?:_|$)",
    re.IGNORECASE,
)
_FIELDS = re.compile(r"authorization|api[_-]?key|access[_-]?token|secret|passw(?:or)?d", re.IGNORECASE)
_SHORTEST = 8  # a shorter value is more likely a word than a key

_SHAPES = re.compile(
    r"""
    (?P<before> \b authorization ["']? \s* [:=] \s* ["']? (?: (?:bearer|basic|token) \s+ )?
              | \b (?:bearer|basic) \s+ (?= [^\s"']{16} )
              | \b [\w-]* (?: api[_-]?key | access[_-]?token | secret | passw(?:or)?d ) ["']? \s* [:=] \s* ["']? (?= \S* \d )
              | :// [^\s/:@]* : (?= [^\s/@]+ @ )
    )
    (?P<value> [^\s"',;@\\]{6,} )
  | \b (?: sk | pk | rk | pypi | glpat | xox[abprs] ) - (?= [A-Za-z_-]* \d ) [A-Za-z0-9_-]{16,}
  | \b (?: gh[opsu] | github_pat | hf | gsk | npm ) _ (?= [A-Za-z_-]* \d ) [A-Za-z0-9_-]{16,}
  | \b (?: AKIA | ASIA ) [A-Z0-9]{16} \b
  | \b AIza [A-Za-z0-9_-]{30,}
  | \b eyJ [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]{8,}
  | -----BEGIN [ ] [A-Z ]* PRIVATE [ ] KEY----- .*? (?: -----END [ ] [A-Z ]* PRIVATE [ ] KEY----- | \Z )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The keys in ``environ``, known by the name of their variable or by their own shape."""
    values = [value for name, value in environ.items() if _NAMES.search(name) and not _is_plain(value)]
    values += [match["value"] or match[0] for value in environ.values() for match in _SHAPES.finditer(value)]
    return tuple(dict.fromkeys(value for value in values if len(value) >= _SHORTEST))


class Redactor:
    """Strikes out secrets: the given ones in any of their encodings, and whatever has the shape of a key.

    With ``shapes=False`` only the given ones: for text that must otherwise stay as it is.
    """

    def __init__(self, secrets: Iterable[str] = (), *, shapes: bool = True) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._firsts = {form[0] for form in forms}
        self._longest = max(map(len, forms), default=0)
        self._shapes = shapes

    def __call__(self, text: str) -> str:
        """``text`` with ``[redacted]`` for every secret in it."""
        text = self.known(text)
        return _SHAPES.sub(_mask, text) if self._shapes else text

    def known(self, text: str) -> str:
        """``text`` without the given secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def beginning(self, text: str) -> int:
        """Where at the end of ``text`` a given secret may have begun; its length when none has."""
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            if text[start] in self._firsts and any(form.startswith(text[start:]) for form in self._forms):
                return start
        return len(text)

    def data(self, value: JSON) -> JSON:
        """Plain data with every text in it redacted, and whatever stands under a name such as ``api_key``."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list | tuple):
            return [self.data(one) for one in value]
        if isinstance(value, Mapping):
            return {self(str(name)): self._field(str(name), one) for name, one in value.items()}
        return value

    def _field(self, name: str, value: JSON) -> JSON:
        hidden = self._shapes and isinstance(value, str) and value and _FIELDS.search(name)
        return MASK if hidden else self.data(value)


class Tail:
    """Text redacted as it arrives in pieces: what might be the beginning of a known secret is held back until more is there.

    Only the secrets that ``redactor`` was given are looked for, not what merely has the shape of a key.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._held = redactor, ""

    def feed(self, piece: str) -> str:
        """What is certain now."""
        text = self._redactor.known(self._held + piece)
        start = self._redactor.beginning(text)
        self._held = text[start:]
        return text[:start]

    def end(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return rest


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without the ``secrets``, without their encodings and without anything shaped like a key."""
    return Redactor(secrets)(text)


def _mask(match: re.Match[str]) -> str:
    return (match["before"] or "") + MASK


def _is_plain(value: str) -> bool:
    """Paths and numbers are no secrets, whatever their variable is called."""
    return value.isdecimal() or value.startswith(("/", "./", "~"))


def _forms(secret: str) -> Iterator[str]:
    """The secret as it is and as URLs, JSON, hexadecimal and base64 (at each of its three alignments) spell it."""
    data = secret.encode("utf-8", "surrogateescape")
    yield secret
    for url in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield url
        yield re.sub(r"%..", lambda escape: escape[0].lower(), url)
    for written in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield written
        yield written.replace("/", "\\/")
    yield data.hex()
    yield data.hex().upper()
    for before in range(3):
        middle = _base64_middle(data, before)
        yield middle
        yield middle.replace("+", "-").replace("/", "_")


def _base64_middle(data: bytes, before: int) -> str:
    """The characters of ``data``'s base64 that do not depend on what stands around it, ``before`` bytes into a group."""
    encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
    start = (0, 2, 3)[before]
    whole = (before + len(data)) // 3 * 4
    return encoded[start:whole]
