"""What hosted models cost by the table that agentkit ships: dated, and never fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from agentkit.runtime.price import Price

_FILE = Path(__file__).parent / "prices.json"
_MILLION = 1_000_000

_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "dashscope-us.aliyuncs.com": "dashscope",
    "api.x.ai": "xai",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.moonshot.ai": "moonshot",
    "api.z.ai": "zai",
    "api.groq.com": "groq",
    "api.together.xyz": "together_ai",
    "api.fireworks.ai": "fireworks_ai",
    "api.deepinfra.com": "deepinfra",
    "api.cerebras.ai": "cerebras",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The table: when and from where it was taken, and a price for each ``provider/model``."""

    date: str
    source: str
    models: Mapping[str, Price]

    def of(self, model: str) -> Price | None:
        """The price of ``provider/model``; None when it is not listed. A model without a provider is taken as OpenAI's."""
        return self.models.get(model if "/" in model else f"openai/{model}")

    def at(self, base_url: str, model: str) -> Price | None:
        """The price of ``model`` where it is hosted; None at a server that bills nobody we know of."""
        provider = _HOSTS.get(urlsplit(base_url).hostname or "")
        return self.models.get(f"{provider}/{model}") if provider else None


@cache
def prices() -> Prices:
    """The table that agentkit ships."""
    said = json.loads(_FILE.read_text(encoding="utf-8"))
    models = {name: _price(row) for name, row in said["models"].items()}
    return Prices(date=said["date"], source=said["source"], models=models)


def price_at(base_url: str, model: str) -> Price | None:
    """``prices().at``, without reading the table for servers that are none of a known provider's."""
    return prices().at(base_url, model) if urlsplit(base_url).hostname in _HOSTS else None


def _price(row: Mapping[str, float]) -> Price:
    per_token = {name: value / _MILLION for name, value in row.items() if name != "long_from"}
    return Price(**per_token, long_from=int(row.get("long_from", 0)))
