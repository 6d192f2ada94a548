"""Cassettes: model responses in a readable file, a line of JSON each, keyed by request and ordinal.

The first line names the format. Then come a line for each model (what it can do and costs), for each new request, and for
each sample in the order of arrival. Keys and other secrets are struck out before anything is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agentkit.errors import ConfigError, InputError, StoreError
from agentkit.protocols import Model
from agentkit.runtime.codec import decode, dumps, encode, request_data, request_key
from agentkit.runtime.database import explained
from agentkit.runtime.ordinals import Ordinals
from agentkit.runtime.price import Price, price_of
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.types import JSON, Capabilities, GenerateRequest, Sample

FORMAT = 1
"""The version of the format; a newer agentkit reads older cassettes, an older one refuses newer ones by name."""


def cassette_key(request: GenerateRequest) -> str:
    """What a response is kept under: the request alone, so that a cassette can stand in for any model."""
    return request_key("", request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A model that was recorded: under which ``label``, its name, what it could do and what it cost (None: not known)."""

    label: str
    name: str
    capabilities: Capabilities
    price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One recorded sample: the ``ordinal``-th answer of the model ``label`` to the request ``key``."""

    label: str
    key: str
    ordinal: int
    sample: Sample


class Cassette:
    """A cassette being recorded. Raises ``InputError`` if the file exists already, ``StoreError`` if it cannot be written.

    Several models can record on one cassette. Each line is on the disk's queue before its sample is handed out.
    """

    def __init__(self, path: str | Path, redact: Redactor | None = None) -> None:
        self.path = Path(path)
        self.ordinals: Ordinals[tuple[str, str]] = Ordinals()
        self._redact = redact or Redactor(secrets_in(os.environ))
        self._models: set[str] = set()
        self._requests: set[str] = set()
        if self.path.exists() and self.path.stat().st_size:
            raise InputError(f"{self.path} exists already: delete it first, or record to another file")
        self._write({"cassette": FORMAT})

    def add(self, label: str, model: Model, request: GenerateRequest, ordinal: int, sample: Sample) -> Sample:
        """Write a sample that ``model`` drew for ``request``, and return it as it was written, secrets struck out."""
        key = cassette_key(request)
        self._introduce(label, model, request, key)
        data = encode(replace(sample, index=0))
        clean = self._redact.data(data)
        self._write({"key": key, "model": label, "ordinal": ordinal, "sample": clean})
        return sample if clean == data else replace(decode(clean), index=sample.index)

    def _introduce(self, label: str, model: Model, request: GenerateRequest, key: str) -> None:
        if label not in self._models:
            self._models.add(label)
            price = price_of(model)
            costs = None if price is None else price.as_data()
            can = asdict(model.capabilities)
            self._write({"model": label, "name": model.name, "capabilities": can, "price": costs})
        if key not in self._requests:
            self._requests.add(key)
            self._write({"key": key, "request": self._redact.data(request_data(request))})

    def _write(self, line: Mapping[str, JSON]) -> None:
        with explained(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(f"{dumps(line)}\n")


class Tape:
    """A cassette as read from its file; raises ``InputError`` if there is none, ``StoreError`` if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.players: dict[str, Player] = {}
        self.requests: dict[str, Mapping[str, JSON]] = {}
        self.responses: dict[str, list[Response]] = {}
        for number, line in _lines(path):
            try:
                self._read(line)
            except (ConfigError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
                raise StoreError(f"{path}:{number}: this line of the cassette cannot be read ({error})") from error

    def _read(self, line: Mapping[str, JSON]) -> None:
        if "sample" in line:
            sample = replace(decode(line["sample"]), recorded=True)
            found = Response(label=line["model"], key=line["key"], ordinal=int(line["ordinal"]), sample=sample)
            self.responses.setdefault(found.key, []).append(found)
        elif "request" in line:
            self.requests[line["key"]] = dict(line["request"])
        elif "capabilities" in line:
            price = None if line["price"] is None else Price.of(line["price"])
            capabilities = Capabilities(**line["capabilities"])
            self.players[line["model"]] = Player(
                label=line["model"], name=line["name"], capabilities=capabilities, price=price
            )


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, JSON]]]:
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no cassette {path}: record one first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: the cassette cannot be read ({error})") from error
    whole = text.split("\n")[:-1]  # what follows the last newline was cut off in the middle of writing
    for number, line in enumerate(whole, start=1):
        yield number, _parsed(path, number, line)


def _parsed(path: Path, number: int, line: str) -> Mapping[str, JSON]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or (number == 1 and "cassette" not in data):
        raise StoreError(f"{path}:{number}: this is not a line of a cassette: the file is damaged or something else")
    if number == 1 and data["cassette"] != FORMAT:
        raise StoreError(
            f"{path}: the cassette has format {data['cassette']!r}, this agentkit reads {FORMAT}: update agentkit"
        )
    return data
